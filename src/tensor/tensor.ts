/** A tensor on the host: dtype, shape and the elements in C order. What files are read into and results come as. */
import { type ArrayOf, allocate, type DType, type TypedArray } from "./dtype.ts";

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** Row-major, contiguous; bool as 0 and 1. */
  readonly data: ArrayOf[D];
}

/** What a tensor is before there are elements. */
export type TensorType = Omit<Tensor, "data">;

/** The number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export const tensor = <D extends DType>(dtype: D, shape: readonly number[], data: ArrayOf[D]): Tensor<D> => ({
  dtype,
  shape,
  data,
});

export const zerosTensor = (dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: allocate(dtype, sizeOf(shape)),
});

/** A tensor from plain numbers, converted as a store into the typed array converts. */
export function tensorOf(dtype: DType, shape: readonly number[], values: Iterable<number | bigint | boolean>): Tensor {
  const data: TypedArray = allocate(dtype, sizeOf(shape));
  let i = 0;
  for (const v of values) data[i++] = dtype === "int64" ? BigInt(v) : Number(v);
  return { dtype, shape, data };
}

/** The tensor with memory of its own: an engine's may lie in memory that its next run uses. */
export const detached = (result: Tensor): Tensor =>
  result.data.buffer instanceof SharedArrayBuffer ? tensor(result.dtype, result.shape, result.data.slice()) : result;

/** C-order strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}

/** A shape as the language prints it: `(3, 4)`, `(3,)` never: one axis is `(3)`. */
export const showSizes = (shape: readonly number[]): string => `(${shape.join(", ")})`;
