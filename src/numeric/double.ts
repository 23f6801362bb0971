/** Double-double arithmetic: numbers as unevaluated sums of two float64, for the steps that need more than 53 bits. */
import { add, div, type Form, mul, type Operand, sub } from "./form.ts";

/** high + low, with |low| at most half a unit in the last place of high. */
export interface Double {
  readonly high: Form;
  readonly low: Form;
}

/** Exact a + b, where |a| >= |b| or a is 0 (Dekker 1971). */
export function fastTwoSum(a: Operand, b: Operand): Double {
  const high = add(a, b);
  return { high, low: sub(b, sub(high, a)) };
}

/** Exact a + b (Knuth, TAOCP 2, 4.2.2). */
export function twoSum(a: Operand, b: Operand): Double {
  const high = add(a, b);
  const other = sub(high, a);
  return { high, low: add(sub(a, sub(high, other)), sub(b, other)) };
}

/** x as a sum of two numbers of 26 bits, for |x| < 2^996 (Veltkamp 1968). */
function split(x: Form): Double {
  const scaled = mul(x, 2 ** 27 + 1);
  const high = sub(scaled, sub(scaled, x));
  return { high, low: sub(x, high) };
}

/** a b - product, exactly, for product = a b rounded and no overflow or underflow (Dekker 1971). */
export function productError(a: Form, b: Form, product: Form): Form {
  const [x, y] = [split(a), split(b)];
  const upper = add(sub(mul(x.high, y.high), product), mul(x.high, y.low));
  return add(add(upper, mul(x.low, y.high)), mul(x.low, y.low));
}

/** Exact a b, for no overflow or underflow. */
export function twoProduct(a: Form, b: Form): Double {
  const high = mul(a, b);
  return { high, low: productError(a, b, high) };
}

/** a / b to twice the precision of a float64, or nearly (Dekker 1971). */
export function quotient(a: Double, b: Double): Double {
  const high = div(a.high, b.high);
  const product = twoProduct(high, b.high);
  const residual = add(sub(sub(a.high, product.high), product.low), sub(a.low, mul(high, b.low)));
  return { high, low: div(residual, b.high) };
}

/** The nearest float64. */
export const rounded = ({ high, low }: Double): Form => add(high, low);
