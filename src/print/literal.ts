/** Constants as literals: so short that reading them gives the same value of their dtype. */
import type { Expr } from "../../grammar/ast.ts";
import { isConstant, type Node, type TensorType, valuesOf } from "../graph/node.ts";
import { castOp } from "../ops/cast.ts";
import { dimOp } from "../ops/leaf.ts";
import { broadcastOp } from "../ops/movement.ts";
import { productOf } from "../tensor/dim.ts";
import { isFloat } from "../tensor/dtype.ts";
import * as tree from "./tree.ts";

/** Constants of more elements are told by their shape. */
const MOST_LISTED = 32;

/** A constant that is written out, or a size among tensors. */
export const isLiteral = (node: Node): boolean =>
  (isConstant(node) && (productOf(node.type.shape) as number) <= MOST_LISTED) || sizeOperand(node) !== undefined;

/** A constant or a constant stretched: shown again wherever it is used. */
export const isFill = (node: Node): boolean =>
  isLiteral(node) || (node.op === broadcastOp && isLiteral(node.args[0]!) && node.args[0]!.type.shape.length === 0);

/** The literal beside an operand that gives it its dtype. */
export const bareLiteral = (node: Node): Expr => sizeOperand(node) ?? written(node, false);

/** The literal where nothing else gives it its dtype. */
export function typedLiteral(node: Node): Expr {
  const { dtype, weak } = node.type;
  const size = sizeOperand(node);
  if (size) return weak ? size : tree.call("astype", [size, tree.name(dtype)]);
  const isDefault = weak || dtype === "bool" || dtype === "int32" || dtype === node.graph.defaultFloat;
  return isDefault ? written(node, true) : tree.call("astype", [written(node, false), tree.name(dtype)]);
}

/** A size as an operand, as it is or converted to the dtype of what it meets. */
function sizeOperand(node: Node): Expr | undefined {
  const size = node.op === castOp ? node.args[0]! : node;
  return size.op === dimOp ? tree.dimOperand(size.attrs["dim"] as number) : undefined;
}

function written(node: Node, pointed: boolean): Expr {
  const shape = node.type.shape as readonly number[];
  if (shape.includes(0)) return tree.call("zeros", [tree.dims(shape)]);
  let items = Array.from(valuesOf(node), (value) => element(value, node.type, pointed));
  for (const size of shape.toReversed())
    items = Array.from({ length: items.length / size }, (_, i) => tree.list(items.slice(i * size, (i + 1) * size)));
  return items[0]!;
}

function element(value: number | bigint | boolean, { dtype }: TensorType, pointed: boolean): Expr {
  if (dtype === "bool") return tree.bool(Boolean(value));
  if (typeof value === "bigint" || !isFloat(dtype)) return tree.int(BigInt(value));
  return tree.float(dtype === "float32" ? shortestFloat32(Number(value)) : Number(value), { pointed });
}

/** The number of fewest digits that float32 rounds to `value`. */
function shortestFloat32(value: number): number {
  const candidates = Array.from({ length: 9 }, (_, digits) => Number(value.toPrecision(digits + 1)));
  return candidates.find((x) => Math.fround(x) === value) ?? value;
}

/** `zeros`, `ones` or `full` of a scalar constant stretched to a shape. */
export function filled(constant: Node, node: Node): Expr {
  const { dtype, shape } = node.type;
  const value = Number(valuesOf(constant)[0]);
  const maker = Object.is(value, 0) ? "zeros" : value === 1 ? "ones" : undefined;
  if (!maker || dtype === "bool") return tree.call("full", [tree.dims(shape), typedLiteral(constant)]);
  return tree.call(maker, [tree.dims(shape)], {
    dtype: dtype === node.graph.defaultFloat ? undefined : tree.name(dtype),
  });
}
