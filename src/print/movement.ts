/** Movement ops as text: indices, `.T`, `expand_dims`, `pad` where one of them says it, `reshape` and plain calls elsewhere. */
import type { Expr } from "../../grammar/ast.ts";
import { isConstant, type Node } from "../graph/node.ts";
import { contractOp } from "../ops/contract.ts";
import type { MovementOp } from "../ops/define.ts";
import { opOf } from "../ops/define.ts";
import { markOp, stopOp } from "../ops/identity.ts";
import { reshapeOp, type SliceAttrs, sliceOp } from "../ops/movement.ts";
import { type Dim, isKnown, sameDim, subDims } from "../tensor/dim.ts";
import { contraction, transposedContraction } from "./contraction.ts";
import type { Shown } from "./expression.ts";
import { filled } from "./literal.ts";
import { reduction } from "./reduction.ts";
import { sliceItems } from "./slice.ts";
import * as tree from "./tree.ts";

/** The node's tree, those of its arguments being what `shown` says. */
export function movement(node: Node, op: MovementOp, shown: Shown): Expr {
  const [x] = node.args as [Node];
  if (op === markOp) return shown.tree(x);
  if (op === stopOp) return tree.call("stop_gradient", [shown.tree(x)]);
  switch (op.movement) {
    case "reshape":
      return reshape(node, x, shown);
    case "transpose":
      return transpose(node, x, shown);
    case "broadcast":
      return broadcast(node, x, shown);
    case "slice":
      return tree.index(shown.tree(x), sliceItems(sliceAttrs(node), x.type.shape));
    case "embed":
      return embed(node, x, shown);
    case "concat":
      return concat(node, shown);
    default:
      return op.movement satisfies never;
  }
}

/** Leading axes come by themselves. */
function broadcast(node: Node, x: Node, shown: Shown): Expr {
  const inner = x.op === reshapeOp && shown.isInline(x) ? x.args[0]! : undefined;
  const leads = inner && unitAxesOf(x.type.shape, inner.type.shape)?.every((axis, i) => axis === i);
  const from = leads ? inner : x;
  if (isConstant(from) && from.type.shape.length === 0) return filled(from, node);
  return tree.call("broadcast_to", [shown.tree(from), tree.dims(node.type.shape)]);
}

function reshape(node: Node, x: Node, shown: Shown): Expr {
  const [from, to] = [x.type.shape, node.type.shape];
  const inserted = unitAxesOf(to, from);
  const dropped = unitAxesOf(from, to);
  if (inserted && shown.isInline(x) && opOf(x).kind === "reduce" && reducesTo(x, inserted))
    return reduction(x, shown, true);
  if (inserted) return tree.call("expand_dims", [shown.tree(x), tree.intOrInts(inserted)]);
  if (dropped && shown.isInline(x) && x.op === sliceOp && dropped.every((axis) => isOnePlace(x, axis)))
    return tree.index(shown.tree(x.args[0]!), sliceItems(sliceAttrs(x), x.args[0]!.type.shape, dropped));
  if (dropped) return tree.call("squeeze", [shown.tree(x), tree.intOrInts(dropped)]);
  return tree.call("reshape", [shown.tree(x), tree.dims(to)]);
}

/** The axes of size 1 that `shape` has more than `rest`; undefined where it differs in more than such, or in nothing. */
function unitAxesOf(shape: readonly Dim[], rest: readonly Dim[]): number[] | undefined {
  const axes: number[] = [];
  let at = 0;
  for (const [axis, d] of shape.entries()) {
    if (at < rest.length && sameDim(d, rest[at]!)) at++;
    else if (d === 1) axes.push(axis);
    else return undefined;
  }
  return at === rest.length && axes.length > 0 ? axes : undefined;
}

const reducesTo = (reduced: Node, inserted: readonly number[]): boolean =>
  String(reduced.attrs["axes"]) === String(inserted);

const sliceAttrs = ({ attrs }: Node): SliceAttrs => attrs as unknown as SliceAttrs;

/** Whether a slice reads one place along an axis, known from one of its ends. */
function isOnePlace(node: Node, axis: number): boolean {
  const { starts, sizes } = sliceAttrs(node);
  return sizes[axis] === 1 && [0, node.args[0]!.type.shape[axis]!].some((end) => isKnown(subDims(starts[axis]!, end)));
}

function transpose(node: Node, x: Node, shown: Shown): Expr {
  const axes = node.attrs["axes"] as readonly number[];
  const rank = axes.length;
  const swapsLast = axes.every((a, i) => a === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  if (swapsLast && x.op === contractOp && shown.isInline(x)) {
    const [a, b] = x.args.map(shown.tree) as [Expr, Expr];
    return transposedContraction(x, a, b) ?? tree.transposed(contraction(x, a, b), rank > 2);
  }
  if (swapsLast) return tree.transposed(shown.tree(x), rank > 2);
  const isReversed = axes.every((a, i) => a === rank - 1 - i);
  return tree.call("transpose", [shown.tree(x), ...(isReversed ? [] : [tree.ints(axes)])]);
}

function embed(node: Node, x: Node, shown: Shown): Expr {
  const { starts, steps } = node.attrs as { starts: readonly Dim[]; steps: readonly Dim[] };
  const { shape } = node.type;
  const isTurned = (size: Dim, axis: number) => steps[axis] === -1 && sameDim(starts[axis]!, subDims(size, 1));
  const isWhole = (size: Dim, axis: number) => sameDim(size, x.type.shape[axis]!);
  if (shape.every((size, axis) => isWhole(size, axis) && (steps[axis] === 1 || isTurned(size, axis))))
    return tree.index(shown.tree(x), sliceItems({ starts, sizes: shape, steps }, shape));
  if (steps.some((s) => s !== 1))
    return tree.call("embed", [shown.tree(x), tree.dims(shape)], {
      starts: tree.dims(starts),
      steps: tree.dims(steps),
    });
  const widths = shape.map((size, axis) => [starts[axis]!, subDims(subDims(size, starts[axis]!), x.type.shape[axis]!)]);
  return tree.call("pad", [shown.tree(x), tree.list(widths.map(tree.dims))]);
}

/** Items that were given an axis to be joined along are stacked. */
function concat(node: Node, shown: Shown): Expr {
  const axis = node.attrs["axis"] as number;
  const isItem = (x: Node) =>
    x.op === reshapeOp &&
    shown.isInline(x) &&
    String(unitAxesOf(x.type.shape, x.args[0]!.type.shape)) === String([axis]) &&
    x.type.shape[axis] === 1;
  const along = axis === 0 ? {} : { axis: tree.int(axis) };
  if (!node.args.every(isItem)) return tree.call("concat", [tree.list(node.args.map(shown.tree))], along);
  const items = tree.list(node.args.map((x) => shown.tree(x.args[0]!)));
  return axis === 0 ? items : tree.call("stack", [items], along);
}
