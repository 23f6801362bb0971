/** .npy files, versions 1.0 to 3.0 (the format is NEP 1's): nothing in one is ever executed. */
import { fail } from "../source.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor, TensorType } from "../tensor/tensor.ts";
import { binarySource, bytesOf, checkSize, ELEMENTS, type Element } from "./binary.ts";
import { type Bytes, section, slice } from "./bytes.ts";
import type { Source } from "./source.ts";

const MAGIC = "\x93NUMPY";
const ALIGNMENT = 64;
/** A header of plain numbers takes some hundred bytes; NumPy refuses more than 10,000. */
const LONGEST_HEADER = 65_000;

/** Whether the bytes begin as a .npy file does. */
export const isNpy = (start: Uint8Array): boolean =>
  Buffer.from(start.subarray(0, MAGIC.length)).toString("latin1") === MAGIC;

/** The tensor in a .npy file. Throws TsymError where the header, or the file's size, is not what the format says. */
export function openNpy(bytes: Bytes, label: string): Source {
  const start = slice(bytes, 0, Math.min(12, bytes.length));
  if (!isNpy(start)) fail("npy", `${label}: this is not a .npy file: it does not begin with \\x93NUMPY`);
  const version = start[6]!;
  const prefix = version === 1 ? 10 : 12;
  const length = bytes.length < prefix ? Infinity : version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (start.length > 7 && (version < 1 || version > 3)) {
    fail("npy", `${label}: .npy version ${version}.${start[7]} is unknown`, { help: "tsym reads versions 1.0 to 3.0" });
  }
  if (prefix + length > bytes.length) fail("npy", `${label}: the file is truncated: it ends within its header`);
  if (length > LONGEST_HEADER) fail("npy", `${label}: the header has ${length} bytes, more than tensors need`);
  const header = parseHeader(slice(bytes, prefix, length).toString(version === 3 ? "utf8" : "latin1"), label);
  const { element, bigEndian } = elementOf(header.descr, label);
  return binarySource(
    checkSize({
      label,
      bytes: section(bytes, prefix + length, bytes.length - prefix - length),
      element,
      shape: header.shape,
      bigEndian,
      fortranOrder: header.fortranOrder,
    }),
  );
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** `()`, `(3,)` or `(3, 4)` without spaces; Python 2 wrote longs with an L. */
const TUPLE = /^((\d+L?,)+(\d+L?)?)?$/;

/** Reads the literal of a Python dict: the three keys, in any order, and nothing else. */
function parseHeader(text: string, label: string): Header {
  const bad = (what: string): never =>
    fail("npy", `${label}: the .npy header ${what}: ${JSON.stringify(text.trim().slice(0, 100))}`);
  let rest = text;
  const take = (key: string, value: string): string => {
    const found = new RegExp(`(['"])${key}\\1\\s*:\\s*(${value})`).exec(rest) ?? bad(`has no proper '${key}'`);
    rest = rest.replace(found[0], "");
    return found[2]!;
  };
  const descr = take("descr", `'[^'"\\\\]*'|"[^'"\\\\]*"|\\[.*\\]`);
  const fortranOrder = take("fortran_order", "True|False") === "True";
  const tuple = take("shape", "\\([\\d\\s,L]*\\)").slice(1, -1).replace(/\s/g, "");
  if (!/^\s*\{\s*(,\s*){2,3}\}\s*$/.test(rest)) bad("is not a dict of descr, fortran_order and shape alone");
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  if (!TUPLE.test(tuple) || !shape.every(Number.isSafeInteger)) bad("has a shape that is no tuple of sizes");
  return { descr: descr.startsWith("[") ? "[" : descr.slice(1, -1), fortranOrder, shape };
}

/** NumPy's one-letter kinds with the bytes of each element. */
const ELEMENT_OF: Readonly<Record<string, Element>> = {
  b1: ELEMENTS.bool,
  i1: ELEMENTS.int8,
  i2: ELEMENTS.int16,
  i4: ELEMENTS.int32,
  i8: ELEMENTS.int64,
  u1: ELEMENTS.uint8,
  u2: ELEMENTS.uint16,
  u4: ELEMENTS.uint32,
  u8: ELEMENTS.uint64,
  f2: ELEMENTS.float16,
  f4: ELEMENTS.float32,
  f8: ELEMENTS.float64,
};

/** What tsym does not read, by the first letter of its kind, and what to do about it. */
const REFUSED: Readonly<Record<string, readonly [string, string]>> = {
  O: ["pickled Python objects, which tsym never loads", "save an array of numbers: array.astype(float)"],
  c: ["complex numbers, which tsym does not have", "save .real and .imag as two arrays"],
  f: ["floats of a size that tsym does not have", "save array.astype('float64')"],
  S: ["strings", "save an array of numbers"],
  U: ["strings", "save an array of numbers"],
  M: ["dates", "save array.astype('int64')"],
  m: ["time differences", "save array.astype('int64')"],
  V: ["records, not numbers", "save each field as an array of its own"],
  "[": ["records, not numbers", "save each field as an array of its own"],
};

function elementOf(descr: string, label: string): { element: Element; bigEndian: boolean } {
  const [, order, type = descr] = /^([<>|=])?([^<>|=]+)$/.exec(descr) ?? [];
  const element = Object.hasOwn(ELEMENT_OF, type) ? ELEMENT_OF[type] : undefined;
  if (element) return { element, bigEndian: order === ">" };
  const kind = type.charAt(0);
  const [what, help] = (Object.hasOwn(REFUSED, kind) && REFUSED[kind]) || ["an unknown dtype", undefined];
  fail("npy", `${label}: expected real numbers, found ${what}${descr === "[" ? "" : ` (dtype ${descr})`}`, { help });
}

const DESCR: Readonly<Record<DType, string>> = {
  bool: "|b1",
  int32: "<i4",
  int64: "<i8",
  float32: "<f4",
  float64: "<f8",
};

/** The tensor as a .npy file of version 1.0: the header, then the elements themselves, not copied. */
export const writeNpy = (tensor: Tensor): Uint8Array[] => [npyHead(tensor), bytesOf(tensor)];

/** What comes before the elements in a .npy file. */
export function npyHead({ dtype, shape }: TensorType): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + dict.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const header = Buffer.alloc(10 + length, " ");
  header.write(`${MAGIC}\x01\x00`, "latin1");
  header.writeUInt16LE(length, 8);
  header.write(dict, 10, "latin1");
  header.write("\n", 9 + length);
  return header;
}
