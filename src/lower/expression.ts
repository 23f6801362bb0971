/** Expressions to nodes: what a name, a literal, an operator means in a scope. */
import type { Expr } from "../../grammar/ast.ts";
import type { Graph, Node } from "../graph/node.ts";
import { OpError } from "../graph/node.ts";
import { dimNode } from "../ops/leaf.ts";
import { permute, stackNodes, swapLast } from "../ops/movement.ts";
import { binaryOperator, compositeName, unaryOperator } from "../ops/operators.ts";
import { functionNames } from "../ops/registry.ts";
import { type Span, textOf } from "../source.ts";
import { isDType } from "../tensor/dtype.ts";
import { callFunction } from "./call.ts";
import type { Context } from "./context.ts";
import { lowerDerivative } from "./derivative.ts";
import { lowerIndex } from "./indexing.ts";
import { isReservedFunction, spelledHere, valueHere } from "./names.ts";
import type { Scope } from "./scope.ts";
import type { Operand } from "./site.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

/** Numbers that have names. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["inf", Number.POSITIVE_INFINITY],
  ["nan", Number.NaN],
]);

/** The value of an expression; POISON, with the mistake reported, where it has none. */
export function evaluate(e: Expr, scope: Scope, context: Context): Value {
  return context.nested(e.span, () => {
    switch (e.kind) {
      case "number":
        return tensorValue(literal(context.graph, e.value));
      case "bool":
        return tensorValue(context.graph.constant({ dtype: "bool", shape: [], weak: true }, [e.value]));
      case "string":
        return { kind: "string", text: e.value };
      case "name":
        return lookUp(e.name, e.span, scope, context);
      case "list":
        return lowerList(e, scope, context);
      case "unary": {
        const arg = evaluateTensor(e.arg, scope, context);
        return onTensors([{ span: e.arg.span, value: arg }], e.span, context, ([x]) => unaryOperator(e.op, x!));
      }
      case "binary":
        return lowerBinary(e, scope, context);
      case "call":
        return callFunction(e, scope, context);
      case "member":
        return reportMember(e, scope, context);
      case "index":
        return lowerIndex(e, scope, context);
      case "transpose": {
        const base = evaluateTensor(e.base, scope, context);
        const operand = { span: e.base.span, value: base };
        return context.named("Transpose", () =>
          onTensors([operand], e.span, context, ([x]) => (e.matrix ? swapLast(x!) : transposed(x!))),
        );
      }
      case "derivative":
        return lowerDerivative(e, scope, context);
    }
  });
}

const literal = (graph: Graph, value: number | bigint): Node =>
  graph.constant({ dtype: typeof value === "bigint" ? "int64" : "float64", shape: [], weak: true }, [value]);

/** `.T` */
function transposed(x: Node): Node {
  const rank = x.type.shape.length;
  if (rank > 2)
    throw new OpError(`\`.T\` needs at most two axes, and this has ${rank}`, {
      arg: 0,
      help: "`.mT` swaps the last two axes; `transpose(x, axes)` takes any order",
    });
  return rank === 2 ? permute(x, [1, 0]) : x;
}

/** An expression that must be a tensor. */
export function evaluateTensor(e: Expr, scope: Scope, context: Context): Value {
  return requireTensor(evaluate(e, scope, context), e.span, context);
}

export function requireTensor(value: Value, span: Span, context: Context): Value {
  switch (value.kind) {
    case "tensor":
    case "poison":
      return value;
    case "many":
      return context.mistake(span, `this gives ${value.nodes.length} values where one is needed`, {
        help: "bind them to names first: `p, q = …`",
      });
    case "string":
      return context.mistake(span, "a string stands where a tensor is needed");
    case "dtype":
      return context.mistake(span, `\`${value.dtype}\` is a dtype, not a tensor`, {
        help: `write \`astype(x, ${value.dtype})\``,
      });
    case "all":
      return context.mistake(span, "`all` stands for all axes, as in `axis=all`, not for a tensor");
  }
}

/** A node made of tensors at a place; silent where one is poison. */
export function onTensors(
  operands: readonly Operand[],
  span: Span,
  context: Context,
  make: (nodes: Node[]) => Node,
): Value {
  const nodes: Node[] = [];
  for (const { value } of operands) {
    if (value.kind !== "tensor") return POISON;
    nodes.push(value.node);
  }
  return context.at(span, operands, () => tensorValue(make(nodes)));
}

/** Chains of operators lean left: they are followed down in a loop, not by recursion. */
function lowerBinary(e: Extract<Expr, { kind: "binary" }>, scope: Scope, context: Context): Value {
  const spine = [e];
  for (let left = e.left; left.kind === "binary"; left = left.left) spine.push(left);
  const first = spine.at(-1)!.left;
  let value = evaluateTensor(first, scope, context);
  let span = first.span;
  for (const { op, right, span: whole } of spine.reverse()) {
    const operands = [
      { span, value },
      { span: right.span, value: evaluateTensor(right, scope, context) },
    ];
    const make = () => onTensors(operands, whole, context, ([x, y]) => binaryOperator(op, x!, y!));
    const name = compositeName(op);
    value = name ? context.named(name, make) : make();
    span = whole;
  }
  return value;
}

function lowerList(e: Extract<Expr, { kind: "list" }>, scope: Scope, context: Context): Value {
  if (e.items.length === 0)
    return tensorValue(context.graph.constant({ dtype: "float64", shape: [0], weak: true }, []));
  const numbers = literalNumbers(e);
  if (numbers)
    return tensorValue(
      context.graph.constant({ dtype: numbers.dtype, shape: [e.items.length], weak: true }, numbers.values),
    );
  const items = e.items.map((item) => ({ span: item.span, value: evaluateTensor(item, scope, context) }));
  return context.named("Stack", () => onTensors(items, e.span, context, (nodes) => stackNodes(nodes, 0)));
}

/** A list of nothing but number literals, read at once: long ones are data. */
function literalNumbers({
  items,
}: Extract<Expr, { kind: "list" }>): { dtype: "int64" | "float64"; values: (number | bigint)[] } | undefined {
  const values: (number | bigint)[] = [];
  for (const item of items) {
    if (item.kind !== "number") return undefined;
    values.push(item.value);
  }
  return values.every((v) => typeof v === "bigint")
    ? { dtype: "int64", values }
    : { dtype: "float64", values: values.map(Number) };
}

function lookUp(name: string, span: Span, scope: Scope, context: Context): Value {
  const bound = scope.names.get(name);
  if (bound) {
    bound.used = true;
    return bound.value;
  }
  const dim = scope.dim(name);
  if (dim) return tensorValue(dimNode(context.graph, dim.dim));
  const constant = CONSTANTS.get(name);
  if (constant !== undefined) return tensorValue(literal(context.graph, constant));
  if (isDType(name)) return { kind: "dtype", dtype: name };
  if (name === "all") return { kind: "all" };
  return reportUnknownName(name, span, scope, context);
}

/** Evaluates what stands in a place that has no meaning, for the mistakes in it: a list is no tensor there. */
export function evaluateParts(e: Expr, scope: Scope, context: Context): void {
  if (e.kind === "list") for (const item of e.items) evaluateParts(item, scope, context);
  else evaluate(e, scope, context);
}

/** The names that expressions in a scope can mention. */
function* visibleNames(scope: Scope): Iterable<string> {
  yield* scope.names.keys();
  yield* scope.dims.keys();
  yield* scope.outer?.dims.keys() ?? [];
  yield* CONSTANTS.keys();
}

export function reportUnknownName(name: string, span: Span, scope: Scope, context: Context): Value {
  if (scope.isToldMissing(name)) return POISON;
  if (scope.fns.has(name) || functionNames().includes(name))
    return context.mistake(span, `\`${name}\` is a function, not a value`, {
      code: "unknown-name",
      help: `call it: \`${name}(…)\``,
    });
  const outside = scope.outer?.names.get(name);
  if (outside)
    return context.mistake(span, `\`${name}\` is not defined inside the fn`, {
      code: "unknown-name",
      labels: [{ span: outside.span, text: "defined outside" }],
      help: `a fn sees its parameters, dims and other fns: make \`${name}\` a parameter`,
    });
  const later = scope.definitionBelow(name, span);
  if (later)
    return context.mistake(span, `\`${name}\` is used before it is defined`, {
      code: "unknown-name",
      labels: [{ span: later, text: "defined here" }],
      help: "put its definition before its use",
    });
  const { feeding } = context;
  const input = scope.outer
    ? undefined
    : feeding
      ? `feed it: ${feeding(name)}`
      : `declare it, \`input ${name}\`, or bind it, \`${name} = …\``;
  const foreign = valueHere(name);
  const near = foreign ? undefined : context.nearest(name, visibleNames(scope));
  const help = foreign ?? (near ? `did you mean \`${near}\`?` : input);
  return context.mistake(span, `\`${name}\` is not defined`, { code: "unknown-name", help });
}

const LIBRARIES: ReadonlySet<string> = new Set([
  "np",
  "numpy",
  "jnp",
  "jax",
  "lax",
  "tf",
  "math",
  "K",
  "keras",
  "torch",
  "F",
  "nn",
  "linalg",
  "random",
  "scipy",
  "special",
]);

/** `np.dot`, `x.sum(…)`, `x.shape`: says what to write here. */
function reportMember(e: Extract<Expr, { kind: "member" }>, scope: Scope, context: Context): Value {
  const { name } = e.member;
  const isValue = CONSTANTS.has(name) || isDType(name) || name === "newaxis";
  const isHere = functionNames().includes(name) || scope.fns.has(name);
  const near = isHere || isReservedFunction(name) ? undefined : context.nearest(name, functionNames());
  const root = rootOf(e.base);
  const isLibrary = root !== undefined && LIBRARIES.has(root) && !scope.names.has(root);
  for (const arg of e.args ?? []) evaluateParts(arg.value, scope, context);
  const isWrongAlready = !isLibrary && e.base.kind !== "member" && evaluate(e.base, scope, context).kind === "poison";
  if (isWrongAlready) return POISON;
  const args = isLibrary ? "…" : e.args?.length ? "x, …" : "x";
  const here = isLibrary && isValue ? `\`${name}\`` : (spelledHere(name) ?? (isHere && `\`${name}(${args})\``));
  const offer = here
    ? `write ${here}`
    : isReservedFunction(name)
      ? `\`${name}\` is reserved for a later version`
      : near && `did you mean \`${near}(${args})\`?`;
  if (isLibrary)
    return context.mistake(e.span, `functions have no prefix here: \`${textOf(e.base.span)}.${name}\``, {
      code: "unknown-function",
      help: offer,
    });
  const help =
    name === "T" || name === "mT"
      ? `write \`.${name}\` without parentheses`
      : name === "shape"
        ? "name the sizes in the declaration, `x[n, 3]`, or write `size(x, axis)`"
        : offer;
  return context.mistake(
    e.member.span,
    `tensors have no ${e.args ? "methods" : "attributes"} but \`.T\` and \`.mT\`: \`.${name}\``,
    { code: "unknown-function", help },
  );
}

const rootOf = (e: Expr): string | undefined =>
  e.kind === "name" ? e.name : e.kind === "member" ? rootOf(e.base) : undefined;
