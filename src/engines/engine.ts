/** What an engine is: a whole concrete graph in, tensors out. Knows no engine. */
import type { Node } from "../graph/node.ts";
import type { DType } from "../tensor/dtype.ts";
import type { FilePart, FileTarget } from "../tensor/file.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A graph whose every dim is a number. */
export interface ConcreteGraph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
}

/** A node that an engine cannot run, and why, in words that follow its name. */
export interface Unsupported {
  readonly node: Node;
  readonly reason: string;
}

/** An input's data. */
export interface FeedSource {
  readonly type: { readonly dtype: DType; readonly shape: readonly number[] };
  /** Fills `bytes`, which hold exactly the elements of `type`: row-major, little-endian, bool as 0 and 1. */
  readInto(bytes: Uint8Array): void;
  /** Where the elements lie in a file, if they do: in this dtype, or in the other float. */
  readonly file?: FilePart | undefined;
}

export interface CompileOptions {
  /** "nan": stop, with an EvaluationError, at the first op that makes a NaN from operands without one. */
  readonly trap?: "nan" | undefined;
  /** How many threads compute; the engine's choice where absent. */
  readonly threads?: number | undefined;
  /** Sums of products may round once where they round twice: quicker, but the last bits differ, and from machine to machine. */
  readonly fastMath?: boolean | undefined;
  /** Whether what is fed is kept: a source that the run before had too, the same object, is then not read again. */
  readonly keepsFeeds?: boolean | undefined;
  /** The inputs that will be fed from files, which need not be in memory as wholes, and the dtypes there. */
  readonly inFiles?: ReadonlyMap<Node, DType> | undefined;
  /** The outputs that may be written to files, so that they need not be in memory as wholes. */
  readonly toFiles?: ReadonlySet<Node> | undefined;
  /** How many runs are to be expected; one where absent. */
  readonly runs?: number | undefined;
  /** Whether the program measures its stages. */
  readonly timed?: boolean | undefined;
}

export interface Engine {
  readonly name: string;
  /** What of the graph the engine cannot do; empty where it can run it. */
  supports(graph: ConcreteGraph): readonly Unsupported[];
  compile(graph: ConcreteGraph, options?: CompileOptions): Promise<Program>;
  /** Whether a run takes longer than to optimize the graph would; so it does where absent. */
  isSlow?(graph: ConcreteGraph): boolean;
  /** What `compile` would make; nothing is compiled. */
  describe?(graph: ConcreteGraph, options?: CompileOptions): Promise<Description>;
}

/** What runs a graph, and how. */
export interface Description {
  /** The engine whose code it is. */
  readonly engine: string;
  /** Why that one, in words that follow its name. */
  readonly reason: string;
  readonly threads: number;
  /** Where the engine goes by a plan. */
  readonly plan?: { readonly stages: readonly StageDescription[]; readonly memory: MemoryDescription } | undefined;
}

/** Steps that are done block by block, each block in all of them; or one step, done as a whole. */
export interface StageDescription {
  readonly blocks: number;
  readonly steps: readonly StepDescription[];
}

export interface StepDescription {
  /**
   * Loops of our own, but for `host`: what the reference engine does. `combine` folds the sums of a reduction's blocks; `read`
   * reads an input's part from a file, `write` writes an output's.
   */
  readonly kind: "kernel" | "copy" | "combine" | "product" | "host" | "read" | "write";
  /** What it computes, the result first. */
  readonly nodes: readonly Node[];
  /** Sizes of the loop nest, outermost first; of a product batch, m, n, k. */
  readonly loop: readonly number[];
  /** Buffers, by number. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Bytes of memory, each element once, without what stays in a thread's cache. */
  readonly read: number;
  readonly written: number;
  /** Additions, products, comparisons …: an elementary function is many. 2mnk for a product. Unknown (0) for `host`. */
  readonly operations: number;
}

export interface MemoryDescription {
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
  /** Buffers of which each thread has a block of its own. */
  readonly local: readonly number[];
  /** Groups of buffers that lie in one place, since they are not needed at the same time. */
  readonly shared: readonly (readonly number[])[];
  /** All that the program takes, from its start to its end. */
  readonly bytes: number;
}

export interface Program {
  /**
   * One run: a feed for each of the graph's inputs, a tensor for each of its outputs, both in order. Results may lie in
   * memory (a SharedArrayBuffer then) that outputs share and the next run uses: see `detached`. Throws EvaluationError.
   * @param open - gives the file for an output of `written`, by place: there is no tensor for these
   */
  run(feeds: readonly FeedSource[], open?: (output: number) => FileTarget): Promise<Tensor[]>;
  /** The outputs, by place, that a run writes to files; none where absent. */
  readonly written?: readonly number[] | undefined;
  /** How long each stage of the engine's description took in all runs so far, where `timed` asked for it. */
  timing?(): { readonly runs: number; readonly milliseconds: readonly number[] } | undefined;
  /** What it is, and on how many threads it has run last. */
  describe?(): Description;
  /** Frees what the program holds; it cannot run after that. */
  dispose(): void;
}

/** The data made an op impossible: an integer divided by zero, an index out of range … */
export class EvaluationError extends Error {
  readonly node: Node;
  /** What to do about it; `…` stands for the guilty argument. */
  readonly help: string;
  /** The node's argument that is guilty, where one is. */
  readonly arg: number | undefined;
  constructor(node: Node, message: string, help: string, arg?: number) {
    super(message);
    this.name = "EvaluationError";
    this.node = node;
    this.help = help;
    this.arg = arg;
  }
}
