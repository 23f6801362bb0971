/**
 * Lookahead for a grammar that the next token decides. chevrotain would work out all of it before the first parse, by the
 * general method for k tokens: half of the parser's start. Here a choice finds its first tokens when it first comes up.
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
  type TokenType,
} from "chevrotain";

type Options<Method extends "buildLookaheadForAlternation" | "buildLookaheadForOptional"> = Parameters<
  ILookaheadStrategy[Method]
>[0];
type Parent = IProduction & { readonly idx?: number; readonly definition: readonly Parent[] };

/** The kinds of optional part that the rules use. */
const OPTIONAL = { Option, Repetition, RepetitionWithSeparator, RepetitionMandatoryWithSeparator };

const MAY_BE_ABSENT = [Option, Repetition, RepetitionWithSeparator];

/** Adds the tokens that a production may begin with; says whether it may also be empty. */
function collectFirst(production: Parent, into: Set<TokenType>): boolean {
  if (production instanceof Terminal) {
    into.add(production.terminalType);
    return false;
  }
  if (production instanceof Alternation) {
    return production.definition.filter((alternative) => collectFirst(alternative as Parent, into)).length > 0;
  }
  const empty = production.definition.every((part) => collectFirst(part, into));
  return empty || MAY_BE_ABSENT.some((kind) => production instanceof kind);
}

function firstOf(production: Parent): ReadonlySet<TokenType> {
  const first = new Set<TokenType>();
  collectFirst(production, first);
  return first;
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

/** Checks a grammar as chevrotain's own strategy does, if asked to. */
export class FirstTokenLookahead extends LLkLookaheadStrategy {
  /** The type of the next token; the parser sets it. */
  next: () => TokenType = () => {
    throw new Error("no parser");
  };

  constructor() {
    super({ maxLookahead: 1 });
  }

  /** The first alternative that may begin with the next token and whose gate is open. */
  override buildLookaheadForAlternation({ rule, prodOccurrence }: Options<"buildLookaheadForAlternation">) {
    let firsts: ReadonlySet<TokenType>[] | undefined;
    return (alternatives: readonly { GATE?: () => boolean }[] = []): number | undefined => {
      firsts ??= find(rule as Rule & Parent, Alternation, prodOccurrence)!.definition.map(firstOf);
      const type = this.next();
      const index = firsts.findIndex((first, i) => first.has(type) && (alternatives[i]?.GATE?.() ?? true));
      return index < 0 ? undefined : index;
    };
  }

  /** Whether the next token begins the part. */
  override buildLookaheadForOptional({ rule, prodType, prodOccurrence }: Options<"buildLookaheadForOptional">) {
    let first: ReadonlySet<TokenType> | undefined;
    return (): boolean => {
      first ??= firstOf(find(rule as Rule & Parent, OPTIONAL[prodType as keyof typeof OPTIONAL], prodOccurrence)!);
      return first.has(this.next());
    };
  }
}
