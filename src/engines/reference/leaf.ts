/** Leaves other than inputs: constants, ramps and sizes. */
import { constantOp, type Node, valuesOf } from "../../graph/node.ts";
import { dimOp, rampOp } from "../../ops/leaf.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { type View, viewOfTensor } from "./view.ts";

/** The node's value. */
export function leaf(node: Node): View {
  return viewOfTensor(tensorOf(node.type.dtype, node.type.shape as number[], elementsIn(node)));
}

function elementsIn(node: Node): Iterable<number | bigint | boolean> {
  const { op, attrs, type } = node;
  switch (op) {
    case constantOp:
      return Array.from(valuesOf(node));
    case rampOp:
      return new Array(type.shape[0] as number).keys();
    case dimOp:
      return [attrs["dim"] as number];
    default:
      throw new Error(`${op.name} has no value`);
  }
}
