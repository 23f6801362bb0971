/** The elementary functions: their values come from src/numeric, their derivatives are stated here. */
import type { Node } from "../graph/node.ts";
import type { Form } from "../numeric/form.ts";
import { type ElementaryFunction, FUNCTIONS } from "../numeric/functions.ts";
import type { PointwiseOp } from "./define.ts";
import * as pointwise from "./pointwise.ts";
import { add, div, eq, mul, neg, oneMinusSquare, over, scale, sub, where } from "./pointwise.ts";

type Domain = PointwiseOp["domain"][number];
type Row = Pick<PointwiseOp, "grad"> & Partial<Pick<PointwiseOp, "domain" | "symbol">>;
/** The definition for float64, and the shorter one for float32 where there is one. */
function scalars(name: keyof typeof FUNCTIONS): Pick<PointwiseOp, "scalar" | "scalar32"> {
  const { float64, float32 }: ElementaryFunction = FUNCTIONS[name];
  return { scalar: (xs) => float64(...xs), ...(float32 && { scalar32: (xs: readonly Form[]) => float32(...xs) }) };
}

const unary = (name: keyof typeof FUNCTIONS, row: Row): pointwise.Unary =>
  pointwise.unary(name, { ...row, ...scalars(name) });
const binary = (name: keyof typeof FUNCTIONS, row: Row): pointwise.Binary =>
  pointwise.binary(name, { ...row, ...scalars(name) });
const WIDE: readonly Domain[] = [[-2, 2]];
const INSIDE: readonly Domain[] = [[-0.9, 0.9]];

// Powers and roots.
export const sqrt = unary("sqrt", { grad: ({ out, ct }) => [over(ct, mul(2, out))] });
export const rsqrt = unary("rsqrt", { grad: ({ args: [x], out, ct }) => [scale(ct, div(mul(-0.5, out), x!))] });
export const cbrt = unary("cbrt", { grad: ({ out, ct }) => [over(ct, mul(3, mul(out, out)))] });
export const reciprocal = unary("reciprocal", { grad: ({ out, ct }) => [neg(scale(ct, mul(out, out)))] });
export const hypot = binary("hypot", {
  grad: ({ args, out, ct }) => args.map((x) => where(eq(out, 0), 0, scale(ct, div(x, out)))),
});
/** Floats; `power` in operators.ts handles ints and literal exponents. */
export const pow = binary("pow", {
  symbol: "**",
  // As JAX: y · x^(y - 1), which is 0 for y = 0; log x · x^y, where 0^y counts as constant in y.
  grad: ({ args: [x, y], out, ct }) => [
    scale(ct, where(eq(y!, 0), 0, mul(y!, pow(x!, sub(y!, 1))))),
    scale(ct, mul(out, log(where(eq(x!, 0), 1, x!)))),
  ],
});

// Exponentials and logarithms.
const { LN2, LN10 } = Math;
export const exp = unary("exp", { domain: WIDE, grad: ({ out, ct }) => [scale(ct, out)] });
export const exp2 = unary("exp2", { domain: WIDE, grad: ({ out, ct }) => [scale(ct, mul(out, LN2))] });
export const expm1 = unary("expm1", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, exp(x!))] });
export const log = unary("log", { grad: ({ args: [x], ct }) => [over(ct, x!)] });
export const log2 = unary("log2", { grad: ({ args: [x], ct }) => [over(ct, mul(x!, LN2))] });
export const log10 = unary("log10", { grad: ({ args: [x], ct }) => [over(ct, mul(x!, LN10))] });
export const log1p = unary("log1p", { grad: ({ args: [x], ct }) => [over(ct, add(1, x!))] });
export const logaddexp = binary("logaddexp", {
  domain: [...WIDE, ...WIDE],
  grad: ({ args: [x, y], ct }) => {
    const share = (a: Node, b: Node) => scale(ct, where(eq(a, b), 0.5, sigmoid(sub(a, b))));
    return [share(x!, y!), share(y!, x!)];
  },
});
export const xlogy = binary("xlogy", { grad: ({ args: [x, y], ct }) => [scale(ct, log(y!)), scale(ct, div(x!, y!))] });
export const sigmoid = unary("sigmoid", { domain: WIDE, grad: ({ out, ct }) => [scale(ct, mul(out, sub(1, out)))] });
export const softplus = unary("softplus", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, sigmoid(x!))] });

// Trigonometry, in radians.
export const sin = unary("sin", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, cos(x!))] });
export const cos = unary("cos", { domain: WIDE, grad: ({ args: [x], ct }) => [neg(scale(ct, sin(x!)))] });
export const tan = unary("tan", { domain: [[-1, 1]], grad: ({ out, ct }) => [scale(ct, add(1, mul(out, out)))] });
export const asin = unary("asin", {
  domain: INSIDE,
  grad: ({ args: [x], ct }) => [over(ct, sqrt(oneMinusSquare(x!)))],
});
export const acos = unary("acos", {
  domain: INSIDE,
  grad: ({ args: [x], ct }) => [neg(over(ct, sqrt(oneMinusSquare(x!))))],
});
export const atan = unary("atan", { domain: WIDE, grad: ({ args: [x], ct }) => [over(ct, add(1, mul(x!, x!)))] });
export const atan2 = binary("atan2", {
  grad: ({ args: [y, x], ct }) => {
    const square = add(mul(x!, x!), mul(y!, y!));
    return [scale(ct, div(x!, square)), neg(scale(ct, div(y!, square)))];
  },
});
export const sinh = unary("sinh", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, cosh(x!))] });
export const cosh = unary("cosh", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, sinh(x!))] });
export const tanh = unary("tanh", { domain: WIDE, grad: ({ out, ct }) => [scale(ct, oneMinusSquare(out))] });
export const asinh = unary("asinh", { domain: WIDE, grad: ({ args: [x], ct }) => [over(ct, hypot(x!, 1))] });
export const acosh = unary("acosh", {
  domain: [[1.2, 3]],
  grad: ({ args: [x], ct }) => [over(ct, mul(sqrt(sub(x!, 1)), sqrt(add(x!, 1))))],
});
export const atanh = unary("atanh", { domain: INSIDE, grad: ({ args: [x], ct }) => [over(ct, oneMinusSquare(x!))] });

// Special functions.
const TWO_OVER_SQRT_PI = 1.1283791670955126;
const bell = (x: Node): Node => mul(exp(neg(mul(x, x))), TWO_OVER_SQRT_PI);
export const erf = unary("erf", { domain: WIDE, grad: ({ args: [x], ct }) => [scale(ct, bell(x!))] });
export const erfc = unary("erfc", { domain: WIDE, grad: ({ args: [x], ct }) => [neg(scale(ct, bell(x!)))] });
export const lgamma = unary("lgamma", { grad: ({ args: [x], ct }) => [scale(ct, digamma(x!))] });
export const digamma = unary("digamma", { grad: ({ args: [x], ct }) => [scale(ct, polygamma(1, x!))] });
export const polygamma = binary("polygamma", {
  domain: [
    [2, 2],
    [0.3, 1.7],
  ],
  grad: ({ args: [n, x], ct }) => [null, scale(ct, polygamma(add(n!, 1), x!))],
});
