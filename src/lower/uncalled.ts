/** Fns that nothing calls are never lowered; their names are checked all the same. */
import type { Expr, FnDecl, Statement } from "../../grammar/ast.ts";
import { preludeFunction } from "../ops/prelude.ts";
import { functionRow } from "../ops/registry.ts";
import { isDType } from "../tensor/dtype.ts";
import { callFunction } from "./call.ts";
import type { Context } from "./context.ts";
import { DERIVATIVE_FORMS } from "./derivative.ts";
import { reportUnknownName } from "./expression.ts";
import { Scope } from "./scope.ts";
import { POISON } from "./value.ts";
import { childrenOf } from "./wrt.ts";

/** Reports names and functions that are not there, in the fns of `statements` that were never called. */
export function checkUncalled(statements: readonly Statement[], scope: Scope, context: Context): void {
  for (const s of statements) if (s.kind === "fn" && !context.called.has(s)) checkNames(s, scope, context);
}

function checkNames(decl: FnDecl, program: Scope, context: Context): void {
  const scope = new Scope(program.fns, program, decl.body.bindings);
  const bind = (name: string, span: FnDecl["span"]) =>
    scope.names.set(name, { value: POISON, span, what: "binding", used: true });
  for (const p of decl.params) {
    bind(p.name, p.span);
    for (const d of p.dims ?? []) if (d.kind === "name") scope.dims.set(d.name, { dim: 0, span: d.span });
    if (p.default) checkExpression(p.default, scope, context);
  }
  for (const { targets, value } of decl.body.bindings) {
    checkExpression(value, scope, context);
    for (const t of targets) bind(t.name, t.span);
  }
  checkExpression(decl.body.result, scope, context);
}

const WORDS: ReadonlySet<string> = new Set(["pi", "inf", "nan", "all"]);

function checkExpression(root: Expr, scope: Scope, context: Context): void {
  const stack = [root];
  for (let e = stack.pop(); e; e = stack.pop()) {
    const known = (name: string) =>
      scope.names.has(name) || scope.dim(name) !== undefined || WORDS.has(name) || isDType(name);
    if (e.kind === "name" && !known(e.name)) reportUnknownName(e.name, e.span, scope, context);
    if (e.kind === "derivative")
      for (const w of e.wrt) if (!known(w.name)) reportUnknownName(w.name, w.span, scope, context);
    if (e.kind === "call" && !isFunction(e.callee.name, scope)) callFunction({ ...e, args: [] }, scope, context);
    for (const child of childrenOf(e)) stack.push(child);
  }
}

const isFunction = (name: string, scope: Scope): boolean =>
  scope.fns.has(name) ||
  functionRow(name) !== undefined ||
  preludeFunction(name) !== undefined ||
  DERIVATIVE_FORMS.has(name);
