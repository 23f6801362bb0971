/** A program's inputs: what they are declared as, their defaults, and what need not be fed. */
import type { Declared, DimExpr, Expr, Statement } from "../../grammar/ast.ts";
import { ancestors, type Graph, type Node } from "../graph/node.ts";
import { input } from "../ops/leaf.ts";
import { broadcastTo } from "../ops/movement.ts";
import { cast } from "../ops/promote.ts";
import type { Span } from "../source.ts";
import { type Condition, describeCondition } from "../tensor/conditions.ts";
import { asSymbol, type Dim, sameDim, symbolDim } from "../tensor/dim.ts";
import { type DType, isFloat, promote } from "../tensor/dtype.ts";
import { isTaken } from "./binding.ts";
import type { Context } from "./context.ts";
import { evaluateDim, reportUnknownDim } from "./declared.ts";
import { evaluate, requireTensor } from "./expression.ts";
import type { NamedTensor } from "./outputs.ts";
import type { Scope } from "./scope.ts";
import { aboutOperand } from "./site.ts";
import { tensorValue, type Value } from "./value.ts";

export interface InputTensor {
  readonly name: string;
  readonly node: Node;
  readonly span: Span;
  /** What stands when nothing is fed, of the input's type. */
  readonly default: Node | undefined;
  /** What sizes must satisfy then. */
  readonly needs: readonly Condition[];
}

/** A condition on sizes, and the input of whose default it is, if it is one's: it holds unless that is fed. */
export interface Need {
  readonly condition: Condition;
  readonly unlessFed?: string;
}

/** `n = 3`, `n = 3 unless x is fed` */
export const describeNeed = ({ condition, unlessFed }: Need): string =>
  `${describeCondition(condition)}${unlessFed === undefined ? "" : ` unless ${unlessFed} is fed`}`;

/** All conditions of a program. */
export const needsOf = (graph: Graph, inputs: readonly InputTensor[]): Need[] => [
  ...graph.conditions.list.map((condition) => ({ condition })),
  ...inputs.flatMap(({ name, needs }) => needs.map((condition) => ({ condition, unlessFed: name }))),
];

/** The named dims of all inputs come first: they mean the same size everywhere in the program. */
export function declareDims(statements: readonly Statement[], scope: Scope): void {
  const inputs = statements.flatMap((s) => (s.kind === "input" ? s.inputs : []));
  for (const { dims } of inputs)
    for (const d of dims ?? [])
      if (d.kind === "name" && !scope.dims.has(d.name))
        scope.dims.set(d.name, { dim: symbolDim(d.name), span: d.span });
}

/** Declares an input: its node, and its default; undefined, with the mistake reported, where its name is taken. */
export function declareInput(declared: Declared, scope: Scope, context: Context): InputTensor | undefined {
  const { name, span } = declared;
  if (isTaken({ name, span }, scope, context)) return undefined;
  const shape = (declared.dims ?? []).map((d, axis) => inputDim(d, `axis ${axis} of ${name}`, scope, context));
  const dtype = declared.dtype?.dtype ?? context.graph.defaultFloat;
  const value = context.nested(span, () => tensorValue(input(context.graph, name, { dtype, shape, weak: false })));
  // the default comes first: it cannot mean the input itself
  const { default: given, needs } = withDefault(declared, value, scope, context);
  scope.names.set(name, { value, span, what: "input", used: false });
  if (value.kind !== "tensor") return undefined;
  const { node } = value;
  return { name, node, span, default: given, needs };
}

function inputDim(e: DimExpr, place: string, scope: Scope, context: Context): Dim {
  const size = evaluateDim(e, scope, (name, span) => {
    reportUnknownDim(name, span, scope, context);
    return undefined;
  });
  return size ?? symbolDim("?", `?${context.graph.nodes.length} ${e.span.start}`, place);
}

/** An input's default, and what sizes must satisfy where it stands. */
function withDefault(
  declared: Declared,
  value: Value,
  scope: Scope,
  context: Context,
): Pick<InputTensor, "default" | "needs"> {
  const { default: written } = declared;
  let given: Node | undefined;
  if (!written || value.kind !== "tensor") return { default: given, needs: [] };
  const needs = context.graph.apart(() => {
    given = lowerDefault(declared, written, value.node, scope, context);
  });
  return { default: given, needs };
}

/** A default is converted within kind, as data is, and stretched to the shape. */
function lowerDefault(declared: Declared, e: Expr, node: Node, scope: Scope, context: Context): Node | undefined {
  const value = requireTensor(evaluate(e, scope, context), e.span, context);
  if (value.kind !== "tensor") return undefined;
  const { dtype, shape } = node.type;
  const from = value.node.type.dtype;
  const isNumber = value.node.type.weak && from !== "bool";
  const fits = promote(from, dtype) === dtype || (isFloat(from) && isFloat(dtype)) || (isNumber && dtype !== "bool");
  if (!fits) {
    const found = isNumber ? "a number" : from;
    context.mistake(e.span, `the default of \`${declared.name}\` is ${found}, which does not convert to ${dtype}`, {
      code: "dtype",
      help: aboutOperand(`write \`astype(…, ${dtype})\``, { span: e.span, value }),
    });
    return undefined;
  }
  const made = context.at(e.span, [{ span: e.span, value }], () =>
    tensorValue(broadcastTo(cast(value.node, dtype, 0), shape)),
  );
  return made.kind === "tensor" ? made.node : undefined;
}

/** An input that the program only mentions: its type is that of the data. `nowhere` is an empty place. */
export function declareUndeclared(
  name: string,
  type: { readonly dtype: DType; readonly shape: readonly number[] },
  nowhere: Span,
  scope: Scope,
  context: Context,
): InputTensor | undefined {
  const value = context.nested(nowhere, () => tensorValue(input(context.graph, name, { ...type, weak: false })));
  scope.names.set(name, { value, span: nowhere, what: "input", used: false });
  if (value.kind !== "tensor") return undefined;
  return { name, node: value.node, span: nowhere, default: undefined, needs: [] };
}

/** Names that are fed without a declaration and stand nowhere in the program: misspelt, most likely. Only of a program without errors. */
export function warnUnmentioned(undeclared: Iterable<string>, scope: Scope, context: Context): void {
  for (const name of undeclared)
    if (scope.names.get(name)?.used === false)
      context.report({
        severity: "warning",
        code: "unmentioned-feed",
        message: `\`${name}\` is fed, but the program does not mention it`,
        labels: [],
      });
}

/** Only of a program without errors: one that is cut short needs less. */
export function warnUnusedInputs(
  inputs: readonly InputTensor[],
  outputs: readonly NamedTensor[],
  context: Context,
): void {
  const needed = new Set(ancestors(outputs.map((o) => o.node)));
  const isWritten = ({ start, end }: Span) => end > start;
  const givesSize = ({ node }: InputTensor) =>
    node.type.shape.some(
      (d) =>
        asSymbol(d) &&
        inputs.every((i) => i.node === node || !i.node.type.shape.some((other) => sameDim(d, other))) &&
        !asSymbol(d)!.key.startsWith("?"),
    );
  for (const declared of inputs) {
    const { name, node, span } = declared;
    if (needed.has(node) || !isWritten(span) || givesSize(declared)) continue;
    if (context.wrtNames.has(name)) continue; // said already: its gradient is zeros
    context.warn(span, "unused-input", `no output needs input \`${name}\`: it need not be fed`);
  }
}
