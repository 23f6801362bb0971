/** The fns of prelude.tsym, parsed when tsym was built and read when a program uses them. Knows no op and no parser. */
import type { FnDecl } from "../../grammar/ast.ts";
import type { Span } from "../source.ts";
import trees from "./prelude.tsym";

/** Where everything in the prelude stands: its text is not kept. */
export const PRELUDE_SPAN: Span = { source: { name: "prelude.tsym", text: "" }, start: 0, end: 0 };

/** Undoes what bin/prelude.js wrote: digits to a bigint, and a place on every object, as the tree's types promise. */
function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if ("int" in value) return BigInt(String(value.int));
  return { ...value, span: PRELUDE_SPAN, nameSpan: PRELUDE_SPAN, opSpan: PRELUDE_SPAN };
}

const parsed = new Map<string, FnDecl>();

/** The tree of the prelude's fn `name`, the same object each time; every span in it is empty. */
export function preludeFunction(name: string): FnDecl | undefined {
  const known = parsed.get(name);
  const json = trees.get(name);
  if (known || json === undefined) return known;
  const tree: FnDecl = JSON.parse(json, revive);
  parsed.set(name, tree);
  return tree;
}

export const preludeNames = (): string[] => [...trees.keys()];

/** What the comment above a prelude fn says: prose, and in its indented lines examples. */
export function documentationOf({ doc }: FnDecl): { readonly doc: string; readonly examples: readonly string[] } {
  const isExample = (line: string) => line.startsWith("  ");
  return {
    doc: doc.filter((line) => !isExample(line)).join(" "),
    examples: doc.filter(isExample).map((line) => line.trim()),
  };
}
