/** The library: what the commands do, for programs that call tsym. Touches neither files nor the terminal. */
import type { Expr, Program } from "../grammar/ast.ts";
import { checkProgram, type FindImport, failOnErrors, type Loaded, loadProgram } from "./compile.ts";
import { type EngineName, loadEngine } from "./engines/load.ts";
import type { Source } from "./io/source.ts";
import { describeNeed, needsOf } from "./lower/inputs.ts";
import type { NamedTensor } from "./lower/outputs.ts";
import { type Lowered, namesBoundBy } from "./lower/program.ts";
import { type Feed, ndarrayOf, type Result, sourceOf } from "./ndarray.ts";
import { strongDType } from "./ops/promote.ts";
import { Session, undeclaredInputs } from "./session.ts";
import { type Diagnostic, fail } from "./source.ts";
import { isKnown, showDim } from "./tensor/dim.ts";
import type { DType, FloatDType } from "./tensor/dtype.ts";

export { parse } from "../grammar/parser.ts";
export type { Feed, NdArray, Result } from "./ndarray.ts";
export { renderDiagnostics } from "./render.ts";
export { type Diagnostic, type Label, type SourceText, type Span, TsymError } from "./source.ts";
export type { DType, EngineName };

export interface Options {
  /** The default float; float32 unless said otherwise. */
  readonly float?: FloatDType;
  /** The text of each file that an `import` names, by its path as written there. */
  readonly imports?: Readonly<Record<string, string>>;
  /** What messages call the program. */
  readonly name?: string;
  /** What computes: the embedded engine unless said otherwise, whose bits are the same everywhere; "auto" chooses for each program. */
  readonly engine?: EngineName;
  /** Where it computes: a GPU is TensorFlow's. */
  readonly device?: "cpu" | "gpu";
}

/** A tensor before there is data. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes: numbers, and where they hang on the data names, `?` or arithmetic on them. */
  readonly shape: readonly (number | string)[];
}

export interface InputInfo extends TensorInfo {
  /** It has a default, so that it need not be fed. */
  readonly optional: boolean;
}

/** What is known of a program before there is data. */
export interface Checked {
  readonly inputs: readonly InputInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What sizes must satisfy: `n = 3`. */
  readonly conditions: readonly string[];
  /** All that is wrong, and warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Data by the names of inputs. */
export type Feeds = Readonly<Record<string, Feed>>;
/** Data by the names of outputs. */
export type Results = Record<string, Result>;

/** A program without mistakes. */
export interface Compiled extends Checked {
  /** Evaluates every output; compiled once for each set of shapes. Throws TsymError where the data do not fit. */
  run(feeds?: Feeds): Promise<Results>;
}

/** Infers types and shapes; never throws for what is wrong with the program, but tells it in `diagnostics`. */
export const check = (text: string, options: Options = {}): Checked => describe(lowerText(text, options));

/** A program ready to run. Throws TsymError with all that is wrong with it. */
export function compile(text: string, options: Options = {}): Compiled {
  const program = lowerText(text, options);
  failOnErrors(program.diagnostics);
  const evaluate = evaluator(program, program.outputs, options);
  return { ...describe(program), run: async (feeds = {}) => named(await evaluate(sourcesOf(feeds))) };
}

/** Evaluates a program once. Names that are fed but not declared become inputs, as `tsym run -e` makes them. */
export const run = async (text: string, feeds: Feeds = {}, options: Options = {}): Promise<Results> =>
  named(await undeclared(load(text, options), options)(feeds));

/**
 * A function of feeds that gives the gradient of what the program computes last, a scalar, with respect to an input or
 * another name in it; for several names, their gradients in order. What is fed but not declared becomes an input:
 * `grad("sum(x ** 2)", "x")({ x: [1, 2] })`. Throws TsymError, at once where the program does not parse.
 */
export function grad(text: string, wrt: string, options?: Options): (feeds?: Feeds) => Promise<Result>;
export function grad(text: string, wrt: readonly string[], options?: Options): (feeds?: Feeds) => Promise<Result[]>;
export function grad(text: string, wrt: string | readonly string[], options: Options = {}) {
  const names = typeof wrt === "string" ? [wrt] : wrt;
  const loaded = load(text, options);
  failOnErrors(loaded.diagnostics);
  const { main, imported } = loaded.sources;
  const gradients = { ...loaded, sources: { main: differentiated(main, names), imported } };
  const evaluate = undeclared(gradients, options, names.length);
  return async (feeds: Feeds = {}) => {
    const results = [...(await evaluate(feeds)).values()];
    return typeof wrt === "string" ? results[0] : results;
  };
}

const load = (text: string, { imports = {}, name = "program" }: Options): Loaded => {
  const find: FindImport = (path) => ({
    name: path,
    identity: path,
    content: () =>
      Object.hasOwn(imports, path) ? { text: imports[path]! } : { missing: "the option imports does not hold it" },
  });
  return loadProgram({ name, text }, find);
};

const lowerText = (text: string, options: Options): Lowered =>
  checkProgram(load(text, options), { defaultFloat: options.float ?? "float32" });

function describe({ inputs, outputs, graph, diagnostics }: Lowered): Checked {
  const info = ({ name, node }: NamedTensor): TensorInfo => ({
    name,
    dtype: strongDType(node),
    shape: node.type.shape.map((d) => (isKnown(d) ? d : showDim(d))),
  });
  return {
    inputs: inputs.map((input) => ({ ...info(input), optional: input.default !== undefined })),
    outputs: outputs.map(info),
    conditions: needsOf(graph, inputs).map(describeNeed),
    diagnostics,
  };
}

type Evaluate<Data> = (data: Data) => Promise<Map<string, Result>>;

/** Loads the engine when first asked. */
function evaluator(
  program: Lowered,
  wanted: readonly NamedTensor[],
  { engine = "wasm", device }: Options,
): Evaluate<ReadonlyMap<string, Source>> {
  let session: Promise<Session> | undefined;
  return async (sources) => {
    session ??= loadEngine({ engine, device }).then(
      (engine) => new Session(program, wanted, engine, { keepsResults: true }),
    );
    const results = await (await session).evaluate(sources);
    return new Map([...results].map(([name, tensor]) => [name, ndarrayOf(tensor)]));
  };
}

/** Evaluates the last `count` outputs, all if it is not given, of a program that takes what is fed for an input. */
function undeclared(loaded: Loaded, options: Options, count?: number): Evaluate<Feeds> {
  const { float = "float32" } = options;
  const declared = new Set(loaded.sources.main.statements.flatMap(namesBoundBy));
  let latest: { readonly key: string; readonly evaluate: Evaluate<ReadonlyMap<string, Source>> } | undefined;
  return async (feeds) => {
    const sources = sourcesOf(feeds);
    const types = undeclaredInputs(new Map([...sources].filter(([name]) => !declared.has(name))), float);
    const key = JSON.stringify([...types]);
    if (latest?.key !== key) {
      const program = checkProgram(loaded, { defaultFloat: float, undeclared: types });
      failOnErrors(program.diagnostics);
      latest = { key, evaluate: evaluator(program, program.outputs.slice(count === undefined ? 0 : -count), options) };
    }
    return latest.evaluate(sources);
  };
}

/** The program with one more statement, the gradient of what its last one computes. */
function differentiated(program: Program, names: readonly string[]): Program {
  const last = program.statements.findLast((s) => s.kind === "expr" || s.kind === "bind" || s.kind === "output");
  if (!last || names.length === 0)
    return fail("derivative", "grad needs a program that computes something, and a name");
  const [target] = last.kind === "bind" ? last.targets : last.kind === "output" ? [last.outputs.at(-1)!.name] : [];
  const of: Expr = last.kind === "expr" ? last.value : { kind: "name", name: target!.name, span: target!.span };
  const source = { name: "grad", text: names.join(", ") };
  let start = 0;
  const wrt = names.map((name) => {
    const span = { source, start, end: start + name.length };
    start = span.end + ", ".length;
    return { name, span };
  });
  const value: Expr = { kind: "derivative", op: "grad", of, wrt, span: of.span };
  return { ...program, statements: [...program.statements, { kind: "expr", value, span: of.span }] };
}

const sourcesOf = (feeds: Feeds): Map<string, Source> =>
  new Map(Object.entries(feeds).map(([name, value]) => [name, sourceOf(`feeds.${name}`, value)]));

const named = (results: ReadonlyMap<string, Result>): Results => Object.fromEntries(results);
