/** Sorting along an axis. */
import type { Node } from "../graph/node.ts";
import { normalizeAxis } from "./broadcast.ts";
import { axisParam, boolParam, define, dimParam, type OrderOp, tensorParam } from "./define.ts";
import { scatterAlongOp, takeAlong } from "./indexing.ts";
import { requireSize } from "./leaf.ts";
import { sliceAxis, zerosLike } from "./movement.ts";

const sortOp: OrderOp = {
  kind: "order",
  order: "sort",
  name: "sort",
  infer: ([x]) => x!,
  grad: ({ args: [x], ct, attrs }) => [
    x!.graph.apply(scatterAlongOp, [zerosLike(x!), x!.graph.apply(argsortOp, [x!], attrs), ct], {
      axis: attrs["axis"],
    }),
  ],
};
const argsortOp: OrderOp = {
  kind: "order",
  order: "argsort",
  name: "argsort",
  infer: ([x]) => ({ dtype: "int32", shape: x!.shape, weak: false }),
};
const argsortNodes = (x: Node, axis: number, descending: boolean): Node =>
  x.graph.apply(argsortOp, [x], { axis, descending });

const sortParams = { x: tensorParam(), axis: axisParam("-1", -1), descending: boolParam("false", false) };
export const sort = define({
  name: "sort",
  family: "shape",
  params: sortParams,
  doc: "Sorts along an axis; nan comes last.",
  examples: ["sort([3, 1, 2]) == [1, 2, 3]", "sort([3, 1, 2], descending=true) == [3, 2, 1]"],
  build: ({ x, axis, descending }) =>
    x.graph.apply(sortOp, [x], { axis: normalizeAxis(axis ?? -1, x.type.shape.length), descending }),
});
export const argsort = define({
  name: "argsort",
  family: "shape",
  params: sortParams,
  doc: "The positions that sort along an axis, stable.",
  examples: ["argsort([3, 1, 2]) == [1, 2, 0]"],
  build: ({ x, axis, descending }) => argsortNodes(x, normalizeAxis(axis ?? -1, x.type.shape.length), descending),
});
export const top_k = define({
  name: "top_k",
  family: "shape",
  params: { x: tensorParam(), k: dimParam() },
  doc: "The k largest of the last axis, in order, and their positions; the lower index first among equals. → values, indices",
  examples: ["values, indices = top_k([1, 3, 2], 2); values == [3, 2]"],
  specimen: "input x[n, m]; values, indices = top_k(x, 2); values",
  build: ({ x, k }) => {
    const axis = normalizeAxis(-1, x.type.shape.length);
    x.graph.require(
      x.type.shape[axis]!,
      ">=",
      requireSize(x.graph, k, "k"),
      "top_k takes at most as many as the last axis has; its size",
      { arg: "k" },
    );
    const indices = sliceAxis(argsortNodes(x, axis, true), axis, 0, k);
    return [takeAlong(x, indices, axis), indices];
  },
});
