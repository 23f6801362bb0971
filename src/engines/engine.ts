/** What an engine is: a whole concrete graph in, tensors out. Knows no engine. */
import type { Node } from "../graph/node.ts";
import type { DType } from "../tensor/dtype.ts";
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
}

export interface CompileOptions {
  /** "nan": stop, with an EvaluationError, at the first op that makes a NaN from operands without one. */
  readonly trap?: "nan" | undefined;
  /** How many threads compute; the engine's choice where absent. */
  readonly threads?: number | undefined;
}

export interface Engine {
  readonly name: string;
  /** What of the graph the engine cannot do; empty where it can run it. */
  supports(graph: ConcreteGraph): readonly Unsupported[];
  compile(graph: ConcreteGraph, options?: CompileOptions): Promise<Program>;
}

export interface Program {
  /**
   * One run: a feed for each of the graph's inputs, a tensor for each of its outputs, both in order. Results may lie in
   * memory (a SharedArrayBuffer then) that outputs share and the next run uses: see `detached`. Throws EvaluationError.
   */
  run(feeds: readonly FeedSource[]): Promise<Tensor[]>;
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
