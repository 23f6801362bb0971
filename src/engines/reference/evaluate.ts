/** Evaluates a concrete graph, node after node: the meaning of every op. */
import { ancestors, type Node } from "../../graph/node.ts";
import type { Op } from "../../ops/define.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { CompileOptions } from "../engine.ts";
import { contract } from "./contract.ts";
import { copied } from "./copy.ts";
import { leaf } from "./leaf.ts";
import { linalg } from "./linalg.ts";
import { movement } from "./movement.ts";
import { order } from "./order.ts";
import { pointwise } from "./pointwise.ts";
import { reduce } from "./reduce.ts";
import { refuseNewNaN } from "./trap.ts";
import { isContiguous, type View, viewOfTensor } from "./view.ts";
import type { Workspace } from "./workspace.ts";

/**
 * The outputs' values: in C order, and sharing memory with nothing. `feeds` has a tensor of its type for every input that
 * the outputs need. Throws EvaluationError.
 */
export function evaluate(
  outputs: readonly Node[],
  feeds: ReadonlyMap<Node, Tensor>,
  { trap }: CompileOptions = {},
): Tensor[] {
  const nodes = ancestors(outputs);
  const lastUse = new Map(nodes.flatMap((node) => node.args.map((arg) => [arg, node] as const)));
  const kept = new Set(outputs);
  const values = new Map<Node, View>();
  for (const node of nodes) {
    const feed = feeds.get(node);
    const args = node.args.map((arg) => values.get(arg)!);
    const value = feed ? viewOfTensor(feed) : nodeValue(node, args);
    if (trap === "nan") refuseNewNaN(node, () => args, value);
    values.set(node, value);
    for (const arg of node.args) if (lastUse.get(arg) === node && !kept.has(arg)) values.delete(arg);
  }
  const taken = new Set(Array.from(feeds.values(), (feed) => feed.data));
  return outputs.map((node) => {
    const view = values.get(node)!;
    const own = isContiguous(view) && view.data.length === sizeOf(view.shape) && !taken.has(view.data);
    const { dtype, shape, data } = own ? view : copied(view);
    taken.add(data);
    return { dtype, shape, data };
  });
}

/** One node's value from those of its arguments, whose memory it may share. Linear algebra is done in `work`, if given. */
export function nodeValue(node: Node, args: readonly View[], work?: Workspace): View {
  const op = node.op as Op;
  switch (op.kind) {
    case "pointwise":
      return pointwise(node, op, args);
    case "movement":
      return movement(node, op, args);
    case "reduce":
      return reduce(node, op, args);
    case "contract":
      return contract(node, args);
    case "order":
      return order(node, op, args);
    case "linalg":
      return linalg(node, op, args, work);
    case "leaf":
      return leaf(node);
    default:
      return op satisfies never;
  }
}
