/** The values of weak constants, element by element: ints exactly, floats in float64. Needs no engine, so `check` loads none. */

import { type Fold, type Node, OpError, valuesOf } from "./graph/node.ts";
import type { Form, ScalarType } from "./numeric/form.ts";
import { compileScalar } from "./numeric/javascript.ts";
import { scalarType } from "./ops/cast.ts";
import { opOf, type PointwiseOp } from "./ops/define.ts";
import { isKnown } from "./tensor/dim.ts";
import type { DType } from "./tensor/dtype.ts";
import { sizeOf, stridesOf } from "./tensor/tensor.ts";

type Literal = number | bigint | boolean;
type Exact = (...xs: bigint[]) => bigint | boolean;

/** Integers of any size: what the ops on them mean before a dtype is met. */
const EXACT: Readonly<Record<string, Exact>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  neg: (x) => -x,
  square: (x) => x * x,
  abs: (x) => (x < 0n ? -x : x),
  sign: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  floor_divide: (x, y) => floorDivide(x, y),
  remainder: (x, y) => x - y * floorDivide(x, y),
  integer_pow: (x, y) => x ** (y > 4096n && x !== 0n && x !== 1n && x !== -1n ? tooLarge() : y),
  maximum: (...xs) => ascending(xs)[1]!,
  minimum: (...xs) => ascending(xs)[0]!,
  clip: (x, lo, hi) => ascending([ascending([x!, lo!])[1]!, hi!])[0]!,
  equal: (x, y) => x === y,
  not_equal: (x, y) => x !== y,
  less: (x, y) => x < y,
  less_equal: (x, y) => x <= y,
  greater: (x, y) => x > y,
  greater_equal: (x, y) => x >= y,
};
const ascending = (xs: bigint[]): bigint[] => xs.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
function floorDivide(x: bigint, y: bigint): bigint {
  if (y === 0n)
    throw new OpError("integer division by zero", {
      code: "arithmetic",
      arg: 1,
      help: "write the dividend as a float for inf or nan",
    });
  const quotient = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient;
}
function tooLarge(): never {
  throw new OpError("this power has more digits than any dtype holds", { code: "range", arg: 1 });
}

/** Folds what lists and scalar arithmetic make; leaves the rest (sums, transposes …) in the graph. */
export const foldWeak: Fold = (node) => {
  const op = opOf(node as Node);
  const { shape } = node.type;
  if (!shape.every(isKnown)) return undefined;
  if (op.name === "reshape") return Array.from(valuesOf(node.args[0]!));
  if (op.name === "concat" && node.attrs["axis"] === 0) return node.args.flatMap((a) => Array.from(valuesOf(a)));
  if (op.kind !== "pointwise") return undefined;
  const compute = scalarFunction(op, node);
  const operands = node.args.map((a) => ({ values: valuesOf(a), at: broadcastIndex(a.type.shape as number[], shape) }));
  return Array.from({ length: sizeOf(shape) }, (_, i) => compute(...operands.map(({ values, at }) => values[at(i)]!)));
};

/** How one element is computed from literals. */
function scalarFunction(op: PointwiseOp, node: Omit<Node, "id">): (...xs: Literal[]) => Literal {
  if (op.name === "where") return (condition, x, y) => (condition ? x! : y!);
  if (op.name === "astype") return (x) => convertLiteral(x, node.type.dtype);
  const types = node.args.map((a) => scalarType(a.type.dtype));
  if (types[0] === "i64") {
    const exact = EXACT[op.name];
    if (exact) return (...xs) => exact(...(xs as bigint[]));
  }
  return compiled(op, types);
}

function convertLiteral(x: Literal, dtype: DType): Literal {
  if (dtype === "bool") return Boolean(x);
  if (dtype !== "float64") return BigInt(x);
  if (typeof x === "bigint" && !Number.isFinite(Number(x)))
    throw new OpError(`${x} does not fit float64`, { code: "range" });
  return Number(x);
}

const cache = new Map<string, (...xs: Literal[]) => Literal>();
function compiled(op: PointwiseOp, types: readonly ScalarType[]): (...xs: Literal[]) => Literal {
  const key = `${op.name} ${types.join()}`;
  let known = cache.get(key);
  if (!known) {
    const result = op.result === "bool" ? "bool" : types.at(-1)!;
    known = compileScalar((...xs: Form[]) => op.scalar(xs, {}), types, result) as (...xs: Literal[]) => Literal;
    cache.set(key, known);
  }
  return known;
}

/** From a position in the result to the one in an operand that was broadcast to it. */
function broadcastIndex(from: readonly number[], to: readonly number[]): (i: number) => number {
  if (sizeOf(from) === sizeOf(to)) return (i) => i;
  if (sizeOf(from) === 1) return () => 0;
  const [strides, own] = [stridesOf(to), stridesOf(from)];
  const lead = to.length - from.length;
  return (i) =>
    from.reduce((at, d, axis) => at + (d === 1 ? 0 : (Math.floor(i / strides[axis + lead]!) % d) * own[axis]!), 0);
}
