/** Tree to graph: the one room that sees spans and nodes together, so the only one that can say where a mistake is. */
import type { Expr, Statement } from "../../grammar/ast.ts";
import { foldWeak } from "../fold.ts";
import { Graph, type Node } from "../graph/node.ts";
import type { Diagnostic } from "../source.ts";
import { bindTargets } from "./binding.ts";
import { Context, type LowerOptions } from "./context.ts";
import { evaluate, requireTensor } from "./expression.ts";
import { fnTables, type Sources } from "./fns.ts";
import {
  declareDims,
  declareInput,
  declareUndeclared,
  type InputTensor,
  warnUnmentioned,
  warnUnusedInputs,
} from "./inputs.ts";
import { bareNames, type NamedTensor, NO_OUTPUT, nameOutputs, type Pending, unusedBindings } from "./outputs.ts";
import { type BoundDim, boundBy, Scope } from "./scope.ts";
import type { Site } from "./site.ts";
import { checkUncalled } from "./uncalled.ts";
import { POISON, tensorValue } from "./value.ts";
import { namesUnderWrt } from "./wrt.ts";

/** A program with every shape and dtype inferred, ready for data. */
export interface Lowered {
  readonly graph: Graph;
  readonly inputs: readonly InputTensor[];
  readonly outputs: readonly NamedTensor[];
  /** Every tensor that a name of the program stands for, inputs included, in the order of binding. */
  readonly names: readonly NamedTensor[];
  /** The declared dims, by name. */
  readonly dims: ReadonlyMap<string, BoundDim>;
  readonly sites: ReadonlyMap<Node, Site>;
  readonly origins: ReadonlyMap<Node, string>;
  /** How an input of that name is fed, for messages. */
  readonly feeding: (name: string) => string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Lowers a program whole: every mistake is in the diagnostics, and what is right is in the graph all the same. */
export function lower(sources: Sources, options: LowerOptions): Lowered {
  const { main, imported } = sources;
  const graph = new Graph({ defaultFloat: options.defaultFloat, fold: foldWeak });
  const context = new Context(
    graph,
    namesUnderWrt(main, imported),
    main.source.name === "-e" ? options.feeding : undefined,
  );
  const tables = fnTables(sources, context);
  const scope = new Scope(tables.get(main)!, undefined, main.statements);
  const inputs: InputTensor[] = [];
  const pending: Pending[] = [];

  declareDims(main.statements, scope);
  const declared = new Set(main.statements.flatMap(namesBoundBy));
  const nowhere = { source: main.source, start: 0, end: 0 };
  for (const [name, type] of options.undeclared ?? [])
    if (!declared.has(name)) {
      const made = declareUndeclared(name, type, nowhere, scope, context);
      if (made) inputs.push(made);
    }
  for (const statement of main.statements) lowerStatement(statement, scope, context, inputs, pending);
  for (const [program, fns] of tables)
    checkUncalled(program.statements, program === main ? scope : new Scope(fns), context);

  const outputs = nameOutputs(pending.length > 0 ? pending : unusedBindings(scope), scope, context);
  if (main.statements.length === 0) context.report(NO_OUTPUT);
  const isWhole = main.statements.every((s) => s.kind !== "broken");
  if (isWhole && context.diagnostics.every((d) => d.severity !== "error")) {
    warnUnmentioned(options.undeclared?.keys() ?? [], scope, context);
    warnUnusedInputs(inputs, outputs, context);
  }
  const names = [...scope.names].flatMap(([name, { value, span }]) =>
    value.kind === "tensor" ? [{ name, node: value.node, span }] : [],
  );
  const { sites, origins, diagnostics } = context;
  const feeding = options.feeding ?? ((name) => `run({ ${name}: … })`);
  return { graph, inputs, outputs, names, dims: scope.dims, sites, origins, feeding, diagnostics };
}

/** Adds to `inputs` and `outputs` what the statement declares. */
function lowerStatement(s: Statement, scope: Scope, context: Context, inputs: InputTensor[], outputs: Pending[]): void {
  switch (s.kind) {
    case "input":
      for (const declared of s.inputs) {
        const made = declareInput(declared, scope, context);
        if (made) inputs.push(made);
      }
      return;
    case "bind":
      bindTargets(s.targets, s.value, scope, context);
      return;
    case "output":
      for (const { name, value } of s.outputs) {
        if (value) bindTargets([name], value, scope, context);
        if (value && scope.names.get(name.name)?.span !== name.span) continue; // taken, and reported
        const found = requireTensor(evaluate({ kind: "name", ...name }, scope, context), name.span, context);
        outputs.push({ name: name.name, value: found, span: name.span, declared: true, bound: true });
      }
      return;
    case "expr":
      outputs.push(...bareOutputs(s.value, scope, context));
      return;
    case "broken":
      for (const name of s.binds)
        if (!scope.names.has(name)) scope.names.set(name, { value: POISON, span: s.span, what: "binding", used: true });
      for (const name of s.mayDeclare) scope.missing.add(name);
      return;
    case "fn":
    case "import":
      return;
    default:
      s satisfies never;
  }
}

/** A bare expression: an output, or as many as a many-valued derivative gives. */
function bareOutputs(e: Expr, scope: Scope, context: Context): Pending[] {
  const value = evaluate(e, scope, context);
  const names = bareNames(e);
  const values =
    value.kind === "many" && names.length === value.nodes.length
      ? value.nodes.map(tensorValue)
      : [requireTensor(value, e.span, context)];
  const bound = e.kind === "name";
  return values.map((v, i) => ({ name: names[i] ?? "out", value: v, span: e.span, declared: false, bound }));
}

/** The names that a statement declares or binds. */
export const namesBoundBy = (s: Statement): readonly string[] => boundBy(s).map(({ name }) => name);
