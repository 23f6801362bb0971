/** Sorting along an axis: stable, NaN last in both directions, -0 equal to 0; descending, too, keeps equals in their order. */
import type { Node } from "../../graph/node.ts";
import type { OrderOp } from "../../ops/define.ts";
import type { TypedArray } from "../../tensor/dtype.ts";
import { elementsOf } from "./copy.ts";
import { permuted, type View, zerosView } from "./view.ts";

type Sort = Extract<OrderOp["order"], "sort" | "argsort">;

/** sort: the elements; argsort: their positions, int32. */
export function sort(node: Node, name: Sort, [x]: readonly View[]): View {
  const { axis, descending } = node.attrs as { readonly axis: number; readonly descending: boolean };
  const rank = x!.shape.length;
  const axisLast = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const from = permuted(x!, axisLast);
  const elements = elementsOf(from);
  const out = zerosView(node.type.dtype, from.shape);
  const n = x!.shape[axis]!;
  for (let start = 0; start < out.data.length; start += n) {
    const row = elements.subarray(start, start + n);
    const result = name === "sort" ? sorted(row, descending) : positions(row, descending);
    (out.data as Float64Array).set(result as Float64Array, start);
  }
  return permuted(
    out,
    axisLast.map((_, i) => axisLast.indexOf(i)),
  );
}

/** From so many elements on counting digits is quicker than comparing. */
const MANY = 200;

function positions(row: TypedArray, descending: boolean): Int32Array {
  if (row.length < MANY) return byComparing(row, descending);
  const order = new Uint32Array(row.length).map((_, i) => i);
  return new Int32Array(byDigits(keysOf(row, descending), order).at(-1)!.buffer);
}

function sorted(row: TypedArray, descending: boolean): TypedArray {
  const elements = row.slice();
  if (row.length < MANY) {
    for (const [i, from] of byComparing(row, descending).entries()) elements[i] = row[from]!;
    return elements;
  }
  setFromKeys(elements, byDigits(keysOf(row, descending)), descending);
  // Zeros have one key: each gets its sign back, in the order in which they came.
  let zero = 0;
  for (let i = 0; i < elements.length; i++) {
    if (elements[i] !== 0) continue;
    while (row[zero] !== 0) zero++;
    elements[i] = row[zero++]!;
  }
  return elements;
}

function byComparing(row: TypedArray, descending: boolean): Int32Array {
  const direction = descending ? -1 : 1;
  return Int32Array.from(row.keys()).sort((p, q) => {
    const [a, b] = [row[p]!, row[q]!];
    if (a === b) return p - q;
    if (a < b) return -direction;
    if (a > b) return direction;
    return isNaNValue(a) - isNaNValue(b) || p - q;
  });
}
const isNaNValue = (x: number | bigint): number => (Number.isNaN(x) ? 1 : 0);

const DIGIT = 11;
const RADIX = 1 << DIGIT;
/**
 * Sorts by keys whose words of 32 bits are given, the least first; gives these words, and after them `others`, which goes along.
 * Radix sort, the least digit first, each pass stable (Knuth, The Art of Computer Programming 3, 5.2.5).
 */
function byDigits(words: readonly Uint32Array[], ...others: readonly Uint32Array[]): readonly Uint32Array[] {
  let carried: readonly Uint32Array[] = [...words, ...others];
  let next: readonly Uint32Array[] = carried.map((column) => new Uint32Array(column.length));
  const n = carried[0]!.length;
  const targets = new Uint32Array(n);
  for (const word of words.keys())
    for (let shift = 0; shift < 32; shift += DIGIT) {
      const key = carried[word]!;
      const places = new Uint32Array(RADIX + 1);
      for (let i = 0; i < n; i++) places[((key[i]! >>> shift) & (RADIX - 1)) + 1]!++;
      if (places.includes(n)) continue;
      for (let digit = 1; digit < RADIX; digit++) places[digit]! += places[digit - 1]!;
      const sorted = next[word]!;
      for (let i = 0; i < n; i++) {
        const place = places[(key[i]! >>> shift) & (RADIX - 1)]!++;
        sorted[place] = key[i]!;
        targets[i] = place;
      }
      for (const [k, column] of carried.entries()) if (k !== word) move(column, next[k]!, targets);
      [carried, next] = [next, carried];
    }
  return carried;
}

function move(from: Uint32Array, to: Uint32Array, targets: Uint32Array): void {
  for (let i = 0; i < from.length; i++) to[targets[i]!] = from[i]!;
}

const SIGN = 0x80000000;
/** Words of 32 bits, the least first, that as unsigned integers are in the order of the elements. */
function keysOf(row: TypedArray, descending: boolean): Uint32Array[] {
  if (row instanceof Uint8Array) return [Uint32Array.from(row, (x) => (descending ? 1 - x : x))];
  const isFloat = row instanceof Float32Array || row instanceof Float64Array;
  const bits = new Uint32Array(row.slice().buffer);
  const count = bits.length / row.length;
  const words = Array.from({ length: count }, () => new Uint32Array(row.length));
  for (const [k, word] of words.entries())
    for (let i = 0; i < row.length; i++) {
      const isNegative = isFloat && bits[i * count + count - 1]! >= SIGN;
      // the bits of negative floats are in the opposite order; positive ones and ints only lack a bit
      const flipped = k === count - 1 && !isNegative ? bits[i * count + k]! ^ SIGN : bits[i * count + k]!;
      word[i] = isNegative !== descending ? ~flipped : flipped;
    }
  if (isFloat) settleSpecials(row, words, descending);
  return words;
}

/** -0 has the key of 0, NaN the last one. */
function settleSpecials(row: Float32Array | Float64Array, words: readonly Uint32Array[], descending: boolean): void {
  for (let i = 0; i < row.length; i++) {
    const x = row[i]!;
    if (x !== 0 && !Number.isNaN(x)) continue;
    for (const word of words) word[i] = x === 0 && !descending ? 0 : 0xffffffff;
    if (x === 0) words.at(-1)![i] = descending ? SIGN - 1 : SIGN;
  }
}

/** Sets elements to what such words stand for; a zero has no sign, and a NaN any bits. */
function setFromKeys(elements: TypedArray, words: readonly Uint32Array[], descending: boolean): void {
  if (elements instanceof Uint8Array) {
    elements.set(words[0]!.map((x) => (descending ? 1 - x : x)));
    return;
  }
  const isFloat = elements instanceof Float32Array || elements instanceof Float64Array;
  const bits = new Uint32Array(elements.buffer);
  const last = words.length - 1;
  for (const [k, word] of words.entries())
    for (let i = 0; i < elements.length; i++) {
      const isNegative = isFloat && words[last]![i]! >= SIGN === descending;
      const key = isNegative !== descending ? ~word[i]! : word[i]!;
      bits[i * words.length + k] = k === last && !isNegative ? key ^ SIGN : key;
    }
}
