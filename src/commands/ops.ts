/** `tsym ops`: what functions there are, and what there is to know of one. */
import { isReservedFunction, nearest, spelledHere } from "../lower/names.ts";
import { FAMILIES } from "../ops/define.ts";
import { fail } from "../source.ts";
import { DTYPES } from "../tensor/dtype.ts";
import {
  type Description,
  derivativeForm,
  describe,
  type Entry,
  entries,
  namesOfAll,
  type Page,
} from "./ops-report.ts";
import type { World } from "./world.ts";

export interface OpsOptions {
  readonly json?: boolean;
}

/** Lists every function, or tells of the one called `name`. Throws TsymError (exit 2) where there is none of that name. */
export async function ops(name: string | undefined, { json }: OpsOptions, world: World): Promise<number> {
  if (name !== undefined && !namesOfAll().includes(name)) failUnknown(name);
  const found = name === undefined ? entries() : (derivativeForm(name) ?? describe(name));
  const text = json ? JSON.stringify(found) : "name" in found ? page(found) : table(found);
  world.print(`${text}\n`);
  return 0;
}

function failUnknown(name: string): never {
  if (isReservedFunction(name)) fail("unknown-function", `\`${name}\` is reserved for a later version`, { exit: 2 });
  const here = spelledHere(name);
  const near = nearest(name, namesOfAll());
  return fail("unknown-function", `there is no function \`${name}\``, {
    help: here ? `write ${here}` : near ? `did you mean \`${near}\`?` : "`tsym ops` lists all there are",
    exit: 2,
  });
}

/** A line a function under the name of its family. */
function table(all: readonly Entry[]): string {
  const families = FAMILIES.map((family) => {
    const members = all.filter((e) => e.family === family);
    const width = Math.max(...members.map((e) => e.signature.length));
    return [family, ...members.map((e) => `  ${e.signature.padEnd(width)}  ${e.doc}`)].join("\n");
  });
  return families.join("\n\n");
}

/** What there is to know of a function, part by part. */
function page(f: Description | Page): string {
  const parts: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["examples", f.examples],
    ...("call" in f ? partsOf(f) : []),
  ];
  const shown = parts.filter(([, lines]) => lines.length > 0).map(([title, lines]) => [title, ...lines].join("\n  "));
  return [`${f.signature}\n${f.doc}`, ...shown].join("\n\n");
}

const partsOf = (f: Description) =>
  [["dtypes", dtypeLines(f)], ["definition", f.definition?.trimEnd().split("\n") ?? []], gradientPart(f)] as const;

/** Dtypes that stay what they are, then those that become others. */
const dtypeLines = ({ dtypes }: Description): string[] =>
  ["", ...DTYPES].flatMap((result) => {
    const from = dtypes.filter(({ takes, gives }) =>
      result === "" ? takes === gives : gives === result && takes !== gives,
    );
    const names = from.map((d) => d.takes).join(", ");
    return from.length === 0 ? [] : [result === "" ? names : `${names} → ${result}`];
  });

function gradientPart({ call, gradient }: Description): [title: string, lines: readonly string[]] {
  if ("none" in gradient) return ["gradient", [`none: ${gradient.none}`]];
  const { inputs, cotangent, bindings, parts, zeroStaysZero } = gradient;
  const lines = [
    ...bindings.map(({ name, value }) => `${name} = ${value}`),
    ...parts.map(({ of, value }) => `grad ${of} = ${value}`),
    ...(zeroStaysZero ? ["# a product with a g of 0 is 0, with inf too"] : []),
  ];
  return [`gradient of ${call} for ${inputs.join(", ")} and the cotangent ${cotangent}`, lines];
}
