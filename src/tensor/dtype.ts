/** The five element types, how they promote, and the typed arrays that hold them. */

export const DTYPES = ["bool", "int32", "int64", "float32", "float64"] as const;
export type DType = (typeof DTYPES)[number];
export type FloatDType = "float32" | "float64";

export interface ArrayOf {
  bool: Uint8Array;
  int32: Int32Array;
  int64: BigInt64Array;
  float32: Float32Array;
  float64: Float64Array;
}
export type TypedArray = ArrayOf[DType];

const CONSTRUCTOR = {
  bool: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Bytes per element. */
export const itemSize = (dtype: DType): number => CONSTRUCTOR[dtype].BYTES_PER_ELEMENT;

/** There is no memory for so many elements. */
export class OutOfMemory extends Error {
  constructor(dtype: DType, length: number) {
    super(`no memory for ${length} elements of ${dtype}`);
  }
}

/** A zeroed array of `length` elements, whose bytes can be viewed as such. Throws OutOfMemory. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  try {
    const array = new CONSTRUCTOR[dtype](length) as ArrayOf[D];
    // Node 20 has no more than 4 GiB of bytes in one array.
    void new Uint8Array(array.buffer);
    return array;
  } catch (error) {
    if (error instanceof RangeError) throw new OutOfMemory(dtype, length);
    throw error;
  }
}

/** The elements that lie in `bytes` (whose offset must be a multiple of the item size), without a copy. */
export const viewOf = <D extends DType>(dtype: D, bytes: Uint8Array): ArrayOf[D] =>
  new CONSTRUCTOR[dtype](
    bytes.buffer as ArrayBuffer,
    bytes.byteOffset,
    bytes.byteLength / itemSize(dtype),
  ) as ArrayOf[D];

export const isDType = (name: string): name is DType => (DTYPES as readonly string[]).includes(name);
export const isFloat = (dtype: DType): dtype is FloatDType => dtype === "float32" || dtype === "float64";
export const isInt = (dtype: DType): boolean => dtype === "int32" || dtype === "int64";

/** The smallest dtype of `bool < int32 < int64 < float32 < float64` that holds both: NumPy's ladder, but int64 + float32 is float32. */
export const promote = (a: DType, b: DType): DType => (DTYPES.indexOf(a) >= DTYPES.indexOf(b) ? a : b);
