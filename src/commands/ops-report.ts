/** What `tsym ops` says of the functions of the language: all of it read off the table of ops and the prelude. */
import { formatExpr, formatProgram } from "../../grammar/format.ts";
import type { Family, Param } from "../ops/define.ts";
import { documentationOf, preludeFunction } from "../ops/prelude.ts";
import { functionNames, functionRow } from "../ops/registry.ts";
import type { DType } from "../tensor/dtype.ts";
import { dtypesOf, type Gradient, gradientOf } from "./specimen.ts";

/** A function as the list of all shows it. */
export interface Entry {
  readonly name: string;
  readonly family: Family;
  readonly signature: string;
  readonly doc: string;
}

/** All there is to say of one. */
export interface Description extends Entry {
  readonly examples: readonly string[];
  /** Of each dtype that the inputs may have, the result's. */
  readonly dtypes: readonly { readonly takes: DType; readonly gives: DType }[];
  /** Where it is written in tsym: its fn, and the prelude's own that it uses. */
  readonly definition?: string;
  /** The call that the gradient is that of. */
  readonly call: string;
  readonly gradient: Gradient | { readonly none: string };
}

/** Every function, in the order of the alphabet. */
export const entries = (): Entry[] => functionNames().sort().map(entryOf);

interface Parameter {
  readonly name: string;
  readonly kind: Param<unknown>["kind"];
  readonly default: string | undefined;
}

function parametersOf(name: string): Parameter[] {
  const row = functionRow(name);
  if (row) return Object.entries(row.params).map(([param, p]) => ({ name: param, kind: p.kind, default: p.default }));
  return preludeFunction(name)!.params.map((p) => ({
    name: p.name,
    kind: "tensor",
    default: p.default && formatExpr(p.default),
  }));
}

function entryOf(name: string): Entry {
  const { family, doc } = functionRow(name) ?? documentationOf(preludeFunction(name)!);
  const written = parametersOf(name).map((p) =>
    p.kind === "rest" ? `${p.name}, …` : p.default === undefined ? p.name : `${p.name}=${p.default}`,
  );
  return { name, family, signature: `${name}(${written.join(", ")})`, doc };
}

/** Everything about a function that there is. */
export function describe(name: string): Description {
  const row = functionRow(name);
  const specimen = row?.specimen ?? callOnMatrices(name);
  const { examples } = row ?? documentationOf(preludeFunction(name)!);
  return {
    ...entryOf(name),
    examples,
    dtypes: dtypesOf(specimen),
    ...(!row && { definition: definitionOf(name) }),
    call: callIn(specimen),
    gradient: gradientOf(specimen),
  };
}

/** `f(x)`, or `y where y, z = f(x)`. */
function callIn(specimen: string): string {
  const statements = specimen.split("; ").filter((statement) => !statement.startsWith("input "));
  return statements.reverse().join(" where ");
}

function callOnMatrices(name: string): string {
  const names = parametersOf(name).flatMap((p) => (p.default === undefined ? [p.name] : []));
  const sizes = names.includes("n") ? "[p, q]" : "[n, m]";
  return `input ${names.map((n) => n + sizes).join(", ")}; ${name}(${names.join(", ")})`;
}

/** The text of a prelude fn, after those that it uses and no program can call. */
function definitionOf(name: string, seen = new Set<string>()): string {
  const fn = preludeFunction(name);
  if (!fn || seen.has(name)) return "";
  seen.add(name);
  const text = formatProgram({ source: fn.span.source, statements: [{ ...fn, doc: [] }] });
  const used = [...text.matchAll(/\b_\w+/g)].map(([own]) => definitionOf(own, seen));
  return used.join("") + text;
}
