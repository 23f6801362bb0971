/** Movement ops: another view of the same memory, but for embed and concat, which lay elements out anew. */
import type { Node } from "../../graph/node.ts";
import type { MovementOp } from "../../ops/define.ts";
import { copyInto, reshaped } from "./copy.ts";
import { permuted, type Strided, sliced, stretched, type View, zerosView } from "./view.ts";

/** The argument's elements in the node's order, where only strides change: a transpose, a stretched or a sliced view. */
export function viewThrough<V extends Strided>(node: Node, movement: MovementOp["movement"], x: V): V | undefined {
  const shape = node.type.shape as number[];
  const numbers = (attr: string) => node.attrs[attr] as number[];
  switch (movement) {
    case "transpose":
      return permuted(x, numbers("axes"));
    case "broadcast":
      return stretched(x, shape);
    case "slice":
      return sliced(x, numbers("starts"), shape, numbers("steps"));
    default:
      return undefined;
  }
}

/** The node's value; it may share memory with `args`. */
export function movement(node: Node, op: MovementOp, args: readonly View[]): View {
  const [x] = args as [View];
  const shape = node.type.shape as number[];
  const numbers = (attr: string) => node.attrs[attr] as number[];
  switch (op.movement) {
    case "reshape":
      return reshaped(x, shape);
    case "transpose":
    case "broadcast":
    case "slice":
      return viewThrough(node, op.movement, x)!;
    case "embed": {
      const out = zerosView(x.dtype, shape);
      copyInto(sliced(out, numbers("starts"), x.shape, numbers("steps")), x);
      return out;
    }
    case "concat":
      return concatenated(args, node.attrs["axis"] as number, shape);
    default:
      return op.movement satisfies never;
  }
}

function concatenated(args: readonly View[], axis: number, shape: readonly number[]): View {
  const out = zerosView(args[0]!.dtype, shape);
  const steps = shape.map(() => 1);
  let start = 0;
  for (const x of args) {
    const starts = shape.map((_, i) => (i === axis ? start : 0));
    copyInto(sliced(out, starts, x.shape, steps), x);
    start += x.shape[axis]!;
  }
  return out;
}
