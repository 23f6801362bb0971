/** The values of weak constants, element by element: ints exactly, floats in float64. Needs no engine, so `check` loads none. */

import { type Fold, type Node, OpError, valuesOf } from "./graph/node.ts";
import type { Form, ScalarType } from "./numeric/form.ts";
import { compileScalar } from "./numeric/javascript.ts";
import { castOp, scalarType } from "./ops/cast.ts";
import { type ContractAttrs, freeOf } from "./ops/contract.ts";
import { type OrderOp, opOf, type PointwiseOp, type ReduceOp } from "./ops/define.ts";
import { concatOp, reshapeOp } from "./ops/movement.ts";
import { where } from "./ops/pointwise.ts";
import { requireFit } from "./ops/promote.ts";
import type { ScanAttrs } from "./ops/scan.ts";
import { isKnown } from "./tensor/dim.ts";
import { type DType, isFloat } from "./tensor/dtype.ts";
import { sizeOf, stridesOf } from "./tensor/tensor.ts";

type Literal = number | bigint | boolean;

/**
 * Folds what lists, scalar arithmetic and sums of ints make; leaves the rest (transposes, sorts …) in the graph, and what makes a
 * NaN, so that a run can trap it. Throws OpError where an int that is left in the graph fits no dtype.
 */
export const foldWeak: Fold = (node) => {
  const values = folded(node);
  if (values && !(values.some(Number.isNaN) && !node.args.some((a) => Array.from(valuesOf(a)).some(Number.isNaN))))
    return values;
  for (const [arg, x] of node.args.entries()) if (x.type.dtype === "int64") requireFit(x, "int64", arg);
  return undefined;
};

function folded(node: Omit<Node, "id">): Literal[] | undefined {
  const op = opOf(node as Node);
  const { shape } = node.type;
  if (!shape.every(isKnown)) return undefined;
  if (op === reshapeOp) return Array.from(valuesOf(node.args[0]!));
  if (op === concatOp && node.attrs["axis"] === 0) return node.args.flatMap((a) => Array.from(valuesOf(a)));
  if (op.kind === "reduce") return foldReduction(op, node);
  if (op.kind === "contract") return foldContraction(node);
  if (op.kind === "order") return foldScan(op, node);
  if (op.kind !== "pointwise") return undefined;
  const compute = scalarFunction(op, node);
  const operands = node.args.map((a) => ({ values: valuesOf(a), at: broadcastIndex(a.type.shape as number[], shape) }));
  return Array.from({ length: sizeOf(shape) }, (_, i) => compute(...operands.map(({ values, at }) => values[at(i)]!)));
}

type Exact = readonly [start: bigint, step: (a: bigint, b: bigint) => bigint];
const SUM: Exact = [0n, (a, b) => a + b];
const PRODUCT: Exact = [1n, (a, b) => a * b];
const EXACT_REDUCTIONS: Partial<Record<ReduceOp["combine"], Exact>> = { sum: SUM, prod: PRODUCT };
const EXACT_SCANS: Partial<Record<OrderOp["order"], Exact>> = { cumsum: SUM, cumprod: PRODUCT };

/** Sums and products of literal ints and bools, which no dtype bounds yet. */
function foldReduction(op: ReduceOp, { args: [x], attrs, type }: Omit<Node, "id">): Literal[] | undefined {
  const exact = EXACT_REDUCTIONS[op.combine];
  if (!exact || isFloat(x!.type.dtype)) return undefined;
  const shape = x!.type.shape as number[];
  const kept = shape.map((d, axis) => ((attrs["axes"] as number[]).includes(axis) ? 1 : d));
  const at = broadcastIndex(kept, shape);
  const results = new Array<bigint>(sizeOf(type.shape as number[])).fill(exact[0]);
  for (const [i, value] of Array.from(valuesOf(x!)).entries())
    results[at(i)] = exact[1](results[at(i)]!, BigInt(value));
  return results;
}

/** Running sums and products of literal ints. */
function foldScan(op: OrderOp, { args: [x], attrs, type }: Omit<Node, "id">): Literal[] | undefined {
  const exact = EXACT_SCANS[op.order];
  const { axis, reverse, exclusive } = attrs as unknown as ScanAttrs;
  if (!exact || type.dtype !== "int64" || reverse || exclusive) return undefined;
  const [start, step] = exact;
  const stride = stridesOf(type.shape as number[])[axis]!;
  const isFirst = (i: number) => Math.floor(i / stride) % (type.shape[axis] as number) === 0;
  const results = Array.from(valuesOf(x!) as ArrayLike<bigint>);
  for (const [i, value] of results.entries()) results[i] = step(isFirst(i) ? start : results[i - stride]!, value);
  return results;
}

/** Sums of products of literal ints, exact too. */
function foldContraction({ args: [a, b], attrs }: Omit<Node, "id">): Literal[] | undefined {
  if (a!.type.dtype !== "int64") return undefined;
  const [s, t] = [a!.type.shape as number[], b!.type.shape as number[]];
  const [stepsOfA, stepsOfB] = [stridesOf(s), stridesOf(t)];
  const { batch, summed } = attrs as unknown as ContractAttrs;
  const free = freeOf(s.length, t.length, { batch, summed });
  const paired = ([i, j]: readonly [number, number]): LoopAxis => [s[i]!, stepsOfA[i]!, stepsOfB[j]!];
  const terms = offsets(summed.map(paired));
  const results = offsets([
    ...batch.map(paired),
    ...free.a.map((i): LoopAxis => [s[i]!, stepsOfA[i]!, 0]),
    ...free.b.map((j): LoopAxis => [t[j]!, 0, stepsOfB[j]!]),
  ]);
  const [x, y] = [valuesOf(a!), valuesOf(b!)] as [bigint[], bigint[]];
  return results.map(([i, j]) => terms.reduce((sum, [p, q]) => sum + x[i + p]! * y[j + q]!, 0n));
}

/** How often an axis is gone along, and by which steps in two operands. */
type LoopAxis = readonly [size: number, stepInA: number, stepInB: number];
/** The places in two operands of everything along `axes`, the last running fastest. */
const offsets = (axes: readonly LoopAxis[]): (readonly [number, number])[] =>
  axes.reduce<(readonly [number, number])[]>(
    (places, [size, p, q]) =>
      places.flatMap(([i, j]) => Array.from({ length: size }, (_, k) => [i + k * p, j + k * q] as const)),
    [[0, 0]],
  );

/** How one element is computed from literals. */
function scalarFunction(op: PointwiseOp, node: Omit<Node, "id">): (...xs: Literal[]) => Literal {
  if (op === where.op) return (condition, x, y) => (condition ? x! : y!);
  if (op === castOp) return (x) => convertLiteral(x, node.type.dtype);
  const types = node.args.map((a) => scalarType(a.type.dtype));
  const { exact } = op;
  return exact && types[0] === "i64" ? (...xs) => exact(...(xs as bigint[])) : compiled(op, types);
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
