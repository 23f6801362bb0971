/** The reference engine against code too plain to be wrong: one element at a time, by coordinates. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvaluationError } from "../src/engines/engine.ts";
import { evaluate, referenceEngine } from "../src/engines/reference/index.ts";
import { ancestors, Graph, type Node } from "../src/graph/node.ts";
import { compileScalar } from "../src/numeric/javascript.ts";
import { contract } from "../src/ops/contract.ts";
import { opOf } from "../src/ops/define.ts";
import * as elementary from "../src/ops/elementary.ts";
import { scatterAdd, take, takeAlong } from "../src/ops/indexing.ts";
import { hole, input, ramp } from "../src/ops/leaf.ts";
import { concat, embed, flatten, permute, relabel, slice, stretch } from "../src/ops/movement.ts";
import { binaryOperator } from "../src/ops/operators.ts";
import * as p from "../src/ops/pointwise.ts";
import { cast } from "../src/ops/promote.ts";
import { reduce } from "../src/ops/reduce.ts";
import { cumprod, cumsum } from "../src/ops/scan.ts";
import { argsort, sort } from "../src/ops/sort.ts";
import { allocate, type DType, isFloat } from "../src/tensor/dtype.ts";
import { sizeOf, stridesOf, type Tensor, tensorOf } from "../src/tensor/tensor.ts";

type Element = number | bigint;
type Coordinates = readonly number[];
const NUMERIC = ["int32", "int64", "float32", "float64"] as const;
const DTYPES = ["bool", ...NUMERIC] as const;

// Plain tensors.

/** Every place of a shape, in C order. */
const places = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((done, size) => done.flatMap((c) => range(size).map((i) => [...c, i])), [[]]);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const at = ({ shape, data }: Tensor, place: Coordinates): Element =>
  data[stridesOf(shape).reduce((sum, stride, axis) => sum + stride * place[axis]!, 0)]!;
const generate = (dtype: DType, shape: readonly number[], value: (place: number[]) => Element): Tensor =>
  tensorOf(dtype, shape, places(shape).map(value));

/** Exact for ints, by way of integers of any size; floats round once. */
function arithmetic(dtype: DType) {
  const wrap = (x: bigint): Element => (dtype === "int64" ? BigInt.asIntN(64, x) : Number(BigInt.asIntN(32, x)));
  const round = dtype === "float32" ? Math.fround : (x: number) => x;
  return isFloat(dtype)
    ? {
        add: (a: Element, b: Element): Element => round(Number(a) + Number(b)),
        mul: (a: Element, b: Element): Element => round(Number(a) * Number(b)),
        zero: 0,
        one: 1,
      }
    : {
        add: (a: Element, b: Element) => wrap(BigInt(a) + BigInt(b)),
        mul: (a: Element, b: Element) => wrap(BigInt(a) * BigInt(b)),
        zero: wrap(0n),
        one: wrap(1n),
      };
}

// Random operands: some numbers, laid out in memory in some way.

interface Operand {
  /** What it means. */
  readonly tensor: Tensor;
  /** What is fed; `view` reads `tensor` from it. */
  readonly stored: Tensor;
  view(stored: Node): Node;
}

const size = fc.constantFrom(0, 1, 2, 3, 5, 7);
const positiveSize = fc.constantFrom(1, 2, 3, 5, 7);
const shapes = (maxLength = 4) => fc.array(size, { maxLength });
const ELEMENT: Record<DType, fc.Arbitrary<Element>> = {
  bool: fc.nat(1),
  int32: fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 })),
  int64: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 3n })),
  float32: fc.oneof(fc.float(), fc.integer({ min: -3, max: 3 })),
  float64: fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 })),
};
const listOf = <T>(element: fc.Arbitrary<T>, length: number) =>
  fc.array(element, { minLength: length, maxLength: length, size: "max" });
const permutations = (rank: number) => fc.shuffledSubarray(range(rank), { minLength: rank });

function operands(dtype: DType, shape: readonly number[], element = ELEMENT[dtype]): fc.Arbitrary<Operand> {
  return fc
    .record({
      values: listOf(element, sizeOf(shape)),
      order: permutations(shape.length),
      steps: listOf(fc.constantFrom(1, 2, -1, -2), shape.length),
    })
    .map(({ values, order, steps }) => layOut(tensorOf(dtype, shape, values), order, steps));
}

/** Memory in which the axes lie in another `order`, each read in `steps`. */
function layOut(tensor: Tensor, order: readonly number[], steps: readonly number[]): Operand {
  const { dtype, shape } = tensor;
  const starts = shape.map((n, i) => (steps[i]! > 0 ? 0 : (n - 1) * -steps[i]!));
  const room = shape.map((n, i) => n * Math.abs(steps[i]!));
  const storedShape = order.map((axis) => room[axis]!);
  const stored = { dtype, shape: storedShape, data: allocate(dtype, sizeOf(storedShape)) };
  for (const place of places(shape)) {
    const inRoom = place.map((c, i) => starts[i]! + c * steps[i]!);
    const offset = stridesOf(storedShape).reduce((sum, stride, k) => sum + stride * inRoom[order[k]!]!, 0);
    stored.data[offset] = at(tensor, place);
  }
  const back = shape.map((_, axis) => order.indexOf(axis));
  return { tensor, stored, view: (x) => slice(permute(x, back), { starts, sizes: shape, steps }) };
}

const newGraph = () => new Graph({ defaultFloat: "float32", fold: () => undefined });
const inputFor = (graph: Graph, { dtype, shape }: Tensor, name: string) =>
  input(graph, name, { dtype, shape, weak: false });

function runAll(given: readonly Operand[], build: (...xs: Node[]) => readonly Node[], trap?: "nan"): Tensor[] {
  const graph = newGraph();
  const inputs = given.map(({ stored }, i) => inputFor(graph, stored, `x${i}`));
  const feeds = new Map(inputs.map((node, i) => [node, given[i]!.stored]));
  return evaluate(build(...inputs.map((node, i) => given[i]!.view(node))), feeds, { trap });
}
const run = (given: readonly Operand[], build: (...xs: Node[]) => Node): Tensor =>
  runAll(given, (...xs) => [build(...xs)])[0]!;
const plain = (tensor: Tensor): Operand => ({ tensor, stored: tensor, view: (x) => x });
const vector = (dtype: DType, values: readonly Element[]): Operand => plain(tensorOf(dtype, [values.length], values));

/** Equal in dtype, shape and every bit, but that all NaNs are one. */
function expectSame(actual: Tensor, expected: Tensor): void {
  expect({ ...actual, data: [...actual.data] }).toEqual({ ...expected, data: [...expected.data] });
}
const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, property));

function failure(work: () => unknown): EvaluationError {
  try {
    work();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

// Movement.

interface Move {
  readonly node: (x: Node) => Node;
  /** Of each place of the result, where in x it comes from; nowhere is 0. */
  readonly shape: readonly number[];
  readonly from: (place: number[]) => Coordinates | undefined;
}
type Pick = (below: number) => number;

const MOVES: readonly ((shape: readonly number[], pick: Pick) => Move)[] = [
  function transpose(shape, pick) {
    const rest = range(shape.length);
    const axes = shape.map(() => rest.splice(pick(rest.length), 1)[0]!);
    const result = axes.map((axis) => shape[axis]!);
    return { node: (x) => permute(x, axes), shape: result, from: (c) => axes.map((_, i) => c[axes.indexOf(i)]!) };
  },
  function sliced(shape, pick) {
    const steps = shape.map(() => [1, 2, -1, -3][pick(4)]!);
    const firsts = shape.map((n) => pick(Math.max(n, 1)));
    const sizes = shape.map((n, i) => {
      const rest = steps[i]! > 0 ? n - firsts[i]! : firsts[i]! + 1;
      return n === 0 ? 0 : pick(Math.ceil(rest / Math.abs(steps[i]!)) + 1);
    });
    const from = (c: number[]) => c.map((j, i) => firsts[i]! + j * steps[i]!);
    return { node: (x) => slice(x, { starts: firsts, sizes, steps }), shape: sizes, from };
  },
  function broadcast(shape, pick) {
    const result = [pick(3), ...shape.map((n) => (n === 1 ? pick(4) : n))];
    return {
      node: (x) => stretch(x, result),
      shape: result,
      from: (c) => shape.map((n, i) => (n === 1 ? 0 : c[i + 1]!)),
    };
  },
  function reshape(shape, pick) {
    const total = sizeOf(shape);
    const divisors = total === 0 ? [0, 1, 2] : range(total + 1).filter((d) => total % d === 0);
    const first = divisors[pick(divisors.length)]!;
    const result = total === 0 ? [0, first, 3] : [first, 1, total / first];
    const from = (c: number[]) => {
      const index = stridesOf(result).reduce((sum, stride, axis) => sum + stride * c[axis]!, 0);
      return places(shape)[index];
    };
    return { node: (x) => relabel(x, result), shape: result, from };
  },
  function embedded(shape, pick) {
    const starts = shape.map(() => pick(3));
    const steps = shape.map(() => 1 + pick(2));
    const result = shape.map((n, i) => starts[i]! + n * steps[i]! + pick(2));
    const from = (c: number[]) => {
      const place = c.map((j, i) => (j - starts[i]!) / steps[i]!);
      return place.every((j, i) => Number.isInteger(j) && j >= 0 && j < shape[i]!) ? place : undefined;
    };
    return { node: (x) => embed(x, result, starts, steps), shape: result, from };
  },
  function doubled(shape, pick) {
    if (shape.length === 0) return { node: (x) => x, shape, from: (c) => c };
    const axis = pick(shape.length);
    const result = shape.map((n, i) => (i === axis ? 2 * n : n));
    return { node: (x) => concat([x, x], axis), shape: result, from: (c) => c.map((j, i) => j % shape[i]!) };
  },
];

test("chains of movements read what coordinates say", () => {
  const picks = fc.array(fc.nat(), { minLength: 60, maxLength: 60 });
  const given = fc.constantFrom(...DTYPES).chain((dtype) => shapes(3).chain((shape) => operands(dtype, shape)));
  check(fc.tuple(given, picks), ([operand, numbers]) => {
    let next = 0;
    const pick: Pick = (below) => numbers[next++ % numbers.length]! % below;
    let expected = operand.tensor;
    const moves: Move[] = [];
    for (let i = 0; i < 5 && sizeOf(expected.shape) < 300; i++) {
      const move = MOVES[pick(MOVES.length)]!(expected.shape, pick);
      const before = expected;
      moves.push(move);
      expected = generate(before.dtype, move.shape, (place) => {
        const source = move.from(place);
        return source ? at(before, source) : 0;
      });
    }
    expectSame(
      run([operand], (x) => moves.reduce((y, move) => move.node(y), x)),
      expected,
    );
  });
});

test("results share memory with no feed and no other result", () => {
  const x = vector("float32", [1, 2, 3]);
  const build = (a: Node) => [a, a, p.neg(a), p.neg(a), permute(p.neg(relabel(a, [3, 1])), [1, 0]), slice(a, TAIL)];
  const results = runAll([x], build);
  expect(new Set([x.stored, ...results].map((t) => t.data.buffer)).size).toBe(7);
  expect([...results.at(-1)!.data]).toEqual([2, 3]);
});
const TAIL = { starts: [1], sizes: [2], steps: [1] };

// Pointwise.

/** Two operands that broadcast together, and the shape they have together. */
const pairs = (dtype: DType) =>
  fc.array(fc.tuple(size, fc.nat(3)), { maxLength: 3 }).chain((axes) => {
    const shape = axes.map(([n]) => n);
    const left = axes.map(([n, which]) => (which === 1 ? 1 : n));
    const right = axes.map(([n, which]) => (which === 2 ? 1 : n)).slice(axes[0]?.[1] === 3 ? 1 : 0);
    return fc.tuple(operands(dtype, left), operands(dtype, right), fc.constant(shape));
  });
const broadcastAt = (t: Tensor, place: Coordinates): Element =>
  at(
    t,
    t.shape.map((n, i) => (n === 1 ? 0 : place[place.length - t.shape.length + i]!)),
  );

const smaller = (a: Element, b: Element): Element => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  return a < b || (a === b && Object.is(a, -0)) ? a : b;
};
type Plain = (a: Element, b: Element) => Element | boolean;
const BINARY: Readonly<Record<string, [(a: Node, b: Node) => Node, (dtype: DType) => Plain]>> = {
  add: [p.add, (dtype) => arithmetic(dtype).add],
  mul: [p.mul, (dtype) => arithmetic(dtype).mul],
  minimum: [p.minimum, () => smaller],
  less: [p.lt, () => (a, b) => a < b],
  equal: [p.eq, () => (a, b) => a === b],
  where: [(a, b) => p.where(p.lt(b, 0), a, b), () => (a, b) => (b < 0 ? a : b)],
};
describe.each(Object.entries(BINARY))("%s", (_, [build, value]) => {
  test.each(NUMERIC)("of %s broadcasts, rounds and wraps", (dtype) => {
    check(pairs(dtype), ([a, b, shape]) => {
      const result = run([a, b], build);
      const element = value(dtype);
      expectSame(
        result,
        generate(result.dtype, shape, (c) => stored(element(broadcastAt(a.tensor, c), broadcastAt(b.tensor, c)))),
      );
    });
  });
});
const stored = (x: Element | boolean): Element => (typeof x === "boolean" ? Number(x) : x);

test.each(DTYPES.flatMap((from) => DTYPES.map((to) => [from, to] as const)))("%s becomes %s", (from, to) => {
  const clamp = (x: number, low: number, high: number) =>
    Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, low), high));
  const converted = (x: Element): Element => {
    switch (to) {
      case "bool":
        return Number(Number.isNaN(x) || Number(x) !== 0);
      case "int32":
        return isFloat(from) ? clamp(Number(x), -(2 ** 31), 2 ** 31 - 1) : Number(BigInt.asIntN(32, BigInt(x)));
      case "int64": {
        if (!isFloat(from)) return BigInt(x);
        const whole = BigInt(clamp(Number(x), -(2 ** 63), 2 ** 63));
        return whole === 2n ** 63n ? whole - 1n : whole;
      }
      default:
        return Number(x);
    }
  };
  check(operands(from, [7]), (x) => {
    expectSame(
      run([x], (node) => cast(node, to)),
      tensorOf(to, [7], Array.from(x.tensor.data, converted)),
    );
  });
});

describe.each(Object.entries(elementary))("%s", (_, { op }) => {
  test.each(["float32", "float64"] as const)("of %s is its scalar definition, rounded once", (dtype) => {
    const definition = (dtype === "float32" && op.scalar32) || op.scalar;
    const types = op.domain.map(() => "f64" as const);
    const scalar = compileScalar((...xs) => definition(xs, {}), types);
    const given = op.domain.map(([low, high]) => operands(dtype, [5], fc.double({ min: low, max: high, noNaN: true })));
    check(fc.tuple(...given), (xs) => {
      const expected = range(5).map((i) => scalar(...xs.map(({ tensor }) => Number(tensor.data[i]))));
      expectSame(
        run(xs, (...nodes) => p.applyPointwise(op, nodes)),
        tensorOf(dtype, [5], expected),
      );
    });
  });
});

test("integer division by zero names the place", () => {
  const error = failure(() => run([vector("int32", [7, 8, 9]), vector("int32", [1, 0, 0])], p.floor_divide));
  expect(error.message).toBe("integer division by zero at [1]");
  expect(error.node.op.name).toBe("floor_divide");
  expect(error.help).toMatch(/where/);
  const scalar = failure(() => run([vector("int64", []), vector("int64", [0n])].map(firstOrEmpty), p.remainder));
  expect(scalar.message).toBe("integer division by zero");
});
/** A scalar of the only element, or of 7. */
const firstOrEmpty = ({ tensor: { dtype, data } }: Operand): Operand => plain(tensorOf(dtype, [], [data[0] ?? 7n]));

test("nothing is divided by zero where there is nothing", () => {
  expectSame(run([vector("int32", []), vector("int32", [0])], p.floor_divide), tensorOf("int32", [0], []));
});

test("floats divide by zero", () => {
  const values = [...run([vector("float64", [1, -1, 0]), vector("float64", [0, 0, 0])], p.div).data];
  expect(values).toEqual([Infinity, -Infinity, NaN]);
});

test.each(["int32", "int64"] as const)("%s to an exponent wraps; a negative one is refused", (dtype) => {
  const power = (a: Node, b: Node) => binaryOperator("**", a, b);
  const exponents = fc.integer({ min: 0, max: 70 }).map((n) => (dtype === "int64" ? BigInt(n) : n));
  check(fc.tuple(operands(dtype, [4]), operands(dtype, [4], exponents)), ([x, y]) => {
    const bits = dtype === "int64" ? 64 : 32;
    const exact = (i: number) => BigInt.asIntN(bits, BigInt(x.tensor.data[i]!) ** BigInt(y.tensor.data[i]!));
    expectSame(run([x, y], power), tensorOf(dtype, [4], range(4).map(exact)));
  });
  const one = (n: number) => vector(dtype, [dtype === "int64" ? BigInt(n) : n]);
  expect(failure(() => run([one(2), one(-1)], power)).message).toMatch(/negative power.* at \[0\]/);
});

// Reductions.

/** A shape and some of its axes. */
const reducible = (axisSize: fc.Arbitrary<number>, rank: number) =>
  fc
    .array(axisSize, { minLength: 1, maxLength: rank })
    .chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(range(shape.length), { minLength: 1 }), permutations(shape.length)),
    );
const kept = (shape: readonly number[], axes: readonly number[]) =>
  range(shape.length).filter((i) => !axes.includes(i));

/** Folds axes away, given how the elements of one result become it. */
function reduced(x: Tensor, dtype: DType, axes: readonly number[], fold: (elements: Element[]) => Element): Tensor {
  const outer = kept(x.shape, axes);
  const inner = places(axes.map((axis) => x.shape[axis]!));
  return generate(
    dtype,
    outer.map((axis) => x.shape[axis]!),
    (place) =>
      fold(
        inner.map((run) =>
          at(
            x,
            range(x.shape.length).map((i) => (axes.includes(i) ? run[axes.indexOf(i)]! : place[outer.indexOf(i)]!)),
          ),
        ),
      ),
  );
}

/** The order of summation, said another way: cut recursively. */
function inOrder(elements: readonly Element[], combine: (a: Element, b: Element) => Element, empty: Element): Element {
  if (elements.length === 0) return empty;
  const blocks = range(Math.ceil(elements.length / 256)).map((b) => elements.slice(256 * b, 256 * (b + 1)));
  const blockSum = (block: readonly Element[]): Element => {
    const lanes = range(Math.min(16, block.length)).map((j) => block.filter((_, i) => i % 16 === j).reduce(combine));
    const tree = (level: readonly Element[], half: number): Element =>
      half === 0
        ? level[0]!
        : tree(
            level.slice(0, half).map((x, j) => (j + half < level.length ? combine(x, level[j + half]!) : x)),
            half >> 1,
          );
    return tree(lanes, 8);
  };
  const tree = (sums: readonly Element[]): Element => {
    if (sums.length === 1) return sums[0]!;
    const half = 2 ** Math.floor(Math.log2(sums.length - 1));
    return combine(tree(sums.slice(0, half)), tree(sums.slice(half)));
  };
  return tree(blocks.map(blockSum));
}

describe.each(["sum", "prod"] as const)("%s", (name) => {
  const combine = name === "sum" ? "add" : "mul";
  const empty = name === "sum" ? "zero" : "one";
  const expected = (x: Tensor, dtype: DType, axes: readonly number[]) => {
    const number = arithmetic(dtype);
    return reduced(x, dtype, axes, (elements) => inOrder(elements, number[combine], number[empty]));
  };

  test.each(DTYPES)("of %s keeps the order of summation over any axes", (dtype) => {
    const given = reducible(size, 4).chain(([shape, axes]) => fc.tuple(operands(dtype, shape), fc.constant(axes)));
    check(given, ([x, axes]) => {
      const result = run([x], (a) => reduce(name, a, axes));
      expectSame(result, expected(x.tensor, dtype === "bool" ? "int32" : dtype, axes));
    });
  });

  test.each(NUMERIC)("of %s keeps the order of summation in blocks", (dtype) => {
    const noise = (i: number) => 1 + Math.sin(i) / (name === "sum" ? 1 : 64);
    const element = (i: number) => (isFloat(dtype) ? noise(i) : dtype === "int64" ? BigInt(i * 2654435761) : i * 40503);
    for (const n of [15, 16, 17, 24, 255, 256, 257, 264, 511, 512, 513, 768, 1024, 1280, 1792 + 3, 256 * 11 + 9]) {
      const x = generate(dtype, [2, n], ([row, i]) => element(row! * n + i!));
      expectSame(
        run([layOut(x, [1, 0], [1, -1])], (a) => reduce(name, a, [1])),
        expected(x, dtype, [1]),
      );
    }
  });
});

test("a million float32 tenths add up as exactly as pairwise summation does", () => {
  const n = 1_000_000;
  const tenth = Math.fround(0.1);
  const x = { dtype: "float32", shape: [n], data: new Float32Array(n).fill(tenth) } as const;
  const total = run([plain(x)], (a) => reduce("sum", a, [0])).data[0] as number;
  // 16 additions in a lane, 4 between lanes, 12 between blocks: each rounds by at most 2^-24
  expect(Math.abs(total / (n * tenth) - 1)).toBeLessThan(32 * 2 ** -24);
});

test("so do products of float32 matrices with a million columns", () => {
  const n = 1_000_000;
  const tenth = Math.fround(0.1);
  const x = { dtype: "float32", shape: [2, n], data: new Float32Array(2 * n).fill(tenth) } as const;
  const [one] = run([plain(x)], (a) => contract(a, a, { batch: [], summed: [[1, 1]] })).data as Float32Array;
  // as many additions as a block has products, then as many as there are blocks
  expect(Math.abs(one! / (n * tenth * tenth) - 1)).toBeLessThan((256 + n / 256) * 2 ** -24);
});

const larger = (a: Element, b: Element): Element => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  return a > b || (a === b && Object.is(b, -0)) ? a : b;
};
const firstWhere = (beats: (a: Element, b: Element) => boolean) => (elements: Element[]) => {
  const nan = elements.findIndex(Number.isNaN);
  return nan >= 0 ? nan : elements.findIndex((x) => elements.every((other) => !beats(other, x)));
};
const SELECTIONS = {
  max: [NUMERIC, (elements: Element[]) => elements.reduce(larger)],
  min: [NUMERIC, (elements: Element[]) => elements.reduce(smaller)],
  argmax: [DTYPES, firstWhere((a, b) => a > b)],
  argmin: [DTYPES, firstWhere((a, b) => a < b)],
} as const;
describe.each(Object.keys(SELECTIONS) as (keyof typeof SELECTIONS)[])("%s", (name) => {
  const [dtypes, fold] = SELECTIONS[name];
  test.each(dtypes)("of %s: NaN wins, the first of ties", (dtype) => {
    const given = reducible(positiveSize, 3).chain(([shape, axes]) =>
      fc.tuple(operands(dtype, shape, fc.oneof(ELEMENT[dtype], SMALL[dtype])), fc.constant(axes)),
    );
    check(given, ([x, axes]) => {
      const result = run([x], (a) => reduce(name, a, axes));
      expectSame(result, reduced(x.tensor, result.dtype, axes, fold));
    });
  });
});
/** Values that tie often. */
const SMALL: Record<DType, fc.Arbitrary<Element>> = {
  ...ELEMENT,
  int32: fc.integer({ min: -1, max: 1 }),
  int64: fc.bigInt({ min: -1n, max: 1n }),
  float32: fc.constantFrom(-1, -0, 0, 1, NaN),
  float64: fc.constantFrom(-1, -0, 0, 1, NaN),
};

test("any and all, of nothing too", () => {
  const given = reducible(size, 3).chain(([shape, axes]) => fc.tuple(operands("bool", shape), fc.constant(axes)));
  check(given, ([x, axes]) => {
    const fold = (name: "any" | "all") => run([x], (a) => reduce(name, a, axes));
    expectSame(
      fold("any"),
      reduced(x.tensor, "bool", axes, (e) => Number(e.includes(1))),
    );
    expectSame(
      fold("all"),
      reduced(x.tensor, "bool", axes, (e) => Number(!e.includes(0))),
    );
  });
});

// Contractions.

/** Axes of both operands in some order: `sizes` says which label is how long. */
const contractions = (dtype: DType) =>
  fc
    .record({
      batch: fc.array(fc.constantFrom(1, 2, 3), { maxLength: 2 }),
      summed: fc.array(fc.oneof(size, fc.constant(33)), { minLength: 1, maxLength: 2 }),
      a: fc.array(fc.constantFrom(0, 1, 3, 5), { maxLength: 2 }),
      b: fc.array(fc.constantFrom(1, 2, 3, 11), { maxLength: 2 }),
    })
    .chain((sizes) => {
      const count = sizes.batch.length + sizes.summed.length;
      const axesOf = (side: "a" | "b") => permutations(count + sizes[side].length);
      return fc.tuple(fc.constant(sizes), axesOf("a"), axesOf("b"));
    })
    .chain(([sizes, aOrder, bOrder]) => {
      const shapeOf = (side: "a" | "b", order: readonly number[]) => {
        const own = [...sizes.batch, ...sizes.summed, ...sizes[side]];
        return order.map((label) => own[label]!);
      };
      return fc.record({
        sizes: fc.constant(sizes),
        aOrder: fc.constant(aOrder),
        bOrder: fc.constant(bOrder),
        a: operands(dtype, shapeOf("a", aOrder)),
        b: operands(dtype, shapeOf("b", bOrder)),
      });
    });

test.each(NUMERIC)("a contraction of %s adds products, each rounded, in ascending order or as a sum does", (dtype) => {
  check(contractions(dtype), ({ sizes, aOrder, bOrder, a, b }) => {
    const [batch, summed] = [sizes.batch.length, sizes.summed.length];
    const pair = (label: number) => [aOrder.indexOf(label), bOrder.indexOf(label)] as const;
    const result = run([a, b], (x, y) =>
      contract(x, y, { batch: range(batch).map(pair), summed: range(summed).map((k) => pair(batch + k)) }),
    );
    // free axes stay in the order of the operand
    const free = (order: readonly number[]) => order.filter((label) => label >= batch + summed);
    const [aFree, bFree] = [free(aOrder), free(bOrder)];
    const shape = [
      ...sizes.batch,
      ...aFree.map((label) => sizes.a[label - batch - summed]!),
      ...bFree.map((label) => sizes.b[label - batch - summed]!),
    ];
    const { add, mul, zero } = arithmetic(dtype);
    const hasVector = [sizes.a, sizes.b].some((own) => own.reduce<number>((m, d) => m * d, 1) === 1);
    const placeIn = (order: readonly number[], labels: readonly number[], values: readonly number[]) =>
      order.map((label) => values[labels.indexOf(label)]!);
    const shared = range(batch + summed);
    expectSame(
      result,
      generate(dtype, shape, (place) => {
        const inBatch = place.slice(0, batch);
        const [inA, inB] = [place.slice(batch, batch + aFree.length), place.slice(batch + aFree.length)];
        const products = places(sizes.summed).map((k) => {
          const x = at(a.tensor, placeIn(aOrder, [...shared, ...aFree], [...inBatch, ...k, ...inA]));
          const y = at(b.tensor, placeIn(bOrder, [...shared, ...bFree], [...inBatch, ...k, ...inB]));
          return mul(x, y);
        });
        return hasVector ? inOrder(products, add, zero) : products.reduce(add, zero);
      }),
    );
  });
});

// Along one axis.

/** A tensor with at least one axis, and one of them. */
const withAxis = (dtype: DType, element = ELEMENT[dtype], axisSize = size) =>
  fc
    .array(axisSize, { minLength: 1, maxLength: 3 })
    .chain((shape) => fc.tuple(operands(dtype, shape, element), fc.nat(shape.length - 1)));

/** x with each run along an axis replaced. */
function along(x: Tensor, axis: number, dtype: DType, change: (run: Element[], place: number[]) => readonly Element[]) {
  const n = x.shape[axis]!;
  return generate(dtype, x.shape, (place) => {
    const elements = range(n).map((i) => at(x, place.with(axis, i)));
    return change(elements, place)[place[axis]!]!;
  });
}
const inDirection = <T>(list: readonly T[], reverse: boolean): readonly T[] => (reverse ? list.toReversed() : list);

describe.each([
  ["cumsum", cumsum, "add", "zero"],
  ["cumprod", cumprod, "mul", "one"],
] as const)("%s", (_, scan, combine, empty) => {
  test.each(NUMERIC)("of %s, both ways, with and without its own element", (dtype) => {
    check(fc.tuple(withAxis(dtype), fc.boolean(), fc.boolean()), ([[x, axis], reverse, exclusive]) => {
      const number = arithmetic(dtype);
      const expected = along(x.tensor, axis, dtype, (run) => {
        const directed = inDirection(run, reverse);
        const upTo = (i: number) => directed.slice(0, exclusive ? i : i + 1);
        const results = directed.map((_, i) =>
          upTo(i).length === 0 ? number[empty] : upTo(i).reduce(number[combine]),
        );
        return inDirection(results, reverse);
      });
      expectSame(
        run([x], (a) => scan(a, axis, { reverse, exclusive })),
        expected,
      );
    });
  });
});

/** The op that cumprod's gradient is made of. */
function recurrence(a: Node, b: Node, axis: number, reverse: boolean): Node {
  const product = cumprod(a, axis);
  const [gradient] = opOf(product).grad!({
    out: product,
    args: [a],
    ct: hole(a.graph, a.type),
    attrs: product.attrs,
  });
  const { op } = ancestors([gradient!]).find((node) => node.op.name === "recurrence")!;
  return a.graph.apply(op, [a, b], { axis, reverse, exclusive: false });
}
test.each(["float32", "float64"] as const)("a recurrence of %s rounds twice a step", (dtype) => {
  const given = fc
    .array(size, { minLength: 1, maxLength: 3 })
    .chain((shape) => fc.tuple(operands(dtype, shape), operands(dtype, shape), fc.nat(shape.length - 1), fc.boolean()));
  check(given, ([a, b, axis, reverse]) => {
    const { add, mul } = arithmetic(dtype);
    const expected = along(b.tensor, axis, dtype, (run, place) => {
      const factors = inDirection(
        run.map((_, i) => at(a.tensor, place.with(axis, i))),
        reverse,
      );
      let last: Element | undefined;
      const results = inDirection(run, reverse).map((x, i) => {
        last = last === undefined ? x : add(x, mul(factors[i]!, last));
        return last;
      });
      return inDirection(results, reverse);
    });
    expectSame(
      run([a, b], (x, y) => recurrence(x, y, axis, reverse)),
      expected,
    );
  });
});

/** Positions on an axis of n, counted from either end. */
const positionsOf = (n: number, dtype: "int32" | "int64") =>
  fc.integer({ min: -n, max: n - 1 }).map((i) => (dtype === "int64" ? BigInt(i) : i));
const wrapped = (index: Element, n: number) => (Number(index) < 0 ? Number(index) + n : Number(index));

describe.each(["int32", "int64"] as const)("%s indices", (indexDType) => {
  test.each(DTYPES)("take from %s and scatter_add puts back", (dtype) => {
    const given = withAxis(dtype, ELEMENT[dtype], positiveSize).chain(([x, axis]) =>
      shapes(2).chain((shape) => {
        const taken = x.tensor.shape.toSpliced(axis, 1, ...shape);
        const index = operands(indexDType, shape, positionsOf(x.tensor.shape[axis]!, indexDType));
        return fc.tuple(fc.constant(x), index, operands(dtype, taken), fc.constant(axis));
      }),
    );
    check(given, ([x, index, updates, axis]) => {
      const rank = index.tensor.shape.length;
      const n = x.tensor.shape[axis]!;
      const source = (place: number[]) =>
        place.toSpliced(axis, rank, wrapped(at(index.tensor, place.slice(axis, axis + rank)), n));
      expectSame(
        run([x, index], (a, i) => take(a, i, axis)),
        generate(dtype, updates.tensor.shape, (place) => at(x.tensor, source(place))),
      );
      if (dtype === "bool") return;
      const expected = { ...x.tensor, data: x.tensor.data.slice() };
      for (const place of places(updates.tensor.shape)) {
        const offset = stridesOf(expected.shape).reduce((sum, stride, i) => sum + stride * source(place)[i]!, 0);
        expected.data[offset] = arithmetic(dtype).add(expected.data[offset]!, at(updates.tensor, place));
      }
      expectSame(
        run([x, index, updates], (a, i, u) => scatterAdd(a, i, u, axis)),
        expected,
      );
    });
  });

  test("take_along_axis reads one element each, its gradient adds them up", () => {
    const given = withAxis("float32", ELEMENT.float32, positiveSize).chain(([x, axis]) =>
      size.chain((count) => {
        const shape = x.tensor.shape.with(axis, count);
        const index = operands(indexDType, shape, positionsOf(x.tensor.shape[axis]!, indexDType));
        return fc.tuple(fc.constant(x), index, operands("float32", shape), fc.constant(axis));
      }),
    );
    check(given, ([x, index, updates, axis]) => {
      const source = (place: number[]) => place.with(axis, wrapped(at(index.tensor, place), x.tensor.shape[axis]!));
      const taken = generate("float32", index.tensor.shape, (place) => at(x.tensor, source(place)));
      const expected = generate("float32", x.tensor.shape, (place) =>
        places(index.tensor.shape)
          .filter((from) => source(from).join() === place.join())
          .reduce((sum, from) => arithmetic("float32").add(sum, at(updates.tensor, from)), 0 as Element),
      );
      const results = runAll([x, index, updates], (a, i, u) => {
        const out = takeAlong(a, i, axis);
        return [out, opOf(out).grad!({ out, args: [a, i], ct: u, attrs: out.attrs })[0]!];
      });
      expectSame(results[0]!, taken);
      expectSame(results[1]!, expected);
    });
  });

  test.each([3, -4])("%i is no index into 3", (index) => {
    const value = indexDType === "int64" ? BigInt(index) : index;
    const indices = plain(
      tensorOf(
        indexDType,
        [2, 2],
        Array.from({ length: 4 }, (_, i) => (i === 2 ? value : 0n)).map((v) =>
          indexDType === "int64" ? BigInt(v) : Number(v),
        ),
      ),
    );
    const error = failure(() => run([vector("float32", [1, 2, 3]), indices], (a, i) => take(a, i, 0)));
    expect(error.message).toBe(`index ${index} at [1, 0] is out of range for an axis of size 3`);
    expect(error.help).toBe("indices go from -3 to 2");
  });
});

describe.each([false, true])("sorting, descending: %s", (descending) => {
  const positions = (run: readonly Element[]) => {
    const isNumber = (i: number) => !Number.isNaN(run[i]);
    const numbers = range(run.length).filter(isNumber);
    const values = [...new Set(numbers.map((i) => (run[i] === 0 ? 0 : run[i]!)))];
    const ordered = inDirection(
      values.sort((a, b) => (a < b ? -1 : 1)),
      descending,
    );
    return [
      ...ordered.flatMap((value) => numbers.filter((i) => run[i] === value)),
      ...range(run.length).filter((i) => !isNumber(i)),
    ];
  };
  const checkSorted = (x: Operand, axis: number) => {
    const { dtype } = x.tensor;
    const sorted = (a: Node) => [sort, argsort].map((row) => row.build({ x: a, axis, descending }, a.graph) as Node);
    const [values, indices] = runAll([x], sorted) as [Tensor, Tensor];
    expectSame(indices, along(x.tensor, axis, "int32", positions));
    expectSame(
      values,
      along(x.tensor, axis, dtype, (run) => positions(run).map((i) => run[i]!)),
    );
  };

  test.each(DTYPES)("%s is stable, NaN last", (dtype) => {
    check(withAxis(dtype, SMALL[dtype]), ([x, axis]) => checkSorted(x, axis));
  });
  test.each(DTYPES)("%s in long rows", (dtype) => {
    const specials = isFloat(dtype) ? [NaN, 0, -0, Infinity, -Infinity, -1, 1] : [];
    const element = fc.oneof(ELEMENT[dtype], SMALL[dtype], ...specials.map((x) => fc.constant(x)));
    const long = fc.array(element, { minLength: 200, maxLength: 300, size: "max" });
    fc.assert(
      fc.property(long, (values) => checkSorted(vector(dtype, values), 0)),
      { numRuns: 20 },
    );
  });
});

// Whole graphs.

test("ramps and constants need no feed", () => {
  const graph = newGraph();
  const constant = graph.constant({ dtype: "int64", shape: [3], weak: false }, [1n, -(2n ** 63n), 5n]);
  const [result] = evaluate([p.add(ramp(graph, 3, "int64"), constant)], new Map());
  expectSame(result!, tensorOf("int64", [3], [1n, 1n - 2n ** 63n, 7n]));
});

describe("--trap nan", () => {
  const trap = (given: readonly Operand[], build: (...xs: Node[]) => Node) =>
    failure(() => runAll(given, (...xs) => [build(...xs)], "nan"));

  test("names the op, the place and the operands", () => {
    const x = plain(tensorOf("float32", [2, 2], [1, 2, -3, NaN]));
    const error = trap([x], (a) => reduce("sum", p.mul(elementary.log(a), 2), [0, 1]));
    expect(error.message).toBe("log makes the first nan at [1, 0], of -3");
    expect(error.node.op.name).toBe("log");
  });
  test("sees what a sum of infinities makes", () => {
    expect(trap([vector("float32", [Infinity, -Infinity])], (a) => reduce("sum", a, [0])).message).toMatch(/^sum /);
  });
  test("lets pass what came in", () => {
    const x = vector("float32", [NaN, 1]);
    expect([...runAll([x], (a) => [p.mul(flatten(a), 2)], "nan")[0]!.data]).toEqual([NaN, 2]);
  });
});

test("the engine reads its feeds at each run", async () => {
  const graph = newGraph();
  const type = { dtype: "float32", shape: [2] } as const;
  const x = input(graph, "x", { ...type, weak: false });
  const y = input(graph, "y", { ...type, weak: false });
  const outputs = [p.sub(x, y), y];
  expect(referenceEngine.supports({ inputs: [x, y], outputs })).toEqual([]);
  const program = await referenceEngine.compile({ inputs: [x, y], outputs });
  const source = (values: number[]) => ({
    type,
    readInto: (bytes: Uint8Array) => bytes.set(new Uint8Array(new Float32Array(values).buffer)),
  });
  const differences = [];
  for (const values of [
    [1, 2],
    [5, 7],
  ]) {
    const [difference, same] = await program.run([source(values), source([1, 1])]);
    differences.push([...difference!.data]);
    expect([...same!.data]).toEqual([1, 1]);
  }
  expect(differences).toEqual([
    [0, 1],
    [4, 6],
  ]);
});
