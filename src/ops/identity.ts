/** Ops that change nothing but what derivatives see. */
import type { Node } from "../graph/node.ts";
import type { MovementOp } from "./define.ts";
import { define, tensorParam } from "./define.ts";

/**
 * Tells a binding or parameter apart from an equal value elsewhere, so that a derivative with respect to it counts its own
 * uses only. attrs: { id }. Binding sizes erases it.
 */
export const markOp: MovementOp = {
  kind: "movement",
  movement: "reshape",
  name: "mark",
  display: "Identity",
  infer: ([x]) => x!,
  grad: ({ ct }) => [ct],
};
export const mark = (x: Node): Node => x.graph.apply(markOp, [x], { id: x.graph.nodes.length });

/** Lets no derivative through. */
export const stopOp: MovementOp = { kind: "movement", movement: "reshape", name: "stop_gradient", infer: ([x]) => x! };
export const stopGradient = (x: Node): Node => (x.type.weak ? x : x.graph.apply(stopOp, [x]));
export const stop_gradient = define({
  name: "stop_gradient",
  family: "derivatives",
  params: { x: tensorParam() },
  doc: "x itself, constant to derivatives.",
  examples: ["stop_gradient([1, 2]) == [1, 2]"],
  build: ({ x }) => stopGradient(x),
});
/** Whether an op only passes its argument on. */
export const isIdentity = (node: Node): boolean => node.op === markOp || node.op === stopOp;
