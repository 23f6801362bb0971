/** The prelude as a run sees it, against the text it was made from. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FnDecl } from "../grammar/ast.ts";
import { parse } from "../grammar/parser.ts";
import { preludeFunction, preludeNames } from "../src/ops/prelude.ts";

const text = readFileSync("src/ops/prelude.tsym", "utf8");
const { program, diagnostics } = parse({ name: "prelude.tsym", text });
const fns = program.statements.filter((statement): statement is FnDecl => statement.kind === "fn");

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** A tree without its places. */
function placeless(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(placeless);
  if (!isObject(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) => (/^(span|\w+Span)$/.test(key) ? [] : [[key, placeless(value)]])),
  );
}

/** What each object of a tree is, where it has a place of its own. */
const places = (tree: unknown): string[] =>
  isObject(tree)
    ? Object.entries(tree).flatMap(([key, value]) => (/^(span|\w+Span)$/.test(key) ? [key] : places(value)))
    : [];

test("the prelude parses", () => {
  expect(diagnostics).toEqual([]);
});

test("every fn is there, in order, and no other", () => {
  expect(preludeNames()).toEqual(fns.map(({ name }) => name));
  expect(preludeFunction("no such fn")).toBeUndefined();
  expect(preludeFunction("constructor")).toBeUndefined();
});

test.each(fns.map((fn) => [fn.name, fn] as const))("%s keeps its tree", (name, fn) => {
  const revived = preludeFunction(name);
  expect(placeless(revived)).toEqual(placeless(fn));
  expect(preludeFunction(name)).toBe(revived);
  for (const kind of new Set(places(fn))) expect(places(revived)).toContain(kind);
});

test("an int literal is a bigint still", () => {
  const relu = JSON.stringify(preludeFunction("relu"), (_, value) => (typeof value === "bigint" ? "an int" : value));
  expect(relu).toContain('"an int"');
});
