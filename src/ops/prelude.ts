/** The fns of prelude.tsym, parsed when tsym was built and read when a program uses them. Knows no op and no parser. */
import type { FnDecl } from "../../grammar/ast.ts";
import type { Family } from "./define.ts";
import trees from "./prelude.tsym";
import { treeReader } from "./trees.ts";

/** The tree of the prelude's fn `name`. */
export const preludeFunction = treeReader(trees);
export const preludeNames = (): string[] => [...trees.keys()];

/** What the comment above a prelude fn says: its family in brackets, prose, and in its indented lines examples. */
export function documentationOf({ doc }: FnDecl): {
  readonly family: Family;
  readonly doc: string;
  readonly examples: readonly string[];
} {
  const isExample = (line: string) => line.startsWith("  ");
  const prose = doc.filter((line) => !isExample(line)).join(" ");
  const [, family, text = prose] = /^\[(.*?)\] (.*)$/.exec(prose) ?? [];
  return { family: family as Family, doc: text, examples: doc.filter(isExample).map((line) => line.trim()) };
}
