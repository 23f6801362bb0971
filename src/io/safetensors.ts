/** .safetensors files: a JSON header of dtypes, shapes and offsets, then the bytes of all tensors without a gap between. */
import { fail } from "../source.ts";
import { type DType, itemSize } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binarySource, bytesOf, checkSize, ELEMENTS, type Element } from "./binary.ts";
import { type Bytes, section, slice } from "./bytes.ts";
import { JsonReader } from "./json-reader.ts";
import { type Group, readTensor, type Source } from "./source.ts";

/** The length of the header, an unsigned integer of 64 bits. */
const PREFIX = 8;
/** The limit of the format's own reader. */
const LONGEST_HEADER = 100_000_000;

const ELEMENT_OF: ReadonlyMap<string, Element> = new Map([
  ["BOOL", ELEMENTS.bool],
  ["I8", ELEMENTS.int8],
  ["I16", ELEMENTS.int16],
  ["I32", ELEMENTS.int32],
  ["I64", ELEMENTS.int64],
  ["U8", ELEMENTS.uint8],
  ["U16", ELEMENTS.uint16],
  ["U32", ELEMENTS.uint32],
  ["U64", ELEMENTS.uint64],
  ["F16", ELEMENTS.float16],
  ["BF16", ELEMENTS.bfloat16],
  ["F32", ELEMENTS.float32],
  ["F64", ELEMENTS.float64],
]);

const DTYPE_NAME: Readonly<Record<DType, string>> = {
  bool: "BOOL",
  int32: "I32",
  int64: "I64",
  float32: "F32",
  float64: "F64",
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Reads the header of a .safetensors file. Throws TsymError where offsets overlap, leave gaps or leave the file. */
export function openSafetensors(bytes: Bytes, label: string): Group {
  const bad = (what: string): never => fail("safetensors", `${label}: ${what}`);
  if (bytes.length < PREFIX) bad("the file is truncated: it ends within the length of its header");
  const length = slice(bytes, 0, PREFIX).readBigUInt64LE();
  if (length > bytes.length - PREFIX) bad("the file is truncated, or no .safetensors file: it ends within its header");
  if (length > LONGEST_HEADER) bad(`its header has ${length} bytes, more than the format allows`);
  const data = section(bytes, PREFIX + Number(length), bytes.length - PREFIX - Number(length));
  const entries = readHeader(slice(bytes, PREFIX, Number(length)), `${label} (header)`);
  let end = 0;
  for (const [key, entry] of [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== end || entry.end < entry.start) {
      bad(`the bytes of ${JSON.stringify(key)}, from ${entry.start} to ${entry.end}, should begin at ${end}`);
    }
    end = entry.end;
  }
  if (end !== data.length) bad(`its header describes ${end} bytes of data, but the file has ${data.length}`);
  const open = (key: string, { dtype, shape, start, end }: Entry): Source => {
    const place = `${label}:${key}`;
    const element =
      ELEMENT_OF.get(dtype) ?? fail("safetensors", `${place}: expected real numbers, found dtype ${dtype}`);
    return binarySource(checkSize({ label: place, bytes: section(data, start, end - start), element, shape }));
  };
  return new Map(Array.from(entries, ([key, entry]) => [key, () => open(key, entry)]));
}

/** The entries of the header, `__metadata__` left out. */
function readHeader(text: Uint8Array, label: string): Map<string, Entry> {
  const reader = new JsonReader(text, label);
  const entries = new Map<string, Entry>();
  reader.object((key) => {
    if (key === "__metadata__") return reader.object(() => reader.string());
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    reader.object((field) => {
      if (field === "dtype") dtype = reader.string();
      else if (field === "shape") shape = readSizes(reader);
      else if (field === "data_offsets") offsets = readSizes(reader);
      else reader.fail(`expected dtype, shape or data_offsets`);
    });
    if (dtype === undefined || !shape || offsets?.length !== 2) {
      return reader.fail("expected dtype, shape and two data_offsets");
    }
    entries.set(key, { dtype, shape, start: offsets[0]!, end: offsets[1]! });
  });
  reader.end();
  return entries;
}

/** A list of integers from 0 up. */
function readSizes(reader: JsonReader): number[] {
  const source = reader.tensor();
  const sizes =
    source.shape.length === 1 && source.dtype === "number" ? readTensor(source, "float64", source.shape) : undefined;
  const list = sizes ? Array.from(sizes.data, Number) : [];
  if (!sizes || !list.every((size) => Number.isSafeInteger(size) && size >= 0)) reader.fail("expected a list of sizes");
  return list;
}

/** The tensors as a .safetensors file, pieces to be written one after another; wider elements first, so that all are aligned. */
export function* writeSafetensors(
  tensors: readonly { readonly name: string; readonly tensor: Tensor }[],
): Generator<Uint8Array> {
  const sorted = tensors.toSorted((a, b) => itemSize(b.tensor.dtype) - itemSize(a.tensor.dtype));
  let end = 0;
  const entries = sorted.map(({ name, tensor }) => {
    const start = end;
    end += tensor.data.byteLength;
    const entry = { dtype: DTYPE_NAME[tensor.dtype], shape: tensor.shape, data_offsets: [start, end] };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const text = Buffer.from(`{${entries.join(",")}}`);
  const length = Math.ceil(text.length / PREFIX) * PREFIX;
  const header = Buffer.alloc(PREFIX + length, " ");
  header.writeBigUInt64LE(BigInt(length));
  text.copy(header, PREFIX);
  yield header;
  for (const { tensor } of sorted) yield bytesOf(tensor);
}
