/** Pointwise ops as TensorFlow operations: a table from op names. */
import type { Node } from "../../graph/node.ts";
import type { Builder, Held, Register } from "./builder.ts";
import type { Outcome } from "./plan.ts";
import { anyOf } from "./reduce.ts";

type Rule = (b: Builder, ...xs: Register[]) => Register;

/** What TensorFlow has an operation for; its result is of its operands' dtype, unless it is told below. */
const PLAIN: Readonly<Record<string, string>> = {
  add: "AddV2",
  sub: "Sub",
  mul: "Mul",
  div: "RealDiv",
  neg: "Neg",
  square: "Square",
  integer_pow: "Pow",
  and: "LogicalAnd",
  or: "LogicalOr",
  not: "LogicalNot",
  where: "SelectV2",
  floor: "Floor",
  ceil: "Ceil",
  round: "Rint",
  abs: "Abs",
  sign: "Sign",
  sqrt: "Sqrt",
  rsqrt: "Rsqrt",
  exp: "Exp",
  expm1: "Expm1",
  log: "Log",
  log1p: "Log1p",
  zero_div: "Xdivy",
  sigmoid: "Sigmoid",
  softplus: "Softplus",
  sin: "Sin",
  cos: "Cos",
  tan: "Tan",
  asin: "Asin",
  acos: "Acos",
  atan: "Atan",
  atan2: "Atan2",
  sinh: "Sinh",
  cosh: "Cosh",
  tanh: "Tanh",
  asinh: "Asinh",
  acosh: "Acosh",
  atanh: "Atanh",
  erf: "Erf",
  erfc: "Erfc",
};

const TESTS: Readonly<Record<string, string>> = {
  equal: "Equal",
  not_equal: "NotEqual",
  less: "Less",
  less_equal: "LessEqual",
  greater: "Greater",
  greater_equal: "GreaterEqual",
  isnan: "IsNan",
  isinf: "IsInf",
  isfinite: "IsFinite",
};

const test = (b: Builder, op: string, ...xs: Register[]): Register => b.map(op, xs, "bool");
const isZero = (b: Builder, x: Register): Register => test(b, "Equal", x, b.scalar(x.dtype, 0));
const isNegative = (b: Builder, x: Register): Register => test(b, "Less", x, b.scalar(x.dtype, 0));
const select = (b: Builder, condition: Register, x: Register, y: Register): Register =>
  b.map("SelectV2", [condition, x, y]);

/** Computed in float64, like our own engines' functions, and rounded once. */
const wide =
  (rule: Rule): Rule =>
  (b, ...xs) =>
    b.cast(rule(b, ...xs.map((x) => b.cast(x, "float64"))), xs.at(-1)!.dtype);

/** log(x) · factor, of which one rounding of the product remains. */
const logarithm = (base: number): Rule =>
  wide((b, x) => b.map("RealDiv", [b.map("Log", [x]), b.map("Log", [b.scalar("float64", base)])]));

/** Of floats as src/numeric/arithmetic.ts has it; the remainder of truncated division is exact. */
const floatFloorDivide = wide((b, x, y) => {
  const rest = b.map("TruncateMod", [x, y]);
  const whole = b.map("RealDiv", [b.map("Sub", [x, rest]), y]);
  const down = b.map("Sub", [whole, b.scalar("float64", 1)]);
  const quotient = b.map("Rint", [select(b, isOpposite(b, rest, y), down, whole)]);
  return select(b, isZero(b, y), b.map("RealDiv", [x, y]), quotient);
});
const floatRemainder = wide((b, x, y) => {
  const rest = b.map("TruncateMod", [x, y]);
  return select(b, isOpposite(b, rest, y), b.map("AddV2", [rest, y]), rest);
});
/** Whether a remainder is on the other side of 0 than the divisor. */
const isOpposite: Rule = (b, rest, y) =>
  b.map("LogicalAnd", [
    test(b, "NotEqual", rest, b.scalar(rest.dtype, 0)),
    test(b, "NotEqual", isNegative(b, rest), isNegative(b, y)),
  ]);

/** The processor traps the quotient of the smallest int and -1, so -1 is kept from the division. */
const intDivision =
  (op: string, byMinusOne: Rule): Rule =>
  (b, x, y) => {
    const isMinusOne = test(b, "Equal", y, b.scalar("int32", -1));
    const divisor = select(b, isMinusOne, b.scalar("int32", 1), y);
    return select(b, isMinusOne, byMinusOne(b, x), b.map(op, [x, divisor]));
  };
const negate: Rule = (b, x) => b.map("Neg", [x]);

const COMPOSED: Readonly<Record<string, Rule>> = {
  // MulNoNan(x, y) is 0 where y is.
  zero_mul: (b, ct, d) => (ct.dtype === "int32" ? b.map("Mul", [ct, d]) : b.map("MulNoNan", [d, ct])),
  zero_mul_both: (b, x, y) =>
    select(b, b.map("LogicalOr", [isZero(b, x), isZero(b, y)]), b.scalar(x.dtype, 0), b.map("Mul", [x, y])),
  one_minus_square: (b, x) => {
    const one = b.scalar(x.dtype, 1);
    return b.map("Mul", [b.map("Sub", [one, x]), b.map("AddV2", [one, x])]);
  },
  reciprocal: (b, x) => b.map("RealDiv", [b.scalar(x.dtype, 1), x]),
  maximum: (b, x, y) => b.map(x.dtype === "bool" ? "LogicalOr" : "Maximum", [x, y]),
  minimum: (b, x, y) => b.map(x.dtype === "bool" ? "LogicalAnd" : "Minimum", [x, y]),
  clip: (b, x, low, high) => b.map("Minimum", [b.map("Maximum", [x, low]), high]),
  trunc: (b, x) => select(b, isNegative(b, x), b.map("Ceil", [x]), b.map("Floor", [x])),
  /** -0 is told by the sign of its reciprocal. */
  copysign: (b, x, y) => {
    const isMinusZero = b.map("LogicalAnd", [isZero(b, y), isNegative(b, b.map("RealDiv", [b.scalar(y.dtype, 1), y]))]);
    const magnitude = b.map("Abs", [x]);
    return select(b, b.map("LogicalOr", [isNegative(b, y), isMinusZero]), negate(b, magnitude), magnitude);
  },
  floor_divide: (b, x, y) => (x.dtype === "int32" ? intDivision("FloorDiv", negate) : floatFloorDivide)(b, x, y),
  remainder: (b, x, y) =>
    (x.dtype === "int32" ? intDivision("FloorMod", () => b.scalar("int32", 0)) : floatRemainder)(b, x, y),
  /** TensorFlow 2.9 has a power of -0 positive where it is negative: odd and below 0, where it is the reciprocal's. */
  pow: (b, x, y) => {
    const power = b.map("Pow", [x, y]);
    const exponent = b.valueOf(y);
    if (exponent !== undefined && !(exponent < 0 && exponent % 2 === -1)) return power;
    const isOdd = test(b, "Equal", b.map("FloorMod", [y, b.scalar(y.dtype, 2)]), b.scalar(y.dtype, 1));
    const isPole = b.map("LogicalAnd", [isZero(b, x), b.map("LogicalAnd", [isOdd, isNegative(b, y)])]);
    return select(b, isPole, b.map("RealDiv", [b.scalar(x.dtype, 1), x]), power);
  },
  exp2: wide((b, x) => b.map("Pow", [b.scalar("float64", 2), x])),
  log2: logarithm(2),
  log10: logarithm(10),
  cbrt: wide((b, x) => {
    const third = b.map("RealDiv", [b.scalar("float64", 1), b.scalar("float64", 3)]);
    return b.map("Mul", [b.map("Sign", [x]), b.map("Pow", [b.map("Abs", [x]), third])]);
  }),
  hypot: wide((b, x, y) => {
    const isInfinite = b.map("LogicalOr", [test(b, "IsInf", x), test(b, "IsInf", y)]);
    const root = b.map("Sqrt", [b.map("AddV2", [b.map("Square", [x]), b.map("Square", [y])])]);
    return select(b, isInfinite, b.scalar("float64", Number.POSITIVE_INFINITY), root);
  }),
  /** Equal infinities have no difference. */
  logaddexp: wide((b, x, y) => {
    const isSame = test(b, "Equal", x, y);
    const distance = select(b, isSame, b.scalar("float64", 0), b.map("Abs", [b.map("Sub", [x, y])]));
    return b.map("AddV2", [b.map("Maximum", [x, y]), b.map("Log1p", [b.map("Exp", [negate(b, distance)])])]);
  }),
  /** Xlogy takes 0 times NaN for 0. */
  xlogy: (b, x, y) => select(b, test(b, "IsNan", y), y, b.map("Xlogy", [x, y])),
  lgamma: wide((b, x) => b.map("Lgamma", [x])),
  digamma: wide((b, x) => {
    const pole = b.map("RealDiv", [b.scalar("float64", -1), x]);
    return select(b, isZero(b, x), pole, b.map("Digamma", [x]));
  }),
  polygamma: wide((b, n, x) => b.map("Polygamma", [n, select(b, isNegative(b, x), b.scalar("float64", 1), x)])),
};

/** Where TensorFlow's operation is not to be trusted: Polygamma below 0 adds up a term for each integer up to 9, and knows no pole of digamma. */
const DOUBTFUL: Readonly<Record<string, Rule>> = {
  polygamma: (b, n, x) => b.map("LogicalOr", [test(b, "LessEqual", x, b.scalar(x.dtype, 0)), test(b, "IsInf", n)]),
};

/** The first float32 that is too large for an int32, and the last that is not. */
const [ABOVE_INT, LARGEST_INT] = [2 ** 31, 2 ** 31 - 1];
const LARGEST_BELOW = 2 ** 31 - 128;

/** Floats go to ints towards 0 and stop at their bounds; nan is 0. */
const floatToInt: Rule = (b, x) => {
  const held = b.map("Maximum", [
    b.map("Minimum", [x, b.scalar("float32", LARGEST_BELOW)]),
    b.scalar("float32", -ABOVE_INT),
  ]);
  const number = select(b, test(b, "IsNan", x), b.scalar("float32", 0), held);
  const isAbove = test(b, "GreaterEqual", x, b.scalar("float32", ABOVE_INT));
  return select(b, isAbove, b.scalar("int32", LARGEST_INT), b.cast(number, "int32"));
};

function converted(b: Builder, x: Register, dtype: Held): Register {
  if (dtype === "bool" && x.dtype !== "bool") return test(b, "NotEqual", x, b.scalar(x.dtype, 0));
  return dtype === "int32" && x.dtype === "float32" ? floatToInt(b, x) : b.cast(x, dtype);
}

/** Whether there is an operation, or several that make it. */
export const isKnown = (name: string): boolean =>
  name === "astype" || [PLAIN, TESTS, COMPOSED].some((table) => Object.hasOwn(table, name));

/** The node's value. */
export function pointwise({ op: { name }, attrs }: Node, xs: readonly Register[], b: Builder): Outcome {
  if (name === "astype") return { result: converted(b, xs[0]!, attrs["dtype"] as Held) };
  const doubt = DOUBTFUL[name];
  if (COMPOSED[name]) return { result: COMPOSED[name](b, ...xs), wrong: doubt && anyOf(b, doubt(b, ...xs)) };
  return { result: TESTS[name] ? test(b, TESTS[name], ...xs) : b.map(PLAIN[name]!, xs) };
}
