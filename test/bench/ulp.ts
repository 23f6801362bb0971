/**
 * Prints how far the elementary functions are off, in units in the last place, beside NumPy (SciPy) and JAX on the same points.
 * `--all exp` goes over every float32 for exp instead. To run: esbuild --bundle --platform=node, from the package's root.
 */
import { existsSync } from "node:fs";
import { parameter } from "../../src/numeric/form.ts";
import { type ElementaryFunction, FUNCTIONS, type FunctionName } from "../../src/numeric/functions.ts";
import { emit, scope } from "../../src/numeric/javascript.ts";
import { float32Error, float32Errors, float64Errors, readOracle } from "../oracles/numeric.ts";

const NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** Where float32 has all its digits; the others' errors are of these points alone. */
const normal = (x: number) => Math.abs(x) >= 2 ** -126 && Math.abs(x) < 2 ** 128;

type Figures = { readonly max: number | null; readonly mean: number } | null;
const show = (value: number) => (value < 1e4 ? value.toFixed(3) : value.toExponential(1)).padStart(8);
const pair = (errors: Figures) =>
  errors ? `${show(errors.max ?? Number.POSITIVE_INFINITY)} ${show(errors.mean)}` : " ".repeat(17);

function table(): void {
  const columns = ["float64", "NumPy", "JAX", "float32", "NumPy", "JAX"];
  console.log(`${"max, mean ulp".padEnd(14)}${columns.map((c) => c.padStart(17)).join("  ")}`);
  for (const name of NAMES.filter((n) => existsSync(`test/oracles/numeric/${n}.json`))) {
    const oracle = readOracle(name);
    const { numpy, jax } = oracle.peers;
    const cells = [float64Errors(name, oracle), numpy.float64, jax.float64];
    const singles = oracle.points.filter((point, i) => [...point, oracle.rounded[i]!].every(normal));
    cells.push(float32Errors(name, singles), numpy.float32, jax.float32);
    console.log(`${name.padEnd(14)}${cells.map(pair).join("  ")}`);
  }
}

/** Largest error, sum of errors, and where it is largest. */
type Scan = readonly [max: number, sum: number, worst: number];

/** A loop over the float32 values with bits in [from, to), both definitions spliced into its body. */
function scannerOf({ float64, float32 = float64 }: ElementaryFunction): (from: number, to: number) => Scan {
  const x = parameter(0, "f64");
  const [short, long] = [emit(float32(x), ["x"], "s"), emit(float64(x), ["x"], "l")];
  const body = `return (from, to) => {
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    let [max, sum, worst] = [0, 0, 0];
    for (let i = from; i < to; i++) {
      bits[0] = i;
      const x = value[0];
      ${short.statements}
      ${long.statements}
      const error = errorOf(${short.result}, ${long.result});
      sum += error;
      if (!(error <= max)) [max, worst] = [error, x];
    }
    return [max, sum, worst];
  }`;
  const names = { ...scope(), errorOf: float32Error };
  return new Function(...Object.keys(names), body)(...Object.values(names));
}

function exhaustive(name: FunctionName): void {
  const scan = scannerOf(FUNCTIONS[name]);
  const step = 2 ** 26;
  let [max, sum, worst] = [0, 0, 0];
  for (let to = step; to <= 2 ** 32; to += step) {
    const part = scan(to - step, to);
    sum += part[1];
    if (!(part[0] <= max)) [max, , worst] = part;
    const done = ((100 * to) / 2 ** 32).toFixed(1);
    console.log(`${name} ${done}%: max ${max.toFixed(4)} at ${worst}, mean ${(sum / to).toFixed(4)}`);
  }
}

const [option, wanted] = process.argv.slice(2);
const name = NAMES.find((n) => n === wanted);
if (option === undefined) table();
else if (option === "--all" && name && FUNCTIONS[name].parameters.length === 1) exhaustive(name);
else {
  console.error(`usage: ulp [--all NAME], NAME of one argument among ${NAMES.join(" ")}`);
  process.exitCode = 2;
}
