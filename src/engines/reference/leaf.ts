/** Leaves other than inputs: constants, ramps and sizes. */
import { constantOp, type Node, type valuesOf } from "../../graph/node.ts";
import { dimOp, rampOp } from "../../ops/leaf.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { type View, viewOfTensor } from "./view.ts";

/** The node's value. */
export function leaf(node: Omit<Node, "id">): View {
  return viewOfTensor(tensorOf(node.type.dtype, node.type.shape as number[], valuesOfLeaf(node)));
}

function valuesOfLeaf({ op, attrs, type }: Omit<Node, "id">): Iterable<number | bigint | boolean> {
  switch (op) {
    case constantOp:
      return Array.from(attrs["values"] as ReturnType<typeof valuesOf>);
    case rampOp:
      return new Array<never>(type.shape[0] as number).keys();
    case dimOp:
      return [attrs["dim"] as number];
    default:
      throw new Error(`${op.name} has no value`);
  }
}
