/**
 * A node as an expression of the language: the tree that a program would have for it. What the language cannot say is a call in
 * its notation, of the op's own name with its attributes. Knows the kinds, and of single ops what spells them.
 */
import type { BinaryOperator, Expr, UnaryOperator } from "../../grammar/ast.ts";
import { isConstant, type Node } from "../graph/node.ts";
import { castOp } from "../ops/cast.ts";
import { opOf, type PointwiseOp } from "../ops/define.ts";
import { rampOp } from "../ops/leaf.ts";
import { reshapeOp } from "../ops/movement.ts";
import { integerPower } from "../ops/operators.ts";
import { eq, oneMinusSquare } from "../ops/pointwise.ts";
import { type Dim, sameDim } from "../tensor/dim.ts";
import { contraction } from "./contraction.ts";
import { bareLiteral, isLiteral, typedLiteral } from "./literal.ts";
import { movement } from "./movement.ts";
import { reduction } from "./reduction.ts";
import * as tree from "./tree.ts";

/** What stands for the arguments of a node. */
export interface Shown {
  /** Its tree: a name, or all of it. */
  tree(node: Node): Expr;
  /** Whether all of it stands there. */
  isInline(node: Node): boolean;
}

export function expressionOf(node: Node, shown: Shown): Expr {
  const op = opOf(node);
  if (isLiteral(node)) return typedLiteral(node);
  switch (op.kind) {
    case "leaf":
      return leaf(node);
    case "pointwise":
      return pointwise(node, op, shown);
    case "movement":
      return movement(node, op, shown);
    case "reduce":
      return reduction(node, shown);
    case "contract": {
      const [a, b] = node.args.map(shown.tree) as [Expr, Expr];
      return contraction(node, a, b);
    }
    case "order":
    case "linalg":
      return tree.call(op.name, node.args.map(shown.tree), attributes(node));
    default:
      return op satisfies never;
  }
}

function leaf(node: Node): Expr {
  const { dtype, shape } = node.type;
  if (isConstant(node)) return tree.call("constant", [tree.dims(shape), tree.name(dtype)]);
  if (node.op !== rampOp) return tree.name(String(node.attrs["name"]));
  return tree.call("arange", [tree.dim(shape[0]!)], { dtype: dtype === "int32" ? undefined : tree.name(dtype) });
}

/**
 * Axes and whether something is so; what is false is left out, as it is where it is called, and that positions count from the
 * start, which no call says.
 */
const attributes = ({ attrs }: Node): Record<string, Expr | undefined> =>
  Object.fromEntries(
    Object.entries(attrs).map(([key, value]) => {
      if (key === "fromStart") return [key, undefined];
      if (typeof value === "number") return [key, tree.int(value)];
      const isDefault = value === (key === "lower");
      return [key, isDefault ? undefined : tree.bool(Boolean(value))];
    }),
  );

function pointwise(node: Node, op: PointwiseOp, shown: Shown): Expr {
  const identity = identityMatrix(node, shown);
  if (identity) return identity;
  if (op === castOp)
    return node.type.weak
      ? shown.tree(node.args[0]!)
      : tree.call("astype", [shown.tree(node.args[0]!), tree.name(node.type.dtype)]);
  const operands = node.args.map((arg, i) => {
    const shared = node.args.filter((_, k) => k !== i && !(op.condition && k === 0));
    const isGiven = !(op.condition && i === 0) && shared.some((other) => !isLiteral(other));
    return isGiven && isLiteral(arg) && shown.isInline(arg) ? bareLiteral(arg) : shown.tree(arg);
  });
  const [x, y] = operands as [Expr, Expr];
  if (op === oneMinusSquare.op) return tree.binary("-", tree.int(1), tree.call("square", [x]));
  const symbol = op === integerPower ? "**" : op.symbol;
  if (!symbol) return tree.call(op.name, operands);
  return op.arity === 1 ? tree.unary(symbol as UnaryOperator, x) : tree.binary(symbol as BinaryOperator, x, y);
}

/** `eye(n, m)` is where the rows' numbers are the columns'. */
function identityMatrix(node: Node, shown: Shown): Expr | undefined {
  const [places] = node.args as [Node];
  if (node.op !== castOp || places.op !== eq.op || !shown.isInline(places)) return undefined;
  const [rows, columns] = places.args as [Node, Node];
  if (rows.op !== reshapeOp || [rows.args[0]!, columns].some((x) => x.op !== rampOp)) return undefined;
  const { dtype, shape } = node.type;
  const [n, m] = shape as [Dim, Dim];
  if (shape.length !== 2 || rows.type.shape[1] !== 1) return undefined;
  return tree.call("eye", [tree.dim(n), ...(sameDim(n, m) ? [] : [tree.dim(m)])], {
    dtype: dtype === node.graph.defaultFloat ? undefined : tree.name(dtype),
  });
}
