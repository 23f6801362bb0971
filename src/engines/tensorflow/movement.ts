/** Movement ops: where elements are read from. A reshape shares its argument's memory, all others are copies. */
import type { Node } from "../../graph/node.ts";
import type { MovementOp } from "../../ops/define.ts";
import type { Builder, Register } from "./builder.ts";

/** The node's value, which has elements. */
export function movement(node: Node, op: MovementOp, args: readonly Register[], b: Builder): Register {
  const [x] = args as [Register];
  const shape = node.type.shape as number[];
  const numbers = (attr: string) => node.attrs[attr] as number[];
  switch (op.movement) {
    case "reshape":
      return b.reshape(x, shape);
    case "transpose":
      return b.transpose(x, numbers("axes"));
    case "broadcast":
      return b.stretch(x, shape);
    case "slice":
      return b.slice(x, numbers("starts"), shape, numbers("steps"));
    case "embed":
      return b.embed(x, shape, numbers("starts"), numbers("steps"));
    case "concat":
      return b.concat(args, node.attrs["axis"] as number, shape);
    default:
      return op.movement satisfies never;
  }
}
