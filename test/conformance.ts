/** One table of programs for every engine, what each may differ in, and how many it passed. Knows no engine by its insides. */
import { readFileSync } from "node:fs";
import { bind } from "../src/bind/bind.ts";
import type { Engine, FeedSource } from "../src/engines/engine.ts";
import { evaluate, referenceEngine } from "../src/engines/reference/index.ts";
import type { Lowered } from "../src/lower/program.ts";
import { functionNames } from "../src/ops/registry.ts";
import { optimize } from "../src/optimize/index.ts";
import { TsymError } from "../src/source.ts";
import { DTYPES, type DType, type FloatDType, isFloat } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../src/tensor/tensor.ts";
import { compile } from "./evaluate.ts";
import { differing, type Job, outcome } from "./job.ts";
import { CALLS, OPERATORS } from "./operations.ts";

/** A program, the function or operator that it is about, and data for all its inputs. */
export interface Case {
  readonly op: string;
  readonly text: string;
  readonly float: FloatDType;
  readonly feeds?: Readonly<Record<string, Tensor>>;
}

const FLOATS = ["float32", "float64"] as const;

/** The programs of test/oracles, in both floats: what their inputs have for a default is fed. */
const ORACLES: readonly Case[] = (JSON.parse(readFileSync("test/oracles/ops.json", "utf8")) as { program: string }[])
  .map(({ program }) => program)
  .flatMap((program) =>
    FLOATS.map((float): Case => {
      const text = program.replaceAll("float64", float);
      const [, value = ""] = /^output out = (.*)$/m.exec(text) ?? [];
      return { op: /^(\w+)\(/.exec(value)?.[1] ?? value, text, float };
    }),
  );

/** Numbers in [0, 1), the same ones every time (Park and Miller 1988). */
function random(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** The calls of test/operations.ts, each for every dtype that it may have, with the gradients that it has. */
function calls(): Case[] {
  const named = Object.entries(CALLS).flatMap(([op, texts]) => texts.map((text) => ({ op, text })));
  return [...named, ...OPERATORS.map((text) => ({ op: text.split(" | ")[1]!, text }))].flatMap(({ op, text }) =>
    DTYPES.flatMap((dtype) => asCase(op, text, dtype)),
  );
}

/** `x[2, 3] in 0 1; i[2]: int32 | f(x, i)`, inputs without a dtype being of one. */
function asCase(op: string, call: string, dtype: DType): Case[] {
  const next = random();
  const [head, body] = call.split(" | ") as [string, string];
  const inputs = head.split("; ").map((declared) => {
    const [, name, dims, own, low = -2, high = 2] = /^(\w+)(?:\[(.*?)\])?(?:: (\w+))?(?: in (\S+) (\S+))?$/.exec(
      declared,
    )!;
    const shape = dims ? dims.split(", ").map(Number) : [];
    const of = (own ?? dtype) as DType;
    const values = Array.from({ length: sizeOf(shape) }, () => {
      const x = Number(low) + next() * (Number(high) - Number(low));
      return of === "bool" ? Number(x > 0) : isFloat(of) ? x : own ? Math.round(next()) : Math.round(x);
    });
    return { name: name!, shape, dtype: of, tensor: tensorOf(of, shape, values) };
  });
  const at = body.lastIndexOf("; ") + 1;
  const float = dtype === "float64" ? "float64" : "float32";
  const program = [
    `input ${inputs.map(({ name, shape, dtype }) => `${name}[${shape}]: ${dtype}`).join(", ")}`,
    ...(at > 0 ? [body.slice(0, at - 1)] : []),
    `output out = ${body.slice(at).trim()}`,
  ].join("\n");
  const feeds = Object.fromEntries(inputs.map(({ name, tensor }) => [name, tensor]));
  const gradients = inputs
    .filter((i) => isFloat(i.dtype))
    .map(({ name }) => `\noutput d${name} = grad sum(out) wrt ${name}`);
  const text = [program + gradients.join(""), program].find((text) => isRight(text, float));
  return text === undefined ? [] : [{ op, text, float, feeds }];
}

function isRight(text: string, float: FloatDType): boolean {
  try {
    compile(text, float);
    return true;
  } catch (error) {
    if (error instanceof TsymError) return false;
    throw error;
  }
}

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 1e-310, 1e-30, 3e38, 1e300, 0.5, -2.5, 88.8, -104, 710];

/** Every function of one or two numbers at every pair of special values. */
function specialValues(): Case[] {
  const n = SPECIAL.length;
  const pairs = { x: (i: number) => SPECIAL[i % n]!, y: (i: number) => SPECIAL[Math.floor(i / n)]! };
  return FLOATS.flatMap((float) => {
    const feeds = Object.fromEntries(
      Object.entries(pairs).map(([name, at]) => [
        name,
        tensorOf(
          float,
          [n * n],
          Array.from({ length: n * n }, (_, i) => at(i)),
        ),
      ]),
    );
    const texts = functionNames().flatMap((op) => [`${op}(x)`, `${op}(x, y)`].map((call) => [op, call] as const));
    const operators = ["x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "x < y", "x == y"];
    const conversions = ["int32", "bool"].map((dtype) => `astype(x, ${dtype})`);
    return [...texts, ...operators.map((o) => [o, o] as const), ...conversions.map((c) => ["astype", c] as const)]
      .map(([op, call]): Case => ({ op, text: `input x[${n * n}], y[${n * n}]\noutput out = ${call}`, float, feeds }))
      .filter(({ text }) => isRight(text, float));
  });
}

/** Every op, dtype and gradient. */
export const CASES: readonly Case[] = [...ORACLES, ...calls(), ...specialValues()];

/** The values of a program's inputs that have defaults. */
function defaultsOf(program: Lowered): Record<string, Tensor> {
  const { outputs } = bind(program, program.inputs, new Map());
  const values = evaluate(
    outputs.map((o) => o.node),
    new Map(),
  );
  return Object.fromEntries(outputs.map(({ name }, i) => [name, values[i]!]));
}

/** The case made ready for engines; undefined where it is one of the one float only. */
export function jobOfCase({ text, float, feeds: given }: Case): Job | undefined {
  if (!isRight(text, float)) return undefined;
  const program = compile(text, float);
  const feeds = given ?? defaultsOf(program);
  const fed = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, { shape, label: name }]));
  const { inputs, outputs } = bind(program, program.outputs, fed);
  return {
    graph: { inputs: inputs.map((i) => i.node), outputs: optimize(outputs.map((o) => o.node)).outputs },
    feeds: inputs.map(({ name }): FeedSource => {
      const { dtype, shape, data } = feeds[name]!;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return { type: { dtype, shape }, readInto: (target) => target.set(bytes) };
    }),
  };
}

/**
 * How far float32 results may be from the reference engine's: `ulp` in units of each element's last place, `sum` in units of the
 * last place of the largest element, or of 1, where sums round and cancel.
 */
export type Tolerance = { readonly ulp: number } | { readonly sum: number };

/** What is smaller may be 0. */
const LEAST_NORMAL = 2 ** -126;
const numbers = new Float32Array(1);
const bits = new Int32Array(numbers.buffer);
/** The number of a float32 among all of them. */
function ordinal(x: number): number {
  numbers[0] = x;
  return bits[0]! < 0 ? -(bits[0]! & 0x7fffffff) : bits[0]!;
}
const lastPlace = (x: number): number => 2 ** (Math.floor(Math.log2(x)) - 23);

/** Whether two elements are as near as is allowed; 0 is -0. */
function isNear(x: number, y: number, allowed: Tolerance, largest: number): boolean {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
  if (x === y || Math.abs(x - y) < LEAST_NORMAL) return true;
  if ("ulp" in allowed) return Math.abs(ordinal(x) - ordinal(y)) <= allowed.ulp;
  return Math.abs(x - y) <= allowed.sum * lastPlace(largest);
}

/** What is wrong with an outcome, or nothing. */
export function differenceWithin(
  found: Tensor[] | string,
  wanted: Tensor[] | string,
  tolerance: (output: number) => Tolerance,
): string[] {
  if (typeof found === "string" || typeof wanted === "string") return differing(found, wanted);
  return wanted.flatMap((tensor, i) => {
    const other = found[i]!;
    if (tensor.dtype !== "float32") return differing([other], [tensor]);
    if (other.dtype !== tensor.dtype || String(other.shape) !== String(tensor.shape))
      return [`output ${i}: another type`];
    const [allowed, mine, theirs] = [tolerance(i), Array.from(tensor.data, Number), Array.from(other.data, Number)];
    const largest = mine.filter(Number.isFinite).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    const at = mine.findIndex((x, k) => !isNear(x, theirs[k]!, allowed, largest));
    return at < 0 ? [] : [`output ${i}: ${other.data[at]}, not ${tensor.data[at]}, at ${at} of ${tensor.shape}`];
  });
}

/** An engine to be held to the reference engine, where it is there. */
export interface Candidate {
  readonly name: string;
  readonly engine: Engine | undefined;
  /** What it may differ in, by the name of what a program is about; nothing where absent. */
  readonly tolerance?: (op: string, output: number) => Tolerance;
}

/** How many cases an engine passed, cannot do by its own word, or was not there for. */
export class Tally {
  passed = 0;
  absent = 0;
  readonly cannot = new Map<string, number>();

  /** Counts a case that the engine cannot do, as it says itself. */
  refuse(reason: string): void {
    this.cannot.set(reason, (this.cannot.get(reason) ?? 0) + 1);
  }

  toString(): string {
    const refused = [...this.cannot.values()].reduce((a, b) => a + b, 0);
    const reasons = [...this.cannot].map(([reason, count]) => `${count} ${reason}`).join(", ");
    return [
      `${this.passed} passed`,
      `${refused} it cannot do${reasons && ` (${reasons})`}`,
      `${this.absent} it was absent for`,
    ].join(", ");
  }
}

/** Holds an engine that is there to the reference engine in one case; what is wrong, or nothing. */
export async function judge(candidate: Candidate, of: Case, tally: Tally): Promise<string[]> {
  const { tolerance } = candidate;
  const engine = candidate.engine!;
  const job = jobOfCase(of);
  if (!job) return [];
  const [refused] = engine.supports(job.graph);
  if (refused) {
    tally.refuse(refused.reason);
    return [];
  }
  const [found, wanted] = [await outcome(engine, job), await outcome(referenceEngine, job)];
  const wrong = tolerance ? differenceWithin(found, wanted, (i) => tolerance(of.op, i)) : differing(found, wanted);
  if (wrong.length === 0) tally.passed++;
  return wrong.map((difference) => `${of.text}\n→ ${difference}`);
}
