/** Leaves other than inputs: constants, ramps and sizes. */
import { constantOp, type Node, valuesOf } from "../../graph/node.ts";
import { dimOp, rampOp } from "../../ops/leaf.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { type View, viewOfTensor, zerosView } from "./view.ts";

/** The node's value. */
export function leaf(node: Node): View {
  if (node.op === rampOp) return ramp(node);
  return viewOfTensor(tensorOf(node.type.dtype, node.type.shape as number[], elementsIn(node)));
}

function ramp(node: Node): View {
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const { data } = out;
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(i);
  else for (let i = 0; i < data.length; i++) data[i] = i;
  return out;
}

function elementsIn(node: Node): Iterable<number | bigint | boolean> {
  const { op, attrs } = node;
  switch (op) {
    case constantOp:
      return Array.from(valuesOf(node));
    case dimOp:
      return [attrs["dim"] as number];
    default:
      throw new Error(`${op.name} has no value`);
  }
}
