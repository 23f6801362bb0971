/** Values and gradients against JAX and NumPy, as test/oracles/ops.py wrote them down. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/tensor/tensor.ts";
import { evaluate } from "./evaluate.ts";

/** Numbers that JSON lacks are strings. */
type Written = number | boolean | "inf" | "-inf" | "nan";
interface Expected {
  readonly shape: readonly number[];
  readonly values: readonly Written[];
}
interface Entry {
  readonly program: string;
  readonly expected: Readonly<Record<string, Expected>>;
}

const read = (x: Written): number =>
  typeof x === "string" ? { inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY, nan: Number.NaN }[x] : +x;

/** Sums are made in another order than theirs: a few roundings at the scale of the largest element may differ. */
const TOLERANCE = 1e-9;

/** What of the results is not as expected, element by element. */
function differences(result: Tensor, { values }: Expected): string[] {
  const wanted = values.map(read);
  const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
  return Array.from(result.data as Float64Array, Number).flatMap((x, i) => {
    const y = wanted[i]!;
    const close = x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= TOLERANCE * scale;
    return close ? [] : [`[${i}]: ${x}, not ${y}`];
  });
}

const entries: Entry[] = JSON.parse(readFileSync("test/oracles/ops.json", "utf8"));

describe("JAX gives", () => {
  test.each(entries)("$program", ({ program, expected }) => {
    const results = evaluate(program);
    for (const [name, { shape, values }] of Object.entries(expected)) {
      expect(results[name]!.shape, name).toEqual(shape);
      expect(differences(results[name]!, { shape, values }), name).toEqual([]);
    }
  });
});
