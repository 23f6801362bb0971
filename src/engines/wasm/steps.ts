/** What a plan is made of: loops over kernels, what combines their parts, products, and what the host computes. */
import type { Node } from "../../graph/node.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Strided } from "../reference/view.ts";
import type { Kernel, Operand, Reduction } from "./kernel.ts";
import type { Product } from "./matmul.ts";

/** Where a value lies. */
export interface Place extends Strided {
  readonly dtype: DType;
  readonly buffer: number;
}

export type Step =
  | { readonly kind: "kernel"; readonly kernel: Kernel; readonly node: Node }
  | {
      readonly kind: "combine";
      readonly reduction: Reduction;
      /** The arrays of blocks, and the elements from one to the next along each axis. */
      readonly outer: readonly number[];
      readonly strides: readonly number[];
      readonly blocks: number;
      readonly pitch: number;
      readonly node: Node;
    }
  | { readonly kind: "product"; readonly product: Product; readonly node: Node }
  | { readonly kind: "host"; readonly node: Node; readonly args: readonly Place[]; readonly to: Place };

export const operandOf = ({ dtype, buffer, offset, strides }: Place): Operand => ({ dtype, buffer, offset, strides });

/** The buffers that a step reads and writes. */
export function buffersOf(step: Step): { reads: number[]; writes: number[] } {
  const buffers = (operands: readonly { readonly buffer: number }[]) => operands.map((o) => o.buffer);
  switch (step.kind) {
    case "kernel": {
      const { loads, stores, reduction } = step.kernel;
      return {
        reads: buffers(loads),
        writes: buffers([...stores.map((s) => s.to), ...(reduction ? [reduction.to] : [])]),
      };
    }
    case "combine":
      return { reads: [], writes: [step.reduction.to.buffer] };
    case "product":
      return { reads: buffers([step.product.a, step.product.b]), writes: [step.product.c, step.product.packed] };
    case "host":
      return { reads: buffers(step.args), writes: [step.to.buffer] };
  }
}
