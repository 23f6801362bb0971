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

/** A function with examples: all there is to say of a form of derivatives. */
export interface Page extends Entry {
  readonly examples: readonly string[];
}

/** All there is to say of any other function. */
export interface Description extends Page {
  /** Of each dtype that the inputs may have, the result's. */
  readonly dtypes: readonly { readonly takes: DType; readonly gives: DType }[];
  /** Where it is written in tsym: its fn, and the prelude's own that it uses. */
  readonly definition?: string;
  /** The call that the gradient is that of. */
  readonly call: string;
  readonly gradient: Gradient | { readonly none: string };
}

/** What the language itself does with expressions, in words that look like functions. */
const FORMS: readonly Page[] = (
  [
    [
      "grad",
      "grad(E, a), or grad E wrt a, b",
      "The gradient of a scalar E: of a's shape and dtype, for each input or bound float tensor a.",
      "x = 3.0; grad(x ** 2, x) == 6",
    ],
    [
      "hessian",
      "hessian(E, a), or hessian E wrt a, b",
      "The second derivatives of a scalar E, of a's shape twice.",
      "x = [1.0, 2.0]; hessian(sum(x ** 3), x) == [[6, 0], [0, 12]]",
    ],
    [
      "jacobian",
      "jacobian(E, a), or jacobian E wrt a, b",
      "The derivatives of each element of E: of E's shape and then a's.",
      "x = [1.0, 2.0]; jacobian(x ** 2, x) == [[2, 0], [0, 4]]",
    ],
    [
      "jvp",
      "jvp(y, x, v)",
      "The jacobian of y with respect to x times v, which has x's shape: how y goes as x goes along v.",
      "x = [1.0, 2.0]; jvp(sum(x ** 2), x, [1, 10]) == 42",
    ],
    [
      "vjp",
      "vjp(y, x, ct)",
      "The cotangent ct, which has y's shape, times the jacobian of y with respect to x: the gradient of sum(ct * y).",
      "x = [1.0, 2.0]; vjp(x ** 2, x, [1, 10]) == [2, 40]",
    ],
  ] as const
).map(([name, signature, doc, ...examples]) => ({ name, family: "derivatives", signature, doc, examples }));

/** The page of a form of derivatives. */
export const derivativeForm = (name: string): Page | undefined => FORMS.find((f) => f.name === name);

/** Everything that programs can call by name. */
export const namesOfAll = (): string[] => [...functionNames(), ...FORMS.map(({ name }) => name)];

/** Every function, in the order of the alphabet. */
export const entries = (): Entry[] => namesOfAll().sort().map(entryOf);

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
  const form = derivativeForm(name);
  if (form) return { name, family: form.family, signature: form.signature, doc: form.doc };
  const { family, doc } = functionRow(name) ?? documentationOf(preludeFunction(name)!);
  const written = parametersOf(name).map((p) =>
    p.kind === "rest" ? `${p.name}, …` : p.default === undefined ? p.name : `${p.name}=${p.default}`,
  );
  return { name, family, signature: `${name}(${written.join(", ")})`, doc };
}

/** Everything about a function that there is, if it is no form of derivatives. */
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
