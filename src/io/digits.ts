/** Numbers as text: the fewest digits that read back to the same value of their dtype. */
import { type DType, isFloat } from "../tensor/dtype.ts";

/** The powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
] as const;

/** x · 10^power in one rounding, for |power| ≤ 22. */
export const scaleByTen = (x: number, power: number): number =>
  power < 0 ? x / POWERS_OF_TEN[-power]! : x * POWERS_OF_TEN[power]!;

/**
 * Six digits survive a float32 that is not subnormal, so what needs fewer is found among these; nine suffice for all
 * (FLT_DIG and FLT_DECIMAL_DIG of C).
 */
const FEWEST = 6;
const MOST = 9;

/**
 * The decimal number with the fewest digits, of these the nearest, that rounds to `x`, a float32 value; as a double,
 * which `String` prints with the same digits, for they are at most nine. Where scaling by a power of ten rounds but once
 * (Clinger 1990), the multiples below and above are tried; elsewhere `toExponential` gives them.
 */
export function shortestFloat32(x: number): number {
  const size = Math.abs(x);
  if (size === 0 || !(size < Infinity) || (size <= 2 ** 24 && Number.isInteger(x))) return x;
  if (size < 1e-13 || size > 1e28) return shortestByText(x);
  const exponent = Math.floor(Math.log10(size));
  for (let digits = FEWEST; digits <= MOST; digits++) {
    const power = digits - 1 - exponent;
    const scaled = scaleByTen(x, power);
    const below = Math.floor(scaled);
    const rest = scaled - below;
    const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? 1 : 0;
    const nearest = scaleByTen(below + up, -power);
    if (Math.fround(nearest) === x) return nearest;
    const next = scaleByTen(below + 1 - up, -power);
    if (Math.fround(next) === x) return next;
  }
  return x;
}

function shortestByText(x: number): number {
  for (let digits = 1; digits <= MOST; digits++) {
    const text = x.toExponential(digits - 1);
    const nearest = Number(text);
    if (Math.fround(nearest) === x) return nearest;
    const [significand, exponent] = text.split("e") as [string, string];
    const last = Math.sign(x) * (Math.abs(nearest) < Math.abs(x) ? 1 : -1);
    const next = Number(`${Number(significand.replace(".", "")) + last}e${Number(exponent) - digits + 1}`);
    if (Math.fround(next) === x) return next;
  }
  return x;
}

/** What not-finite numbers are called. */
export interface NotFinite {
  readonly nan: string;
  readonly infinity: string;
  readonly negativeInfinity: string;
}

/** The function that prints elements of `dtype`: `true`, all digits of an int, the shortest of a float, `-0.0`. */
export function elementText(dtype: DType, notFinite: NotFinite): (value: number | bigint) => string {
  if (dtype === "bool") return (value) => (value ? "true" : "false");
  if (!isFloat(dtype)) return String;
  const shortest = dtype === "float32" ? shortestFloat32 : (x: number) => x;
  return (value) => {
    const x = Number(value);
    if (x === 0) return Object.is(x, -0) ? "-0.0" : "0";
    if (Number.isFinite(x)) return String(shortest(x));
    return Number.isNaN(x) ? notFinite.nan : x > 0 ? notFinite.infinity : notFinite.negativeInfinity;
  };
}
