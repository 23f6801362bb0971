/**
 * Prints how far the elementary functions are off, in units in the last place, beside NumPy (SciPy) and JAX on the same points.
 * `--all exp` goes over every float32 for exp instead. To run: esbuild --bundle --platform=node, from the package's root.
 */
import { existsSync } from "node:fs";
import { FUNCTIONS, type FunctionName } from "../../src/numeric/functions.ts";
import { everyFloat32, float32Errors, float64Errors, readOracle } from "../oracles/numeric.ts";

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

function exhaustive(name: FunctionName): void {
  const parts = 64;
  let [max, sum, worst]: [number, number, readonly number[]] = [0, 0, []];
  for (let part = 0; part < parts; part++) {
    const errors = float32Errors(name, everyFloat32(part, parts));
    sum += errors.mean;
    if (!(errors.max <= max)) ({ max, worst } = errors);
    console.log(
      `${name} ${part + 1}/${parts}: max ${max.toFixed(4)} at ${worst}, mean ${(sum / (part + 1)).toFixed(4)}`,
    );
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
