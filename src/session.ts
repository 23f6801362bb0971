/** A checked program made ready for data: bound and compiled once for each set of shapes. Knows no file and no terminal. */
import { type Bound, bind } from "./bind/bind.ts";
import type { FedShape } from "./bind/sizes.ts";
import {
  type CompileOptions,
  type ConcreteGraph,
  type Description,
  type Engine,
  type Program as EngineProgram,
  EvaluationError,
  type FeedSource,
  type Unsupported,
} from "./engines/engine.ts";
import { ancestors, type Node } from "./graph/node.ts";
import type { Source } from "./io/source.ts";
import { nearest } from "./lower/names.ts";
import type { NamedTensor } from "./lower/outputs.ts";
import type { Lowered } from "./lower/program.ts";
import { aboutOperand, placeLabels, type Site, shapeLabel } from "./lower/site.ts";
import { contractOp } from "./ops/contract.ts";
import { opOf, spelling } from "./ops/define.ts";
import { inputOp } from "./ops/leaf.ts";
import { type Optimized, optimize } from "./optimize/index.ts";
import { type Diagnostic, fail, TsymError } from "./source.ts";
import { type Dim, isKnown, showShape } from "./tensor/dim.ts";
import { type DType, type FloatDType, isFloat, itemSize, OutOfMemory } from "./tensor/dtype.ts";
import type { FilePart, FileTarget } from "./tensor/file.ts";
import { detached, sizeOf, type Tensor, type TensorType } from "./tensor/tensor.ts";

/** How many sets of shapes stay compiled; the one made first goes first. */
const KEPT = 64;

export interface SessionOptions extends Omit<CompileOptions, "inFiles" | "toFiles"> {
  /** Of the wanted tensors those that may be written to files as they are computed: an engine does so, or not. */
  readonly toFiles?: ReadonlySet<string> | undefined;
  /** Whether there will be one run only. */
  readonly once?: boolean;
  /** Whether results must outlive the next run. */
  readonly keepsResults?: boolean;
  /** Told of the end of each phase. */
  readonly onPhase?: (phase: "bind" | "compile" | "run") => void;
}

/** Opens the file that an output of this type goes to. */
export type OpenFile = (name: string, type: TensorType) => FileTarget;

/** What was compiled for one set of shapes. */
interface Compiled {
  readonly bound: Bound;
  readonly graph: ConcreteGraph;
  readonly program: EngineProgram;
}

/** What an engine did for one set of shapes, and how long each stage took. */
export interface Profile {
  readonly description: Description;
  /** The wanted tensors' names. */
  readonly names: ReadonlyMap<Node, string>;
  readonly runs: number;
  readonly milliseconds: readonly number[];
}

export class Session {
  readonly #program: Lowered;
  readonly #wanted: readonly NamedTensor[];
  readonly #engine: Engine;
  readonly #options: SessionOptions;
  readonly #compiled = new Map<string, Compiled>();
  readonly #feeds = new WeakMap<Source, FeedSource>();
  #previous: Promise<unknown> = Promise.resolve();

  /** `wanted` are the tensors that every run gives; `program` has no errors. */
  constructor(program: Lowered, wanted: readonly NamedTensor[], engine: Engine, options: SessionOptions = {}) {
    this.#program = program;
    this.#wanted = wanted;
    this.#engine = engine;
    this.#options = options;
  }

  /**
   * The wanted tensors, by name; they hold until the next run, or longer with `keepsResults`. One run at a time, as a compiled
   * program has one memory. Throws TsymError.
   * @param open - asked for the file of each tensor that is written as it is computed, and which is then not among the results
   */
  evaluate(sources: ReadonlyMap<string, Source>, open?: OpenFile): Promise<Map<string, Tensor>> {
    const result = this.#previous.then(() => this.#evaluate(sources, open));
    this.#previous = result.catch(() => {});
    return result;
  }

  /** What the engine did so far, for each set of shapes that is still compiled; with `timed`, times too. */
  profiles(): Profile[] {
    return [...this.#compiled.values()].flatMap(({ graph, program }) => {
      const description = program.describe?.();
      const names = new Map(graph.outputs.map((node, i) => [node, this.#wanted[i]!.name]));
      return description ? [{ description, names, ...(program.timing?.() ?? { runs: 0, milliseconds: [] }) }] : [];
    });
  }

  /** Frees what was compiled. */
  dispose(): void {
    for (const { program } of this.#compiled.values()) program.dispose();
    this.#compiled.clear();
  }

  async #evaluate(sources: ReadonlyMap<string, Source>, open?: OpenFile): Promise<Map<string, Tensor>> {
    for (const name of sources.keys()) requireInput(this.#program, name);
    const { bound, graph, program } = await this.#compile(sources);
    const feeds = bound.inputs.map(({ name, node }) => this.#feedOf(sources.get(name)!, node));
    const written = program.written ?? [];
    const { toFiles } = this.#options;
    const advice = toFiles?.size === 0 ? TO_FILES : "";
    const results = await located(bound, advice, () =>
      program.run(feeds, open && ((i) => open(this.#wanted[i]!.name, typeOf(graph.outputs[i]!)))),
    );
    this.#options.onPhase?.("run");
    const own = this.#options.keepsResults ? results.map(detached) : results;
    const kept = this.#wanted.filter((_, i) => !written.includes(i));
    return new Map(kept.map(({ name }, i) => [name, own[i]!]));
  }

  /** The same for the same source and type, so that an engine knows what it has read. */
  #feedOf(source: Source, node: Node): FeedSource {
    const { dtype, shape } = node.type;
    const known = this.#feeds.get(source);
    if (known?.type.dtype === dtype && String(known.type.shape) === String(shape)) return known;
    const feed = {
      type: { dtype, shape: shape as number[] },
      readInto: (bytes: Uint8Array) => source.readInto(dtype, bytes),
      file: fileFor(source, node),
    };
    this.#feeds.set(source, feed);
    return feed;
  }

  /** The outputs made better. A single run that takes less time than that does without, where nothing but time hangs on it. */
  #optimized({ inputs, outputs }: Bound): Optimized {
    const { once, fastMath, trap } = this.#options;
    const graph = { inputs: nodesOf(inputs), outputs: nodesOf(outputs) };
    const isQuick = once && !fastMath && !trap && this.#engine.isSlow?.(graph) === false;
    return isQuick && !ancestors(graph.outputs).some(hangsOnOptimizing)
      ? { outputs: graph.outputs, origin: () => undefined }
      : optimize(graph.outputs, { fastMath });
  }

  async #compile(sources: ReadonlyMap<string, Source>): Promise<Compiled> {
    const fed = fedShapes(this.#program, sources);
    // What is kept is in memory, wherever it comes from.
    const dtypes = this.#options.keepsFeeds
      ? []
      : this.#program.inputs.map(({ name, node }) => fileFor(sources.get(name), node)?.dtype ?? "");
    const key = JSON.stringify([dtypes, ...[...fed].map(([name, { shape }]) => [name, ...shape])]);
    const known = this.#compiled.get(key);
    if (known) return known;
    const bound = bind(this.#program, this.#wanted, fed);
    this.#options.onPhase?.("bind");
    const { outputs, origin } = this.#optimized(bound);
    const before = (node: Node) => (bound.siteOf(node) ? node : (origin(node) ?? node));
    const siteOf = (node: Node) => bound.siteOf(before(node));
    const operandOf = (node: Node, arg: number) =>
      before(node).op === node.op ? bound.operandOf(before(node), arg) : undefined;
    const graph = { inputs: nodesOf(bound.inputs), outputs };
    const refused = this.#engine.supports(graph);
    if (refused.length > 0)
      throw new TsymError(
        refused.map((u) => unsupported(u, this.#engine.name, siteOf(u.node), this.#program)),
        3,
      );
    const toFiles = new Set(outputs.filter((_, i) => this.#options.toFiles?.has(this.#wanted[i]!.name)));
    const program = await this.#engine.compile(graph, { ...this.#options, inFiles: inFiles(bound, sources), toFiles });
    this.#options.onPhase?.("compile");
    const made = { bound: { ...bound, siteOf, operandOf }, graph, program };
    this.#compiled.set(key, made);
    const [first] = this.#compiled;
    if (first && this.#compiled.size > KEPT) {
      this.#compiled.delete(first[0]);
      first[1].program.dispose();
    }
    return made;
  }
}

/**
 * Whether optimizing may decide more of a node than its time: the order of products, and with it the last bits; or whether data that
 * make it impossible are met at all, since a node that is not needed goes.
 */
function hangsOnOptimizing(node: Node): boolean {
  const op = opOf(node);
  if (op.kind === "pointwise") return op.integerGuard !== undefined;
  return op.kind === "contract" ? node.args.some((arg) => arg.op === contractOp) : HANGING.has(op.kind);
}
const HANGING: ReadonlySet<string> = new Set(["linalg", "order"]);

/** The type of a concrete graph's node. */
const typeOf = ({ type: { dtype, shape } }: Node): TensorType => ({ dtype, shape: shape as readonly number[] });

const nodesOf = (named: readonly { readonly node: Node }[]): Node[] => named.map(({ node }) => node);

/** What an engine cannot do, told of the place in the program. */
function unsupported(
  { node, reason }: Unsupported,
  engine: string,
  site: Site | undefined,
  program: Lowered,
): Diagnostic {
  const input = node.op === inputOp ? program.inputs.find((i) => i.name === node.attrs["name"]) : undefined;
  return {
    severity: "error",
    code: "engine",
    message: `engine ${engine} cannot run ${input ? `input \`${input.name}\`` : spelling(node.op)}: ${reason}`,
    labels: input ? [{ span: input.span, text: "" }] : site ? placeLabels(site) : [],
    help: "the default engine can: leave --engine out",
  };
}

/** Where an input's data lie in a file, if an engine can take them from there. */
function fileFor(source: Source | undefined, { type: { dtype } }: Node): FilePart | undefined {
  const file = source?.file;
  return file && (file.dtype === dtype || (isFloat(file.dtype) && isFloat(dtype))) ? file : undefined;
}

/** The inputs whose data lie in files as an engine has them in memory. */
export const inFiles = ({ inputs }: Bound, sources: ReadonlyMap<string, Source>): Map<Node, DType> =>
  new Map(
    inputs.flatMap(({ name, node }) => {
      const file = fileFor(sources.get(name), node);
      return file ? [[node, file.dtype]] : [];
    }),
  );

/** What sources say of the sizes of a program's inputs. */
export const fedShapes = (program: Lowered, sources: ReadonlyMap<string, Source>): Map<string, FedShape> =>
  new Map(
    program.inputs.flatMap(({ name, node }) => {
      const source = sources.get(name);
      return source ? [[name, fedShape(source, node.type.shape)]] : [];
    }),
  );

/** The shape that a source gives an input declared so: a CSV column may be a vector, a cell a scalar, `[]` has the declared rank. */
function fedShape({ label, shape, alternativeShapes, openShape }: Source, declared: readonly Dim[]): FedShape {
  const alternative = alternativeShapes?.find(({ length }) => length === declared.length);
  if (alternative) return { label, shape: alternative };
  if (openShape && shape.length < declared.length)
    return { label, shape: declared.map((d, i) => shape[i] ?? (isKnown(d) ? d : undefined)), written: shape };
  return { label, shape };
}

/** Types for what is fed without a declaration: ints and bools keep their dtype, other numbers take the default float. */
export const undeclaredInputs = (
  sources: ReadonlyMap<string, Source>,
  defaultFloat: FloatDType,
): Map<string, { dtype: DType; shape: readonly number[] }> =>
  new Map(
    [...sources].map(([name, { dtype, shape }]) => [
      name,
      { dtype: dtype === "number" || isFloat(dtype) ? defaultFloat : dtype, shape },
    ]),
  );

/** Throws where the program has no input of that name. */
export function requireInput(program: Lowered, name: string): void {
  const names = program.inputs.map((i) => i.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  fail("unknown-input", `the program has no input \`${name}\``, {
    help: near
      ? `did you mean \`${near}\`?`
      : names.length > 0
        ? `its inputs are ${names.join(", ")}`
        : "it has no inputs",
  });
}

/**
 * There is no memory for some tensor: most likely the largest.
 * @param advice - what else could be done
 */
function tooLarge({ outputs, siteOf }: Bound, advice: string): never {
  const bytesOf = ({ type }: Node) => sizeOf(type.shape as number[]) * itemSize(type.dtype);
  const nodes = ancestors(outputs.map((o) => o.node)).sort((a, b) => bytesOf(b) - bytesOf(a));
  const largest = nodes.find(siteOf) ?? nodes[0];
  const site = largest && siteOf(largest);
  return fail("memory", "the program needs more memory than there is", {
    labels: site ? placeLabels(site) : [],
    help:
      largest &&
      `its largest tensor, ${showShape(largest.type.shape)} ${largest.type.dtype}, takes ${(bytesOf(largest) / 1e9).toPrecision(3)} GB${advice}`,
  });
}

/** Of results that are in memory as wholes and might not be. */
const TO_FILES =
  "; an output that alone goes to a .npy file (-o NAME=FILE.npy) takes none where it is computed in parts";

/** Runs the engine; what the data make impossible is told of the place in the program. */
async function located<T>(bound: Bound, advice: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutOfMemory) tooLarge(bound, advice);
    if (!(error instanceof EvaluationError)) throw error;
    const { node, arg, message, help } = error;
    const site = bound.siteOf(node);
    const guilty = arg === undefined ? undefined : bound.operandOf(node, arg);
    const beside = site?.operands.flatMap((o) => (o === guilty ? [] : (shapeLabel(o) ?? [])));
    const labels = site
      ? placeLabels(
          { ...site, ...(guilty && { span: guilty.span }) },
          { here: guilty && shapeLabel(guilty)?.text, beside },
        )
      : [];
    return fail("evaluation", message, { labels, help: aboutOperand(help, guilty) });
  }
}
