/** Scalar code for the arguments that forms leave out (`rare` nodes): loops and long integers, exact operations only. Knows no forms. */
import { polygamma } from "./polygamma.ts";

/** 2/π in hexadecimal digits, enough for every float64. */
const TWO_OVER_PI =
  "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee882" +
  "35f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5f" +
  "ea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b";
/** π/2 as a float64 and what is left. */
const [HALF_PI, HALF_PI_LOW] = [1.5707963267948966, 6.123233995736766e-17];

/** Digits of 24 bits: what a few products of two add up to is exact. */
const BASE = 2 ** 24;
/** 2/π in such digits, after zeros for what is larger. */
let digits: Float64Array | undefined;
const ZEROS = 5;
function digitsOfTwoOverPi(): Float64Array {
  const hexadecimal = `${"000000".repeat(ZEROS)}${TWO_OVER_PI}000000`;
  return Float64Array.from(hexadecimal.match(/.{6}/g)!, (digit) => Number.parseInt(digit, 16));
}

/** What is left of the turn is known to so many digits: no float64 is nearer than 2^-62 to a multiple of π/2. */
const PLACES = 8;
const factor = new Float64Array(4);
/** Quarter turns: those that are whole, modulo BASE, then digits after the point. */
const turns = new Float64Array(PLACES + 1);

interface Reduced {
  quadrant: number;
  high: number;
  low: number;
}
/** Of the argument before: forms ask for one part after the other. */
const reduced: Reduced & { of: number } = { of: Number.NaN, quadrant: 0, high: Number.NaN, low: Number.NaN };

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/**
 * x = quadrant · π/2 + high + low with |high + low| <= π/4, for |x| >= 2^20: x · 2/π digit by digit, but for those digits of 2/π that
 * make whole turns of it (Payne and Hanek, "Radian reduction for trigonometric functions", 1983). All parts of inf and nan are nan or 0.
 */
function reduceByHalfPi(x: number): Reduced {
  if (x === reduced.of) return reduced;
  digits ??= digitsOfTwoOverPi();
  float[0] = x;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1075;
  const shift = Math.floor(exponent / 24);
  // |x| as four digits, the last worth BASE ** shift
  let rest = Math.abs(x) * 2 ** (-24 * shift - 72);
  for (let j = 0; j < 4; j++) {
    factor[j] = Math.floor(rest);
    rest = (rest - factor[j]!) * BASE;
  }
  let carry = 0;
  for (let k = PLACES; k >= 0; k--) {
    let sum = carry;
    for (let j = 0; j < 4; j++) sum += factor[j]! * digits[ZEROS + k + shift + 2 - j]!;
    carry = Math.floor(sum / BASE);
    turns[k] = sum - carry * BASE;
  }
  // to the nearest: what is above half a turn lacks its complement
  const isAbove = turns[1]! >= BASE / 2;
  let first = 1;
  if (isAbove) for (let k = 1; k <= PLACES; k++) turns[k] = BASE - 1 - turns[k]!;
  while (first < 3 && turns[first] === 0) first++;
  const top = pairAt(first);
  const middle = pairAt(first + 2) + pairAt(first + 4);
  const high = top + middle;
  const product = timesHalfPi(high, middle - (high - top));
  const sign = x < 0 !== isAbove ? -1 : 1;
  const quadrant = turns[0]! + Number(isAbove);
  reduced.of = x;
  reduced.quadrant = Number.isFinite(x) ? (x < 0 ? -quadrant : quadrant) & 3 : 0;
  reduced.high = sign * product.high;
  reduced.low = sign * product.low;
  return reduced;
}

const pairAt = (k: number): number => (turns[k]! * BASE + turns[k + 1]!) * 2 ** (-24 * (k + 1));

/** The first 26 bits of a float64 (Veltkamp 1968). */
function headOf(x: number): number {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
}
/** (high + low) · π/2 as a sum whose second part is far below the first (Dekker 1971). */
function timesHalfPi(high: number, low: number): { high: number; low: number } {
  const product = high * HALF_PI;
  const [a, b] = [headOf(high), headOf(HALF_PI)];
  const [c, d] = [high - a, HALF_PI - b];
  const error = c * d - (product - a * b - a * d - c * b) + (high * HALF_PI_LOW + low * HALF_PI);
  const sum = product + error;
  return { high: sum, low: error - (sum - product) };
}

/** x to an exponent >= 0, wrapping at `bits`. */
function integerPower(x: bigint, exponent: bigint, bits: number): bigint {
  let power = 1n;
  for (let square = x, rest = exponent; rest > 0n; rest >>= 1n, square = BigInt.asIntN(bits, square * square))
    if (rest & 1n) power = BigInt.asIntN(bits, power * square);
  return power;
}

/** The routines that forms name. */
export const ROUTINES = {
  /** The remainder with the dividend's sign; exact, as ECMAScript's `%` is by definition. */
  fmod: (x: number, y: number): number => x % y,
  halfPiQuadrant: (x: number): number => reduceByHalfPi(x).quadrant,
  halfPiHigh: (x: number): number => reduceByHalfPi(x).high,
  halfPiLow: (x: number): number => reduceByHalfPi(x).low,
  integerPower32: (x: number, exponent: number): number => Number(integerPower(BigInt(x), BigInt(exponent), 32)),
  integerPower64: (x: bigint, exponent: bigint): bigint => integerPower(x, exponent, 64),
  polygamma,
};
