/** Bindings: values get their names, each name once. */
import type { Declared, Expr, Name } from "../../grammar/ast.ts";
import { mark } from "../ops/identity.ts";
import type { Context } from "./context.ts";
import { checkDeclared } from "./declared.ts";
import { evaluate, requireTensor } from "./expression.ts";
import type { Scope } from "./scope.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

/** A tensor of its own to derivatives, where some `wrt` mentions its name. */
export function markWanted(name: string, value: Value, context: Context): Value {
  return value.kind === "tensor" && context.wrtNames.has(name) ? tensorValue(mark(value.node)) : value;
}

/** Whether a name is taken already, by a value or a dim; reported if so. */
export function isTaken({ name, span, dims }: Name & Pick<Declared, "dims">, scope: Scope, context: Context): boolean {
  const value = scope.names.get(name);
  const earlier = value ?? scope.dim(name);
  if (!earlier) return false;
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
    if (isTaken(target, scope, context)) continue;
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
