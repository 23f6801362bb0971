/** Sizes before data: whatever they say of all sizes must hold for each. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Conditions, holds, type Relation } from "../src/tensor/conditions.ts";
import {
  addDims,
  type Dim,
  floorDivDims,
  isKnown,
  lowerBound,
  maxDims,
  minDims,
  mulDims,
  neverZero,
  positivePart,
  sameDim,
  showDim,
  subDims,
  substitute,
  symbolDim,
  upperBound,
} from "../src/tensor/dim.ts";

type Sizes = Readonly<Record<string, number>>;
/** A dim, and the same computed on numbers. */
interface Pair {
  readonly dim: Dim;
  readonly at: (sizes: Sizes) => number;
}

const SYMBOLS = ["n", "m"];
const sizes = fc.record({ n: fc.nat(9), m: fc.nat(9) });
const valueAt = (d: Dim, at: Sizes): number => substitute(d, (s) => at[s.key]) as number;

const leaf: fc.Arbitrary<Pair> = fc.oneof(
  fc.integer({ min: -4, max: 6 }).map((k) => ({ dim: k, at: () => k })),
  fc.constantFrom(...SYMBOLS).map((name) => ({ dim: symbolDim(name), at: (s: Sizes) => s[name]! })),
);
const binary = (a: Pair, b: Pair, dim: (x: Dim, y: Dim) => Dim, at: (x: number, y: number) => number): Pair => ({
  dim: dim(a.dim, b.dim),
  at: (s) => at(a.at(s), b.at(s)),
});
const dims: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(fc.constantFrom("+", "-", "*", "min", "max"), tie("pair"), tie("pair")).map(([op, a, b]) => {
      switch (op) {
        case "+":
          return binary(a, b, addDims, (x, y) => x + y);
        case "-":
          return binary(a, b, subDims, (x, y) => x - y);
        case "*":
          return binary(a, b, mulDims, (x, y) => x * y);
        case "min":
          return binary(a, b, minDims, Math.min);
        default:
          return binary(a, b, maxDims, Math.max);
      }
    }),
    tie("pair").map(({ dim, at }) => ({ dim: positivePart(dim), at: (s: Sizes) => Math.max(at(s), 0) })),
    fc.tuple(tie("pair"), fc.integer({ min: 1, max: 4 })).map(([a, k]) => ({
      dim: floorDivDims(positivePart(a.dim), k),
      at: (s: Sizes) => Math.floor(Math.max(a.at(s), 0) / k),
    })),
  ),
})).pair;

test("arithmetic on sizes is arithmetic on their numbers", () => {
  fc.assert(
    fc.property(dims, sizes, ({ dim, at }, s) => {
      expect(valueAt(dim, s) + 0).toBe(at(s) + 0); // no -0
    }),
    { numRuns: 1000 },
  );
});

test("bounds bound, and what is never zero never is", () => {
  fc.assert(
    fc.property(dims, sizes, ({ dim }, s) => {
      const value = valueAt(dim, s);
      expect(lowerBound(dim)).toBeLessThanOrEqual(value);
      expect(upperBound(dim)).toBeGreaterThanOrEqual(value);
      if (neverZero(dim)) expect(value).not.toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test("the parts of a split axis add up to it", () => {
  const n = symbolDim("n");
  for (const k of [0, 1, 5]) expect(sameDim(addDims(minDims(n, k), positivePart(subDims(n, k))), n)).toBe(true);
  expect(sameDim(positivePart(subDims(n, 1)), subDims(n, minDims(n, 1)))).toBe(true);
  expect(sameDim(floorDivDims(mulDims(6, n), 2), mulDims(3, n))).toBe(true);
});

test("sizes are shown as the language writes them", () => {
  const [n, m] = [symbolDim("n"), symbolDim("m")];
  const shown = [
    addDims(mulDims(2, n), 1),
    mulDims(n, m),
    minDims(n, 5),
    positivePart(subDims(n, 1)),
    floorDivDims(n, 2),
    subDims(n, m),
    symbolDim("?", "?0"),
  ];
  expect(shown.map(showDim)).toEqual(["2 * n + 1", "m * n", "min(n, 5)", "max(n - 1, 0)", "n // 2", "-m + n", "?"]);
});

const conditions = fc.array(fc.tuple(dims, fc.constantFrom<Relation>("=", ">="), dims), { minLength: 1, maxLength: 4 });
const GRID: Sizes[] = Array.from({ length: 100 }, (_, i) => ({ n: i % 10, m: Math.floor(i / 10) }));

test("a condition is called impossible only if no sizes meet it and the others, and true only if all do", () => {
  fc.assert(
    fc.property(conditions, (list) => {
      const recorded = new Conditions();
      let possible = GRID;
      for (const [lhs, relation, rhs] of list) {
        const verdict = recorded.require({ lhs: lhs.dim, relation, rhs: rhs.dim, what: "", site: undefined });
        const meeting = possible.filter((s) => holds(lhs.at(s), relation, rhs.at(s)));
        if ("impossible" in verdict) expect(meeting).toEqual([]);
        else if (verdict.holds) expect(meeting).toEqual(possible);
        if ("impossible" in verdict) return;
        possible = meeting;
      }
    }),
    { numRuns: 1000 },
  );
});

test("equalities force sizes: two that force different ones are told apart, with the first in the way", () => {
  const [n, m] = [symbolDim("n"), symbolDim("m")];
  const made = new Conditions();
  const require = (lhs: Dim, rhs: Dim) =>
    made.require({ lhs, relation: "=", rhs, what: "", site: `${showDim(lhs)}=${showDim(rhs)}` });
  expect(require(n, m)).toEqual({ holds: false });
  expect(require(m, 3)).toEqual({ holds: false });
  expect(require(n, 3)).toEqual({ holds: true });
  expect(require(n, 4)).toMatchObject({ impossible: true });
  expect(require(m, 4)).toMatchObject({ impossible: true, because: [{ site: "m=3" }] });
  expect(isKnown(made.reduce(addDims(n, m)))).toBe(true);
});

test("a condition that says what an earlier one says is not recorded again", () => {
  const [n, m] = [symbolDim("n"), symbolDim("m")];
  const made = new Conditions();
  const require = (lhs: Dim, relation: Relation, rhs: Dim) =>
    made.require({ lhs, relation, rhs, what: "", site: undefined });
  expect(require(n, ">=", 1)).toEqual({ holds: false });
  expect(require(subDims(n, 1), ">=", 0)).toEqual({ holds: true });
  expect(require(mulDims(2, n), "=", mulDims(3, m))).toEqual({ holds: false });
  expect(require(mulDims(3, m), "=", mulDims(2, n))).toEqual({ holds: true });
  expect(made.list.length).toBe(2);
});
