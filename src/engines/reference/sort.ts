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
    const order = sortedPositions(row, descending);
    for (let i = 0; i < n; i++) out.data[start + i] = name === "sort" ? row[order[i]!]! : order[i]!;
  }
  return permuted(
    out,
    axisLast.map((_, i) => axisLast.indexOf(i)),
  );
}

/** From so many elements on counting digits is quicker than comparing. */
const MANY = 200;
const sortedPositions = (row: TypedArray, descending: boolean): Int32Array =>
  row.length < MANY ? byComparing(row, descending) : byDigits(row, descending);

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
/** Radix sort, the least digit first, each pass stable (Knuth, The Art of Computer Programming 3, 5.2.5). */
function byDigits(row: TypedArray, descending: boolean): Int32Array {
  const n = row.length;
  let [order, nextOrder] = [new Int32Array(n), new Int32Array(n)];
  let [key, nextKey] = [new Uint32Array(n), new Uint32Array(n)];
  for (let i = 0; i < n; i++) order[i] = i;
  for (const word of keysOf(row, descending)) {
    for (let i = 0; i < n; i++) key[i] = word[order[i]!]!;
    for (let shift = 0; shift < 32; shift += DIGIT) {
      const places = new Int32Array(RADIX + 1);
      for (let i = 0; i < n; i++) places[((key[i]! >>> shift) & (RADIX - 1)) + 1]!++;
      if (places.includes(n)) continue;
      for (let digit = 1; digit < RADIX; digit++) places[digit]! += places[digit - 1]!;
      for (let i = 0; i < n; i++) {
        const place = places[(key[i]! >>> shift) & (RADIX - 1)]!++;
        nextKey[place] = key[i]!;
        nextOrder[place] = order[i]!;
      }
      [order, nextOrder] = [nextOrder, order];
      [key, nextKey] = [nextKey, key];
    }
  }
  return order;
}

const SIGN = 0x80000000;
/** Words of 32 bits, the least first, that as unsigned integers are in the order of the elements. */
function keysOf(row: TypedArray, descending: boolean): Uint32Array[] {
  if (row instanceof Uint8Array) return [Uint32Array.from(row, (x) => (descending ? 1 - x : x))];
  const isFloat = row instanceof Float32Array || row instanceof Float64Array;
  const bits = new Uint32Array(row.slice().buffer);
  const count = bits.length / row.length;
  const words = Array.from({ length: count }, () => new Uint32Array(row.length));
  for (let i = 0; i < row.length; i++) {
    const high = bits[i * count + count - 1]!;
    const isNegative = high >= SIGN;
    // the bits of negative floats are in the opposite order; positive ones and ints only lack a bit
    const turns = (isFloat && isNegative) !== descending;
    const flips = isNegative && isFloat ? 0 : SIGN;
    for (let k = 0; k < count; k++) {
      const word = bits[i * count + k]! ^ (k === count - 1 ? flips : 0);
      words[k]![i] = turns ? ~word : word;
    }
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
