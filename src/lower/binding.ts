/** Bindings: values get their names, each name once. */
import type { Declared, DimExpr, Expr, Name } from "../../grammar/ast.ts";
import { mark } from "../ops/identity.ts";
import { textOf } from "../source.ts";
import type { Context } from "./context.ts";
import { checkDeclared } from "./declared.ts";
import { evaluate, requireTensor } from "./expression.ts";
import type { Scope } from "./scope.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

/** A tensor of its own to derivatives, where some `wrt` mentions its name. */
export function markWanted(name: string, value: Value, context: Context): Value {
  return value.kind === "tensor" && context.wrtNames.has(name) ? tensorValue(mark(value.node)) : value;
}

/** Whether a name is taken already, by a value or a dim; reported if so. `given` is what it would be bound to, as written. */
export function isTaken(
  { name, span, dims }: Name & Pick<Declared, "dims">,
  scope: Scope,
  context: Context,
  given = "…",
): boolean {
  const value = scope.names.get(name);
  const earlier = value ?? scope.dim(name);
  if (!earlier) return false;
  if (value && dims && !assertsShapeOf(dims, value.value)) {
    context.mistake(span, `a part of \`${name}\` cannot be assigned: tensors do not change`, {
      code: "bound-twice",
      labels: [{ span: earlier.span, text: FIRST[value.what] }],
      help: changedCopy(name, dims, value.value, given) ?? "`where` and `scatter_add` make a changed tensor",
    });
    return true;
  }
  context.mistake(span, `\`${name}\` is ${value ? "bound twice" : "a dim already"}`, {
    code: "bound-twice",
    here: value ? "again here" : "",
    labels: [{ span: earlier.span, text: value ? FIRST[value.what] : "declared here" }],
    help:
      dims && value
        ? "tensors do not change: `where` and `scatter_add` make a changed one"
        : "a name is bound once: take another",
  });
  return true;
}
/** Whether `name[dims] = …` reads as the shape of the value that has the name, not as a place in it. */
const assertsShapeOf = (dims: readonly DimExpr[], value: Value): boolean =>
  value.kind !== "tensor" || dims.every((d, i) => d.kind !== "number" || d.value === value.node.type.shape[i]);

/** What to write for `v[2] = given`, where v is a vector. */
function changedCopy(name: string, dims: readonly DimExpr[], value: Value, given: string): string | undefined {
  const [place] = dims;
  const isElement = dims.length === 1 && place?.kind === "number";
  if (!isElement || value.kind !== "tensor" || value.node.type.shape.length !== 1) return undefined;
  return `a changed tensor has a name of its own: \`b = where(arange(size(${name})) == ${place.value}, ${given}, ${name})\``;
}
const FIRST = {
  input: "an input here first",
  binding: "bound here first",
  parameter: "a parameter here first",
} as const;

/** `target, target = value` */
export function bindTargets(targets: readonly Declared[], expr: Expr, scope: Scope, context: Context): void {
  const value = evaluate(expr, scope, context);
  const whole = value.kind === "many" ? value : requireTensor(value, expr.span, context);
  const parts = spread(whole, targets.length, expr, context);
  for (const [i, target] of targets.entries()) {
    if (isTaken(target, scope, context, textOf(expr.span))) continue;
    const checked = checkDeclared(target, { span: expr.span, value: parts[i]! }, "binding", scope, context);
    const isAlias = expr.kind === "name"; // one tensor with two names
    const bound = isAlias ? checked : markWanted(target.name, checked, context);
    scope.names.set(target.name, { value: bound, span: target.span, what: "binding", used: false });
  }
}

/** One value for each target. */
function spread(value: Value, wanted: number, expr: Expr, context: Context): Value[] {
  const nodes = value.kind === "many" ? value.nodes.map(tensorValue) : [value];
  if (value.kind === "poison" || nodes.length === wanted)
    return Array.from({ length: wanted }, (_, i) => nodes[i] ?? POISON);
  const help =
    nodes.length === 1
      ? "one name is enough"
      : `write \`${Array.from({ length: nodes.length }, (_, i) => "abcdefgh"[i] ?? `v${i}`).join(", ")} = …\``;
  context.mistake(
    expr.span,
    `this gives ${nodes.length === 1 ? "one value" : `${nodes.length} values`}, for ${wanted === 1 ? "one name" : `${wanted} names`}`,
    { code: "targets", help },
  );
  return Array.from({ length: wanted }, () => POISON);
}
