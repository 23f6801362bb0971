/** Reads the fns of a .tsym file as the build left them: JSON, parsed when one is asked for. Knows no parser. */
import type { FnDecl } from "../../grammar/ast.ts";
import type { Span } from "../source.ts";

/** Where everything in such a file stands: its text is not kept. */
export const NOWHERE: Span = { source: { name: "prelude.tsym", text: "" }, start: 0, end: 0 };

/** Undoes what bin/precompute.js wrote: digits to a bigint, and a place on every object, as the tree's types promise. */
function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if ("int" in value) return BigInt(String(value.int));
  return { ...value, span: NOWHERE, nameSpan: NOWHERE, opSpan: NOWHERE };
}

/** The tree of a fn by its name, the same object each time; every span in it is empty. */
export function treeReader(trees: ReadonlyMap<string, string>): (name: string) => FnDecl | undefined {
  const parsed = new Map<string, FnDecl>();
  return (name) => {
    const known = parsed.get(name);
    const json = trees.get(name);
    if (known || json === undefined) return known;
    const tree: FnDecl = JSON.parse(json, revive);
    parsed.set(name, tree);
    return tree;
  };
}
