/** `grad E wrt a` and its kin: which tensors they mean, and what they may be asked of. */
import type { Expr, Name } from "../../grammar/ast.ts";
import { dependents, gradients, jacobian, jvp, vjp } from "../autodiff.ts";
import { ancestors, type Node, OpError } from "../graph/node.ts";
import { relabel, stretch } from "../ops/movement.ts";
import { cast, lift, strong } from "../ops/promote.ts";
import { sumToShape } from "../ops/reduce.ts";
import { type Span, textOf } from "../source.ts";
import { sameDim, showShape } from "../tensor/dim.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { bindArguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { CONSTANTS, evaluateTensor, reportUnknownName } from "./expression.ts";
import type { Scope } from "./scope.ts";
import type { Operand } from "./site.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

type Kind = "grad" | "jacobian" | "hessian";
type Prefix = Extract<Expr, { kind: "derivative" }>;
type Call = Extract<Expr, { kind: "call" }>;

type Product = "vjp" | "jvp";

const NOUNS: Readonly<Record<Kind | Product, string>> = {
  grad: "gradient",
  jacobian: "jacobian",
  hessian: "hessian",
  vjp: "vjp",
  jvp: "jvp",
};

/** A tensor that a derivative is taken with respect to. */
interface Variable {
  readonly name: string;
  readonly span: Span;
  readonly node: Node;
}

export function lowerDerivative(e: Prefix, scope: Scope, context: Context): Value {
  const of = evaluateTensor(e.of, scope, context);
  const variables = e.wrt.map((w) => lookUpVariable(w, scope, context));
  if (of.kind !== "tensor" || variables.some((v) => !v)) return POISON;
  return derive(e.op, { span: e.of.span, value: of }, of.node, variables as Variable[], e.span, context);
}

/** A name after `wrt`: an input, a binding or a parameter of float dtype. */
function lookUpVariable({ name, span }: Name, scope: Scope, context: Context): Variable | undefined {
  const bound = scope.names.get(name);
  if (!bound) {
    const what = scope.dim(name) ? "a dim" : CONSTANTS.has(name) ? "a constant" : undefined;
    if (what)
      context.mistake(span, `\`${name}\` is ${what}: derivatives are with respect to tensors`, { code: "derivative" });
    else reportUnknownName(name, span, scope, context);
    return undefined;
  }
  bound.used = true;
  return bound.value.kind === "tensor" ? requireFloat({ name, span, node: bound.value.node }, context) : undefined;
}

function requireFloat(v: Variable, context: Context): Variable | undefined {
  if (isFloat(v.node.type.dtype)) return v;
  const shown = v.node.type.weak ? "int" : v.node.type.dtype;
  context.mistake(v.span, `\`${v.name}\` is ${shown}: derivatives are with respect to floats`, {
    code: "derivative",
    help: v.node.type.weak
      ? "write it as a float: `1.0` is one, `1` is not"
      : "declare it a float, or bind `astype(…, float32)` to a name and use that in both places",
  });
  return undefined;
}

function derive(
  kind: Kind,
  of: Operand,
  node: Node,
  variables: readonly Variable[],
  span: Span,
  context: Context,
): Value {
  const whole = context.at(of.span, [of], () => tensorValue(strong(node)));
  if (whole.kind !== "tensor") return POISON;
  const y = whole.node;
  if (!isFloat(y.type.dtype))
    return context.mistake(of.span, `${kind} needs a float, and this is ${y.type.dtype}`, {
      code: "derivative",
      help: "nothing flows back through ints and bools: compute it in floats",
    });
  if (kind !== "jacobian" && y.type.shape.length > 0) {
    const written = sourceOf(of.span);
    const help =
      kind === "grad"
        ? `\`grad sum(${written})\` is the gradient of the sum, \`jacobian ${written}\` holds the derivatives of each element`
        : `\`hessian sum(${written})\` is that of the sum`;
    return context.mistake(of.span, `${kind} needs a scalar, and this has shape ${showShape(y.type.shape)}`, {
      code: "derivative",
      here: `shape ${showShape(y.type.shape)}`,
      help,
    });
  }
  warnUnconnected(kind, of, y, variables, context);
  return context.at(span, [of], () =>
    context.inDerivative(() => {
      const nodes = deriveNodes(
        kind,
        y,
        variables.map((v) => v.node),
      );
      return nodes.length === 1 ? tensorValue(nodes[0]!) : { kind: "many", nodes };
    }),
  );
}

/** What is written at a place, where it is short enough to repeat. */
function sourceOf(span: Span): string {
  const text = textOf(span);
  return text.length > 40 || text.includes("\n") ? "…" : text;
}

function deriveNodes(kind: Kind, y: Node, xs: readonly Node[]): Node[] {
  switch (kind) {
    case "grad":
      return gradients(y, xs).map((g, i) => finish(g, [], xs[i]!));
    case "jacobian":
      return xs.map((x) => finish(jacobian(y, x), y.type.shape, x));
    case "hessian":
      return xs.map((x) => {
        const gradient = finish(gradients(y, [x])[0]!, [], x);
        return finish(jacobian(gradient, x), x.type.shape, x);
      });
  }
}

/** The dtype that a derivative with respect to x has. */
const derivativeDType = (x: Node): DType => (x.type.weak ? x.graph.defaultFloat : x.type.dtype);

/** A derivative in x's dtype and of the declared shape; zeros where nothing flows. */
function finish(derivative: Node | null, outer: Node["type"]["shape"], x: Node): Node {
  const shape = [...outer, ...x.type.shape];
  if (!derivative) return stretch(cast(lift(0, x.graph), derivativeDType(x)), shape);
  return relabel(cast(derivative, derivativeDType(x)), shape);
}

function warnUnconnected(
  kind: Kind | Product,
  of: Operand,
  y: Node,
  variables: readonly Variable[],
  context: Context,
): void {
  const nodes = ancestors([y]);
  for (const v of variables)
    if (!dependents(nodes, [v.node]).has(y))
      context.warn(
        v.span,
        "not-connected",
        `this ${NOUNS[kind]} is zeros: \`${sourceOf(of.span)}\` does not depend on \`${v.name}\``,
      );
}

/** The function forms: grad(E, a), vjp(y, x, ct), jvp(y, x, v), and the prefix words written as calls. */
export const DERIVATIVE_FORMS: ReadonlySet<string> = new Set(["grad", "jacobian", "hessian", "vjp", "jvp"]);
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  grad: ["E", "a"],
  jacobian: ["E", "a"],
  hessian: ["E", "a"],
  vjp: ["y", "x", "ct"],
  jvp: ["y", "x", "v"],
};

export function lowerDerivativeCall(call: Call, scope: Scope, context: Context): Value {
  const { name } = call.callee;
  const names = PARAMETERS[name]!;
  const bound = bindArguments(
    call,
    names.map((n) => ({ name: n, required: true })),
    context,
  );
  if (!bound) return POISON;
  const [ofExpr, wrtExpr, directionExpr] = names.map((n) => bound.get(n)![0]!.value);
  const of = evaluateTensor(ofExpr!, scope, context);
  const variable = variableOf(wrtExpr!, name, scope, context);
  const direction = directionExpr && evaluateTensor(directionExpr, scope, context);
  if (of.kind !== "tensor" || !variable || (direction && direction.kind !== "tensor")) return POISON;
  const operand = { span: ofExpr!.span, value: of };
  if (!direction) return derive(name as Kind, operand, of.node, [variable], call.span, context);
  if (isFloat(of.node.type.dtype)) warnUnconnected(name as Product, operand, of.node, [variable], context);
  const along = { span: directionExpr!.span, value: direction, param: names[2]! };
  return context.at(call.span, [operand, { span: variable.span, value: tensorValue(variable.node) }, along], () =>
    context.inDerivative(() => tensorValue(product(name as Product, strong(of.node), variable.node, direction.node))),
  );
}

/** The second argument of a derivative call: a name that is bound. */
function variableOf(e: Expr, callee: string, scope: Scope, context: Context): Variable | undefined {
  if (e.kind === "name") return lookUpVariable(e, scope, context);
  context.mistake(e.span, `${callee} is with respect to a name, and this is an expression`, {
    code: "derivative",
    help: "bind the expression to a name, and use the name in both places",
  });
  return undefined;
}

function product(name: Product, y: Node, x: Node, along: Node): Node {
  if (!isFloat(y.type.dtype))
    throw new OpError(`${name} needs a float, and y is ${y.type.dtype}`, { code: "derivative", arg: 0 });
  const like = name === "vjp" ? y : x;
  const direction = stretchLike(cast(along, like.type.dtype), like, name);
  if (name === "vjp") return finish(vjp(y, [x], direction)[0]!, [], x);
  return relabel(jvp(y, x, direction), y.type.shape);
}

/** A cotangent or tangent, of exactly the shape of the tensor it belongs to; a scalar literal serves throughout. */
function stretchLike(direction: Node, like: Node, name: Product): Node {
  const [param, of] = name === "vjp" ? ["ct", "y"] : ["v", "x"];
  if (direction.type.shape.length === 0) return stretch(direction, like.type.shape);
  const [given, wanted] = [direction.type.shape, like.type.shape];
  if (given.length !== wanted.length)
    throw new OpError(
      `${param} of ${name} must have ${of}'s shape ${showShape(wanted)}, and this has ${showShape(given)}`,
      { arg: param },
    );
  for (const [i, d] of given.entries())
    if (!sameDim(d, wanted[i]!))
      direction.graph.require(d, "=", wanted[i]!, `sizes along axis ${i} of ${param} and ${of}`, { arg: param });
  return sumToShape(direction, wanted);
}
