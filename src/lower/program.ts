/** Tree to graph: the one room that sees spans and nodes together, so the only one that can say where a mistake is. */
import type { Declared, DimExpr, Expr, FnDecl, Program, Statement } from "../../grammar/ast.ts";
import { foldWeak } from "../fold.ts";
import { ancestors, Graph, type Node } from "../graph/node.ts";
import { input } from "../ops/leaf.ts";
import { broadcastTo } from "../ops/movement.ts";
import { cast, strong } from "../ops/promote.ts";
import type { Diagnostic, Span } from "../source.ts";
import { asSymbol, type Dim, sameDim, symbolDim } from "../tensor/dim.ts";
import { type DType, isFloat, promote } from "../tensor/dtype.ts";
import { bindTargets, isTaken } from "./binding.ts";
import { Context, type LowerOptions } from "./context.ts";
import { evaluateDim, reportUnknownDim } from "./declared.ts";
import { evaluate, requireTensor } from "./expression.ts";
import { type BoundDim, type FnTable, Scope } from "./scope.ts";
import { checkUncalled } from "./uncalled.ts";
import { POISON, type Site, tensorValue, type Value } from "./value.ts";
import { namesUnderWrt } from "./wrt.ts";

export interface InputTensor {
  readonly name: string;
  readonly node: Node;
  readonly span: Span;
  /** What stands when nothing is fed, of the input's type. */
  readonly default: Node | undefined;
}

export interface NamedTensor {
  readonly name: string;
  readonly node: Node;
  readonly span: Span;
}

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
  readonly diagnostics: readonly Diagnostic[];
}

/** The files of a program: its own tree first, then those it imports, by the path as written in the importing file. */
export interface Sources {
  readonly main: Program;
  /** The tree that an `import` statement of a file means; undefined where reading it failed and was reported. */
  readonly imported: (from: Program, path: string) => Program | undefined;
}

/** What an output is called before names are made unique. */
interface Pending {
  readonly name: string;
  readonly value: Value;
  readonly span: Span;
  readonly declared: boolean;
}

export function lower(sources: Sources, options: LowerOptions): Lowered {
  return new ProgramLowering(sources, options).run();
}

class ProgramLowering {
  readonly #context: Context;
  readonly #scope: Scope;
  readonly #sources: Sources;
  readonly #options: LowerOptions;
  readonly #inputs: InputTensor[] = [];
  readonly #outputs: Pending[] = [];
  /** The fns that each file sees. */
  readonly #tables = new Map<Program, FnTable>();
  #unknownDims = 0;

  constructor(sources: Sources, options: LowerOptions) {
    this.#sources = sources;
    this.#options = options;
    const graph = new Graph({ defaultFloat: options.defaultFloat, fold: foldWeak });
    this.#context = new Context(graph, namesUnderWrt(sources.main, sources.imported));
    this.#scope = new Scope(this.#tableOf(sources.main));
  }

  run(): Lowered {
    const { statements } = this.#sources.main;
    this.#declareDims(statements);
    const declared = new Set(statements.flatMap(namesBoundBy));
    for (const [name, type] of this.#options.undeclared ?? [])
      if (!declared.has(name)) this.#declareUndeclared(name, type);
    for (const statement of statements) this.#lowerStatement(statement);
    checkUncalled(statements, this.#scope, this.#context);
    for (const [{ statements: others }, fns] of this.#tables)
      if (others !== statements) checkUncalled(others, new Scope(fns), this.#context);
    const names = [...this.#scope.names].flatMap(([name, { value, span }]) =>
      value.kind === "tensor" ? [{ name, node: value.node, span }] : [],
    );
    const outputs = this.#nameOutputs();
    this.#warnUnusedInputs(outputs);
    return {
      graph: this.#context.graph,
      inputs: this.#inputs,
      outputs,
      names,
      dims: this.#scope.dims,
      sites: this.#context.sites,
      origins: this.#context.origins,
      diagnostics: this.#context.diagnostics,
    };
  }

  /** The fns of a file and of what it imports, each seeing those of its own file. */
  #tableOf(program: Program): FnTable {
    const known = this.#tables.get(program);
    if (known) return known;
    const table: FnTable = new Map();
    this.#tables.set(program, table);
    const add = (decl: FnDecl, home: FnTable, from?: Span) => {
      const earlier = table.get(decl.name);
      if (!earlier) table.set(decl.name, { decl, table: home });
      else if (earlier.decl !== decl)
        this.#context.mistake(from ?? decl.nameSpan, `fn \`${decl.name}\` is defined twice`, {
          code: "bound-twice",
          here: from ? "" : "again here",
          labels: [
            { span: earlier.decl.nameSpan, text: "defined here first" },
            ...(from ? [{ span: decl.nameSpan, text: "and here, in what is imported" }] : []),
          ],
          help: "rename one of them",
        });
    };
    for (const s of program.statements) {
      if (s.kind === "fn" && !this.#hasTwins(s)) add(s, table);
      if (s.kind === "broken") for (const name of s.binds) this.#context.brokenFns.add(name);
    }
    for (const s of program.statements) {
      if (s.kind !== "import") continue;
      const other = this.#sources.imported(program, s.path);
      if (!other) this.#context.lacksFns = true;
      if (!other) continue;
      const theirs = this.#tableOf(other);
      for (const { decl } of theirs.values()) add(decl, theirs, s.pathSpan);
    }
    if (program !== this.#sources.main)
      for (const s of program.statements)
        if (s.kind !== "fn" && s.kind !== "import" && s.kind !== "broken")
          this.#context.warn(
            s.span,
            "import",
            `an imported file gives its fns; this ${s.kind === "bind" ? "binding" : s.kind} is left out`,
          );
    return table;
  }

  /** Whether two parameters of a fn share a name; reported, and its callers stay silent. */
  #hasTwins({ name, params }: FnDecl): boolean {
    const twin = params.find((p, i) => params.findIndex((q) => q.name === p.name) < i);
    if (!twin) return false;
    this.#context.brokenFns.add(name);
    this.#context.mistake(twin.span, `\`${twin.name}\` is a parameter twice`, {
      code: "bound-twice",
      here: "again here",
      labels: [{ span: params.find((p) => p.name === twin.name)!.span, text: "a parameter here first" }],
      help: "a name is bound once: take another",
    });
    return true;
  }

  /** The named dims of all inputs come first: they mean the same size everywhere in the program. */
  #declareDims(statements: readonly Statement[]): void {
    const inputs = statements.flatMap((s) => (s.kind === "input" ? s.inputs : []));
    for (const { dims } of inputs)
      for (const d of dims ?? [])
        if (d.kind === "name" && !this.#scope.dims.has(d.name))
          this.#scope.dims.set(d.name, { dim: symbolDim(d.name), span: d.span });
  }

  #lowerStatement(s: Statement): void {
    const [scope, context] = [this.#scope, this.#context];
    switch (s.kind) {
      case "input":
        for (const declared of s.inputs) this.#declareInput(declared);
        return;
      case "bind":
        bindTargets(s.targets, s.value, scope, context);
        return;
      case "output":
        for (const { name, value } of s.outputs) {
          if (value) bindTargets([name], value, scope, context);
          if (value && scope.names.get(name.name)?.span !== name.span) continue; // taken, and reported
          const found = evaluate({ kind: "name", ...name }, scope, context);
          this.#outputs.push({
            name: name.name,
            value: requireTensor(found, name.span, context),
            span: name.span,
            declared: true,
          });
        }
        return;
      case "expr":
        this.#addBareOutput(s.value);
        return;
      case "broken":
        for (const name of s.binds)
          if (!scope.names.has(name))
            scope.names.set(name, { value: POISON, span: s.span, what: "binding", used: true });
        return;
      case "fn":
      case "import":
        return;
    }
  }

  #addBareOutput(e: Expr): void {
    const value = evaluate(e, this.#scope, this.#context);
    const names = bareNames(e);
    const values =
      value.kind === "many" && names.length === value.nodes.length
        ? value.nodes.map(tensorValue)
        : [requireTensor(value, e.span, this.#context)];
    for (const [i, v] of values.entries())
      this.#outputs.push({ name: names[i] ?? "out", value: v, span: e.span, declared: false });
  }

  #declareInput(declared: Declared): void {
    const [scope, context] = [this.#scope, this.#context];
    const { name, span } = declared;
    if (isTaken({ name, span }, scope, context)) return;
    const shape = (declared.dims ?? []).map((d) => this.#inputDim(d));
    const dtype = declared.dtype?.dtype ?? this.#options.defaultFloat;
    const node = input(context.graph, name, { dtype, shape, weak: false });
    scope.names.set(name, { value: tensorValue(node), span, what: "input", used: false });
    const given = declared.default && this.#lowerDefault(declared, declared.default, node);
    this.#inputs.push({ name, node, span, default: given });
  }

  #inputDim(e: DimExpr): Dim {
    const size = evaluateDim(e, this.#scope, (name, span) => {
      reportUnknownDim(name, span, this.#scope, this.#context);
      return undefined;
    });
    return size ?? symbolDim("?", `?${this.#unknownDims++}`);
  }

  /** A default is converted within kind, as data is, and stretched to the shape. */
  #lowerDefault(declared: Declared, e: Expr, node: Node): Node | undefined {
    const context = this.#context;
    const value = requireTensor(evaluate(e, this.#scope, context), e.span, context);
    if (value.kind !== "tensor") return undefined;
    const { dtype, shape } = node.type;
    const from = value.node.type.dtype;
    const fits = promote(from, dtype) === dtype || (isFloat(from) && isFloat(dtype)) || value.node.type.weak;
    if (!fits) {
      context.mistake(e.span, `the default of \`${declared.name}\` is ${from}, which does not convert to ${dtype}`, {
        code: "dtype",
        help: `write \`astype(…, ${dtype})\``,
      });
      return undefined;
    }
    const made = context.at(e.span, [{ span: e.span, value }], () =>
      tensorValue(broadcastTo(cast(value.node, dtype), shape)),
    );
    return made.kind === "tensor" ? made.node : undefined;
  }

  #declareUndeclared(name: string, type: { dtype: DType; shape: readonly number[] }): void {
    const { source } = this.#sources.main;
    const span = { source, start: 0, end: 0 };
    const node = input(this.#context.graph, name, { ...type, weak: false });
    this.#scope.names.set(name, { value: tensorValue(node), span, what: "input", used: false });
    this.#inputs.push({ name, node, span, default: undefined });
  }

  /** Declared outputs have their names first; others take `_1`, `_2` where theirs are taken. */
  #nameOutputs(): NamedTensor[] {
    const pending = this.#outputs.length > 0 ? this.#outputs : this.#unusedBindings();
    const taken = new Map<string, Span>();
    for (const { name, declared, span } of pending) {
      if (!declared) continue;
      const first = taken.get(name);
      if (first)
        this.#context.mistake(span, `\`${name}\` is an output twice`, {
          code: "bound-twice",
          here: "again here",
          labels: [{ span: first, text: "an output here first" }],
        });
      else taken.set(name, span);
    }
    const outputs: NamedTensor[] = [];
    for (const { name, value, span, declared } of pending) {
      const unique = declared ? name : firstFree(name, taken);
      taken.set(unique, span);
      if (value.kind !== "tensor") continue;
      const made = this.#context.at(span, [], () => tensorValue(strong(value.node)));
      if (made.kind === "tensor") outputs.push({ name: unique, node: made.node, span });
    }
    return outputs;
  }

  #unusedBindings(): Pending[] {
    return [...this.#scope.names].flatMap(([name, { value, span, what, used }]) =>
      what === "binding" && !used ? [{ name, value, span, declared: true }] : [],
    );
  }

  /** Only of a program without errors: one that is cut short needs less. */
  #warnUnusedInputs(outputs: readonly NamedTensor[]): void {
    const isBroken = this.#sources.main.statements.some((s) => s.kind === "broken");
    if (isBroken || this.#context.diagnostics.some((d) => d.severity === "error")) return;
    const needed = new Set(ancestors(outputs.map((o) => o.node)));
    const isWritten = ({ start, end }: Span) => end > start;
    const givesSize = ({ node }: InputTensor) =>
      node.type.shape.some(
        (d) =>
          asSymbol(d) &&
          this.#inputs.every((i) => i.node === node || !i.node.type.shape.some((other) => sameDim(d, other))) &&
          !asSymbol(d)!.key.startsWith("?"),
      );
    for (const declared of this.#inputs) {
      const { name, node, span } = declared;
      if (needed.has(node) || !isWritten(span) || givesSize(declared)) continue;
      if (this.#context.wrtNames.has(name)) continue; // said already: its gradient is zeros
      this.#context.warn(span, "unused-input", `no output needs input \`${name}\`: it need not be fed`);
    }
  }
}

/** The names that a statement declares or binds. */
export function namesBoundBy(s: Statement): readonly string[] {
  switch (s.kind) {
    case "input":
      return s.inputs.map((i) => i.name);
    case "bind":
      return s.targets.map((t) => t.name);
    case "output":
      return s.outputs.flatMap((o) => (o.value ? [o.name.name] : []));
    case "broken":
      return s.binds;
    default:
      return [];
  }
}

function firstFree(name: string, taken: ReadonlyMap<string, Span>): string {
  if (!taken.has(name)) return name;
  let k = 1;
  while (taken.has(`${name}_${k}`)) k++;
  return `${name}_${k}`;
}

/** The output names of a bare expression: a name is itself, `grad E wrt a, b` are grad_a and grad_b, all else `out`. */
function bareNames(e: Expr): string[] {
  if (e.kind === "name") return [e.name];
  if (e.kind === "derivative") return e.wrt.map((w) => (e.op === "grad" ? `grad_${w.name}` : "out"));
  if (e.kind === "call" && e.callee.name === "grad") {
    const [, variable] = e.args;
    if (variable?.value.kind === "name") return [`grad_${variable.value.name}`];
  }
  return ["out"];
}
