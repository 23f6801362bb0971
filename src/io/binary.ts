/** Elements that lie in a file as fixed-size bits, whatever the file's format: what they mean and how they are read. */
import { fail } from "../source.ts";
import { allocate, type DType, type TypedArray, viewOf } from "../tensor/dtype.ts";
import { sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";
import type { Bytes } from "./bytes.ts";
import { convert, elementAt, type Source, unravel, type Values } from "./source.ts";

/** A way to store an element; `bits` views the bytes, in the byte order of the host (little-endian, as WebAssembly is). */
export interface Element {
  /** As NumPy names it. */
  readonly name: string;
  /** What it is fed as where the program says nothing. */
  readonly dtype: DType;
  readonly bits: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer, offset: number, length: number): Values;
  };
  /** From bits to values, where they are not the same. */
  readonly decode?: (bits: number) => number;
}

/** IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
function float16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/** The upper half of a float32. */
function bfloat16(bits: number): number {
  word[0] = bits << 16;
  return wordAsFloat[0]!;
}

const element = (name: string, dtype: DType, bits: Element["bits"], decode?: Element["decode"]): Element => ({
  name,
  dtype,
  bits,
  ...(decode && { decode }),
});

/** Every element type that tsym reads. */
export const ELEMENTS = {
  bool: element("bool", "bool", Uint8Array),
  int8: element("int8", "int32", Int8Array),
  int16: element("int16", "int32", Int16Array),
  int32: element("int32", "int32", Int32Array),
  int64: element("int64", "int64", BigInt64Array),
  uint8: element("uint8", "int32", Uint8Array),
  uint16: element("uint16", "int32", Uint16Array),
  uint32: element("uint32", "int64", Uint32Array),
  uint64: element("uint64", "int64", BigUint64Array),
  float16: element("float16", "float32", Uint16Array, float16),
  bfloat16: element("bfloat16", "float32", Uint16Array, bfloat16),
  float32: element("float32", "float32", Float32Array),
  float64: element("float64", "float64", Float64Array),
} as const;

/** Elements and how they lie in `bytes`, which hold exactly these: the caller has compared the sizes. */
export interface Layout {
  readonly label: string;
  readonly bytes: Bytes;
  readonly element: Element;
  readonly shape: readonly number[];
  readonly bigEndian?: boolean;
  /** The first axis varies fastest. */
  readonly fortranOrder?: boolean;
}

/** Elements converted at a time. */
const CHUNK = 65_536;

/** A source that reads `layout`: straight into the target where the bytes are those wanted, else chunk by chunk. */
export function binarySource(layout: Layout): Source {
  const { label, bytes, element, shape } = layout;
  const reorder = layout.fortranOrder === true && shape.filter((size) => size !== 1).length > 1;
  const asTheyLie = !layout.bigEndian && !reorder && element.name !== "bool";
  return {
    label,
    dtype: element.dtype,
    shape,
    file:
      asTheyLie && element.name === element.dtype && bytes.file ? { ...bytes.file, dtype: element.dtype } : undefined,
    readInto(dtype, target) {
      if (asTheyLie && element.name === dtype) return bytes.read(0, target);
      const elements = viewOf(dtype, target);
      const scatter = reorder && fortranScatter(shape, elements);
      const converted = allocate(dtype, scatter ? CHUNK : 0);
      const inFile = (index: number) =>
        reorder ? unravel(index, shape.toReversed()).toReversed() : unravel(index, shape);
      const place = (index: number) => elementAt(label, inFile(index));
      const size = sizeOf(shape);
      for (let start = 0; start < size; start += CHUNK) {
        const count = Math.min(CHUNK, size - start);
        const to = scatter ? converted.subarray(0, count) : elements.subarray(start, start + count);
        convert(readChunk(layout, start, count), element.name === "bool", dtype, to, (index) => place(start + index));
        if (scatter) scatter(to);
      }
    },
  };
}

/** `count` values from element `start` on, as they follow each other in the file. */
function readChunk({ bytes, element, bigEndian }: Layout, start: number, count: number): Values {
  const width = element.bits.BYTES_PER_ELEMENT;
  const chunk = Buffer.from(new ArrayBuffer(count * width));
  bytes.read(start * width, chunk);
  if (bigEndian && width > 1) chunk[`swap${(width * 8) as 16 | 32 | 64}`]();
  const bits = new element.bits(chunk.buffer as ArrayBuffer, 0, count);
  if (!element.decode) return bits;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = element.decode(Number(bits[i]));
  return values;
}

/** Takes values in Fortran order, some at each call, and puts each where C order of `shape` has it in `target`. */
function fortranScatter(shape: readonly number[], target: TypedArray): (values: TypedArray) => void {
  const strides = stridesOf(shape);
  const index = shape.map(() => 0);
  let offset = 0;
  return (values) => {
    for (let i = 0; i < values.length; i++) {
      target[offset] = values[i]!;
      let axis = 0;
      offset += strides[0]!;
      while (++index[axis]! === shape[axis] && axis + 1 < shape.length) {
        offset += strides[axis + 1]! - strides[axis]! * shape[axis]!;
        index[axis++] = 0;
      }
    }
  };
}

/** The sizes of a header, checked against the bytes there are before any memory is taken for them. */
export function checkSize(layout: Layout): Layout {
  const { label, bytes, element, shape } = layout;
  const wanted = shape.includes(0) ? 0 : sizeOf(shape) * element.bits.BYTES_PER_ELEMENT;
  if (wanted !== bytes.length) {
    fail(
      "feed-size",
      `${label}: shape (${shape.join(", ")}) of ${element.name} needs ${wanted} bytes of data, but the file has ${bytes.length}`,
      { help: bytes.length < wanted ? "the file is truncated, or its header is wrong" : undefined },
    );
  }
  return layout;
}

/** The tensor's elements as bytes, not copied. */
export const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
