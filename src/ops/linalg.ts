/** Matrices as wholes: solving, inverting, factoring, determinants, over the last two axes. Values come from the engine. */
import { type Node, OpError, type TensorType } from "../graph/node.ts";
import { isKnown, showShape } from "../tensor/dim.ts";
import { broadcastShapes } from "./broadcast.ts";
import { matmulNodes } from "./contract.ts";
import { boolParam, define, intParam, type LinalgOp, tensorParam } from "./define.ts";
import { oneHotRows, triangle } from "./making.ts";
import { expandDims, relabel, stretch, swapLast } from "./movement.ts";
import { add, ge, le, mul, neg, scale, sub } from "./pointwise.ts";
import { castTo, toFloat, unify } from "./promote.ts";
import { reduce } from "./reduce.ts";

type Routine = LinalgOp["routine"];

const linalgOp = (routine: Routine, infer: LinalgOp["infer"], grad?: LinalgOp["grad"]): LinalgOp => ({
  kind: "linalg",
  name: routine,
  routine,
  infer,
  ...(grad && { grad }),
});
const likeFirst = ([a]: readonly TensorType[]): TensorType => a!;
const likeSecond = ([, b]: readonly TensorType[]): TensorType => b!;
const scalarOf = ([a]: readonly TensorType[]): TensorType => ({ ...a!, shape: a!.shape.slice(0, -2) });

// The ops, on square float matrices. Derivatives as in Giles (2008), "Collected matrix derivative results".

const solveOp = linalgOp("solve", likeSecond, ({ args: [a], out, ct }) => {
  const cotangent = solveNodes(swapLast(a!), ct);
  return [neg(matmulNodes(cotangent, swapLast(out))), cotangent];
});
const solveNodes = (a: Node, b: Node): Node => a.graph.apply(solveOp, [a, b]);

/** attrs: { lower }: which triangle of a is read. */
const triangularOp = linalgOp("solve_triangular", likeSecond, ({ args: [a], out, ct, attrs }) => {
  const lower = attrs["lower"] as boolean;
  const cotangent = triangularNodes(swapLast(a!), ct, !lower);
  return [neg(triangle(matmulNodes(cotangent, swapLast(out)), 0, lower ? le : ge)), cotangent];
});
const triangularNodes = (a: Node, b: Node, lower: boolean): Node => a.graph.apply(triangularOp, [a, b], { lower });

/** Of matrices that `cholesky` has made symmetric, so that their cotangent becomes so too. */
const choleskyOp = linalgOp("cholesky", likeFirst, ({ out, ct }) => {
  const transposed = swapLast(out);
  const product = matmulNodes(transposed, ct);
  const halved = mul(0.5, add(triangle(product, 0, le), triangle(product, -1, le)));
  const left = triangularNodes(transposed, halved, false);
  return [triangularNodes(transposed, swapLast(left), false)];
});
const symmetrized = (a: Node): Node => mul(0.5, add(a, swapLast(a)));

const detOp = linalgOp("det", scalarOf, ({ args: [a], ct }) => [scale(asMatrix(ct), a!.graph.apply(cofactorOp, [a!]))]);
/** The derivative of det: det(a) · inv(a).mT, but defined for singular matrices too. */
const cofactorOp: LinalgOp = linalgOp("cofactor", likeFirst, ({ args: [a], out, ct }) => {
  const inverse = swapLast(inverseOf(a!));
  const rank = ct.type.shape.length;
  const along = reduce("sum", mul(ct, inverse), [rank - 2, rank - 1]);
  return [sub(mul(asMatrix(along), out), matmulNodes(inverse, matmulNodes(swapLast(ct), out)))];
});
const signOp = linalgOp("sign_det", scalarOf);
const logAbsOp = linalgOp("log_abs_det", scalarOf, ({ args: [a], ct }) => [
  scale(asMatrix(ct), swapLast(inverseOf(a!))),
]);

/** A number for each matrix, to multiply it with. */
const asMatrix = (x: Node): Node => expandDims(x, [x.type.shape.length, x.type.shape.length + 1]);

const identityLike = (a: Node): Node =>
  stretch(castTo(oneHotRows(a.graph, a.type.shape.at(-1)!, a.type.dtype), a.type), a.type.shape);
const inverseOf = (a: Node): Node => solveNodes(a, identityLike(a));

/** Checks that x is square over its last two axes. */
function requireSquare(x: Node, arg = 0): Node {
  const { shape } = x.type;
  if (shape.length < 2)
    throw new OpError(`a square matrix is needed, not ${shape.length === 0 ? "a scalar" : "a vector"}`, { arg });
  x.graph.require(shape.at(-2)!, "=", shape.at(-1)!, "a square matrix is needed; its sides", { arg });
  return x;
}
const squareFloat = (x: Node): Node => requireSquare(toFloat(x));

/** a and b in one float dtype, with one batch shape; b as a matrix, a vector only where its rank is 1. `solve` gives b's shape. */
function solving(a: Node, b: Node, solve: (a: Node, b: Node) => Node): Node {
  const [left, right] = unify([a, b]).map(toFloat) as [Node, Node];
  requireSquare(left);
  if (right.type.shape.length === 0) throw new OpError("b must be a vector or a matrix, not a scalar", { arg: 1 });
  const isVector = right.type.shape.length === 1;
  const columns = isVector ? expandDims(right, [1]) : right;
  a.graph.require(left.type.shape.at(-1)!, "=", columns.type.shape.at(-2)!, "the rows of a and of b", { arg: 1 });
  const batch = broadcastShapes(a.graph, [left.type.shape.slice(0, -2), columns.type.shape.slice(0, -2)]);
  const [x, y] = [left, columns].map((m) => stretch(m, [...batch, ...m.type.shape.slice(-2)])) as [Node, Node];
  const result = solve(x, y);
  return isVector ? relabel(result, result.type.shape.slice(0, -1)) : result;
}

const family = "linear algebra";

export const solve = define({
  name: "solve",
  family,
  params: { a: tensorParam(), b: tensorParam() },
  doc: "The x with a @ x = b; b is a vector only when its rank is 1. A singular a is an error.",
  examples: ["solve([[2, 0], [0, 4]], [2, 2]) == [1, 0.5]"],
  specimen: "input a[n, n], b[n, m]; solve(a, b)",
  build: ({ a, b }) => solving(a, b, solveNodes),
});

export const solve_triangular = define({
  name: "solve_triangular",
  family,
  params: { a: tensorParam(), b: tensorParam(), lower: boolParam("true", true) },
  doc: "The x with a @ x = b where only the lower (or upper) triangle of a is read.",
  examples: ["solve_triangular([[2, 9], [1, 1]], [2, 3]) == [1, 2]"],
  specimen: "input a[n, n], b[n, m]; solve_triangular(a, b)",
  build: ({ a, b, lower }) => solving(a, b, (x, y) => triangularNodes(x, y, lower)),
});

export const inv = define({
  name: "inv",
  family,
  params: { a: tensorParam() },
  doc: "The inverse of square matrices; a singular one is an error.",
  examples: ["inv([[2, 0], [0, 4]]) == [[0.5, 0], [0, 0.25]]"],
  specimen: "input a[n, n]; inv(a)",
  build: ({ a }) => inverseOf(squareFloat(a)),
});

export const cholesky = define({
  name: "cholesky",
  family,
  params: { a: tensorParam() },
  doc: "The lower triangular L with L @ L.mT = (a + a.mT) / 2, which must be positive definite.",
  examples: ["cholesky([[4, 2], [2, 5]]) == [[2, 0], [1, 2]]"],
  specimen: "input a[n, n]; cholesky(a)",
  build: ({ a }, graph) => graph.apply(choleskyOp, [symmetrized(squareFloat(a))]),
});

/** Sizes whose determinant is written out, so that it has derivatives of every order at singular matrices too. */
const WRITTEN_OUT = [1, 2, 3];

export const det = define({
  name: "det",
  family,
  params: { a: tensorParam() },
  doc: "The determinant; 0 of a singular matrix.",
  examples: ["det([[1, 2], [3, 4]]) == -2", "det([[1, 2], [2, 4]]) == 0"],
  specimen: "input a[n, n]; det(a)",
  build: ({ a }, graph) => {
    const matrix = squareFloat(a);
    const size = matrix.type.shape.slice(-2).find(isKnown);
    if (size !== undefined && WRITTEN_OUT.includes(size)) return { fn: `_det_${size}`, args: [matrix] };
    return graph.apply(detOp, [matrix]);
  },
});

export const slogdet = define({
  name: "slogdet",
  family,
  params: { a: tensorParam() },
  doc: "The determinant's sign and the logarithm of its absolute value. → sign, logabsdet",
  examples: ["sign, logabsdet = slogdet([[0, 1], [1, 0]]); [sign, logabsdet] == [-1, 0]"],
  specimen: "input a[n, n]; sign, logabsdet = slogdet(a); logabsdet",
  build: ({ a }, graph) => {
    const matrix = squareFloat(a);
    return [graph.apply(signOp, [matrix]), graph.apply(logAbsOp, [matrix])];
  },
});

export const matrix_power = define({
  name: "matrix_power",
  family,
  params: { a: tensorParam(), n: intParam() },
  doc: "a @ a @ …, n factors; the identity for n = 0, powers of the inverse for negative n.",
  examples: ["matrix_power([[1, 1], [0, 1]], 5) == [[1, 5], [0, 1]]", "matrix_power([[2]], -1) == [[0.5]]"],
  specimen: "input a[n, n]; matrix_power(a, 3)",
  build: ({ a, n }) => {
    const base = n < 0 ? inverseOf(squareFloat(a)) : requireSquare(a);
    return n === 0 ? identityLike(base) : positivePower(base, Math.abs(n));
  },
});

/** By squaring: about 2 log₂ n products. */
function positivePower(a: Node, n: number): Node {
  if (n === 1) return a;
  const half = positivePower(a, Math.floor(n / 2));
  const even = matmulNodes(half, half);
  return n % 2 === 0 ? even : matmulNodes(even, a);
}

export const cross = define({
  name: "cross",
  family,
  params: { a: tensorParam(), b: tensorParam() },
  doc: "The cross product of vectors of three, along the last axis; leading axes broadcast.",
  examples: ["cross([1, 0, 0], [0, 1, 0]) == [0, 0, 1]"],
  specimen: "input a[n, 3], b[n, 3]; cross(a, b)",
  build: ({ a, b }, graph) => {
    for (const [arg, { type }] of [a, b].entries()) {
      const last = type.shape.at(-1);
      if (last === undefined) throw new OpError("cross takes vectors of three, not a scalar", { arg });
      if (isKnown(last) && last !== 3)
        throw new OpError(`cross takes vectors of three, along the last axis, not ${showShape(type.shape)}`, { arg });
      graph.require(last, "=", 3, "cross takes vectors of three; sizes", { arg });
    }
    return { fn: "_cross", args: [a, b] };
  },
});
