/** Places in a program that nodes and conditions come from, and how messages show them. Knows no engine and no data. */
import { type Label, type Span, textOf } from "../source.ts";
import { showShape } from "../tensor/dim.ts";
import type { Value } from "./value.ts";

/** Where in the source a node or a condition was made. */
export interface Site {
  readonly span: Span;
  /** The tensors that met there, as written. */
  readonly operands: readonly Operand[];
  /** The calls of the program's fns that led there, outermost first. */
  readonly calls: readonly Span[];
  /** Made by a derivative: shown as `gradients/…`. */
  readonly derivative: boolean;
}

export interface Operand {
  readonly span: Span;
  readonly value: Value;
  /** The parameter that it is the argument of. */
  readonly param?: string;
}

/** A place in a program: what stands `here`, what stands beside it, and the calls that led there, innermost first. */
export const placeLabels = (
  { span, calls }: Pick<Site, "span" | "calls">,
  {
    here = "",
    beside = [],
  }: { readonly here?: string | undefined; readonly beside?: readonly Label[] | undefined } = {},
): Label[] => [
  { span, text: here },
  ...beside,
  ...calls.toReversed().map((call) => ({ span: call, text: "in this call" })),
];

/** An operand's declared shape; numbers speak for themselves, unless they are what is wrong. */
export function shapeLabel({ span, value }: Operand, isGuilty = false): Label | undefined {
  if (value.kind !== "tensor") return undefined;
  const { shape, weak } = value.node.type;
  if (weak && shape.length === 0 && !isGuilty) return undefined;
  return { span, text: shape.length === 0 ? "a scalar" : `shape ${showShape(shape)}` };
}

/** Longer operands would not read well inside a sentence. */
const LONGEST = 30;

/** `help` with the operand in the place of `…`: "`astype(…, float32)`" as "`astype(x, float32)`". */
export function aboutOperand(help: string | undefined, operand: Operand | undefined): string | undefined {
  const text = operand && textOf(operand.span);
  if (!text || text.length > LONGEST || text.includes("\n")) return help;
  // What an index may follow without parentheses: a name, a call, something in parentheses. (Made here, as Unicode's classes take long.)
  const isPrimary = /^([\p{L}\w]+(\(.*\))?|\(([^()]|\([^()]*\))*\))$/u.test(text);
  const indexed = isPrimary ? text : `(${text})`;
  return help?.replaceAll("…[", () => `${indexed}[`).replaceAll("…", () => text);
}
