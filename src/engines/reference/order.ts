/** Ops along one axis: dispatch to scans, indexing and sorting. */
import type { Node } from "../../graph/node.ts";
import type { OrderOp } from "../../ops/define.ts";
import { gather, scatterAdd } from "./indexing.ts";
import { scan } from "./scan.ts";
import { sort } from "./sort.ts";
import type { View } from "./view.ts";

/** The node's value. */
export function order(node: Node, op: OrderOp, args: readonly View[]): View {
  switch (op.order) {
    case "cumsum":
    case "cumprod":
    case "recurrence":
      return scan(node, op.order, args);
    case "take":
    case "take_along_axis":
      return gather(node, op.order, args);
    case "scatter_add":
    case "scatter_along_axis":
      return scatterAdd(node, op.order, args);
    case "sort":
    case "argsort":
      return sort(node, op.order, args);
    default:
      return op.order satisfies never;
  }
}
