/** Scalar code for the arguments that forms leave out (`rare` nodes): loops and long integers, exact operations only. Knows no forms. */
import { polygamma } from "./polygamma.ts";

/** ⌊2/π · 2^1200⌋ and ⌊π/2 · 2^190⌋: enough bits for every float64 (Payne and Hanek, "Radian reduction for trigonometric functions", 1983). */
const TWO_OVER_PI =
  "0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee882" +
  "35f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5f" +
  "ea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b";
const HALF_PI = 0x6487ed5110b4611a62633145c06e0e68948127044533e63an;

/** x = quadrant · π/2 + high + low with |high + low| <= π/4, for a finite |x| >= 2^20. */
function reduceByHalfPi(x: number): { quadrant: number; high: number; low: number } {
  const exponent = ((new Uint32Array(new Float64Array([x]).buffer)[1]! >>> 20) & 0x7ff) - 1075;
  const significand = BigInt(x * 2 ** -exponent);
  const turns = significand * BigInt(TWO_OVER_PI); // scaled by 2^shift
  const shift = BigInt(1200 - exponent);
  const quadrant = (turns + (1n << (shift - 1n))) >> shift;
  const rest = ((turns - (quadrant << shift)) >> (shift - 256n)) * HALF_PI; // scaled by 2^446
  const high = Number(rest);
  return { quadrant: Number(quadrant & 3n), high: high * 2 ** -446, low: Number(rest - BigInt(high)) * 2 ** -446 };
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
  halfPiQuadrant: (x: number): number => (Number.isFinite(x) ? reduceByHalfPi(x).quadrant : 0),
  halfPiHigh: (x: number): number => (Number.isFinite(x) ? reduceByHalfPi(x).high : Number.NaN),
  halfPiLow: (x: number): number => (Number.isFinite(x) ? reduceByHalfPi(x).low : Number.NaN),
  integerPower32: (x: number, exponent: number): number => Number(integerPower(BigInt(x), BigInt(exponent), 32)),
  integerPower64: (x: bigint, exponent: bigint): bigint => integerPower(x, exponent, 64),
  polygamma,
};
