/** Contractions: every one is a batch of matrix products. */
import type { Node } from "../../graph/node.ts";
import { type ContractAttrs, freeOf } from "../../ops/contract.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Builder, boolAttribute, type Register } from "./builder.ts";

/** A stack of matrices, and whether each is to be read transposed. */
interface Matrices {
  readonly stack: Register;
  readonly transposed: boolean;
}

/** The node's value: batch axes, then a's free axes, then b's. */
export function contract(node: Node, [x, y]: readonly Register[], b: Builder): Register {
  const pairs = node.attrs as unknown as ContractAttrs;
  const { batch, summed } = pairs;
  const free = freeOf(x!.shape.length, y!.shape.length, pairs);
  const side = (of: ContractAttrs["batch"], at: 0 | 1) => of.map((pair) => pair[at]);
  const left = matrices(b, x!, side(batch, 0), free.a, side(summed, 0));
  const right = matrices(b, y!, side(batch, 1), side(summed, 1), free.b);
  const [count, m, n] = [
    sizeOf(side(batch, 0).map((axis) => x!.shape[axis]!)),
    sizeOf(free.a.map((axis) => x!.shape[axis]!)),
    sizeOf(free.b.map((axis) => y!.shape[axis]!)),
  ];
  const { dtype } = x!;
  const product =
    count === 1
      ? b.call("MatMul", [matrix(b, left), matrix(b, right)], { dtype, shape: [m, n] }, [
          boolAttribute("transpose_a", left.transposed),
          boolAttribute("transpose_b", right.transposed),
        ])
      : b.call("BatchMatMulV2", [left.stack, right.stack], { dtype, shape: [count, m, n] }, [
          boolAttribute("adj_x", left.transposed),
          boolAttribute("adj_y", right.transposed),
        ]);
  return b.reshape(product, node.type.shape as number[]);
}

const matrix = (b: Builder, { stack }: Matrices): Register => b.reshape(stack, stack.shape.slice(1));

/** The tensor with an axis for each of the three groups; moved only where its axes do not lie so, or with the last two swapped. */
function matrices(
  b: Builder,
  x: Register,
  batch: readonly number[],
  rows: readonly number[],
  columns: readonly number[],
): Matrices {
  const size = (axes: readonly number[]) => sizeOf(axes.map((axis) => x.shape[axis]!));
  const swapped = [...batch, ...columns, ...rows];
  if (swapped.every((axis, i) => axis === i) && rows.length > 0 && columns.length > 0)
    return { stack: b.reshape(x, [size(batch), size(columns), size(rows)]), transposed: true };
  const ordered = b.transpose(x, [...batch, ...rows, ...columns]);
  return { stack: b.reshape(ordered, [size(batch), size(rows), size(columns)]), transposed: false };
}
