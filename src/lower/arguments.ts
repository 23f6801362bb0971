/** Arguments: which goes to which parameter, and what each is to a parameter of its kind. */
import type { Arg, Expr } from "../../grammar/ast.ts";
import type { Node } from "../graph/node.ts";
import type { Axes, Param } from "../ops/define.ts";
import { relabel, sliceAxis } from "../ops/movement.ts";
import { asBool, asDim, asDims, asNumber } from "../ops/static.ts";
import { type Span, textOf } from "../source.ts";
import { type Dim, isKnown } from "../tensor/dim.ts";
import { isDType } from "../tensor/dtype.ts";
import { aboutParameter, type Context } from "./context.ts";
import { evaluate, evaluateTensor } from "./expression.ts";
import { nearest, rearranged, stringHere } from "./names.ts";
import type { Scope } from "./scope.ts";
import type { Operand } from "./site.ts";
import { POISON } from "./value.ts";

type Call = Extract<Expr, { kind: "call" }>;

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
  let namedBefore = false;
  let good = true;
  const wrong = (span: Span, message: string, help = `it is ${signature}`) => {
    context.mistake(span, message, { code: "argument", help });
    good = false;
  };
  for (const arg of call.args) {
    if (!arg.name) {
      if (namedBefore) {
        wrong(
          arg.value.span,
          "an argument by place stands after one by name",
          `by place first, then by name: ${signature}`,
        );
        break;
      }
      const param = positional[next];
      if (!param) {
        wrong(
          arg.value.span,
          `${name} takes ${counted(positional.length)}${params.length > positional.length ? ` by place` : ""}, this is one more`,
          rearranged(name, "", argumentsByPlace(call)),
        );
        break;
      }
      if (bound.has(param.name) && !param.rest)
        wrong(arg.value.span, aboutParameter(param.name, name, "is given twice"));
      bound.set(param.name, [...(bound.get(param.name) ?? []), arg]);
      if (!param.rest) next++;
      continue;
    }
    namedBefore = true;
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
    } else if (bound.has(given)) wrong(span, aboutParameter(given, name, "is given twice"));
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
  constant_values: "value",
};

/** The arguments of a call as written, where all go by place. */
export const argumentsByPlace = ({ args }: Call): string[] =>
  args.some((arg) => arg.name) ? [] : args.map((arg) => textOf(arg.value.span));

/** What an argument is to its parameter; undefined, with the mistake reported, where it does not fit. */
export function readArgument(
  param: Param<unknown>,
  name: string,
  call: Call,
  args: readonly Arg[],
  operands: Operand[],
  scope: Scope,
  context: Context,
): { value: unknown } | undefined {
  const callee = call.callee.name;
  const { value: expr } = args[0]!;
  const refuse = (finding: string, otherHelp?: string): undefined => {
    const parameter = { name, finding };
    const help = rearranged(callee, name, argumentsByPlace(call)) ?? otherHelp;
    context.mistake(expr.span, aboutParameter(name, callee, finding), { code: "argument", help, parameter });
  };
  const wanted = (what: string, help?: string) => refuse(`must be ${what}`, help);
  const tensor = (e: Expr): Node | undefined => {
    const value = evaluateTensor(e, scope, context);
    operands.push({ span: e.span, value, param: name });
    return value.kind === "tensor" ? value.node : undefined;
  };
  if (param.kind === "tensor") return wrap(tensor(expr));
  if (param.kind === "rest") return allOf(args.map((a) => tensor(a.value)));
  if (param.kind === "tensors" && expr.kind === "list") {
    if (expr.items.length === 0) return refuse("must hold at least one tensor");
    return allOf(expr.items.map(tensor));
  }
  const value = evaluate(expr, scope, context);
  operands.push({ span: expr.span, value: POISON, param: name });
  if (value.kind === "poison") return undefined;
  const node = value.kind === "tensor" ? value.node : undefined;
  const unknown = (what: string, help?: string) =>
    node && asDims(node)?.values.some((d) => !isKnown(d))
      ? refuse(`must be ${what}, known before there is data: \`${textOf(expr.span)}\` is a size that the data tells`)
      : wanted(`${what}, known without data`, help);
  switch (param.kind) {
    case "tensors":
      return node && splitRows(node) ? { value: splitRows(node) } : wanted("a list of tensors: [a, b]");
    case "dtype":
      return value.kind === "dtype"
        ? { value: value.dtype }
        : wanted(
            "a dtype: float32, float64, int32, int64 or bool",
            value.kind === "string" && isDType(value.text) ? `write ${value.text} without quotes` : undefined,
          );
    case "string":
      return value.kind === "string" ? { value: value.text } : wanted('a string: "ij,jk->ik"');
    case "bool":
      return node && asBool(node) !== undefined ? { value: asBool(node) } : wanted("true or false");
    case "number":
      return node && asNumber(node) !== undefined
        ? { value: asNumber(node) }
        : wanted("a literal number", value.kind === "string" ? stringHere(value.text) : undefined);
    case "axes":
      return value.kind === "all"
        ? { value: "all" satisfies Axes }
        : (wrap(node && knownInts(node)) ?? unknown("an int or a list of ints"));
    case "axis":
      return wrap(node && knownInt(node)) ?? unknown("one int", onlyItem(expr));
    case "int":
      return wrap(node && knownInt(node)) ?? unknown("an int");
    case "ints":
      return wrap(node && knownInts(node)) ?? unknown("an int or a list of ints");
    case "dim":
      return wrap(node && asDim(node)) ?? wanted("an int known without data", knownHelp(expr));
    case "shape":
      return wrap(node && asDims(node)?.values) ?? wanted("a list of sizes, known without data", knownHelp(expr));
    case "widths":
      return wrap(node && pairsOf(node)) ?? wanted("pairs of sizes, one for each axis: [[before, after], …]");
  }
}

/** What is known without data, or what makes a size something else. */
export const knownHelp = (e: Expr): string =>
  /[^/]\/[^/]/.test(textOf(e.span))
    ? "`/` gives a float: sizes are divided with `//`"
    : "literals, dims and arithmetic on them are";

/** To write the item of `[item]` alone. */
const onlyItem = (e: Expr): string | undefined =>
  e.kind === "list" && e.items.length === 1 ? `write \`${textOf(e.items[0]!.span)}\` without brackets` : undefined;

const wrap = <T>(value: T | undefined): { value: T } | undefined => (value === undefined ? undefined : { value });
const allOf = (nodes: readonly (Node | undefined)[]): { value: unknown } | undefined =>
  nodes.includes(undefined) ? undefined : { value: nodes };
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
  if (found?.shape.length !== 2 || found.shape[1] !== 2) return undefined;
  return Array.from({ length: found.shape[0]! }, (_, i) => [found.values[2 * i]!, found.values[2 * i + 1]!] as const);
}
/** The parts of a tensor along a first axis of known size. */
function splitRows(node: Node): readonly Node[] | undefined {
  const [rows, ...rest] = node.type.shape;
  if (rows === undefined || !isKnown(rows) || rows === 0) return undefined;
  return Array.from({ length: rows }, (_, i) => relabel(sliceAxis(node, 0, i, 1), rest));
}
