/** pow, cube root and hypotenuse. pow as FDLIBM does it (Sun Microsystems, e_pow.c): log2 in 70 bits, times y, and 2 to that. */
import { isfinite } from "./arithmetic.ts";
import { exp2OfSum } from "./exp.ts";
import {
  abs,
  add,
  and,
  convert,
  copysign,
  div,
  eq,
  type Form,
  floor,
  fromWords,
  gt,
  head,
  highWord,
  isnan,
  lowWord,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  not,
  or,
  polynomial,
  select,
  sqrt,
  sub,
} from "./form.ts";
import { splitExponent } from "./log.ts";

/** 3 (atanh(s) / s - 1 - s²/3) / s⁴ in s², on s <= 0.1716, error 2^-57 (test/oracles/minimax.py). */
const ATANH = [
  0.6, 0.42857142857144054, 0.3333333333248285, 0.2727272750327698, 0.23076892426667117, 0.20002207837418873,
  0.17559336213417898, 0.17584932015120958,
];
/** 2 / (3 ln 2): rounded, and in two parts of which the first has 24 bits. */
const SCALE = 0.9617966939259756;
const SCALE_HEAD = 0.9617967009544373;
const SCALE_TAIL = -7.028461650952758e-9;

/** log2 of a positive finite x to a relative 2^-65; the high part has 21 bits. */
function preciseLog2(x: Form) {
  const { exponent, significand } = splitExponent(x);
  const f = sub(significand, 1);
  const sum = add(significand, 1);
  const inverse = div(1, sum);
  // s = f / (2 + f) = sHead + sTail
  const s = mul(f, inverse);
  const sHead = head(s);
  const sumHead = head(sum);
  const sumTail = sub(significand, sub(sumHead, 1));
  const sTail = mul(inverse, sub(sub(f, mul(sHead, sumHead)), mul(sHead, sumTail)));
  // 3 + s² + rest = tHead + tTail, so that log(1 + f) = 2/3 s (3 + s² + rest)
  const z = mul(s, s);
  const rest = add(mul(mul(z, z), polynomial(z, ATANH)), mul(sTail, add(sHead, s)));
  const square = mul(sHead, sHead);
  const tHead = head(add(add(3, square), rest));
  const tTail = sub(rest, sub(sub(tHead, 3), square));
  const u = mul(sHead, tHead);
  const v = add(mul(sTail, tHead), mul(tTail, s));
  const productHead = head(add(u, v));
  const productTail = sub(v, sub(productHead, u));
  const scaledHead = mul(SCALE_HEAD, productHead);
  const scaledTail = add(mul(SCALE_TAIL, productHead), mul(productTail, SCALE));
  const high = head(add(add(scaledHead, scaledTail), exponent));
  return { high, low: sub(scaledTail, sub(sub(high, exponent), scaledHead)) };
}

/** |x|^y for a positive finite |x| and finite y. */
function positivePow(x: Form, y: Form): Form {
  const bounded = min(max(y, -(2 ** 65)), 2 ** 65); // beyond, every x but 1 overflows or vanishes
  const { high, low } = preciseLog2(x);
  const yHead = head(bounded);
  const product = mul(yHead, high);
  const rest = add(mul(sub(bounded, yHead), high), mul(bounded, low));
  const total = add(product, rest);
  return exp2OfSum(total, select(lt(abs(total), 1100), sub(rest, sub(total, product)), 0));
}

/**
 * C99's pow, signs and special values included, from a definition for positive finite x and finite y: 1 for x = 1 or y = 0 even
 * with NaN, NaN for a negative x to a fraction; x² and x to the letter.
 */
export const powFrom =
  (positivePow: (x: Form, y: Form) => Form) =>
  (x: Form, y: Form): Form => {
    const a = abs(x);
    const integral = eq(floor(y), y);
    const odd = and(integral, ne(mul(2, floor(mul(0.5, y))), y));
    const grows = eq(gt(a, 1), gt(y, 0));
    const edge = select(grows, Number.POSITIVE_INFINITY, 0);
    const extreme = or(eq(a, 0), or(not(isfinite(x)), not(isfinite(y))));
    const magnitude = select(extreme, select(eq(a, 1), 1, edge), positivePow(a, y));
    const signed = select(and(odd, lt(highWord(x), 0)), neg(magnitude), magnitude);
    const real = select(and(and(lt(x, 0), not(integral)), isfinite(x)), Number.NaN, signed);
    const exact = select(eq(y, 2), mul(x, x), select(eq(y, 1), x, real));
    const known = select(or(isnan(x), isnan(y)), add(x, y), exact);
    return select(or(eq(x, 1), eq(y, 0)), 1, known);
  };

export const pow = powFrom(positivePow);

/** 1 / cbrt(r) near 1, error 2^-23.5 (FreeBSD, s_cbrt.c, after Kahan and B. D. Evans). */
const CBRT = [1.87595182427177, -1.8849797954337717, 1.6214297201053545, -0.758397934778766, 0.14599619288661245];

/** A third of the exponent for five bits, a polynomial for 23, Newton's step for the rest. */
export function cbrt(x: Form): Form {
  const a = abs(x);
  const small = lt(a, 2 ** -1022);
  const normal = select(small, mul(a, 2 ** 54), a);
  const third = convert(mul(convert(highWord(normal), "f64"), 1 / 3), "i32");
  const rough = fromWords(add(third, 715094163), 0);
  const r = mul(mul(rough, rough), div(rough, normal));
  const close = mul(rough, polynomial(r, CBRT));
  const above = mul(close, 1 + 1.5 * 2 ** -22);
  const short = fromWords(highWord(above), and(lowWord(above), -0x40000000)); // 23 bits: its square is exact
  const quotient = div(normal, mul(short, short));
  const root = add(short, mul(short, div(sub(quotient, short), add(add(short, short), quotient))));
  const scaled = select(small, mul(root, 2 ** -18), root);
  return select(and(gt(a, 0), isfinite(x)), copysign(scaled, x), x);
}

/** √(x² + y²) without overflow on the way; infinite where either is, even with NaN. */
export function hypot(x: Form, y: Form): Form {
  const [a, b] = [abs(x), abs(y)];
  const largest = max(a, b);
  const unit = select(gt(largest, 2 ** 500), 2 ** -600, select(lt(largest, 2 ** -500), 2 ** 600, 1));
  const [p, q] = [mul(a, unit), mul(b, unit)];
  const value = div(sqrt(add(mul(p, p), mul(q, q))), unit);
  const infinite = or(eq(a, Number.POSITIVE_INFINITY), eq(b, Number.POSITIVE_INFINITY));
  return select(infinite, Number.POSITIVE_INFINITY, value);
}
