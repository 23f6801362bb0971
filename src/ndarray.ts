/** JavaScript's arrays as tensors and back: numbers, nested arrays, typed arrays and ndarrays, strided ones too. */
import ndarray from "ndarray";
import { convert, type Source, unravel } from "./io/source.ts";
import { fail } from "./source.ts";
import { type DType, type TypedArray, viewOf } from "./tensor/dtype.ts";
import { showSizes, sizeOf, type Tensor } from "./tensor/tensor.ts";

/** An array with any number of axes: what the package ndarray makes, or anything with these fields. */
export interface NdArray<D = ArrayLike<number | bigint>> {
  data: D;
  shape: number[];
  /** The steps in `data` from one element to the next, an axis each. */
  stride: number[];
  /** Where in `data` the first element is. */
  offset: number;
}

/** What a run gives: an ndarray in C order. int64 is in a BigInt64Array, bool in a Uint8Array of 0 and 1. */
export interface Result extends NdArray<TypedArray> {
  readonly size: number;
  readonly dimension: number;
  get(...index: number[]): number | bigint;
}

/** What can be fed: numbers, arrays of them within each other, typed arrays, ndarrays. */
export type Feed = number | bigint | boolean | ArrayLike<number | bigint | boolean> | readonly Feed[] | NdArray;

/** The dtype of what a typed array holds; narrow ints widen, as in files. */
const DTYPE_OF: ReadonlyMap<unknown, DType> = new Map([
  ["Int8Array", "int32"],
  ["Uint8Array", "int32"],
  ["Uint8ClampedArray", "int32"],
  ["Int16Array", "int32"],
  ["Uint16Array", "int32"],
  ["Int32Array", "int32"],
  ["Uint32Array", "int64"],
  ["BigInt64Array", "int64"],
  ["BigUint64Array", "int64"],
  ["Float16Array", "float32"],
  ["Float32Array", "float32"],
  ["Float64Array", "float64"],
]);

type Values = ArrayLike<number | bigint>;
type List = ArrayLike<unknown>;

const MOST_AXES = 32;

const dtypeOf = (value: unknown): DType | undefined =>
  ArrayBuffer.isView(value) ? DTYPE_OF.get((value as Partial<TypedArray>)[Symbol.toStringTag]) : undefined;
const isList = (value: unknown): value is List => Array.isArray(value) || dtypeOf(value) !== undefined;
const isNdArray = (value: unknown): value is NdArray<List> =>
  typeof value === "object" && value !== null && ["data", "shape", "stride", "offset"].every((field) => field in value);

/** A value fed as `label`, as a source; its data are read, not kept, when a run needs them. Throws TsymError. */
export function sourceOf(label: string, value: unknown): Source {
  if (isNdArray(value)) return stridedSource(label, value);
  const dtype = dtypeOf(value);
  return dtype ? source(label, dtype, [(value as Values).length], () => value as Values) : nestedSource(label, value);
}

/** A tensor as an ndarray over the same memory. */
export const ndarrayOf = ({ data, shape }: Tensor): Result => ndarray(data as Float64Array, [...shape]);

function source(label: string, dtype: Source["dtype"], shape: readonly number[], values: () => Values): Source {
  const place = (i: number) => label + indices(unravel(i, shape));
  return {
    label,
    dtype,
    shape,
    readInto: (wanted, target) => {
      const read = values();
      // what a run gives for a bool is fed as one
      const bools = dtype === "bool" || (read instanceof Uint8Array && read.every((x) => x <= 1));
      convert(read, bools, wanted, viewOf(wanted, target), place);
    },
  };
}

const indices = (index: readonly number[]): string => index.map((i) => `[${i}]`).join("");

function stridedSource(label: string, { data, shape, stride, offset }: NdArray<List>): Source {
  const dtype = dtypeOf(data);
  const lists = [shape, stride].every((list) => Array.isArray(list) && list.every(Number.isSafeInteger));
  if (!isList(data) || !lists || shape.length !== stride.length || shape.some((d) => d < 0))
    fail("feed", `${label} has the fields of an ndarray, but is none`, { help: "make one: ndarray(data, shape)" });
  const reach = (pick: (step: number) => number) =>
    shape.reduce((at, d, axis) => at + pick((d - 1) * stride[axis]!), offset);
  const within = reach((step) => Math.min(step, 0)) >= 0 && reach((step) => Math.max(step, 0)) < data.length;
  if (!within && sizeOf(shape) > 0)
    fail("feed", `${label} has shape ${showSizes(shape)}, but its data end before that: ${data.length} elements`);
  const gathered = () => gather(data, shape, stride, offset);
  if (dtype) return source(label, dtype, shape, gathered as () => Values);
  const flat = nestedSource(label, gathered());
  return { ...flat, ...source(label, flat.dtype, shape, () => flat.values), openShape: false };
}

/** The elements in C order, in an array of the same class. */
function gather(data: List, shape: readonly number[], stride: readonly number[], offset: number): List {
  const size = sizeOf(shape);
  const result: unknown[] = Reflect.construct(data.constructor as typeof Array, [size]);
  const index = shape.map(() => 0);
  for (let i = 0, at = offset; i < size; i++) {
    result[i] = data[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Numbers in arrays in arrays: every array is as long as the first at its depth. */
function nestedSource(label: string, value: unknown): Source & { readonly values: Values } {
  const shape: number[] = [];
  for (let first = value; isList(first); first = first[0])
    if (shape.push(first.length) > MOST_AXES)
      fail("feed", `${label} has more than ${MOST_AXES} arrays within each other`);
  const values: (number | bigint)[] = [];
  const kinds = new Set<string>();
  function wrong(index: readonly number[], expected: string, found: unknown): never {
    fail("feed", `${label}${indices(index)}: expected ${expected}, found ${describe(found)}`);
  }
  const visit = (item: unknown, index: readonly number[]): void => {
    const length = shape[index.length];
    if (length !== undefined) {
      if (!isList(item)) wrong(index, "an array, as elsewhere at this depth", item);
      if (item.length !== length) wrong(index, `${length} items, as in the array before it`, item);
      for (let i = 0; i < length; i++) visit(item[i], [...index, i]);
      return;
    }
    if (typeof item !== "number" && typeof item !== "bigint" && typeof item !== "boolean")
      wrong(index, "a number", item);
    kinds.add(typeof item);
    if (kinds.size > 1 && kinds.has("boolean"))
      wrong(index, typeof item === "boolean" ? "a number, as before it" : "true or false, as before it", item);
    values.push(typeof item === "boolean" ? Number(item) : item);
  };
  visit(value, []);
  const dtype = kinds.has("boolean") ? "bool" : kinds.has("number") || kinds.size === 0 ? "number" : "int64";
  return { ...source(label, dtype, shape, () => values), openShape: values.length === 0, values };
}

function describe(value: unknown): string {
  if (isList(value)) return `an array of ${value.length}`;
  if (typeof value === "string") return JSON.stringify(value.slice(0, 20));
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
