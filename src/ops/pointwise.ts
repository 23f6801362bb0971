/** Element by element: broadcasting, loops and fusion come from the kind; a row here is a scalar function and its derivative. */
import type { BinaryOperator } from "../../grammar/ast.ts";
import { isConstant, type Node, OpError, type TensorType, valuesOf } from "../graph/node.ts";
import * as arithmetic from "../numeric/arithmetic.ts";
import * as f from "../numeric/form.ts";
import { type DType, isFloat, isInt, promote } from "../tensor/dtype.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type Operands, type PointwiseOp, spelling } from "./define.ts";
import * as exact from "./exact.ts";
import { castTo, commonDType, graphOf, lift, type Operand, strongDType } from "./promote.ts";

type Row = Partial<Omit<PointwiseOp, "kind" | "name">> & Pick<PointwiseOp, "scalar">;
/** A scalar function of the operands, as rows write it. */
const of =
  (form: (...xs: f.Form[]) => f.Form): PointwiseOp["scalar"] =>
  (xs) =>
    form(...xs);
type Domain = PointwiseOp["domain"][number];
const SMOOTH: Domain = [0.3, 1.7];

export function pointwiseOp(name: string, arity: number, row: Row): PointwiseOp {
  const op: PointwiseOp = {
    operands: "float",
    result: "same",
    domain: Array.from({ length: arity }, () => SMOOTH),
    ...row,
    kind: "pointwise",
    name,
    arity,
    infer: (args, _, graph): TensorType => ({
      dtype: op.result === "bool" ? "bool" : args.at(-1)!.dtype,
      shape: broadcastShapes(
        graph,
        args.map((a) => a.shape),
      ),
      weak: args.every((a) => a.weak),
    }),
  };
  return op;
}

/** Applies an op to operands of any dtype: promotes, converts ints for float functions, and broadcasts. */
export function applyPointwise(op: PointwiseOp, operands: readonly Operand[]): Node {
  const graph = graphOf(operands);
  const args = operands.map((x) => lift(x, graph));
  const shared = op.condition ? args.slice(1) : args;
  const meetsTensor = op.condition && !args[0]!.type.weak;
  const common = meetsTensor ? strongCommon(shared) : commonDType(shared);
  const computed = { ...common, dtype: computeDType(op, common, shared) };
  const cast = shared.map((a, i) => castTo(a, computed, op.condition ? i + 1 : i));
  if (op.integerGuard === "divisor" && !computed.weak) requireDivisor(cast[1]!);
  return graph.apply(op, op.condition ? [requireBool(args[0]!), ...cast] : cast);
}

/** The dtype that operands share where a tensor chooses among them: literals alone have their default then. */
function strongCommon(args: readonly Node[]): ReturnType<typeof commonDType> {
  const common = commonDType(args);
  if (!common.weak) return common;
  const dtype = isFloat(common.dtype) ? args[0]!.graph.defaultFloat : args.map(strongDType).reduce(promote);
  return { dtype, weak: false };
}

/** An int divisor that is known, as a literal or by the sizes, must not be 0; others are looked at when there is data. */
export function requireDivisor(y: Node): void {
  if (isInt(y.type.dtype) && isConstant(y) && Array.from(valuesOf(y)).some((v) => Number(v) === 0))
    throw new OpError("integer division by zero", {
      code: "arithmetic",
      arg: 1,
      help: "floats divide by zero: write 0.0 for inf or nan",
    });
}

function computeDType(op: PointwiseOp, { dtype, weak }: { dtype: DType; weak: boolean }, args: readonly Node[]): DType {
  switch (op.operands as Operands) {
    case "any":
      return dtype;
    case "float":
      return isFloat(dtype) ? dtype : weak ? "float64" : args[0]!.graph.defaultFloat;
    case "numeric":
      if (dtype === "bool")
        throw new OpError(`${spelling(op)} takes numbers, not bools`, {
          code: "dtype",
          help: BOOL_HELP,
        });
      return dtype;
    case "logical": {
      const arg = args.findIndex((a) => a.type.dtype !== "bool");
      if (arg >= 0)
        throw new OpError(
          `\`${op.name}\` takes bools, not ${args[arg]!.type.weak ? "numbers" : args[arg]!.type.dtype}`,
          {
            code: "dtype",
            arg,
            help: "compare first: `x != 0`",
          },
        );
      return dtype;
    }
  }
}
/** What to do with bools where numbers are wanted. */
export const BOOL_HELP = "combine bools with `and`, `or`, `not`, or count them with `astype(…, int32)`";
const requireBool = (condition: Node): Node => {
  if (condition.type.dtype !== "bool")
    throw new OpError(
      `the condition of where must be bool, not ${condition.type.weak ? "a number" : condition.type.dtype}`,
      {
        code: "dtype",
        arg: 0,
        help: "compare first: `x != 0`",
      },
    );
  return condition;
};

/** A function that applies one op. */
export type Pointwise<Xs extends Operand[] = Operand[]> = ((...operands: Xs) => Node) & { readonly op: PointwiseOp };
export type Unary = Pointwise<[x: Operand]>;
export type Binary = Pointwise<[x: Operand, y: Operand]>;
type Ternary = Pointwise<[x: Operand, y: Operand, z: Operand]>;

const applied = <Xs extends Operand[]>(op: PointwiseOp): Pointwise<Xs> =>
  Object.assign((...operands: Xs) => applyPointwise(op, operands), { op });
export const unary = (name: string, row: Row): Unary => applied(pointwiseOp(name, 1, row));
export const binary = (name: string, row: Row): Binary => applied(pointwiseOp(name, 2, row));
const ternary = (name: string, row: Row): Ternary => applied(pointwiseOp(name, 3, row));

// Arithmetic.
export const add = binary("add", {
  symbol: "+",
  operands: "numeric",
  scalar: of(f.add),
  exact: (x, y) => x + y,
  grad: ({ ct }) => [ct, ct],
});
export const sub = binary("sub", {
  symbol: "-",
  operands: "numeric",
  scalar: of(f.sub),
  exact: (x, y) => x - y,
  grad: ({ ct }) => [ct, neg(ct)],
});
export const mul = binary("mul", {
  symbol: "*",
  operands: "numeric",
  scalar: of(f.mul),
  exact: (x, y) => x * y,
  grad: ({ args: [x, y], ct }) => [scale(ct, y!), scale(ct, x!)],
});
export const div = binary("div", {
  symbol: "/",
  scalar: of(f.div),
  grad: ({ args: [, y], out, ct }) => [over(ct, y!), neg(scale(ct, div(out, y!)))],
});
export const floor_divide = binary("floor_divide", {
  symbol: "//",
  operands: "numeric",
  scalar: of(arithmetic.floorDivide),
  exact: exact.floorDivide,
  integerGuard: "divisor",
  display: "FloorDiv",
});
export const remainder = binary("remainder", {
  symbol: "%",
  operands: "numeric",
  scalar: of(arithmetic.remainder),
  exact: exact.remainder,
  integerGuard: "divisor",
  display: "FloorMod",
  grad: ({ args: [x, y], ct }) => [ct, neg(scale(ct, floor_divide(x!, y!)))],
});
export const neg = unary("neg", {
  symbol: "-",
  operands: "numeric",
  scalar: of(f.neg),
  exact: (x) => -x,
  grad: ({ ct }) => [neg(ct)],
});
export const square = unary("square", {
  operands: "numeric",
  scalar: ([x]) => f.mul(x!, x!),
  exact: (x) => x * x,
  grad: ({ args: [x], ct }) => [scale(ct, mul(2, x!))],
});

/** (1 - x)(1 + x): 1 - x² without the cancellation near ±1, and, by the rule for its derivative, without that of -2x near 0. */
export const oneMinusSquare = unary("one_minus_square", {
  scalar: ([x]) => f.mul(f.sub(1, x!), f.add(1, x!)),
  scalar32: ([x]) => f.mul(f.fround(f.sub(1, x!)), f.fround(f.add(1, x!))),
  grad: ({ args: [x], ct }) => [scale(ct, mul(-2, x!))],
  display: "Mul",
});

/**
 * ct · d, but 0 where the cotangent ct is 0: no 0 · inf. In its derivative with respect to d two cotangents meet, and either
 * being 0 makes 0.
 */
export const scale = binary("zero_mul", {
  operands: "numeric",
  scalar: ([ct, d]) => f.select(f.eq(ct!, 0), 0, f.mul(ct!, d!)),
  display: "Mul",
  grad: ({ args: [ct, d], ct: g }) => [scale(g, d!), scaleBoth(g, ct!)],
});
/** x · y, but 0 where either is 0. */
const scaleBoth: Binary = binary("zero_mul_both", {
  operands: "numeric",
  scalar: ([x, y]) => f.select(f.or(f.eq(x!, 0), f.eq(y!, 0)), 0, f.mul(x!, y!)),
  display: "Mul",
  grad: ({ args: [x, y], ct: g }) => [scaleBoth(g, y!), scaleBoth(g, x!)],
});
/** ct / d, but 0 where ct is 0. */
export const over = binary("zero_div", {
  scalar: ([ct, d]) => f.select(f.eq(ct!, 0), 0, f.div(ct!, d!)),
  grad: ({ args: [, d], out, ct: g }) => [over(g, d!), neg(scaleBoth(g, over(out, d!)))],
});

// Selection and comparison.
export const where = ternary("where", {
  operands: "any",
  condition: true,
  scalar: of(f.select),
  grad: ({ args: [c], ct }) => [null, where(c!, ct, 0), where(c!, 0, ct)],
});
const comparison = (
  name: string,
  symbol: BinaryOperator,
  operands: Operands,
  form: Parameters<typeof of>[0],
  exact: (x: bigint, y: bigint) => boolean,
): Binary => binary(name, { symbol, operands, result: "bool", scalar: of(form), exact });
export const eq = comparison("equal", "==", "any", f.eq, (x, y) => x === y);
export const ne = comparison("not_equal", "!=", "any", f.ne, (x, y) => x !== y);
export const lt = comparison("less", "<", "numeric", f.lt, (x, y) => x < y);
export const le = comparison("less_equal", "<=", "numeric", f.le, (x, y) => x <= y);
export const gt = comparison("greater", ">", "numeric", f.gt, (x, y) => x > y);
export const ge = comparison("greater_equal", ">=", "numeric", f.ge, (x, y) => x >= y);
export const and = binary("and", { symbol: "and", operands: "logical", scalar: of(f.and), display: "LogicalAnd" });
export const or = binary("or", { symbol: "or", operands: "logical", scalar: of(f.or), display: "LogicalOr" });
export const not = unary("not", { symbol: "not", operands: "logical", scalar: of(f.not), display: "LogicalNot" });

/** Half of the cotangent to each side of a tie. */
const larger = (x: Node, y: Node, ct: Node): Node => where(gt(x, y), ct, where(eq(x, y), mul(ct, 0.5), 0));
const formMaximum = (x: f.Form, y: f.Form) => (x.type === "bool" ? f.or(x, y) : f.max(x, y));
const formMinimum = (x: f.Form, y: f.Form) => (x.type === "bool" ? f.and(x, y) : f.min(x, y));
export const maximum = binary("maximum", {
  operands: "any",
  scalar: of(formMaximum),
  exact: exact.maximum,
  grad: ({ args: [x, y], ct }) => [larger(x!, y!, ct), larger(y!, x!, ct)],
});
export const minimum = binary("minimum", {
  operands: "any",
  scalar: of(formMinimum),
  exact: exact.minimum,
  grad: ({ args: [x, y], ct }) => [larger(y!, x!, ct), larger(x!, y!, ct)],
});
/** min(max(x, lo), hi): hi where lo > hi. The cotangent goes to x at its bounds. */
export const clip = ternary("clip", {
  operands: "numeric",
  scalar: ([x, lo, hi]) => f.min(f.max(x!, lo!), hi!),
  exact: (x, lo, hi) => exact.minimum(exact.maximum(x, lo), hi),
  display: "ClipByValue",
  domain: [
    [-2, 2],
    [-1.5, -0.5],
    [0.5, 1.5],
  ],
  grad: ({ args: [x, lo, hi], ct }) => {
    const raised = maximum(x!, lo!);
    const cut = gt(raised, hi!);
    const low = and(lt(x!, lo!), not(cut));
    return [where(or(low, cut), 0, ct), where(low, ct, 0), where(cut, ct, 0)];
  },
});

/** Rounds floats; ints are integral already. */
const rounding = (name: string, form: Parameters<typeof of>[0]): Unary => {
  const float = unary(name, { scalar: of(form) });
  return Object.assign((x: Operand) => (typeof x !== "number" && isInt(x.type.dtype) ? x : float(x)), { op: float.op });
};
export const floor = rounding("floor", f.floor);
export const ceil = rounding("ceil", f.ceil);
export const trunc = rounding("trunc", f.trunc);
export const round = rounding("round", arithmetic.roundHalfEven);
export const abs = unary("abs", {
  operands: "numeric",
  scalar: of(f.abs),
  exact: (x) => (x < 0n ? -x : x),
  grad: ({ args: [x], ct }) => [scale(ct, sign(x!))],
});
export const sign = unary("sign", {
  operands: "numeric",
  scalar: of(arithmetic.sign),
  exact: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
});
export const copysign = binary("copysign", {
  scalar: of(f.copysign),
  grad: ({ args: [x, y], ct }) => [mul(ct, mul(copysign(1, x!), copysign(1, y!))), null],
});

const test = (name: string, form: Parameters<typeof of>[0], display: string): Unary =>
  unary(name, { result: "bool", scalar: of(form), display });
export const isnan = test("isnan", f.isnan, "IsNan");
export const isinf = test("isinf", arithmetic.isinf, "IsInf");
export const isfinite = test("isfinite", arithmetic.isfinite, "IsFinite");
