/** Reductions as text. */
import type { Expr } from "../../grammar/ast.ts";
import type { Node } from "../graph/node.ts";
import type { Shown } from "./expression.ts";
import * as tree from "./tree.ts";

/** `sum(x)`, `max(x, axis=1, keepdims=true)`. */
export function reduction(node: Node, shown: Shown, keepdims = false): Expr {
  const [x] = node.args as [Node];
  const axes = node.attrs["axes"] as readonly number[];
  const isWhole = axes.length === x.type.shape.length;
  return tree.call(node.op.name, [shown.tree(x)], {
    axis: isWhole ? undefined : tree.intOrInts(axes),
    keepdims: keepdims ? tree.bool(true) : undefined,
  });
}
