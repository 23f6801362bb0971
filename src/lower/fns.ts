/** Which fns a file can call: its own and those it imports, each seeing the fns of its own file. */
import type { FnDecl, Program } from "../../grammar/ast.ts";
import { type Span, textOf } from "../source.ts";
import type { Context } from "./context.ts";
import type { FnTable } from "./scope.ts";

/** The files of a program: its own tree first, then those it imports, by the path as written in the importing file. */
export interface Sources {
  readonly main: Program;
  /** The tree that an `import` statement of a file means; undefined where reading it failed and was reported. */
  readonly imported: (from: Program, path: string) => Program | undefined;
}

/** The fns that each file of a program sees, the main file first. */
export function fnTables(sources: Sources, context: Context): Map<Program, FnTable> {
  const tables = new Map<Program, FnTable>();
  const tableOf = (program: Program): FnTable => {
    const known = tables.get(program);
    if (known) return known;
    const table: FnTable = new Map();
    tables.set(program, table);
    for (const s of program.statements) {
      if (s.kind === "fn" && !hasTwins(s, context)) add(table, s, table, context);
      if (s.kind !== "broken") continue;
      for (const name of s.binds) context.brokenFns.add(name);
      if (/^import\b/.test(textOf(s.span))) context.lacksFns = true;
    }
    for (const s of program.statements) {
      if (s.kind !== "import") continue;
      const other = sources.imported(program, s.path);
      if (!other) context.lacksFns = true;
      const theirs: FnTable = other ? tableOf(other) : new Map();
      for (const { decl } of theirs.values()) add(table, decl, theirs, context, s.pathSpan);
    }
    if (program !== sources.main) warnOfMore(program, context);
    return table;
  };
  tableOf(sources.main);
  return tables;
}

/** Adds a fn under its name; one by one name only. `from` is the import that brings it. */
function add(table: FnTable, decl: FnDecl, home: FnTable, context: Context, from?: Span): void {
  const earlier = table.get(decl.name);
  if (!earlier) table.set(decl.name, { decl, table: home });
  if (!earlier || earlier.decl === decl) return;
  context.mistake(from ?? decl.nameSpan, `fn \`${decl.name}\` is defined twice`, {
    code: "bound-twice",
    here: from ? "" : "again here",
    labels: [
      { span: earlier.decl.nameSpan, text: "defined here first" },
      ...(from ? [{ span: decl.nameSpan, text: "and here, in what is imported" }] : []),
    ],
    help: "rename one of them",
  });
}

function warnOfMore({ statements }: Program, context: Context): void {
  for (const { kind, span } of statements)
    if (kind !== "fn" && kind !== "import" && kind !== "broken")
      context.warn(
        span,
        "import",
        `an imported file gives its fns; this ${kind === "bind" ? "binding" : kind} is left out`,
      );
}

/** Whether two parameters of a fn share a name; reported, and its callers stay silent. */
function hasTwins({ name, params }: FnDecl, context: Context): boolean {
  const twin = params.find((p, i) => params.findIndex((q) => q.name === p.name) < i);
  if (!twin) return false;
  context.brokenFns.add(name);
  context.mistake(twin.span, `\`${twin.name}\` is a parameter twice`, {
    code: "bound-twice",
    here: "again here",
    labels: [{ span: params.find((p) => p.name === twin.name)!.span, text: "a parameter here first" }],
    help: "a name is bound once: take another",
  });
  return true;
}
