/** What the language's operators mean: ops on tensors, arithmetic on sizes. */
import type { BinaryOperator, UnaryOperator } from "../../grammar/ast.ts";
import { isConstant, type Node, OpError, valuesOf } from "../graph/node.ts";
import * as arithmetic from "../numeric/arithmetic.ts";
import { addDims, type Dim, floorDivDims, isKnown, lowerBound, mulDims, subDims } from "../tensor/dim.ts";
import { isInt } from "../tensor/dtype.ts";
import { matmulNodes } from "./contract.ts";
import type { PointwiseOp } from "./define.ts";
import { pow } from "./elementary.ts";
import * as exact from "./exact.ts";
import { dimNode, dimOp } from "./leaf.ts";
import * as p from "./pointwise.ts";
import { applyPointwise, BOOL_HELP, pointwiseOp } from "./pointwise.ts";
import { castTo, commonDType } from "./promote.ts";
import { asDim, asNumber, computedSize } from "./static.ts";

/** What an operator stands for: an op, or under a name of its own whichever of several fits. */
interface Meaning {
  readonly build: (x: Node, y: Node) => Node;
  readonly op?: PointwiseOp;
  readonly composite?: string;
}

const MEANINGS: ReadonlyMap<string | undefined, Meaning> = new Map<string | undefined, Meaning>([
  ...[p.add, p.sub, p.mul, p.floor_divide, p.remainder, p.eq, p.ne, p.lt, p.le, p.gt, p.ge, p.and, p.or].map(
    (build) => [build.op.symbol, { build, op: build.op }] as const,
  ),
  [p.div.op.symbol, { build: divide, op: p.div.op }],
  ["**", { build: power, composite: "Pow" }],
  ["@", { build: matmulNodes, composite: "MatMul" }],
]);

/** The op that a binary operator is; undefined where it picks among several. */
export const binaryOp = (operator: BinaryOperator): PointwiseOp | undefined => MEANINGS.get(operator)!.op;
/** What the result is called of a binary operator that several ops may stand for. */
export const compositeName = (operator: BinaryOperator): string | undefined => MEANINGS.get(operator)!.composite;

/** Arithmetic on sizes that stays a size. */
const ON_DIMS: Partial<Record<BinaryOperator, (x: Dim, y: Dim) => Dim | undefined>> = {
  "+": addDims,
  "-": subDims,
  "*": mulDims,
  "//": (x, y) => (lowerBound(y) > 0 ? floorDivDims(x, y) : undefined),
  "%": (x, y) => (lowerBound(y) > 0 ? subDims(x, mulDims(y, floorDivDims(x, y))) : undefined),
  "**": (x, y) =>
    isKnown(y) && y >= 0 && y <= 8 ? Array.from({ length: y }).reduce<Dim>((power) => mulDims(power, x), 1) : undefined,
};

export function binaryOperator(operator: BinaryOperator, x: Node, y: Node): Node {
  const onDims = ON_DIMS[operator];
  return (onDims && computedSize(x, y, onDims)) ?? MEANINGS.get(operator)!.build(x, y);
}

/** The op that a prefix operator is; none for `+`. */
export const unaryOp = (operator: UnaryOperator): PointwiseOp | undefined =>
  [p.neg.op, p.not.op].find((op) => op.symbol === operator);

export function unaryOperator(operator: UnaryOperator, x: Node): Node {
  switch (operator) {
    case "-":
      return x.op === dimOp ? dimNode(x.graph, mulDims(-1, asDim(x)!)) : p.neg(x);
    case "+":
      if (x.type.dtype === "bool")
        throw new OpError("`+` takes numbers, not bools", { code: "dtype", help: BOOL_HELP });
      return x;
    case "not":
      return p.not(x);
  }
}

function divide(x: Node, y: Node): Node {
  const { dtype } = commonDType([x, y]);
  if (dtype === "bool") throw new OpError("`/` takes numbers, not bools", { code: "dtype", help: BOOL_HELP });
  return p.div(x, y);
}

/** Of ints to an exponent ≥ 0. */
export const integerPower = pointwiseOp("integer_pow", 2, {
  operands: "numeric",
  scalar: ([x, y]) => arithmetic.integerPower(x!, y!),
  exact: exact.power,
  integerGuard: "exponent",
  display: "Pow",
});

/** Literal exponents 1, 2 and 3 are products; ints stay ints and take no negative power, but 2 ** -1 among literals is 0.5. */
export function power(x: Node, y: Node): Node {
  const common = commonDType([x, y]);
  if (common.dtype === "bool") throw new OpError("`**` takes numbers, not bools", { code: "dtype", help: BOOL_HELP });
  const exponent = asNumber(y);
  if (isInt(common.dtype)) {
    const negative = isConstant(y) && Array.from(valuesOf(y)).some((v) => Number(v) < 0);
    if (!negative) return applyPointwise(integerPower, [x, y]);
    if (common.weak) return pow(x, y);
    throw new OpError(`ints to ${exponent === undefined ? "negative powers" : `the power ${exponent}`} are not ints`, {
      code: "dtype",
      arg: 1,
      help: "floats take negative powers: `astype(x, float32)`",
    });
  }
  switch (exponent) {
    case 1:
      return castTo(x, common);
    case 2:
      return p.square(castTo(x, common));
    case 3:
      return p.mul(p.square(castTo(x, common)), castTo(x, common));
    default:
      return pow(x, y);
  }
}
