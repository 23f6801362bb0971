/** Tensors as JSON text: nested arrays of numbers that keep every digit, read and written. */
import { fail } from "../source.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { elementText } from "./digits.ts";
import { JsonReader } from "./json-reader.ts";
import type { Group, Source } from "./source.ts";

/** Reads one tensor or number, or an object of them. Throws TsymError with the path of what is wrong. */
export function parseJson(text: Uint8Array, label: string): Source | Group {
  const reader = new JsonReader(text, label);
  const result = reader.atObject() ? readObject(reader) : reader.tensor();
  reader.end();
  return result instanceof Map ? new Map(Array.from(result, ([key, source]) => [key, () => source])) : result;
}

function readObject(reader: JsonReader): Map<string, Source> {
  const tensors = new Map<string, Source>();
  reader.object((key) => tensors.set(key, reader.tensor()));
  return tensors;
}

/** One object of a stream of JSON objects. */
export interface StreamRecord {
  /** Its place in the stream, from 1. */
  readonly number: number;
  readonly tensors: Map<string, Source>;
}

/**
 * Reads a stream of JSON objects, on lines of their own or one right after another (NDJSON), each as soon as it is
 * whole; a stream that holds none is an error. Throws TsymError that names the record.
 */
export function* readRecords(chunks: Iterable<Uint8Array>, label: string): Generator<StreamRecord, void, undefined> {
  let number = 0;
  for (const text of splitRecords(chunks)) {
    number++;
    const reader = new JsonReader(text, `${label}, record ${number}`);
    const tensors = readObject(reader);
    reader.end();
    yield { number, tensors };
  }
  if (number === 0) fail("json", `${label}: expected a JSON object, found nothing`);
}

/** Not in any JSON: devices and binary files have it, which may hold no line break. */
const NUL = 0;
const [QUOTE, BACKSLASH, LINE_FEED, ...BRACKETS] = Buffer.from('"\\\n[]{}');
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = BRACKETS;

/** The texts between which no bracket and no string is open, where a bracket or a line ends; white space alone is none. */
function* splitRecords(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const pending: Uint8Array[] = [];
  let depth = 0;
  let inString = false;
  let escaped = false;
  const take = (piece: Uint8Array): Buffer => Buffer.concat([...pending.splice(0), piece]);
  for (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk[at];
      if (inString) {
        inString = escaped || code !== QUOTE;
        escaped = !escaped && code === BACKSLASH;
      } else if (code === QUOTE) inString = true;
      else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
      else if (
        code === CLOSE_OBJECT || code === CLOSE_ARRAY
          ? --depth <= 0
          : depth === 0 && (code === LINE_FEED || code === NUL)
      ) {
        const text = take(chunk.subarray(start, at + 1));
        start = at + 1;
        depth = 0;
        if (!isBlank(text)) yield text;
      }
    }
    pending.push(chunk.slice(start));
  }
  const rest = take(new Uint8Array());
  if (!isBlank(rest)) yield rest;
}

const isBlank = (text: Buffer): boolean => text.every((code) => code <= 32 && code !== NUL);

/** Numbers and separators in each piece of a long text. */
const PIECE = 8192;

/** The tensor as nested JSON arrays on one line, in pieces: a large one makes no string too long for the host. */
export function* jsonPieces({ dtype, data, shape }: Tensor): Generator<string> {
  const number = elementText(dtype, { nan: '"NaN"', infinity: '"Infinity"', negativeInfinity: '"-Infinity"' });
  // A zero-size tensor is nested down to the axis that is empty.
  const empty = shape.indexOf(0);
  const sizes = empty < 0 ? shape : shape.slice(0, empty);
  const text = empty < 0 ? (i: number) => number(data[i]!) : () => "[]";
  // A row of axis d begins at every multiple of the number of elements that it holds.
  const rows = sizes.map((_, axis) => sizeOf(sizes.slice(axis))).reverse();
  const count = sizeOf(sizes);
  let parts = ["[".repeat(sizes.length), text(0)];
  for (let i = 1; i < count; i++) {
    let begun = 0;
    while (i % rows[begun]! === 0) begun++;
    parts.push(begun === 0 ? ", " : `${"]".repeat(begun)}, ${"[".repeat(begun)}`, text(i));
    if (parts.length > PIECE) {
      yield parts.join("");
      parts = [];
    }
  }
  parts.push("]".repeat(sizes.length));
  yield parts.join("");
}

/** The tensor as one line of nested JSON arrays. */
export const writeJsonTensor = (tensor: Tensor): string => [...jsonPieces(tensor)].join("");
