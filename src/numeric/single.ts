/**
 * float32 variants: float64 arithmetic with polynomials just long enough (2^-28 and better) for results within 0.6 ulp once
 * rounded. Arguments are float32 values. The names are those of the float64 definitions. The polynomials are fitted by test/oracles/minimax.py.
 */
import { nearestInteger } from "./exp.ts";
import { abs, add, copysign, div, type Form, lt, max, min, mul, neg, polynomial, pow2, select, sub } from "./form.ts";
import { logAtEdges, log as preciseLog, splitNormal } from "./log.ts";
import { powFrom } from "./power.ts";
import { reduceShortByHalfPi, turn } from "./trigonometric.ts";

/** (e^r - 1) / r on |r| <= ln 2 / 2, error 2^-32. */
const EXPM1 = [
  1.0000000000311897, 0.5000000046652382, 0.16666666249596135, 0.04166635444773278, 0.008333402909116628,
  0.0013941005102791008, 0.00019841244841278433,
];

/** 2^n and `fraction` e^r - 1 for x = n ln 2 + r, |r| <= ln 2 / 2; x is held where the result has long left float32's range. */
function reduce(x: Form) {
  const clamped = min(max(x, -110), 110);
  const { whole, integer } = nearestInteger(mul(clamped, Math.LOG2E));
  const r = sub(clamped, mul(whole, Math.LN2));
  return { power: pow2(integer), fraction: mul(r, polynomial(r, EXPM1)) };
}

export function exp(x: Form): Form {
  const { power, fraction } = reduce(x);
  return mul(power, add(1, fraction));
}

/** The sign of zero apart. */
function positiveExpm1(x: Form): Form {
  const { power, fraction } = reduce(x);
  return add(mul(power, fraction), sub(power, 1));
}

export const expm1 = (x: Form): Form => copysign(positiveExpm1(x), x);

/** (e^2|x| - 1) / (e^2|x| + 1). */
export function tanh(x: Form): Form {
  const e = positiveExpm1(mul(2, abs(x)));
  return copysign(div(e, add(e, 2)), x);
}

export const sigmoid = (x: Form): Form => div(1, add(1, exp(neg(x))));

/** atanh(s) / s in s², on |s| <= 0.1716, error 2^-30.4. */
const ATANH = [0.999999999310674, 0.3333340797517871, 0.19987397471005636, 0.14962825346219719];

/** The logarithm of x in the base whose digits' logarithm `inverse` is 1 / log(base) and `unit` log(2) / log(base). */
const logarithm =
  (inverse: number, unit: number) =>
  (x: Form): Form => {
    const { exponent, significand } = splitNormal(x);
    const s = div(sub(significand, 1), add(significand, 1));
    const z = mul(s, s);
    return logAtEdges(x, add(mul(exponent, unit), mul(mul(2 * inverse, s), polynomial(z, ATANH))));
  };

export const log = logarithm(1, Math.LN2);
export const log2 = logarithm(Math.LOG2E, 1);
export const log10 = logarithm(Math.LOG10E, Math.LN2 * Math.LOG10E);
/** x - x²/2 for a small x, which 1 + x would lose. */
export const log1p = (x: Form): Form => select(lt(abs(x), 2 ** -14), mul(x, sub(1, mul(0.5, x))), log(add(1, x)));
export const softplus = (x: Form): Form => add(max(x, 0), log1p(exp(neg(abs(x)))));

/** sin(r) / r and cos(r) in r², on |r| <= π/4, errors 2^-28.2 and 2^-34. */
const SIN = [0.9999999967618595, -0.1666665022430609, 0.008332016454279043, -0.0001950182203854567];
const COS = [
  0.999999999943938, -0.4999999957155682, 0.041666613233437975, -0.0013886529145689637, 2.437267902622648e-5,
];

/** sin where `ahead` is 0, cos where it is 1. */
const circular =
  (ahead: number) =>
  (x: Form): Form => {
    const { quadrant, rest } = reduceShortByHalfPi(x);
    const z = mul(rest, rest);
    return turn(ahead ? add(quadrant, ahead) : quadrant, mul(rest, polynomial(z, SIN)), polynomial(z, COS));
  };

export const sin = circular(0);
export const cos = circular(1);

/** erf(x) / x in x² on |x| <= 1, and erfc(x)^(-1/16) on [1, 4], after which erf is 1; errors 2^-29.6 and 2^-30.2. */
const ERF = [
  1.1283791657267974, -0.376126258246751, 0.11283585151233505, -0.026853811990321785, 0.005188327729379839,
  -0.0008010193658509674, 7.853860631578005e-5,
];
const ERFC_ROOT = [
  0.9998986119516707, 0.07105836489123583, 0.04105710848633511, 0.010861597835189724, -0.0011235759601096412,
  0.0009062064770780682, -0.00013192494113772982, 2.0761142715204715e-5,
];

export function erf(x: Form): Form {
  const a = min(abs(x), 4);
  let root = polynomial(a, ERFC_ROOT);
  for (let i = 0; i < 4; i++) root = mul(root, root);
  const outer = copysign(sub(1, div(1, root)), x);
  return select(lt(a, 1), mul(x, polynomial(mul(x, x), ERF)), outer);
}

/** |x|^y as e^(y log|x|): float64 has bits enough for both. */
export const pow: (x: Form, y: Form) => Form = powFrom((x, y) => exp(mul(y, preciseLog(x))));
