/** Calls: which function a name means, and what its result is. */
import type { Expr, FnDecl, Name } from "../../grammar/ast.ts";
import type { Graph, Node } from "../graph/node.ts";
import { type Composite, displayName, type FunctionRow } from "../ops/define.ts";
import { preludeFunction } from "../ops/prelude.ts";
import { lift } from "../ops/promote.ts";
import { functionNames, functionRow, isPrivate } from "../ops/registry.ts";
import { NOWHERE } from "../ops/trees.ts";
import { isDType } from "../tensor/dtype.ts";
import { argumentsByPlace, bindArguments, readArgument } from "./arguments.ts";
import { bindTargets, markWanted } from "./binding.ts";
import type { Context } from "./context.ts";
import { checkDeclared } from "./declared.ts";
import { DERIVATIVE_FORMS, lowerDerivativeCall } from "./derivative.ts";
import { evaluate, evaluateParts } from "./expression.ts";
import { isReservedFunction, rearranged, spelledHere } from "./names.ts";
import { type FnTable, Scope } from "./scope.ts";
import type { Operand } from "./site.ts";
import { POISON, tensorValue, type Value } from "./value.ts";

type Call = Extract<Expr, { kind: "call" }>;

export function callFunction(call: Call, scope: Scope, context: Context): Value {
  const { name } = call.callee;
  const own = scope.fns.get(name);
  if (own) return callFn(own.decl, own.table, call, scope, context);
  const hidden = isPrivate(name) && scope.fns !== PRELUDE_FNS;
  const row = hidden ? undefined : functionRow(name);
  if (row) return callRow(row, call, scope, context);
  const composite = hidden ? undefined : preludeFunction(name);
  if (composite) return callComposite(composite, call, scope, context);
  if (DERIVATIVE_FORMS.has(name)) return lowerDerivativeCall(call, scope, context);
  for (const arg of call.args) evaluateParts(arg.value, scope, context);
  if (context.lacksFns || context.brokenFns.has(name)) return POISON;
  return reportUnknownFunction(call.callee, scope, context);
}

function reportUnknownFunction({ name, span }: Name, scope: Scope, context: Context): Value {
  if (isReservedFunction(name))
    return context.mistake(span, `\`${name}\` is reserved for a later version`, { code: "unknown-function" });
  if (scope.names.has(name) || scope.dim(name))
    return context.mistake(span, `\`${name}\` is a value, not a function`, {
      code: "unknown-function",
      help: `to index write \`${name}[…]\`, to multiply \`${name} * (…)\``,
    });
  if (isDType(name))
    return context.mistake(span, `\`${name}\` is a dtype, not a function`, {
      code: "unknown-function",
      help: `write \`astype(x, ${name})\``,
    });
  const here = spelledHere(name);
  const near = context.nearest(name, [...scope.fns.keys(), ...functionNames(), ...DERIVATIVE_FORMS]);
  const help = here ? `write ${here}` : near && `did you mean \`${near}\`?`;
  return context.mistake(span, `there is no function \`${name}\``, { code: "unknown-function", help });
}

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
    const read = readArgument(param, name, call, given, operands, scope, context);
    if (read) args[name] = read.value;
    else good = false;
    if (!read && rearranged(row.name, name, argumentsByPlace(call))) break; // told of the call as a whole
  }
  if (!good) return POISON;
  return context.at(
    call.span,
    operands,
    () =>
      context.named(displayName(row.name), () => {
        const result = row.build(args as never, context.graph);
        return "fn" in result ? inComposite(row.name, result, context) : resultOf(result);
      }),
    row.name,
  );
}

/** Goes on in the fn of the prelude that a row has picked. */
function inComposite(name: string, { fn, args }: Composite, context: Context): Value {
  const values = args.map((arg) => ({ span: NOWHERE, value: argumentValue(arg, context.graph) }));
  return lowerComposite(name, preludeFunction(fn)!, values, context);
}

const argumentValue = (arg: Composite["args"][number], graph: Graph): Value =>
  arg === "all" ? { kind: "all" } : tensorValue(argumentNode(arg, graph));

function argumentNode(arg: Exclude<Composite["args"][number], "all">, graph: Graph): Node {
  if (typeof arg === "number") return lift(arg, graph);
  if (typeof arg === "boolean") return graph.constant({ dtype: "bool", shape: [], weak: true }, [arg]);
  return "op" in arg ? arg : graph.constant({ dtype: "int64", shape: [arg.length], weak: true }, arg.map(BigInt));
}

const resultOf = (result: Node | readonly Node[]): Value =>
  Array.isArray(result) ? { kind: "many", nodes: result as readonly Node[] } : tensorValue(result as Node);

const parametersOf = (decl: FnDecl) => decl.params.map((p) => ({ name: p.name, required: p.default === undefined }));
/** Parameters of the prelude's fns that go by name. */
const NAMED_ONLY: ReadonlySet<string> = new Set(["ddof"]);

/** One of the program's own fns: its body is lowered anew for each call. */
function callFn(decl: FnDecl, table: FnTable, call: Call, scope: Scope, context: Context): Value {
  context.called.add(decl);
  const bound = bindArguments(call, parametersOf(decl), context);
  if (!bound) return POISON;
  if (context.isInside(decl))
    return context.mistake(call.span, `fn ${decl.name} calls itself`, {
      code: "recursion",
      labels: [{ span: decl.nameSpan, text: "defined here" }],
      help: "fns may not recurse: a graph has no loops",
    });
  if (context.isOneCallTooMany(decl, call.span)) return POISON;
  const isOfThisFile = decl.span.source === call.span.source;
  const inner = new Scope(table, isOfThisFile ? (scope.outer ?? scope) : new Scope(table), decl.body.bindings);
  const values = decl.params.map((p) => {
    const arg = bound.get(p.name)?.[0];
    return arg && { span: arg.value.span, value: evaluate(arg.value, scope, context) };
  });
  return context.inCall(decl, call.span, () => lowerBody(decl, values, inner, context));
}

/** A fn of the prelude: what goes wrong inside is told of the call. */
function callComposite(decl: FnDecl, call: Call, scope: Scope, context: Context): Value {
  const params = parametersOf(decl).map((p) => ({ ...p, named: NAMED_ONLY.has(p.name) }));
  const bound = bindArguments(call, params, context);
  if (!bound) return POISON;
  const values = decl.params.map((p) => {
    const arg = bound.get(p.name)?.[0];
    return arg && { span: arg.value.span, value: evaluate(arg.value, scope, context), param: p.name };
  });
  if (values.some((v) => v?.value.kind === "poison")) return POISON;
  return context.at(
    call.span,
    values.filter((v) => v !== undefined),
    () => lowerComposite(decl.name, decl, values, context),
    decl.name,
  );
}

/** A prelude fn's body; the result is remembered as that of the function `name`. */
function lowerComposite(name: string, decl: FnDecl, values: readonly (Operand | undefined)[], context: Context): Value {
  const before = context.graph.nodes.length;
  const result = context.inPrelude(name, () => lowerBody(decl, values, new Scope(PRELUDE_FNS), context));
  if (result.kind === "tensor" && result.node.id >= before) context.origins.set(result.node, displayName(name));
  return result;
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
