/** A reduction as a kernel, and a step that combines its blocks: how vectors lie in it, and where the result does. */
import type { Node } from "../../graph/node.ts";
import type { Form } from "../../numeric/form.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { collapse } from "../reference/view.ts";
import { shapeOf } from "./cost.ts";
import { BLOCK, type Combine, type Kernel, type Operand, type Reduction } from "./kernel.ts";
import { GROUP } from "./lanes.ts";
import { operandOf, type Place, type Step } from "./steps.ts";

/**
 * Folds the axes of `loop` that are not the node's, which are the last ones and lie in one line in every place; `value` is made
 * of the places' elements.
 */
export function foldedLoop(
  node: Node,
  combine: Combine,
  loop: readonly number[],
  places: readonly Place[],
  value: Form,
  newBuffer: (dtype: DType, size: number) => number,
): { readonly steps: readonly Step[]; readonly place: Place } {
  const { dtype } = node.type;
  const result = shapeOf(node);
  const resultStrides = [...stridesOf(result), ...loop.slice(result.length).map(() => 0)];
  const collapsed = collapse(loop, [resultStrides, ...places.map((l) => l.strides)]);
  const kept = collapsed.filter((axis) => axis.steps[0] !== 0);
  const folded = collapsed.find((axis) => axis.steps[0] === 0) ?? {
    size: 1,
    steps: collapsed[0]?.steps.map(() => 0) ?? places.map(() => 0),
  };
  const last = kept.at(-1);
  // Vectors lie along the axis whose elements follow each other in memory, or are one and the same.
  const scattered = (axis: { steps: readonly number[] }) =>
    axis.steps.slice(1).filter((s) => s !== 0 && s !== 1).length;
  const byColumn = last !== undefined && scattered(last) < scattered(folded);
  const inner = byColumn ? last.size : 1;
  const outer = byColumn ? kept.slice(0, -1) : kept;
  const blocks = Math.ceil(folded.size / BLOCK);
  const pitch = Math.ceil(inner / GROUP) * GROUP;
  const outerSize = sizeOf(outer.map((axis) => axis.size));
  const buffer = newBuffer(dtype, outerSize * blocks * pitch);
  const axes = byColumn ? [...outer, folded, last] : [...outer, folded];
  const outerStrides = stridesOf(outer.map((axis) => axis.size)).map((stride) => stride * blocks * pitch);
  const to: Operand = { dtype, buffer, offset: 0, strides: [...outerStrides, pitch, ...(byColumn ? [1] : [])] };
  const reduction: Reduction = { combine, axis: outer.length, to, value };
  const loads = places.map(
    (load, i): Operand => ({ ...operandOf(load), strides: axes.map((axis) => axis.steps[i + 1] ?? 0) }),
  );
  const kernel: Kernel = { shape: axes.map((axis) => axis.size), loads, stores: [], reduction };
  const combination = { reduction, outer: [outerSize], strides: [blocks * pitch], blocks, pitch };
  const strides = stridesOf(result).map((stride) => (stride < inner ? stride : (stride / inner) * blocks * pitch));
  return {
    steps: [
      { kind: "kernel", kernel, node },
      ...(blocks > 1 ? [{ kind: "combine", ...combination, node } as const] : []),
    ],
    place: { dtype, buffer, offset: 0, shape: result, strides },
  };
}
