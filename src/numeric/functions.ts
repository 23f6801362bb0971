/** The elementary functions by name, for the op table and the tests. Forms are built when asked for. */
import { copysign, floorDivide, reciprocal, remainder, roundHalfEven, rsqrt, sign } from "./arithmetic.ts";
import { erf, erfc } from "./error-function.ts";
import { exp, exp2, expm1 } from "./exp.ts";
import { type Form, sqrt } from "./form.ts";
import { digamma, lgamma, polygamma } from "./gamma.ts";
import { acosh, asinh, atanh, cosh, logaddexp, sigmoid, sinh, softplus, tanh } from "./hyperbolic.ts";
import { log, log1p, log2, log10, xlogy } from "./log.ts";
import { cbrt, hypot, pow } from "./power.ts";
import {
  cos32,
  erf32,
  exp32,
  expm132,
  log1p32,
  log32,
  log232,
  log1032,
  pow32,
  sigmoid32,
  sin32,
  softplus32,
  tanh32,
} from "./single.ts";
import { acos, asin, atan, atan2, cos, sin, tan } from "./trigonometric.ts";

export interface ElementaryFunction {
  /** The parameters' names, in order; all are f64, as is the result. */
  readonly parameters: readonly string[];
  readonly float64: (...parameters: Form[]) => Form;
  /** A cheaper definition, still to be rounded to float32; where there is none, the float64 one serves. */
  readonly float32?: (...parameters: Form[]) => Form;
}

const unary = (float64: (x: Form) => Form, float32?: (x: Form) => Form): ElementaryFunction => ({
  parameters: ["x"],
  float64,
  ...(float32 && { float32 }),
});

const binary = (
  parameters: readonly [string, string],
  float64: (a: Form, b: Form) => Form,
  float32?: (a: Form, b: Form) => Form,
): ElementaryFunction => ({ parameters, float64, ...(float32 && { float32 }) });

export const FUNCTIONS = {
  exp: unary(exp, exp32),
  exp2: unary(exp2),
  expm1: unary(expm1, expm132),
  log: unary(log, log32),
  log2: unary(log2, log232),
  log10: unary(log10, log1032),
  log1p: unary(log1p, log1p32),
  xlogy: binary(["x", "y"], xlogy),
  sqrt: unary(sqrt),
  rsqrt: unary(rsqrt),
  cbrt: unary(cbrt),
  reciprocal: unary(reciprocal),
  pow: binary(["x", "y"], pow, pow32),
  hypot: binary(["x", "y"], hypot),
  sin: unary(sin, sin32),
  cos: unary(cos, cos32),
  tan: unary(tan),
  asin: unary(asin),
  acos: unary(acos),
  atan: unary(atan),
  atan2: binary(["y", "x"], atan2),
  sinh: unary(sinh),
  cosh: unary(cosh),
  tanh: unary(tanh, tanh32),
  asinh: unary(asinh),
  acosh: unary(acosh),
  atanh: unary(atanh),
  sigmoid: unary(sigmoid, sigmoid32),
  softplus: unary(softplus, softplus32),
  logaddexp: binary(["x", "y"], logaddexp),
  erf: unary(erf, erf32),
  erfc: unary(erfc),
  lgamma: unary(lgamma),
  digamma: unary(digamma),
  polygamma: binary(["n", "x"], polygamma),
  sign: unary(sign),
  copysign: binary(["x", "y"], copysign),
  round: unary(roundHalfEven),
  floor_divide: binary(["x", "y"], floorDivide),
  remainder: binary(["x", "y"], remainder),
} as const satisfies Record<string, ElementaryFunction>;

export type FunctionName = keyof typeof FUNCTIONS;
