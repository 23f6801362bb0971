/** Strided views of typed arrays and the walk over them. Knows no op; nothing here reads or writes an element. */
import { allocate, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf, type Tensor } from "../../tensor/tensor.ts";

/** How elements lie in some memory. */
export interface Strided {
  readonly shape: readonly number[];
  /** In elements; 0 where an axis is stretched, negative where it is read backwards. */
  readonly strides: readonly number[];
  /** Where the first element lies. */
  readonly offset: number;
}

export interface View extends Strided {
  readonly dtype: DType;
  readonly data: TypedArray;
}

export const viewOfTensor = ({ dtype, shape, data }: Tensor): View => ({
  dtype,
  data,
  shape,
  strides: stridesOf(shape),
  offset: 0,
});

/** A fresh view of zeros, in C order. */
export const zerosView = (dtype: DType, shape: readonly number[]): View =>
  viewOfTensor({ dtype, shape, data: allocate(dtype, sizeOf(shape)) });

/** Axis i of the result is axis axes[i] of the view; a view may lose axes so, and keeps their first elements. */
export const permuted = <V extends Strided>(view: V, axes: readonly number[]): V => ({
  ...view,
  shape: axes.map((axis) => view.shape[axis]!),
  strides: axes.map((axis) => view.strides[axis]!),
});

/** The view stretched to `shape`, to whose last axes its own are aligned. */
export function stretched<V extends Strided>(view: V, shape: readonly number[]): V {
  const added = shape.length - view.shape.length;
  const strides = shape.map((size, axis) => (view.shape[axis - added] === size ? view.strides[axis - added]! : 0));
  return { ...view, shape, strides };
}

/** Of each axis `sizes` elements, from `starts` on in `steps`. */
export const sliced = <V extends Strided>(
  view: V,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[],
): V => ({
  ...view,
  shape: sizes,
  strides: view.strides.map((stride, axis) => stride * steps[axis]!),
  offset: view.strides.reduce((offset, stride, axis) => offset + stride * starts[axis]!, view.offset),
});

/** The view with one axis read backwards. */
export function flipped(view: View, axis: number): View {
  const stride = view.strides[axis]!;
  return {
    ...view,
    strides: view.strides.with(axis, -stride),
    offset: view.offset + stride * Math.max(view.shape[axis]! - 1, 0),
  };
}

/** The strides that show the view's elements under another shape, or undefined if there are none. */
export function stridesUnder(view: Strided, shape: readonly number[]): readonly number[] | undefined {
  if (shape.includes(0)) return stridesOf(shape);
  const runs = collapse(view.shape, [view.strides]);
  let {
    size: left,
    steps: [step],
  } = runs.pop() ?? { size: 1, steps: [1] };
  const strides = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    if (size === 1) continue;
    if (left === 1)
      ({
        size: left,
        steps: [step],
      } = runs.pop()!);
    if (left % size !== 0) return undefined;
    strides[axis] = step!;
    step! *= size;
    left /= size;
  }
  return strides;
}

export function isContiguous({ shape, strides }: Strided): boolean {
  if (shape.includes(0)) return true;
  const [run, more] = collapse(shape, [strides]);
  return !more && (!run || run.steps[0] === 1);
}

/** The place of the index-th element in C order, as errors write it: ` at [1, 2]`; nothing for a scalar. */
export function placeOf(index: number, shape: readonly number[]): string {
  const strides = stridesOf(shape);
  const place = shape.map((size, axis) => Math.floor(index / strides[axis]!) % size);
  return place.length === 0 ? "" : ` at [${place.join(", ")}]`;
}

/** An axis of a loop: how far each operand moves from one element to the next. */
export interface Axis {
  readonly size: number;
  readonly steps: readonly number[];
}

/** The axes of a loop over `shape`, without those of size 1; neighbours that every operand can walk in one go are one. */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Axis[] {
  const axes: Axis[] = [];
  for (const [d, size] of shape.entries()) {
    if (size === 1) continue;
    const steps = strides.map((own) => own[d]!);
    const last = axes.at(-1);
    if (last?.steps.every((step, i) => step === steps[i]! * size))
      axes[axes.length - 1] = { size: last.size * size, steps };
    else axes.push({ size, steps });
  }
  return axes;
}

/** Does `n` elements, whose operands lie at `at` and from one element to the next move by `steps`. */
export type Row = (n: number, at: readonly number[], steps: readonly number[]) => void;

/** Walks operands of one shape together, in C order: calls `row` for each run along the innermost axis. */
export function forEachRow(
  shape: readonly number[],
  operands: readonly Pick<Strided, "strides" | "offset">[],
  row: Row,
) {
  if (shape.includes(0)) return;
  const outer = collapse(
    shape,
    operands.map((o) => o.strides),
  );
  const inner = outer.pop() ?? { size: 1, steps: operands.map(() => 0) };
  const at = operands.map((o) => o.offset);
  const counts = outer.map(() => 0);
  for (let axis = 0; axis >= 0; ) {
    row(inner.size, at, inner.steps);
    // like an odometer: the last axis that has not come to its end moves on, those after it begin anew
    for (axis = outer.length - 1; axis >= 0; axis--) {
      const { size, steps } = outer[axis]!;
      const ended = ++counts[axis]! === size;
      for (let i = 0; i < at.length; i++) at[i]! += ended ? steps[i]! * (1 - size) : steps[i]!;
      if (!ended) break;
      counts[axis] = 0;
    }
  }
}
