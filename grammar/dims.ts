/** A declared dim is read as an expression; here it becomes a dim, or an error where it is more than sums and products. */
import { fail, TsymError } from "../src/source.ts";
import type { DimExpr, Expr } from "./ast.ts";
import { MAX_NESTING } from "./brackets.ts";
import { reservedName } from "./mistakes.ts";
import { isReservedName } from "./tokens.ts";

/**
 * The dim that an expression says.
 * @throws TsymError at the part that is no sum or product of integers and names, or at a name that is reserved
 */
export function toDim(expr: Expr, depth = 0): DimExpr {
  const { span } = expr;
  if (depth > MAX_NESTING) {
    fail("nesting", "this dim has too many terms", { labels: [{ span, text: "" }], help: "declare it as a name" });
  }
  if (expr.kind === "name" && isReservedName(expr.name)) throw new TsymError([reservedName(expr.name, span)]);
  if (expr.kind === "name") return { kind: "name", name: expr.name, span };
  if (expr.kind === "number" && typeof expr.value === "bigint" && expr.value <= Number.MAX_SAFE_INTEGER) {
    return { kind: "number", value: Number(expr.value), span };
  }
  if (expr.kind === "binary" && (expr.op === "+" || expr.op === "-" || expr.op === "*")) {
    return {
      kind: "binary",
      op: expr.op,
      left: toDim(expr.left, depth + 1),
      right: toDim(expr.right, depth + 1),
      span,
    };
  }
  return fail("syntax", "expected a dim: `?`, or sums and products of integers and names", {
    labels: [{ span, text: "" }],
    help: "other arithmetic belongs in an expression, such as an argument of `reshape`",
  });
}
