/** The elementwise functions as programs call them: name, parameters, one line, examples. */
import { type Node, OpError } from "../graph/node.ts";
import { type Dim, maxDims, minDims } from "../tensor/dim.ts";
import { isFloat } from "../tensor/dtype.ts";
import { define, dtypeParam, type FunctionRow, type Param, tensorParam } from "./define.ts";
import * as e from "./elementary.ts";
import * as p from "./pointwise.ts";
import { cast, toFloat } from "./promote.ts";
import { computedSize } from "./static.ts";

type Table = Readonly<Record<string, readonly [build: p.Pointwise, doc: string, ...examples: string[]]>>;

/** Rows whose parameters are all tensors, named by the key: `atan2 y x`. */
const TABLE: Table = {
  "abs x": [p.abs, "The absolute value.", "abs([-2, 3]) == [2, 3]"],
  "sign x": [p.sign, "-1, 0 or 1.", "sign([-2, 0, 3]) == [-1, 0, 1]"],
  "square x": [p.square, "x · x.", "square(3) == 9"],
  "sqrt x": [e.sqrt, "The square root; nan below 0.", "sqrt(9) == 3"],
  "rsqrt x": [e.rsqrt, "1 / sqrt(x).", "rsqrt(4) == 0.5"],
  "cbrt x": [e.cbrt, "The cube root, of negative numbers too.", "cbrt(-8) == -2"],
  "reciprocal x": [e.reciprocal, "1 / x.", "reciprocal(4) == 0.25"],
  "exp x": [e.exp, "e to the power x.", "exp(0) == 1"],
  "exp2 x": [e.exp2, "2 to the power x.", "exp2(3) == 8"],
  "expm1 x": [e.expm1, "exp(x) - 1, accurate near 0.", "expm1(0) == 0"],
  "log x": [e.log, "The natural logarithm.", "log(1) == 0"],
  "log2 x": [e.log2, "The logarithm to base 2.", "log2(8) == 3"],
  "log10 x": [e.log10, "The logarithm to base 10.", "log10(1000) == 3"],
  "log1p x": [e.log1p, "log(1 + x), accurate near 0.", "log1p(0) == 0"],
  "sin x": [e.sin, "Sine, of radians.", "sin(0) == 0"],
  "cos x": [e.cos, "Cosine, of radians.", "cos(0) == 1"],
  "tan x": [e.tan, "Tangent, of radians.", "tan(0) == 0"],
  "asin x": [e.asin, "The angle in [-pi/2, pi/2] with sine x.", "asin(0) == 0"],
  "acos x": [e.acos, "The angle in [0, pi] with cosine x.", "acos(1) == 0"],
  "atan x": [e.atan, "The angle in (-pi/2, pi/2) with tangent x.", "atan(0) == 0"],
  "atan2 y x": [e.atan2, "The angle of the point (x, y), in (-pi, pi].", "atan2(0, 1) == 0"],
  "sinh x": [e.sinh, "Hyperbolic sine.", "sinh(0) == 0"],
  "cosh x": [e.cosh, "Hyperbolic cosine.", "cosh(0) == 1"],
  "tanh x": [e.tanh, "Hyperbolic tangent.", "tanh(0) == 0"],
  "asinh x": [e.asinh, "Inverse hyperbolic sine.", "asinh(0) == 0"],
  "acosh x": [e.acosh, "Inverse hyperbolic cosine, from 1 up.", "acosh(1) == 0"],
  "atanh x": [e.atanh, "Inverse hyperbolic tangent, within (-1, 1).", "atanh(0) == 0"],
  "floor x": [p.floor, "The largest integer ≤ x; ints stay.", "floor(-1.5) == -2"],
  "ceil x": [p.ceil, "The smallest integer ≥ x; ints stay.", "ceil(-1.5) == -1"],
  "round x": [p.round, "The nearest integer, halves to even; ints stay.", "round([0.5, 1.5, 2.5]) == [0, 2, 2]"],
  "trunc x": [p.trunc, "The integer towards 0; ints stay.", "trunc(-1.5) == -1"],
  "maximum x y": [p.maximum, "The larger of two; nan if either is.", "maximum([1, 5], 3) == [3, 5]"],
  "minimum x y": [p.minimum, "The smaller of two; nan if either is.", "minimum([1, 5], 3) == [1, 3]"],
  "clip x lo hi": [p.clip, "x held between lo and hi; hi where lo > hi.", "clip([-1, 0.5, 2], 0, 1) == [0, 0.5, 1]"],
  "hypot x y": [e.hypot, "sqrt(x² + y²) without overflow.", "hypot(3, 4) == 5"],
  "logaddexp x y": [e.logaddexp, "log(exp(x) + exp(y)) without overflow.", "logaddexp(-inf, 0) == 0"],
  "xlogy x y": [e.xlogy, "x · log(y), 0 where x is 0.", "xlogy(0, 0) == 0"],
  "isnan x": [p.isnan, "Whether x is nan.", "isnan(nan)"],
  "isinf x": [p.isinf, "Whether x is inf or -inf.", "isinf(-inf)"],
  "isfinite x": [p.isfinite, "Whether x is neither inf nor nan.", "isfinite(1)"],
  "erf x": [e.erf, "The error function.", "erf(0) == 0"],
  "erfc x": [e.erfc, "1 - erf(x), accurate for large x.", "erfc(0) == 1"],
  "lgamma x": [e.lgamma, "log |Γ(x)|.", "lgamma(1) == 0"],
  "digamma x": [e.digamma, "The derivative of log Γ.", "abs(digamma(1) + 0.5772156649) < 1e-9"],
  "polygamma n x": [e.polygamma, "The n-th derivative of digamma.", "abs(polygamma(1, 1) - pi ** 2 / 6) < 1e-9"],
  "sigmoid x": [e.sigmoid, "1 / (1 + exp(-x)).", "sigmoid(0) == 0.5"],
  "softplus x": [e.softplus, "log(1 + exp(x)) without overflow.", "softplus(-inf) == 0"],
  "copysign x y": [p.copysign, "|x| with y's sign.", "copysign(3, -0.0) == -3"],
};

/** Those that of sizes are sizes again. */
const ON_DIMS: Readonly<Record<string, (m: Dim, n: Dim) => Dim>> = { maximum: maxDims, minimum: minDims };

export const elementwise: readonly FunctionRow[] = Object.entries(TABLE).map(([key, [build, doc, ...examples]]) => {
  const [name, ...names] = key.split(" ") as [string, ...string[]];
  const params: Record<string, Param<Node>> = Object.fromEntries(names.map((n) => [n, tensorParam()]));
  return define({
    name,
    family: "elementwise",
    params,
    op: build.op,
    doc,
    examples,
    build: (args) => {
      const xs = names.map((n) => args[n]!);
      const onDims = ON_DIMS[name];
      return (onDims && computedSize(xs[0]!, xs[1]!, onDims)) ?? build(...xs);
    },
  });
});

export const where = define({
  name: "where",
  family: "elementwise",
  params: { cond: tensorParam(), x: tensorParam(), y: tensorParam() },
  op: p.where.op,
  doc: "x where the condition holds, else y.",
  examples: ["where([true, false], 1, 2) == [1, 2]"],
  specimen: "input cond[n, m]: bool, x[n, m], y[n, m]; where(cond, x, y)",
  build: ({ cond, x, y }) => p.where(cond, x, y),
});

export const astype = define({
  name: "astype",
  family: "elementwise",
  params: { x: tensorParam(), dtype: dtypeParam() },
  doc: "x converted to a dtype: floats go to ints towards 0.",
  examples: ["astype([1.7, -1.7], int32) == [1, -1]"],
  specimen: "input x[n, m]; astype(x, float64)",
  build: ({ x, dtype }) => {
    if (dtype === undefined) throw new OpError("astype needs a dtype", { arg: "dtype" });
    // a fractional literal is cut like any float, where plain conversion would refuse it
    const cut = x.type.weak && isFloat(x.type.dtype) && !isFloat(dtype) && dtype !== "bool" ? p.trunc(x) : x;
    return cast(cut, dtype, 0);
  },
});

/** For the prelude: composites that compute in floats must not do it in ints, which wrap. */
export const float = define({
  name: "_float",
  family: "elementwise",
  params: { x: tensorParam() },
  doc: "Ints and bools as the default float, floats as they are.",
  examples: [],
  build: ({ x }) => toFloat(x),
});
