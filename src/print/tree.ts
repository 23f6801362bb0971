/** Makes trees of the language for text that nobody wrote: every span in them is empty. Knows no node. */
import type { BinaryOperator, Expr, IndexItem, UnaryOperator } from "../../grammar/ast.ts";
import { NOWHERE } from "../ops/trees.ts";
import { type Dim, type DimSymbol, isKnown, showDim } from "../tensor/dim.ts";

export const name = (text: string): Expr => ({ kind: "name", name: text, span: NOWHERE });
export const bool = (value: boolean): Expr => ({ kind: "bool", value, span: NOWHERE });
export const string = (value: string): Expr => ({ kind: "string", value, span: NOWHERE });
export const list = (items: readonly Expr[]): Expr => ({ kind: "list", items, span: NOWHERE });
export const unary = (op: UnaryOperator, arg: Expr): Expr => ({
  kind: "unary",
  op,
  arg,
  opSpan: NOWHERE,
  span: NOWHERE,
});
export const binary = (op: BinaryOperator, left: Expr, right: Expr): Expr => ({
  kind: "binary",
  op,
  left,
  right,
  opSpan: NOWHERE,
  span: NOWHERE,
});

/** `callee(args, name=value)`; named arguments that are undefined are left out. */
export const call = (
  callee: string,
  args: readonly Expr[],
  named: Readonly<Record<string, Expr | undefined>> = {},
): Expr => ({
  kind: "call",
  callee: { name: callee, span: NOWHERE },
  args: [
    ...args.map((value) => ({ value })),
    ...Object.entries(named).flatMap(([key, value]) => (value ? [{ name: { name: key, span: NOWHERE }, value }] : [])),
  ],
  span: NOWHERE,
});

export const index = (base: Expr, items: readonly IndexItem[]): Expr => ({ kind: "index", base, items, span: NOWHERE });

/** `x.T`, or `x.mT` of a stack of matrices; of a transposed one what it is the transpose of. */
export const transposed = (base: Expr, matrix: boolean): Expr =>
  base.kind === "transpose" ? base.base : { kind: "transpose", base, matrix, span: NOWHERE };

/** An int, with its sign. */
export const int = (value: number | bigint): Expr =>
  value < 0
    ? unary("-", { kind: "number", value: -BigInt(value), span: NOWHERE })
    : { kind: "number", value: BigInt(value), span: NOWHERE };
export const ints = (values: readonly number[]): Expr => list(values.map(int));
/** One as itself, more as a list. */
export const intOrInts = (values: readonly number[]): Expr => (values.length === 1 ? int(values[0]!) : ints(values));

/** A float, with its sign; where `pointed` is false, one that is integral is written as an int. */
export function float(value: number, { pointed }: { pointed: boolean }): Expr {
  if (Number.isNaN(value)) return name("nan");
  if (value < 0 || Object.is(value, -0)) return unary("-", float(-value, { pointed: pointed || value === 0 }));
  if (value === Number.POSITIVE_INFINITY) return name("inf");
  return !pointed && Number.isSafeInteger(value) ? int(value) : { kind: "number", value, span: NOWHERE };
}

/** A size as shapes and indices hold it. */
export const dim = (d: Dim): Expr => (isKnown(d) ? int(d) : (polynomial(d) ?? name(showSize(d))));
export const dims = (shape: readonly Dim[]): Expr => list(shape.map(dim));
/** A size among operators. */
export const dimOperand = (d: Dim): Expr => (isKnown(d) ? int(d) : (polynomial(d) ?? name(`(${showSize(d)})`)));

/** In programs `max` and `min` are reductions. */
const showSize = (d: Dim): string => showDim(d).replace(/\b(max|min)\(/g, "$1imum(");

/** Sums of products of symbols; undefined where a size holds more. */
function polynomial({ terms }: Exclude<Dim, number>): Expr | undefined {
  if (!terms.every((t) => t.atoms.every((a) => a.kind === "symbol" && a.label !== "?"))) return undefined;
  const products = terms.map(({ coefficient, atoms }) => {
    const size = Math.abs(coefficient);
    const factors = atoms.map((a) => name((a as DimSymbol).label));
    return {
      isMinus: coefficient < 0,
      product: (size === 1 && atoms.length > 0 ? factors : [int(size), ...factors]).reduce((x, y) => binary("*", x, y)),
    };
  });
  const [first, ...rest] = products;
  const start = first!.isMinus ? unary("-", first!.product) : first!.product;
  return rest.reduce((sum, { isMinus, product }) => binary(isMinus ? "-" : "+", sum, product), start);
}
