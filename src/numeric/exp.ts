/** The exponential family. Algorithm and coefficients of FDLIBM (Sun Microsystems, e_exp.c), with sums in double-double where it rounds twice. */
import { type Double, fastTwoSum, twoProduct, twoSum } from "./double.ts";
import {
  abs,
  add,
  constant,
  div,
  type Form,
  lowWord,
  lt,
  max,
  min,
  mul,
  neg,
  type Operand,
  polynomial,
  pow2,
  select,
  shr,
  sub,
} from "./form.ts";

/** Added and taken away, rounds |x| < 2^51 to an integer, which stands meanwhile in the low word. */
const ROUND = 1.5 * 2 ** 52;
/** ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact. */
export const LN2: readonly [number, number] = [0.6931471803691238, 1.9082149292705877e-10];
/** What Math.LN2 lacks of ln 2. */
const LN2_ERROR = 2.3190468138462996e-17;
/** (r - 2 + 2r / (e^r - 1)) / r², FDLIBM's Remez polynomial in r² on |r| <= ln 2 / 2, error 2^-59. */
const EXP = [
  0.16666666666666602, -0.0027777777777015593, 6.613756321437934e-5, -1.6533902205465252e-6, 4.1381367970572385e-8,
];

export interface Rounded {
  /** The nearest integer as f64, and as i32. */
  readonly whole: Form;
  readonly integer: Form;
}

/** The integer nearest to |x| < 2^31, halves to even. */
export function nearestInteger(x: Form): Rounded {
  const shifted = add(x, ROUND);
  return { whole: sub(shifted, ROUND), integer: lowWord(shifted) };
}

/** y 2^n, rounded once, for |n| < 2044 and y near 1. */
export function scale(y: Form, n: Form): Form {
  const half = shr(n, 1);
  return mul(mul(y, pow2(half)), pow2(sub(n, half)));
}

/** e^r - 1 - r for r = high + low, |r| <= ln 2 / 2, and r rounded. */
function expTail({ high, low }: Double): Form {
  const r = add(high, low);
  const square = mul(r, r);
  const c = sub(r, mul(square, polynomial(square, EXP)));
  return add(div(mul(r, c), sub(2, c)), low);
}

/** e^r for r = high + low, |r| <= ln 2 / 2. */
function expReduced(r: Double): Form {
  const { high, low } = fastTwoSum(1, r.high);
  return add(high, add(low, expTail(r)));
}

/** e^(high + low) 2^exponent, for a low far below high. */
export function expOfSum(high: Form, low: Operand, exponent = 0): Form {
  const x = min(max(high, -746), 711);
  const { whole, integer } = nearestInteger(mul(x, Math.LOG2E));
  const rest = { high: sub(x, mul(whole, LN2[0])), low: sub(low, mul(whole, LN2[1])) };
  return scale(expReduced(rest), exponent === 0 ? integer : add(integer, exponent));
}

export const exp = (x: Form): Form => expOfSum(x, 0);

/** 2^(high + low), for a low far below high. */
export function exp2OfSum(high: Form, low: Operand): Form {
  const x = min(max(high, -1100), 1100);
  const { whole, integer } = nearestInteger(x);
  const rest = sub(x, whole);
  const r = twoProduct(rest, constant(Math.LN2));
  const correction = add(mul(rest, LN2_ERROR), mul(Math.LN2, low));
  return scale(expReduced({ high: r.high, low: add(r.low, correction) }), integer);
}

export const exp2 = (x: Form): Form => exp2OfSum(x, 0);

/** e^x - 1 = 2^k ((1 - 2^-k) + (e^r - 1)). */
export function expm1(x: Form): Form {
  const clamped = min(max(x, -40), 710);
  const { whole, integer } = nearestInteger(mul(clamped, Math.LOG2E));
  const r = { high: sub(clamped, mul(whole, LN2[0])), low: mul(whole, -LN2[1]) };
  const start = fastTwoSum(1, neg(pow2(neg(min(integer, 64)))));
  const sum = twoSum(start.high, r.high);
  const result = scale(add(sum.high, add(add(sum.low, start.low), expTail(r))), integer);
  return select(lt(abs(x), 2 ** -54), x, result);
}
