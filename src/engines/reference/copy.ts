/** Copies between views: what movement costs where strides cannot say it. */
import type { TypedArray } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { kernel, type RowKernel, rowSource } from "./kernel.ts";
import { forEachRow, isContiguous, stridesUnder, type View, zerosView } from "./view.ts";

/** Copies `from` into `to`, of the same shape and dtype. */
export function copyInto(to: View, from: View): void {
  const { dtype } = to;
  const copy: RowKernel = kernel(`copy ${dtype}`, () =>
    rowSource({ result: dtype, args: [dtype], scalar: ([x]) => x! }),
  );
  const data = [to.data, from.data];
  forEachRow(to.shape, [to, from], (n, at, steps) => copy(n, data, at, steps));
}

/** The same elements in memory of their own, in C order. */
export function copied(view: View): View {
  const copy = zerosView(view.dtype, view.shape);
  copyInto(copy, view);
  return copy;
}

/** The view itself if its elements lie in C order, else a copy. Either way they begin at `offset`. */
export const contiguous = (view: View): View => (isContiguous(view) ? view : copied(view));

/** The elements in C order, to be read only: they may be the view's own memory. */
export function elementsOf(view: View): TypedArray {
  const { data, offset, shape } = contiguous(view);
  return data.subarray(offset, offset + sizeOf(shape));
}

/** The same elements in C order under another shape; a copy only where strides cannot say it. */
export function reshaped(view: View, shape: readonly number[]): View {
  const strides = stridesUnder(view, shape);
  return strides ? { ...view, shape, strides } : reshaped(copied(view), shape);
}
