/** Sums of products over paired axes: matmul, dot, einsum … all become one op, `contract`. */
import { type Node, OpError, ParameterError, type TensorType } from "../graph/node.ts";
import { type Dim, isKnown, sameDim, showRank } from "../tensor/dim.ts";
import { broadcastShapes, normalizeAxis } from "./broadcast.ts";
import { type ContractOp, define, optional, tensorParam } from "./define.ts";
import { expandDims, flatten, permute, stretch } from "./movement.ts";
import { BOOL_HELP, mul } from "./pointwise.ts";
import { unify } from "./promote.ts";
import { asDims } from "./static.ts";

/**
 * Which axes of a and b go together. The result has the batch axes, then a's free axes, then b's, in the order of each;
 * products are summed with the last pair of summed axes running fastest, in ascending order.
 */
export interface ContractAttrs {
  readonly batch: readonly (readonly [a: number, b: number])[];
  readonly summed: readonly (readonly [a: number, b: number])[];
}

const freeAxes = (rank: number, used: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !used.includes(i));
const firsts = (pairs: ContractAttrs["batch"]) => pairs.map((p) => p[0]);
const seconds = (pairs: ContractAttrs["batch"]) => pairs.map((p) => p[1]);

/** The axes of a and of b that stay in the result and are not shared. */
export function freeOf(a: number, b: number, { batch, summed }: ContractAttrs): { a: number[]; b: number[] } {
  return {
    a: freeAxes(a, [...firsts(batch), ...firsts(summed)]),
    b: freeAxes(b, [...seconds(batch), ...seconds(summed)]),
  };
}

/** Which of two matrices would fit if it were transposed. */
function helpToTranspose(s: readonly Dim[], t: readonly Dim[]): string | undefined {
  if (s.length !== 2 || t.length !== 2) return undefined;
  const fits = sameDim(s[1]!, t[1]!) ? "second" : sameDim(s[0]!, t[0]!) ? "first" : undefined;
  return fits && `the transpose of the ${fits} would fit: \`.T\``;
}

export const contractOp: ContractOp = {
  kind: "contract",
  name: "contract",
  display: "MatMul",
  infer: ([a, b], attrs, graph) => {
    const { batch, summed } = attrs as unknown as ContractAttrs;
    const [s, t] = [(a as TensorType).shape, (b as TensorType).shape];
    for (const [i, j] of summed)
      graph.require(s[i]!, "=", t[j]!, "the inner sizes", { arg: 1, help: helpToTranspose(s, t) });
    for (const [i, j] of batch) graph.require(s[i]!, "=", t[j]!, "batch sizes", { arg: 1 });
    const free = freeOf(s.length, t.length, { batch, summed });
    const shared = batch.map(([i, j]) => (isKnown(s[i]!) ? s[i]! : isKnown(t[j]!) ? t[j]! : s[i]!));
    return {
      dtype: a!.dtype,
      shape: [...shared, ...free.a.map((i) => s[i]!), ...free.b.map((j) => t[j]!)],
      weak: a!.weak && b!.weak,
    };
  },
  grad: ({ args: [a, b], ct, attrs }) => {
    const pairs = attrs as unknown as ContractAttrs;
    return [cotangentOf(a!, b!, ct, pairs, "a"), cotangentOf(b!, a!, ct, pairs, "b")];
  },
};

/** The cotangent of x, where `x` is the a or b side and `other` the one it was multiplied with. */
function cotangentOf(x: Node, other: Node, ct: Node, { batch, summed }: ContractAttrs, side: "a" | "b"): Node {
  const mine = side === "a" ? firsts : seconds;
  const theirs = side === "a" ? seconds : firsts;
  const [rank, otherRank] = [x.type.shape.length, other.type.shape.length];
  const myFree = freeAxes(rank, [...mine(batch), ...mine(summed)]);
  const otherFree = freeAxes(otherRank, [...theirs(batch), ...theirs(summed)]);
  const start = batch.length;
  const otherStart = side === "a" ? start + myFree.length : start;
  const product = contract(ct, other, {
    batch: theirs(batch).map((axis, i) => [i, axis] as const),
    summed: otherFree.map((axis, i) => [otherStart + i, axis] as const),
  });
  // product has: batch, my free axes, then the other's summed axes in ascending order.
  const bySummed = [...theirs(summed)].sort((p, q) => p - q).map((axis) => mine(summed)[theirs(summed).indexOf(axis)]!);
  const order = [...mine(batch), ...myFree, ...bySummed];
  return permute(
    product,
    x.type.shape.map((_, axis) => order.indexOf(axis)),
  );
}

/** Contracts two tensors of one dtype; without summed axes it is an outer product. */
export function contract(a: Node, b: Node, pairs: ContractAttrs): Node {
  const [x, y] = unify([a, b]) as [Node, Node];
  if (x.type.dtype === "bool")
    throw new OpError("a product takes numbers, not bools", { code: "dtype", help: BOOL_HELP });
  if (pairs.summed.length > 0) return x.graph.apply(contractOp, [x, y], { batch: pairs.batch, summed: pairs.summed });
  const free = freeOf(x.type.shape.length, y.type.shape.length, pairs);
  const left = permute(x, [...firsts(pairs.batch), ...free.a]);
  const right = permute(y, [...seconds(pairs.batch), ...free.b]);
  return mul(
    expandDims(
      left,
      free.b.map((_, i) => left.type.shape.length + i),
    ),
    expandDims(
      right,
      free.a.map((_, i) => pairs.batch.length + i),
    ),
  );
}

/** NumPy's matmul: 1-D operands, batch dims that broadcast. */
export function matmulNodes(a: Node, b: Node): Node {
  const [m, n] = [a.type.shape.length, b.type.shape.length];
  for (const [arg, x] of [a, b].entries())
    if (x.type.shape.length === 0)
      throw new OpError("`@` takes vectors and matrices, and this is a scalar", {
        arg,
        help: "write `*` to multiply by a scalar",
      });
  if (m === 1 || n <= 2) return dotNodes(a, b);
  // of a matrix and a stack the rows come first, the batch of b after them
  if (m === 2) return permute(dotNodes(a, b), [...Array.from({ length: n - 2 }, (_, i) => i + 1), 0, n - 1]);
  const batch = broadcastShapes(a.graph, [a.type.shape.slice(0, -2), b.type.shape.slice(0, -2)]);
  const [x, y] = [a, b].map((t) => stretch(t, [...batch, ...t.type.shape.slice(-2)])) as [Node, Node];
  const rank = batch.length;
  return contract(x, y, { batch: batch.map((_, i) => [i, i] as const), summed: [[rank + 1, rank]] });
}

/** np.dot: the last axis of a with the second to last of b (the last of a vector); scalars multiply. */
export function dotNodes(a: Node, b: Node): Node {
  const [m, n] = [a.type.shape.length, b.type.shape.length];
  if (m === 0 || n === 0) return mul(a, b);
  return contract(a, b, { batch: [], summed: [[m - 1, Math.max(n - 2, 0)]] });
}

export const matmul = define({
  name: "matmul",
  family: "linear algebra",
  params: { a: tensorParam(), b: tensorParam() },
  doc: "The matrix product, as `a @ b`: over the last axis of a and the second to last of b; leading axes broadcast.",
  examples: ["matmul([[1, 2], [3, 4]], [1, 1]) == [3, 7]"],
  specimen: "input a[n, k], b[k, m]; matmul(a, b)",
  build: ({ a, b }) => matmulNodes(a, b),
});

export const dot = define({
  name: "dot",
  family: "linear algebra",
  params: { a: tensorParam(), b: tensorParam() },
  doc: "np.dot and K.dot: the last axis of a with the second to last of b (the only one of a vector).",
  examples: ["dot([1, 2], [3, 4]) == 11"],
  specimen: "input a[n, k], b[k, m]; dot(a, b)",
  build: ({ a, b }) => dotNodes(a, b),
});

export const vecdot = define({
  name: "vecdot",
  family: "linear algebra",
  params: { a: tensorParam(), b: tensorParam() },
  doc: "Sums of products along the last axis; leading axes broadcast.",
  examples: ["vecdot([[1, 2], [3, 4]], [1, 1]) == [3, 7]"],
  build: ({ a, b }) => {
    for (const [arg, x] of [a, b].entries())
      if (x.type.shape.length === 0) throw new OpError("vecdot takes vectors, not a scalar", { arg });
    const batch = broadcastShapes(a.graph, [a.type.shape.slice(0, -1), b.type.shape.slice(0, -1)]);
    const [x, y] = [a, b].map((t) => stretch(t, [...batch, t.type.shape.at(-1)!])) as [Node, Node];
    return contract(x, y, { batch: batch.map((_, i) => [i, i] as const), summed: [[batch.length, batch.length]] });
  },
});

export const outer = define({
  name: "outer",
  family: "linear algebra",
  params: { a: tensorParam(), b: tensorParam() },
  doc: "Every product of an element of a (flattened) with one of b.",
  examples: ["outer([1, 2], [3, 4]) == [[3, 4], [6, 8]]"],
  specimen: "input a[n], b[m]; outer(a, b)",
  build: ({ a, b }) => contract(flatten(a), flatten(b), { batch: [], summed: [] }),
});

export const tensordot = define({
  name: "tensordot",
  family: "linear algebra",
  params: {
    a: tensorParam(),
    b: tensorParam(),
    axes: optional(tensorParam, "2"),
  },
  doc: "Sums over the last `axes` axes of a and the first of b, or over the axes listed for each: axes=[[1], [0]].",
  examples: ["tensordot([[1, 2], [3, 4]], [1, 1], axes=1) == [3, 7]"],
  specimen: "input a[n, k], b[k, m]; tensordot(a, b, axes=1)",
  build: ({ a, b, axes }) => {
    const [left, right] = tensordotAxes(axes, a.type.shape.length, b.type.shape.length);
    return contract(a, b, { batch: [], summed: left.map((i, k) => [i, right[k]!] as const) });
  },
});

function tensordotAxes(axes: Node | undefined, m: number, n: number): [left: number[], right: number[]] {
  const given = axes ? asDims(axes) : { shape: [], values: [2] };
  const [sides, count] = given?.shape ?? [];
  if (!given?.values.every(isKnown) || (sides !== undefined && sides !== 2))
    throw new ParameterError("axes", "must be an int, or two lists of as many ints: [[1], [0]]");
  const values = given.values as number[];
  if (sides !== undefined) {
    const half = count === undefined ? 1 : count;
    return [
      values.slice(0, half).map((i) => normalizeAxis(i, m, "axes")),
      values.slice(half).map((j) => normalizeAxis(j, n, "axes")),
    ];
  }
  const [shared] = values as [number];
  if (shared < 0 || shared > m || shared > n)
    throw new ParameterError("axes", `is ${shared}, but a has ${showRank(m)} and b ${showRank(n)}`, { code: "axis" });
  return [Array.from({ length: shared }, (_, i) => m - shared + i), Array.from({ length: shared }, (_, i) => i)];
}
