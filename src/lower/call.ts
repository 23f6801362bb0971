/** Calls: which function a name means, which argument goes to which parameter, and how each is read. */
import type { Arg, Expr, FnDecl, Name } from "../../grammar/ast.ts";
import type { Node } from "../graph/node.ts";
import type { Axes, FunctionRow, Param } from "../ops/define.ts";
import { displayName } from "../ops/define.ts";
import { mark } from "../ops/identity.ts";
import { relabel, sliceAxis } from "../ops/movement.ts";
import { preludeFunction } from "../ops/prelude.ts";
import { functionNames, functionRow } from "../ops/registry.ts";
import { asBool, asDim, asDims, asNumber } from "../ops/static.ts";
import type { Span } from "../source.ts";
import { type Dim, isKnown } from "../tensor/dim.ts";
import type { Context } from "./context.ts";
import { checkDeclared } from "./declared.ts";
import { DERIVATIVE_FORMS, lowerDerivativeCall } from "./derivative.ts";
import { evaluate, evaluateTensor, requireTensor } from "./expression.ts";
import { isReservedFunction, nearest, spelledHere } from "./names.ts";
import { type FnTable, Scope } from "./scope.ts";
import { type Operand, POISON, tensorValue, type Value } from "./value.ts";

type Call = Extract<Expr, { kind: "call" }>;

export function callFunction(call: Call, scope: Scope, context: Context): Value {
  const { name } = call.callee;
  const own = scope.fns.get(name);
  if (own) return callFn(own.decl, own.table, call, scope, context);
  const row = functionRow(name);
  if (row) return callRow(row, call, scope, context);
  const composite = preludeFunction(name);
  if (composite) return callComposite(composite, call, scope, context);
  if (DERIVATIVE_FORMS.has(name)) return lowerDerivativeCall(call, scope, context);
  for (const arg of call.args) evaluate(arg.value, scope, context);
  return reportUnknownFunction(call.callee, scope, context);
}

function reportUnknownFunction({ name, span }: Name, scope: Scope, context: Context): Value {
  if (isReservedFunction(name))
    return context.mistake(span, `\`${name}\` is reserved for a later version`, { code: "unknown-function" });
  if (scope.names.has(name) || scope.dim(name))
    return context.mistake(span, `\`${name}\` is a value, not a function`, {
      code: "unknown-function",
      help: `index with brackets, ${name}[…], multiply with *`,
    });
  const here = spelledHere(name);
  const near = here ?? nearest(name, [...scope.fns.keys(), ...functionNames(), ...DERIVATIVE_FORMS]);
  const help =
    near === undefined
      ? undefined
      : here && !/^\w+$/.test(here)
        ? `write ${here.length <= 3 ? `\`${here}\`` : here}`
        : here
          ? `it is called \`${here}\` here`
          : `did you mean \`${near}\`?`;
  return context.mistake(span, `there is no function \`${name}\``, { code: "unknown-function", help });
}

/** The argument of each parameter; undefined, with mistakes reported, where they do not fit. Missing ones have no entry. */
export function bindArguments(
  call: Call,
  params: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly named?: boolean;
    readonly rest?: boolean;
  }[],
  context: Context,
): Map<string, Arg[]> | undefined {
  const { name } = call.callee;
  const bound = new Map<string, Arg[]>();
  const positional = params.filter((p) => !p.named);
  const signature = `${name}(${params.map((p) => (p.required ? p.name : `${p.name}=…`)).join(", ")})`;
  let next = 0;
  let good = true;
  const wrong = (span: Span, message: string, help = `it is ${signature}`) => {
    context.mistake(span, message, { code: "argument", help });
    good = false;
  };
  for (const arg of call.args) {
    if (!arg.name) {
      const param = positional[next];
      if (!param) {
        wrong(
          arg.value.span,
          `${name} takes ${counted(positional.length)}${params.length > positional.length ? ` by place` : ""}, this is one more`,
        );
        break;
      }
      if (bound.has(param.name) && !param.rest) wrong(arg.value.span, `${param.name} of ${name} is given twice`);
      bound.set(param.name, [...(bound.get(param.name) ?? []), arg]);
      if (!param.rest) next++;
      continue;
    }
    const { name: given, span } = arg.name;
    const param = params.find((p) => p.name === given);
    if (!param) {
      const near =
        ELSEWHERE_PARAMS[given] ??
        nearest(
          given,
          params.map((p) => p.name),
        );
      wrong(
        span,
        `${name} has no parameter \`${given}\``,
        near && params.some((p) => p.name === near) ? `did you mean \`${near}\`?` : undefined,
      );
    } else if (bound.has(given)) wrong(span, `${given} of ${name} is given twice`);
    else bound.set(given, [arg]);
  }
  const missing = params.filter((p) => p.required && !bound.has(p.name));
  if (good && missing.length > 0) wrong(call.span, `${name} needs ${missing.map((p) => p.name).join(" and ")}`);
  return good ? bound : undefined;
}
const counted = (n: number): string => (n === 0 ? "no arguments" : n === 1 ? "one argument" : `${n} arguments`);
const ELSEWHERE_PARAMS: Readonly<Record<string, string>> = {
  dim: "axis",
  axes: "axis",
  keep_dims: "keepdims",
  keepdim: "keepdims",
  dims: "axis",
  correction: "ddof",
  num: "n",
  repeats: "n",
  N: "n",
  M: "m",
};

/** A function stated in TypeScript: each argument is read as its parameter's kind asks. */
function callRow(row: FunctionRow, call: Call, scope: Scope, context: Context): Value {
  const params = Object.entries(row.params);
  const bound = bindArguments(
    call,
    params.map(([name, p]) => ({
      name,
      required: p.default === undefined && p.kind !== "rest",
      named: p.named ?? false,
      rest: p.kind === "rest",
    })),
    context,
  );
  if (!bound) return POISON;
  const operands: Operand[] = [];
  const args: Record<string, unknown> = {};
  let good = true;
  for (const [name, param] of params) {
    const given = bound.get(name);
    if (!given) {
      args[name] = param.kind === "rest" ? [] : param.value;
      continue;
    }
    const read = readArgument(param, name, row.name, given, operands, scope, context);
    if (read === undefined) good = false;
    else args[name] = read.value;
  }
  if (!good) return POISON;
  return context.at(call.span, operands, () => named(row.name, row.build(args as never, context.graph), context));
}

/** The function's results, remembered under its name. */
function named(name: string, result: Node | readonly Node[], context: Context): Value {
  const nodes = Array.isArray(result) ? (result as readonly Node[]) : [result as Node];
  for (const node of nodes) if (!context.origins.has(node)) context.origins.set(node, displayName(name));
  return Array.isArray(result) ? { kind: "many", nodes } : tensorValue(nodes[0]!);
}

/** What an argument is to its parameter; undefined, with the mistake reported, where it does not fit. */
function readArgument(
  param: Param<unknown>,
  name: string,
  callee: string,
  args: readonly Arg[],
  operands: Operand[],
  scope: Scope,
  context: Context,
): { value: unknown } | undefined {
  const { value: expr } = args[0]!;
  const tensor = (e: Expr): Node | undefined => {
    const value = evaluateTensor(e, scope, context);
    operands.push({ span: e.span, value });
    return value.kind === "tensor" ? value.node : undefined;
  };
  if (param.kind === "tensor") return wrap(tensor(expr));
  if (param.kind === "rest") return allOf(args.map((a) => tensor(a.value)));
  if (param.kind === "tensors" && expr.kind === "list") {
    if (expr.items.length === 0) return refuse(expr.span, `${callee} needs at least one tensor`, context);
    return allOf(expr.items.map(tensor));
  }
  const value = evaluate(expr, scope, context);
  if (value.kind === "poison") return undefined;
  const node = value.kind === "tensor" ? value.node : undefined;
  const wanted = (what: string, help?: string) =>
    refuse(expr.span, `${name} of ${callee} must be ${what}`, context, help);
  switch (param.kind) {
    case "tensors":
      return node && splitRows(node) ? { value: splitRows(node) } : wanted("a list of tensors: [a, b]");
    case "dtype":
      return value.kind === "dtype"
        ? { value: value.dtype }
        : wanted("a dtype: float32, float64, int32, int64 or bool");
    case "string":
      return value.kind === "string" ? { value: value.text } : wanted('a string: "ij,jk->ik"');
    case "bool":
      return node && asBool(node) !== undefined ? { value: asBool(node) } : wanted("true or false");
    case "number":
      return node && asNumber(node) !== undefined ? { value: asNumber(node) } : wanted("a literal number");
    case "axes":
      return value.kind === "all"
        ? { value: "all" satisfies Axes }
        : (wrap(node && knownInts(node)) ?? wanted("an int or a list of ints, known without data"));
    case "axis":
      return wrap(node && knownInt(node)) ?? wanted("one int, known without data");
    case "int":
      return wrap(node && knownInt(node)) ?? wanted("an int known without data");
    case "ints":
      return wrap(node && knownInts(node)) ?? wanted("a list of ints, known without data");
    case "dim":
      return (
        wrap(node && asDim(node)) ?? wanted("an int known without data", "literals, dims and arithmetic on them are")
      );
    case "shape":
      return (
        wrap(node && asDims(node)?.values) ??
        wanted("a list of sizes, known without data", "literals, dims and arithmetic on them are")
      );
    case "widths":
      return wrap(node && pairsOf(node)) ?? wanted("pairs of sizes, one for each axis: [[before, after], …]");
  }
}

const wrap = <T>(value: T | undefined): { value: T } | undefined => (value === undefined ? undefined : { value });
const allOf = (nodes: readonly (Node | undefined)[]): { value: unknown } | undefined =>
  nodes.includes(undefined) ? undefined : { value: nodes };
function refuse(span: Span, message: string, context: Context, help?: string): undefined {
  context.mistake(span, message, { code: "argument", help });
  return undefined;
}
function knownInt(node: Node): number | undefined {
  const dim = asDim(node);
  return dim !== undefined && isKnown(dim) ? dim : undefined;
}
function knownInts(node: Node): readonly number[] | undefined {
  const found = asDims(node);
  return found && found.shape.length <= 1 && found.values.every(isKnown) ? (found.values as number[]) : undefined;
}
function pairsOf(node: Node): readonly (readonly [Dim, Dim])[] | undefined {
  const found = asDims(node);
  if (!found || found.shape.length !== 2 || found.shape[1] !== 2) return undefined;
  return Array.from({ length: found.shape[0]! }, (_, i) => [found.values[2 * i]!, found.values[2 * i + 1]!] as const);
}
/** The parts of a tensor along a first axis of known size. */
function splitRows(node: Node): readonly Node[] | undefined {
  const [rows, ...rest] = node.type.shape;
  if (rows === undefined || !isKnown(rows) || rows === 0) return undefined;
  return Array.from({ length: rows }, (_, i) => relabel(sliceAxis(node, 0, i, 1), rest));
}

const parametersOf = (decl: FnDecl) => decl.params.map((p) => ({ name: p.name, required: p.default === undefined }));
const callStack: FnDecl[] = [];

/** One of the program's own fns: its body is lowered anew for each call. */
function callFn(decl: FnDecl, table: FnTable, call: Call, scope: Scope, context: Context): Value {
  context.called.add(decl);
  const bound = bindArguments(call, parametersOf(decl), context);
  if (!bound) return POISON;
  if (callStack.includes(decl))
    return context.mistake(call.span, `fn ${decl.name} calls itself`, {
      code: "recursion",
      labels: [{ span: decl.nameSpan, text: "defined here" }],
      help: "fns may not recurse: a graph has no loops",
    });
  const inner = new Scope(table, decl.span.source === call.span.source ? (scope.outerDims ?? scope.dims) : undefined);
  const values = decl.params.map((p) => {
    const arg = bound.get(p.name)?.[0];
    return arg && { span: arg.value.span, value: evaluate(arg.value, scope, context) };
  });
  return context.inCall(call.span, () => {
    callStack.push(decl);
    try {
      return lowerBody(decl, values, inner, context);
    } finally {
      callStack.pop();
    }
  });
}

/** A fn of the prelude: what goes wrong inside is told of the call. */
function callComposite(decl: FnDecl, call: Call, scope: Scope, context: Context): Value {
  const bound = bindArguments(call, parametersOf(decl), context);
  if (!bound) return POISON;
  const values = decl.params.map((p) => {
    const arg = bound.get(p.name)?.[0];
    return arg && { span: arg.value.span, value: evaluate(arg.value, scope, context) };
  });
  if (values.some((v) => v?.value.kind === "poison")) return POISON;
  return context.at(
    call.span,
    values.filter((v) => v !== undefined),
    () => {
      const before = context.graph.nodes.length;
      const result = context.inPrelude(decl.name, () => lowerBody(decl, values, new Scope(PRELUDE_FNS), context));
      if (result.kind === "tensor" && result.node.id >= before)
        context.origins.set(result.node, displayName(decl.name));
      return result;
    },
  );
}
/** Prelude fns call built-ins only, whatever the program calls its own. */
const PRELUDE_FNS: FnTable = new Map();

function lowerBody(decl: FnDecl, values: readonly (Operand | undefined)[], scope: Scope, context: Context): Value {
  for (const [i, param] of decl.params.entries()) {
    const given = values[i] ?? { span: param.default!.span, value: evaluate(param.default!, scope, context) };
    const value = markWanted(param.name, checkDeclared(param, given, "parameter", scope, context), context);
    scope.names.set(param.name, { value, span: param.span, what: "parameter", used: false });
  }
  for (const { targets, value } of decl.body.bindings) bindTargets(targets, value, scope, context);
  return evaluate(decl.body.result, scope, context);
}

/** A tensor of its own to derivatives, where some `wrt` mentions its name. */
export function markWanted(name: string, value: Value, context: Context): Value {
  return value.kind === "tensor" && context.wrtNames.has(name) ? tensorValue(mark(value.node)) : value;
}

/** `target, target = value` */
export function bindTargets(
  targets: Extract<import("../../grammar/ast.ts").Statement, { kind: "bind" }>["targets"],
  expr: Expr,
  scope: Scope,
  context: Context,
): void {
  const value =
    targets.length > 1
      ? evaluate(expr, scope, context)
      : requireTensorOrMany(evaluate(expr, scope, context), expr, targets.length, context);
  const parts = spread(value, targets.length, expr, context);
  for (const [i, target] of targets.entries()) {
    const earlier = scope.names.get(target.name) ?? scope.dims.get(target.name) ?? scope.outerDims?.get(target.name);
    if (earlier && "what" in earlier) {
      context.mistake(target.span, `\`${target.name}\` is bound twice`, {
        code: "bound-twice",
        here: "again here",
        labels: [
          {
            span: earlier.span,
            text: `${earlier.what === "binding" ? "bound" : `a${earlier.what === "input" ? "n" : ""} ${earlier.what}`} here first`,
          },
        ],
        help: "a name is bound once: take another",
      });
      continue;
    }
    if (earlier) {
      context.mistake(target.span, `\`${target.name}\` is a dim already`, {
        code: "bound-twice",
        labels: [{ span: earlier.span, text: "declared here" }],
        help: "take another name",
      });
      continue;
    }
    const checked = checkDeclared(target, { span: expr.span, value: parts[i]! }, "binding", scope, context);
    const alias = expr.kind === "name";
    scope.names.set(target.name, {
      value: alias ? checked : markWanted(target.name, checked, context),
      span: target.span,
      what: "binding",
      used: false,
    });
  }
}

const requireTensorOrMany = (value: Value, expr: Expr, wanted: number, context: Context): Value =>
  wanted === 1 && value.kind !== "string" && value.kind !== "dtype" && value.kind !== "all"
    ? value
    : requireTensor(value, expr.span, context);

/** One value for each target. */
function spread(value: Value, wanted: number, expr: Expr, context: Context): Value[] {
  const nodes = value.kind === "many" ? value.nodes.map(tensorValue) : [value];
  if (value.kind === "poison" || nodes.length === wanted)
    return Array.from({ length: wanted }, (_, i) => nodes[i] ?? POISON);
  const help =
    nodes.length === 1
      ? "one name is enough"
      : `write ${Array.from({ length: nodes.length }, (_, i) => "abcdefgh"[i] ?? `v${i}`).join(", ")} = …`;
  context.mistake(
    expr.span,
    `this gives ${nodes.length === 1 ? "one value" : `${nodes.length} values`}, for ${wanted === 1 ? "one name" : `${wanted} names`}`,
    { code: "targets", help },
  );
  return Array.from({ length: wanted }, () => POISON);
}
