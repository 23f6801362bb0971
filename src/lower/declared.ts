/** Declarations: what dims and dtypes written behind a name ask of a value, or make of an input. */
import type { Declared, DimExpr } from "../../grammar/ast.ts";
import { ParameterError } from "../graph/node.ts";
import { cast } from "../ops/promote.ts";
import type { Span } from "../source.ts";
import { addDims, type Dim, mulDims, showRank, subDims } from "../tensor/dim.ts";
import type { Context } from "./context.ts";
import type { Scope } from "./scope.ts";
import { aboutOperand, type Operand } from "./site.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

const OPERATORS = { "+": addDims, "-": subDims, "*": mulDims } as const;

/** A declared dim's size; undefined for `?`, and for names that `onNew` does not settle. */
export function evaluateDim(
  e: DimExpr,
  scope: Scope,
  onNew: (name: string, span: Span) => Dim | undefined,
): Dim | undefined {
  switch (e.kind) {
    case "unknown":
      return undefined;
    case "number":
      return e.value;
    case "name":
      return scope.dim(e.name)?.dim ?? onNew(e.name, e.span);
    case "binary": {
      const [left, right] = [evaluateDim(e.left, scope, onNew), evaluateDim(e.right, scope, onNew)];
      return left === undefined || right === undefined ? undefined : OPERATORS[e.op](left, right);
    }
  }
}

/**
 * Checks a value against `name[dims]: dtype`: dims assert sizes (a new name takes the size it meets), a dtype asserts
 * the dtype and gives it to a weak value. Gives the value as declared.
 */
export function checkDeclared(
  declared: Declared,
  given: Operand,
  what: "parameter" | "binding",
  scope: Scope,
  context: Context,
): Value {
  const { value } = given;
  if (!declared.dims && !declared.dtype) return value;
  const checked = value.kind === "tensor" ? checkTensor(declared, value, given, what, scope, context) : value;
  if (checked.kind === "poison")
    for (const d of declared.dims ?? []) if (d.kind === "name" && !scope.dim(d.name)) scope.missing.add(d.name);
  if (checked.kind === "poison" || checked.kind === "tensor") return checked;
  return context.mistake(given.span, `${what} \`${declared.name}\` is declared as a tensor, and this is none`);
}

function checkTensor(
  declared: Declared,
  value: Extract<Value, { kind: "tensor" }>,
  given: Operand,
  what: "parameter" | "binding",
  scope: Scope,
  context: Context,
): Value {
  return context.at(declared.span, [given], () => {
    const typed = withDType(declared, value, given, context);
    if (typed.kind !== "tensor" || !declared.dims) return typed;
    const { shape } = typed.node.type;
    if (shape.length !== declared.dims.length)
      throw new ParameterError(
        declared.name,
        `is declared with ${showRank(declared.dims.length)}, but its value has ${showRank(shape.length)}`,
        { code: "shape" },
      );
    const met = declared.dims.map((e, axis) =>
      context.at(e.span, [given], () => {
        const wanted = declaredSize(e, shape[axis]!, what, scope, context);
        if (wanted !== undefined)
          context.graph.require(shape[axis]!, "=", wanted, `sizes along axis ${axis} of \`${declared.name}\``);
        return typed;
      }),
    );
    return met.includes(POISON) ? POISON : typed;
  });
}

/** The size that a dim of a target or parameter asserts. A plain new name stands for the size that is there. */
function declaredSize(
  e: DimExpr,
  actual: Dim,
  what: "parameter" | "binding",
  scope: Scope,
  context: Context,
): Dim | undefined {
  const own = what === "parameter" && e.kind === "name" && !scope.dims.has(e.name); // parameters' dims belong to the call
  if (e.kind === "name" && (own || !scope.dim(e.name))) {
    scope.dims.set(e.name, { dim: actual, span: e.span });
    return undefined;
  }
  return evaluateDim(e, scope, (name, span) => {
    reportUnknownDim(name, span, scope, context);
    return undefined;
  });
}

export function reportUnknownDim(name: string, span: Span, scope: Scope, context: Context): void {
  if (scope.isToldMissing(name)) return;
  const near = context.nearest(name, [...scope.dims.keys(), ...(scope.outer?.dims.keys() ?? [])]);
  context.mistake(span, `the size \`${name}\` is not known from anywhere`, {
    code: "unknown-dim",
    help: near
      ? `did you mean \`${near}\`?`
      : `arithmetic on a size does not tell it: some input must have it as a dim of its own, \`input x[${name}]\``,
  });
}

function withDType(
  { dtype, name }: Declared,
  value: Extract<Value, { kind: "tensor" }>,
  given: Operand,
  context: Context,
): Value {
  if (!dtype) return value;
  const { type } = value.node;
  const isNumber = type.weak && type.dtype !== "bool";
  if (type.weak && !(isNumber && dtype.dtype === "bool")) return tensorValue(cast(value.node, dtype.dtype, 0));
  if (type.dtype === dtype.dtype) return value;
  const found = isNumber ? "a number" : type.dtype;
  context.mistake(dtype.span, `\`${name}\` is declared ${dtype.dtype}, but its value is ${found}`, {
    code: "dtype",
    labels: [{ span: given.span, text: found }],
    help: aboutOperand(`a declaration converts nothing: write \`astype(…, ${dtype.dtype})\``, given),
  });
  return POISON;
}
