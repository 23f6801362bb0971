/** What a program's outputs are called. */
import type { Expr } from "../../grammar/ast.ts";
import { type Node, OpError } from "../graph/node.ts";
import { strong } from "../ops/promote.ts";
import { type Diagnostic, fail, type Span } from "../source.ts";
import type { Context } from "./context.ts";
import type { Scope } from "./scope.ts";
import { tensorValue, type Value } from "./value.ts";

export interface NamedTensor {
  readonly name: string;
  readonly node: Node;
  readonly span: Span;
}

/** What an output is called before names are made unique. */
export interface Pending {
  readonly name: string;
  readonly value: Value;
  readonly span: Span;
  readonly declared: boolean;
  /** Whether the name stands for the value in the program. */
  readonly bound: boolean;
}

/**
 * Declared outputs have their names first; others take `_1`, `_2` where theirs are taken, by an output or by another value that
 * the program calls so.
 */
export function nameOutputs(pending: readonly Pending[], scope: Scope, context: Context): NamedTensor[] {
  const taken = new Map<string, Span>();
  for (const { name, declared, span } of pending) {
    if (!declared) continue;
    const first = taken.get(name);
    if (first)
      context.mistake(span, `\`${name}\` is an output twice`, {
        code: "bound-twice",
        here: "again here",
        labels: [{ span: first, text: "an output here first" }],
      });
    else taken.set(name, span);
  }
  const outputs: NamedTensor[] = [];
  for (const { name, value, span, declared, bound } of pending) {
    const isFree = (each: string) => !taken.has(each) && ((bound && each === name) || !scope.names.has(each));
    const unique = declared ? name : firstFree(name, isFree);
    taken.set(unique, span);
    if (value.kind !== "tensor") continue;
    const made = context.at(span, [], () => tensorValue(strong(value.node)));
    if (made.kind === "tensor") outputs.push({ name: unique, node: made.node, span });
  }
  return outputs;
}

export const NO_OUTPUT: Diagnostic = {
  severity: "error",
  code: "no-output",
  message: "the program has no output",
  labels: [],
  help: "end it with an expression, or name one: output x",
};

/** A name's value where it is an output. Throws TsymError where it is weak and no dtype holds it. */
export function leftAlone({ name, node, span }: NamedTensor): NamedTensor {
  try {
    return { name, node: strong(node), span };
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    return fail(error.code, error.message, { labels: [{ span, text: "" }], help: error.help });
  }
}

/** With no output at all, every binding that nothing else uses is one. */
export const unusedBindings = ({ names }: Scope): Pending[] =>
  [...names].flatMap(([name, { value, span, what, used }]) =>
    what === "binding" && !used ? [{ name, value, span, declared: true, bound: true }] : [],
  );

function firstFree(name: string, isFree: (name: string) => boolean): string {
  if (isFree(name)) return name;
  let k = 1;
  while (!isFree(`${name}_${k}`)) k++;
  return `${name}_${k}`;
}

/** The output names of a bare expression: a name is itself, `grad E wrt a, b` are grad_a and grad_b, all else `out`. */
export function bareNames(e: Expr): string[] {
  if (e.kind === "name") return [e.name];
  if (e.kind === "derivative") return e.wrt.map((w) => (e.op === "grad" ? `grad_${w.name}` : "out"));
  if (e.kind === "call" && e.callee.name === "grad") {
    const [, variable] = e.args;
    if (variable?.value.kind === "name") return [`grad_${variable.value.name}`];
  }
  return ["out"];
}
