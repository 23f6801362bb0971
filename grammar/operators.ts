/** How tightly operators bind, as one table for the parser and the formatter, and the tree that follows from it. */
import { fail, type Span, textOf } from "../src/source.ts";
import type { BinaryOperator, Expr, UnaryOperator } from "./ast.ts";

const COMPARISON = 4;
export const BINARY: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  "==": COMPARISON,
  "!=": COMPARISON,
  "<": COMPARISON,
  "<=": COMPARISON,
  ">": COMPARISON,
  ">=": COMPARISON,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "//": 6,
  "%": 6,
  "@": 6,
  "**": 8,
};
export const UNARY: Readonly<Record<UnaryOperator, number>> = { not: 3, "-": 7, "+": 7 };
/** Calls, indices, `.T` and what needs no parentheses at all. */
export const POSTFIX = 9;

/** The least precedence that an operand may have without parentheses. */
export const operandPrecedence = (op: BinaryOperator): { left: number; right: number } => ({
  left: op === "**" ? POSTFIX : BINARY[op] === COMPARISON ? COMPARISON + 1 : BINARY[op],
  right: op === "**" ? UNARY["-"] : BINARY[op] + 1,
});

/** An operator as it was written, before or between operands. */
export type OperatorSign =
  | { readonly kind: "prefix"; readonly op: UnaryOperator; readonly span: Span }
  | { readonly kind: "infix"; readonly op: BinaryOperator; readonly span: Span };

const precedenceOf = (sign: OperatorSign): number => (sign.kind === "prefix" ? UNARY[sign.op] : BINARY[sign.op]);

/**
 * The tree of `{ prefix } operand { infix { prefix } operand }`, by two stacks (Dijkstra's shunting yard), so that a long
 * chain of operators needs no recursion.
 * @throws TsymError where comparisons chain, or `not` stands to the right of an operator that binds tighter
 */
export function buildTree(flat: readonly (OperatorSign | Expr)[]): Expr {
  const operands: Expr[] = [];
  const pending: OperatorSign[] = [];
  /** Comparisons whose left operand is a comparison without parentheses. */
  const chained = new Set<OperatorSign>();

  function reduce(): void {
    const sign = pending.pop()!;
    const right = operands.pop()!;
    if (sign.kind === "prefix") {
      const span = { ...sign.span, end: right.span.end };
      operands.push({ kind: "unary", op: sign.op, arg: right, opSpan: sign.span, span });
      return;
    }
    const left = operands.pop()!;
    const span = { ...left.span, end: right.span.end };
    if (chained.has(sign) && left.kind === "binary") failChained(left, sign, right);
    operands.push({ kind: "binary", op: sign.op, left, right, opSpan: sign.span, span });
  }

  for (const item of flat) {
    const last = pending.at(-1);
    if (item.kind === "prefix") {
      if (last && item.op === "not" && precedenceOf(last) > UNARY.not) failNot(last, item);
      pending.push(item);
    } else if (item.kind === "infix") {
      // `**` waits for what stands to its right, all others take what stands to their left.
      const floor = item.op === "**" ? BINARY["**"] + 1 : BINARY[item.op];
      for (let top = last; top && precedenceOf(top) >= floor; top = pending.at(-1)) {
        if (precedenceOf(top) === COMPARISON && floor === COMPARISON) chained.add(item);
        reduce();
      }
      pending.push(item);
    } else operands.push(item);
  }
  while (pending.length > 0) reduce();
  return operands[0]!;
}

function failChained(left: Extract<Expr, { kind: "binary" }>, sign: OperatorSign, right: Expr): never {
  const middle = textOf(left.right.span);
  return fail("chained-comparison", "comparisons do not chain", {
    labels: [
      { span: sign.span, text: "" },
      { span: left.opSpan, text: "" },
    ],
    help: `write \`${textOf(left.span)} and ${middle} ${sign.op} ${textOf(right.span)}\``,
  });
}

function failNot(before: OperatorSign, not: OperatorSign): never {
  return fail("syntax", `\`not\` binds looser than \`${before.op}\``, {
    labels: [{ span: not.span, text: "" }],
    help: `put parentheses around it: \`${before.op} (not …)\``,
  });
}
