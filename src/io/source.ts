/** What an input's data will come from, and how its values become elements of a dtype; knows no file format. */
import { fail, TsymError } from "../source.ts";
import { type DType, OutOfMemory, type TypedArray, viewOf } from "../tensor/dtype.ts";
import type { FilePart } from "../tensor/file.ts";
import { showSizes, stridesOf, type Tensor, zerosTensor } from "../tensor/tensor.ts";

/** Where an input's data will come from: known by its header alone, read once its dtype is decided. */
export interface Source {
  /** How messages name it: `a.npy`, `archive.npz:a`, `stdin`, `feeds.json ($.a)`, `inline JSON`. */
  readonly label: string;
  /** "number": written as text, without a dtype of its own. */
  readonly dtype: DType | "number";
  readonly shape: readonly number[];
  /** A zero-size JSON array: it stands for every shape that begins with `shape`. */
  readonly openShape?: boolean;
  /** Shapes of other ranks that the same values may take: a CSV of one column or one row is also a vector, of one cell a scalar. */
  readonly alternativeShapes?: readonly (readonly number[])[];
  /** What may not be meant, for a warning. */
  readonly doubt?: string;
  /**
   * Converts (as `convert` does) into `target`, which has room for exactly size × itemSize(dtype) bytes, at an offset
   * that is a multiple of the item size. Throws TsymError.
   */
  readInto(dtype: DType, target: Uint8Array): void;
  /** Where the elements lie in a file, if they do as they would in memory. */
  readonly file?: FilePart | undefined;
}

/** The source's values as a tensor of `shape`, which must be one that it `fits`. Throws TsymError. */
export function readTensor(source: Source, dtype: DType, shape: readonly number[]): Tensor {
  const result = allocateTensor(source, dtype, shape);
  source.readInto(dtype, new Uint8Array(result.data.buffer));
  return result;
}

function allocateTensor({ label }: Source, dtype: DType, shape: readonly number[]): Tensor {
  try {
    return zerosTensor(dtype, shape);
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    fail("memory", `${label}: a tensor of shape ${showSizes(shape)} does not fit into memory`);
  }
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** Whether the source can give a tensor of exactly these sizes. */
export function fits(source: Source, shape: readonly number[]): boolean {
  if (source.openShape) return equal(source.shape, shape.slice(0, source.shape.length));
  return [source.shape, ...(source.alternativeShapes ?? [])].some((own) => equal(own, shape));
}

/** Tensors by key, each opened when it is asked for. */
export type Group = ReadonlyMap<string, () => Source>;

export const isGroup = (opened: Source | Group): opened is Group => opened instanceof Map;

/** Runs `work` and begins the message of whatever is wrong with the data with `title`: `input x`. */
export function named<T>(title: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    throw new TsymError(
      error.diagnostics.map((d) => ({ ...d, message: `${title}: ${d.message}` })),
      error.exit,
    );
  }
}

/** The source, with `title` before whatever is wrong with its values. */
export const titled = (title: string, source: Source): Source => ({
  ...source,
  ...(source.doubt !== undefined && { doubt: `${title}: ${source.doubt}` }),
  readInto: (dtype, target) => named(title, () => source.readInto(dtype, target)),
  file: source.file && {
    ...source.file,
    unreadable: (error) => named(title, () => source.file!.unreadable(error)),
  },
});

/** How messages name an element: `a.npy: element [1, 2]`; that of a scalar goes by its source. */
export const elementAt = (label: string, index: readonly number[]): string =>
  index.length === 0 ? label : `${label}: element [${index.join(", ")}]`;

/** The place of an element in a tensor, e.g. `[1, 2]`, from its place in C order. */
export function unravel(index: number, shape: readonly number[]): number[] {
  const strides = stridesOf(shape);
  return shape.map((size, axis) => Math.floor(index / strides[axis]!) % size);
}

/** Elements as they lie in a file, or were read from text. */
export type Values = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<number | bigint>;

const isNumberArray = (values: Values): values is ArrayLike<number> =>
  ArrayBuffer.isView(values) && typeof values[0] === "number";

const INT_RANGE = {
  int32: [-(2 ** 31), 2 ** 31],
  int64: [-(2 ** 63), 2 ** 63],
} as const;

/**
 * Stores `values` as elements of `dtype` from `target[0]` on, within kind: anything but bools is no bool; bools are 0
 * and 1; a float becomes an int only if it is integral; an int only if it fits. float64 rounds to float32, int64 rounds
 * to floats. `place(i)` names the element with a value that cannot be stored, for the message.
 */
export function convert(
  values: Values,
  bools: boolean,
  dtype: DType,
  target: TypedArray,
  place: (index: number) => string,
): void {
  const length = values.length;
  if (length === 0) return;
  switch (dtype) {
    case "bool":
      if (!bools) {
        fail("feed-dtype", `${place(0)} is the number ${values[0]}, where a bool is wanted`, {
          help: "feed true and false, or declare the input with a number's dtype and compare: x != 0",
        });
      }
      for (let i = 0; i < length; i++) target[i] = values[i] ? 1 : 0;
      return;
    case "float32":
    case "float64":
      if (isNumberArray(values)) {
        (target as Float64Array).set(values);
      } else {
        const toFloat = dtype === "float32" ? nearestFloat32 : Number;
        for (let i = 0; i < length; i++) target[i] = toFloat(values[i]!);
      }
      return;
    case "int32":
    case "int64": {
      const [low, end] = INT_RANGE[dtype];
      for (let i = 0; i < length; i++) {
        const value = values[i]!;
        if (!(value >= low && value < end)) unfit(value, dtype, place(i));
        if (typeof value === "number" && !Number.isInteger(value)) unfit(value, dtype, place(i));
        target[i] = dtype === "int64" ? BigInt(value) : Number(value);
      }
      return;
    }
    default:
      dtype satisfies never;
  }
}

function unfit(value: number | bigint, dtype: "int32" | "int64", place: string): never {
  const integral = typeof value === "bigint" || Number.isInteger(value);
  const wider = dtype === "int32" && value >= INT_RANGE.int64[0] && value < INT_RANGE.int64[1];
  fail("feed-dtype", `${place} is ${value}, which is no ${dtype}`, {
    help: integral
      ? `declare the input ${wider ? "int64" : "float64"}`
      : "floats become ints only where every value is integral; declare the input float32",
  });
}

/** Rounds once, as a detour over float64 would not: the bits that are dropped leave a sticky bit behind. */
function nearestFloat32(value: number | bigint): number {
  if (typeof value === "number" || (value >= -(2 ** 53) && value <= 2 ** 53)) return Number(value);
  const kept = value >> 14n;
  return Number(kept << 14n === value ? kept : kept | 1n) * 2 ** 14;
}

/** A tensor in memory as a source. */
export const tensorSource = (label: string, { dtype, shape, data }: Tensor): Source => ({
  label,
  dtype,
  shape,
  readInto: (wanted, target) =>
    convert(data, dtype === "bool", wanted, viewOf(wanted, target), (i) => elementAt(label, unravel(i, shape))),
});
