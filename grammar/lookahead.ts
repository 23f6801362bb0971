/**
 * What the parts of the rules may begin with, read off the grammar that chevrotain records by running each rule once. The build
 * does this and leaves what it finds in `analysis.ts`: recording would be half of the parser's start.
 */
import {
  Alternation,
  type ILookaheadStrategy,
  type IProduction,
  LLkLookaheadStrategy,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  type Rule,
  Terminal,
} from "chevrotain";
import type { Analysis, Firsts } from "./analysis.ts";
import { Grammar } from "./statements.ts";

type Options<Method extends "buildLookaheadForAlternation" | "buildLookaheadForOptional"> = Parameters<
  ILookaheadStrategy[Method]
>[0];
type Parent = IProduction & { readonly idx?: number; readonly definition: readonly Parent[] };

/** The kinds of optional part that the rules use. */
const OPTIONAL = { Option, Repetition, RepetitionWithSeparator, RepetitionMandatoryWithSeparator };

const MAY_BE_ABSENT = [Option, Repetition, RepetitionWithSeparator];

/** Adds the types of token that a production may begin with; says whether it may also be empty. */
function collectFirst(production: Parent, into: Set<string>): boolean {
  if (production instanceof Terminal) {
    into.add(production.terminalType.name);
    return false;
  }
  if (production instanceof Alternation) {
    return production.definition.filter((alternative) => collectFirst(alternative as Parent, into)).length > 0;
  }
  const empty = production.definition.every((part) => collectFirst(part, into));
  return empty || MAY_BE_ABSENT.some((kind) => production instanceof kind);
}

function firstOf(production: Parent): string[] {
  const first = new Set<string>();
  collectFirst(production, first);
  return [...first];
}

/** The production of a kind with a number in a rule: `OPTION2` is the Option with index 2. */
function find(production: Parent, kind: new (...args: never[]) => IProduction, index: number): Parent | undefined {
  if (production instanceof kind && production.idx === index) return production;
  if (production instanceof NonTerminal || production instanceof Terminal) return undefined;
  for (const part of production.definition) {
    const found = find(part, kind, index);
    if (found) return found;
  }
  return undefined;
}

/** Gives first tokens for functions, which nobody calls; checks a grammar as chevrotain's own strategy does, if asked to. */
class FirstTokens extends LLkLookaheadStrategy {
  override buildLookaheadForAlternation({ rule, prodOccurrence }: Options<"buildLookaheadForAlternation">): never {
    return find(rule as Rule & Parent, Alternation, prodOccurrence)!.definition.map(firstOf) as never;
  }

  override buildLookaheadForOptional({ rule, prodType, prodOccurrence }: Options<"buildLookaheadForOptional">): never {
    return [
      firstOf(find(rule as Rule & Parent, OPTIONAL[prodType as keyof typeof OPTIONAL], prodOccurrence)!),
    ] as never;
  }
}

class Recorder extends Grammar {
  readonly analysis: [number, Firsts][] = [];

  constructor(skipValidations: boolean) {
    super({ lookaheadStrategy: new FirstTokens({ maxLookahead: 1 }), skipValidations });
    this.performSelfAnalysis();
  }

  /** Called by chevrotain with what the strategy gave. */
  protected setLaFuncCache(key: number, firsts: Firsts): void {
    this.analysis.push([key, firsts]);
  }
}

/**
 * What belongs in `analysis.ts`.
 * @param skipValidations - whether to leave out chevrotain's checks of the rules
 * @throws Error where chevrotain finds fault with the rules
 */
export const analyse = (skipValidations = false): Analysis => new Recorder(skipValidations).analysis;
