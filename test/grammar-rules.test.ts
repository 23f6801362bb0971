/** chevrotain's judgement of the grammar: the same rules, on its parser. It says what each choice may begin with (`UPDATE=1`). */
import { readFileSync, writeFileSync } from "node:fs";
import {
  Alternation,
  type EmbeddedActionsParser,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  Terminal,
} from "chevrotain";
import { expect, test, vi } from "vitest";
import { Grammar } from "../grammar/statements.ts";

vi.mock("../grammar/runtime.ts", async () => {
  const { VOCABULARY } = await import("../grammar/tokens.ts");
  const { EmbeddedActionsParser } = await import("chevrotain");
  return {
    Parser: class extends EmbeddedActionsParser {
      constructor() {
        super([...VOCABULARY], { maxLookahead: 1, skipValidations: false });
      }
    },
  };
});

const TABLE = new URL("../grammar/first.json", import.meta.url);

interface Production extends IProduction {
  readonly idx: number;
  readonly definition: readonly Production[];
}

/** The methods that make each kind of choice; repetitions may be absent, and so may options. */
const CHOICES = [
  [Alternation, "OR"],
  [Option, "OPTION"],
  [Repetition, "MANY"],
  [RepetitionWithSeparator, "MANY_SEP"],
  [RepetitionMandatoryWithSeparator, "AT_LEAST_ONE_SEP"],
] as const;
const MAY_BE_ABSENT = [Option, Repetition, RepetitionWithSeparator];

/** Adds the names of the tokens that a production may begin with; says whether it may also be empty. */
function collectFirst(production: Production, into: Set<string>): boolean {
  if (production instanceof Terminal) {
    into.add(production.terminalType.name);
    return false;
  }
  if (production instanceof Alternation)
    return production.definition.filter((alternative) => collectFirst(alternative as Production, into)).length > 0;
  const empty = production.definition.every((part) => collectFirst(part, into));
  return empty || MAY_BE_ABSENT.some((kind) => production instanceof kind);
}

function firstOf(production: Production): string {
  const first = new Set<string>();
  collectFirst(production, first);
  return [...first].join(" ");
}

/** What each choice within a production of `rule` may begin with, its alternatives apart. */
function choices(rule: string, production: Production): [string, string][] {
  if (production instanceof NonTerminal || production instanceof Terminal) return [];
  const method = CHOICES.find(([kind]) => production instanceof kind)?.[1];
  const parts = production instanceof Alternation ? production.definition : [production];
  const own: [string, string][] = method
    ? [[`${rule} ${method}${production.idx || ""}`, parts.map((part) => firstOf(part as Production)).join(" | ")]]
    : [];
  return [...own, ...production.definition.flatMap((part) => choices(rule, part))];
}

test("chevrotain finds no fault with the rules, and the table of what each choice begins with is theirs", () => {
  const grammar = new Grammar() as unknown as EmbeddedActionsParser;
  expect(() => grammar["performSelfAnalysis"]()).not.toThrow();
  const rules = Object.entries(grammar.getGAstProductions());
  const table = Object.fromEntries(rules.flatMap(([name, rule]) => choices(name, rule as unknown as Production)));
  if (process.env["UPDATE"]) writeFileSync(TABLE, `${JSON.stringify(table, null, 2)}\n`);
  expect(JSON.parse(readFileSync(TABLE, "utf8"))).toEqual(table);
});
