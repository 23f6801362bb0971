/** sinh, cosh, tanh, their inverses and the logistic functions, from the kernels of exp and log. */
import { quotient, twoSum } from "./double.ts";
import { exp, expOfSum } from "./exp.ts";
import {
  abs,
  add,
  constant,
  copysign,
  div,
  eq,
  type Form,
  lt,
  max,
  mul,
  neg,
  polynomial,
  select,
  sqrt,
  sub,
} from "./form.ts";
import { log1p, log1pOfSum, logOfSum } from "./log.ts";

/** 1 / 3!, 1 / 5! … 1 / 21!: Taylor's series of (sinh(x) / x - 1) / x², good to 2^-64 on |x| <= 1. */
const SINH = [
  0.16666666666666666, 0.008333333333333333, 0.0001984126984126984, 2.7557319223985893e-6, 2.505210838544172e-8,
  1.6059043836821613e-10, 7.647163731819816e-13, 2.8114572543455206e-15, 8.22063524662433e-18, 1.9572941063391263e-20,
];

/** e^|x| / 2, finite wherever cosh is. */
const halfExp = (x: Form): Form => expOfSum(abs(x), 0, -1);

export function sinh(x: Form): Form {
  const half = halfExp(x);
  const z = mul(x, x);
  const far = copysign(sub(half, div(0.25, half)), x);
  return select(lt(abs(x), 1), add(x, mul(x, mul(z, polynomial(z, SINH)))), far);
}

export function cosh(x: Form): Form {
  const half = halfExp(x);
  return add(half, div(0.25, half));
}

/** (tanh(x) - x) / x³ as p(x²) / q(x²) on |x| < 0.625 (Cephes, tanh.c, S. L. Moshier). */
const TANH = {
  p: [-1614.6876844170845, -99.28772310019185, -0.9643991794250523],
  q: [4844.063053251255, 2235.4883906010045, 112.81167849163293, 1],
} as const;

export function tanh(x: Form): Form {
  const z = mul(x, x);
  const near = add(x, mul(mul(x, z), div(polynomial(z, TANH.p), polynomial(z, TANH.q))));
  const far = sub(1, div(2, add(exp(mul(2, abs(x))), 1)));
  return copysign(select(lt(abs(x), 0.625), near, far), x);
}

/** log(|x| + √(x² + 1)) = log1p(|x| + x² / (1 + √(x² + 1))); from 2^28 on, log(2|x|). */
export function asinh(x: Form): Form {
  const a = abs(x);
  const square = mul(a, a);
  const near = log1pOfSum(twoSum(a, div(square, add(1, sqrt(add(square, 1))))));
  return copysign(select(lt(a, 2 ** 28), near, logOfSum(a, 0, 1)), x);
}

/** log(x + √(x² - 1)) = log1p(t + √(2t + t²)) for t = x - 1; from 2^28 on, log(2x). */
export function acosh(x: Form): Form {
  const t = sub(x, 1);
  const near = log1pOfSum(twoSum(t, sqrt(add(mul(2, t), mul(t, t)))));
  return select(lt(x, 1), Number.NaN, select(lt(x, 2 ** 28), near, logOfSum(x, 0, 1)));
}

/** log1p(2|x| / (1 - |x|)) / 2, of a quotient in double-double. */
export function atanh(x: Form): Form {
  const a = abs(x);
  const argument = quotient({ high: mul(2, a), low: constant(0) }, twoSum(1, neg(a)));
  const value = mul(0.5, log1pOfSum(argument));
  return select(lt(a, 2 ** -28), x, copysign(value, x));
}

/** 1 / (1 + e^-x), with e^-|x| so that the small end keeps its digits. */
export function sigmoid(x: Form): Form {
  const e = exp(neg(abs(x)));
  return div(select(lt(x, 0), e, 1), add(1, e));
}

/** log(1 + e^x). */
export const softplus = (x: Form): Form => add(max(x, 0), log1p(exp(neg(abs(x)))));

/** log(e^x + e^y). */
export function logaddexp(x: Form, y: Form): Form {
  const difference = select(eq(x, y), 0, sub(x, y));
  return add(max(x, y), log1p(exp(neg(abs(difference)))));
}
