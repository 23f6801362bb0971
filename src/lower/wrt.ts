/** A look over the tree before lowering: which names derivatives are taken with respect to. */
import type { Arg, Expr, Program, Statement } from "../../grammar/ast.ts";

/** Every name that some `wrt`, or the second argument of a derivative call, mentions; and what those names are aliases of. */
export function namesUnderWrt(
  main: Program,
  imported: (from: Program, path: string) => Program | undefined,
): Set<string> {
  const found = new Set<string>();
  const aliases: [alias: string, of: string][] = [];
  for (const program of reachable(main, imported))
    for (const statement of program.statements) visitStatement(statement, found, aliases);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [alias, of] of aliases.toReversed()) if (found.has(alias)) found.add(of);
  }
  return found;
}

function reachable(main: Program, imported: (from: Program, path: string) => Program | undefined): Set<Program> {
  const programs = new Set([main]);
  for (const program of programs)
    for (const s of program.statements) {
      const other = s.kind === "import" ? imported(program, s.path) : undefined;
      if (other) programs.add(other);
    }
  return programs;
}

function visitStatement(s: Statement, found: Set<string>, aliases: [string, string][]): void {
  switch (s.kind) {
    case "bind":
      if (s.value.kind === "name") for (const t of s.targets) aliases.push([t.name, s.value.name]);
      visitExpressions([s.value], found);
      break;
    case "expr":
      visitExpressions([s.value], found);
      break;
    case "output":
      for (const { name, value } of s.outputs) {
        if (value?.kind === "name") aliases.push([name.name, value.name]);
        if (value) visitExpressions([value], found);
      }
      break;
    case "input":
      visitExpressions(
        s.inputs.flatMap((d) => d.default ?? []),
        found,
      );
      break;
    case "fn":
      visitExpressions(
        s.params.flatMap((p) => p.default ?? []),
        found,
      );
      for (const b of s.body.bindings) visitStatement(b, found, aliases);
      visitExpressions([s.body.result], found);
      break;
    case "import":
    case "broken":
      break;
    default:
      s satisfies never;
  }
}

const DERIVATIVES: ReadonlySet<string> = new Set(["grad", "jacobian", "hessian", "vjp", "jvp"]);

/** Iterative: trees can be deep. */
function visitExpressions(roots: readonly Expr[], found: Set<string>): void {
  const stack = [...roots];
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (e.kind === "derivative") for (const w of e.wrt) found.add(w.name);
    if (e.kind === "call" && DERIVATIVES.has(e.callee.name)) {
      const second = e.args[1]?.value;
      if (second?.kind === "name") found.add(second.name);
    }
    for (const child of childrenOf(e)) stack.push(child);
  }
}

const argValues = (args: readonly Arg[]): Expr[] => args.map((a) => a.value);

/** The expressions directly inside one. */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case "number":
    case "bool":
    case "string":
    case "name":
      return [];
    case "list":
      return e.items;
    case "unary":
      return [e.arg];
    case "binary":
      return [e.left, e.right];
    case "call":
      return argValues(e.args);
    case "member":
      return [e.base, ...argValues(e.args ?? [])];
    case "index":
      return [
        e.base,
        ...e.items.flatMap((i) =>
          i.kind === "at"
            ? [i.index]
            : i.kind === "slice"
              ? [i.start, i.stop, i.step].filter((x) => x !== undefined)
              : [],
        ),
      ];
    case "transpose":
      return [e.base];
    case "derivative":
      return [e.of];
  }
}
