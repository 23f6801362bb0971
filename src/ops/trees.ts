/** Reads the fns of a .tsym file as the build left them: JSON in short, parsed when one is asked for. Knows no parser. */
import type { FnDecl } from "../../grammar/ast.ts";
import type { Span } from "../source.ts";

/** Where everything in such a file stands: its text is not kept. */
export const NOWHERE: Span = { source: { name: "prelude.tsym", text: "" }, start: 0, end: 0 };

/** What trees as JSON are full of, and the characters that stand for it; a text may hold those before it. The build adds no others. */
const ABBREVIATIONS: readonly (readonly [character: string, text: string])[] = [
  ["#", '":{"kind":"name","name":"'],
  ["$", '":{"kind":"call","callee":{"name":"'],
  ["%", '{"kind":"'],
  ["&", '"},"args":[{"value'],
  ["?", '"name":"'],
  ["B", '":%binary","op":"'],
  ["C", '}],"body":{"bindings":[%bind","targets":[{?'],
  ["D", '":%number","value":{"int":"'],
  ["E", '","params":[{?'],
  ["F", '}},"doc":[]}'],
  ["G", '"},"right'],
  ["I", '"}],"body":{"bindings":[],"result'],
  ["J", '"value'],
  ["L", '","left'],
];

/** Throws where the text holds a character that stands for another. */
export function abbreviated(json: string): string {
  const taken = ABBREVIATIONS.find(([character]) => json.includes(character));
  if (taken) throw new Error(`${taken[0]} stands for ${taken[1]}, so it cannot be in ${json}`);
  return ABBREVIATIONS.reduce((short, [character, text]) => short.replaceAll(text, character), json);
}
const written = (short: string): string =>
  ABBREVIATIONS.reduceRight((json, [character, text]) => json.replaceAll(character, text), short);

/** Undoes, in place, what bin/precompute.js wrote: digits to a bigint, and a place on every object, as the tree's types promise. */
function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("int" in value) return BigInt(String(value.int));
  const parts = value as Record<string, unknown>;
  for (const key in parts) parts[key] = revive(parts[key]);
  return Array.isArray(value) ? value : Object.assign(parts, { span: NOWHERE, nameSpan: NOWHERE, opSpan: NOWHERE });
}

/** The tree of a fn by its name, the same object each time; every span in it is empty. */
export function treeReader(trees: ReadonlyMap<string, string>): (name: string) => FnDecl | undefined {
  const parsed = new Map<string, FnDecl>();
  return (name) => {
    const known = parsed.get(name);
    const short = trees.get(name);
    if (known || short === undefined) return known;
    const tree = revive(JSON.parse(written(short))) as FnDecl;
    parsed.set(name, tree);
    return tree;
  };
}
