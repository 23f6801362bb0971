/** The elementary functions by name, for the op table and the tests. Forms are built when asked for. */
import { floorDivide, reciprocal, remainder, roundHalfEven, rsqrt, sign } from "./arithmetic.ts";
import { erf, erfc } from "./error-function.ts";
import { exp, exp2, expm1 } from "./exp.ts";
import { copysign, type Form, sqrt } from "./form.ts";
import { digamma, lgamma, polygamma } from "./gamma.ts";
import { acosh, asinh, atanh, cosh, logaddexp, sigmoid, sinh, softplus, tanh } from "./hyperbolic.ts";
import { log, log1p, log2, log10, xlogy } from "./log.ts";
import { cbrt, hypot, pow } from "./power.ts";
import * as single from "./single.ts";
import { acos, asin, atan, atan2, cos, sin, tan } from "./trigonometric.ts";

type Define = (...parameters: Form[]) => Form;

export interface ElementaryFunction {
  /** The parameters' names, in order; all are f64, as is the result. */
  readonly parameters: readonly string[];
  readonly float64: Define;
  /** A cheaper definition, still to be rounded to float32; where there is none, the float64 one serves. */
  readonly float32?: Define | undefined;
}

const define = (parameters: string, float64: Define, float32?: Define): ElementaryFunction => ({
  parameters: parameters.split(" "),
  float64,
  float32,
});

export const FUNCTIONS = {
  exp: define("x", exp, single.exp),
  exp2: define("x", exp2),
  expm1: define("x", expm1, single.expm1),
  log: define("x", log, single.log),
  log2: define("x", log2, single.log2),
  log10: define("x", log10, single.log10),
  log1p: define("x", log1p, single.log1p),
  xlogy: define("x y", xlogy),
  sqrt: define("x", sqrt),
  rsqrt: define("x", rsqrt),
  cbrt: define("x", cbrt),
  reciprocal: define("x", reciprocal),
  pow: define("x y", pow, single.pow),
  hypot: define("x y", hypot),
  sin: define("x", sin, single.sin),
  cos: define("x", cos, single.cos),
  tan: define("x", tan),
  asin: define("x", asin),
  acos: define("x", acos),
  atan: define("x", atan),
  atan2: define("y x", atan2),
  sinh: define("x", sinh),
  cosh: define("x", cosh),
  tanh: define("x", tanh, single.tanh),
  asinh: define("x", asinh),
  acosh: define("x", acosh),
  atanh: define("x", atanh),
  sigmoid: define("x", sigmoid, single.sigmoid),
  softplus: define("x", softplus, single.softplus),
  logaddexp: define("x y", logaddexp),
  erf: define("x", erf, single.erf),
  erfc: define("x", erfc),
  lgamma: define("x", lgamma),
  digamma: define("x", digamma),
  polygamma: define("n x", polygamma),
  sign: define("x", sign),
  copysign: define("x y", copysign),
  round: define("x", roundHalfEven),
  floor_divide: define("x y", floorDivide),
  remainder: define("x y", remainder),
} as const satisfies Record<string, ElementaryFunction>;

export type FunctionName = keyof typeof FUNCTIONS;
