/** Errors of the elementary functions in units in the last place, against the results that numeric.py wrote down. Run from the package's root. */
import { readFileSync } from "node:fs";
import { type ElementaryFunction, FUNCTIONS, type FunctionName } from "../../src/numeric/functions.ts";
import { compileScalar } from "../../src/numeric/javascript.ts";

export interface Errors {
  readonly max: number;
  readonly mean: number;
  /** The arguments where it is largest. */
  readonly worst: readonly number[];
}

type Precision = "float64" | "float32";
type Point = readonly number[];
type Scalar = (...args: number[]) => number;

export interface Oracle {
  readonly points: readonly Point[];
  /** The correctly rounded results, and what they lack of the true ones in units in their last place. */
  readonly rounded: Float64Array;
  readonly remainders: Float32Array;
  /** What others did on the same points; max is null where one was off by infinity. */
  readonly peers: Record<"numpy" | "jax", Record<Precision, { max: number | null; mean: number } | null>>;
}

const bytesOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, "base64")).buffer;

export function readOracle(name: string): Oracle {
  const file = JSON.parse(readFileSync(`test/oracles/numeric/${name}.json`, "utf8"));
  const columns = (file.arguments as string[]).map((text) => new Float64Array(bytesOf(text)));
  return {
    points: Array.from(columns[0]!, (_, i) => columns.map((column) => column[i]!)),
    rounded: new Float64Array(bytesOf(file.rounded)),
    remainders: new Float32Array(bytesOf(file.remainders)),
    peers: file.peers,
  };
}

const scalarOf = (define: ElementaryFunction["float64"], arity: number): Scalar =>
  compileScalar(define, new Array<"f64">(arity).fill("f64"));

const FORMATS = { float64: { digits: 53, lowest: -1074 }, float32: { digits: 24, lowest: -149 } };
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/** One unit in the last place of x; of a subnormal number, or 0, the smallest there is. */
function unitInLastPlace(x: number, precision: Precision): number {
  const { digits, lowest } = FORMATS[precision];
  double[0] = x;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  return 2 ** Math.max(exponent - digits + 1, lowest);
}

function summarize(points: Iterable<Point>, error: (point: Point, i: number) => number): Errors {
  let [max, sum, count, worst]: [number, number, number, Point] = [0, 0, 0, []];
  for (const point of points) {
    const e = error(point, count++);
    sum += e;
    if (!(e <= max)) [max, worst] = [e, [...point]];
  }
  return { max, mean: sum / count, worst };
}

/** Ours against the oracle. */
export function float64Errors(name: FunctionName, oracle: Oracle): Errors {
  const f = scalarOf(FUNCTIONS[name].float64, FUNCTIONS[name].parameters.length);
  return summarize(oracle.points, (point, i) => {
    const [result, expected, remainder] = [f(...point), oracle.rounded[i]!, oracle.remainders[i]!];
    if (Object.is(result, expected)) return Math.abs(remainder);
    return Math.abs((result - expected) / unitInLastPlace(expected, "float64") - remainder);
  });
}

/** Ours for float32 against ours for float64, whose own error is nothing beside a float32's unit; `points` are rounded first. */
export function float32Errors(name: FunctionName, points: Iterable<Point>): Errors {
  const { float64, float32 = float64, parameters }: ElementaryFunction = FUNCTIONS[name];
  const [f, truth] = [scalarOf(float32, parameters.length), scalarOf(float64, parameters.length)];
  return summarize(points, (point) => {
    const single = point.map(Math.fround);
    return float32Error(f(...single), truth(...single));
  });
}

/** Of a result that is yet to be rounded to float32. */
export function float32Error(unrounded: number, expected: number): number {
  const result = Math.fround(unrounded);
  const same = Object.is(result, Math.fround(expected));
  return same && !Number.isFinite(result) ? 0 : Math.abs(result - expected) / unitInLastPlace(expected, "float32");
}
