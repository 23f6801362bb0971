/**
 * Recursive descent by rules that are written as chevrotain's `EmbeddedActionsParser` wants them. chevrotain reads and checks
 * the rules in a test, which writes down what each choice may begin with (first.json); a run needs that and this class alone,
 * and so neither chevrotain, which takes longer to start than Node, nor its analysis. Knows no rule.
 */
import FIRST from "./first.json" with { type: "json" };
import { END_OF_FILE, type Token, type TokenType, VOCABULARY } from "./tokens.ts";

interface Alternative<T> {
  readonly ALT: () => T;
  readonly GATE?: () => boolean;
  /** For chevrotain: the gate tells it from another that begins alike. */
  readonly IGNORE_AMBIGUITIES?: boolean;
}
/** Alternatives, and what to expect when there is none, in words. */
type Alternatives<T> =
  | readonly Alternative<T>[]
  | { readonly DEF: readonly Alternative<T>[]; readonly ERR_MSG: string };
/** A part that may be left out. */
type Part<T> = (() => T) | { readonly GATE: () => boolean; readonly DEF: () => T };
interface Separated {
  readonly SEP: TokenType;
  readonly ERR_MSG: string;
  readonly DEF: () => void;
}
type Rule<Args extends unknown[], T> = (...args: Args) => T;

const TYPES: ReadonlyMap<string, TokenType> = new Map(VOCABULARY.map((type) => [type.name, type]));
const firsts = new Map<string, readonly ReadonlySet<TokenType>[]>();

/** For each alternative of a choice, or for the one part that it may take, the types of token that begin it. */
function firstOf(choice: string): readonly ReadonlySet<TokenType>[] {
  let known = firsts.get(choice);
  if (!known) {
    const names = (FIRST as Readonly<Record<string, string>>)[choice]!.split("|");
    known = names.map(
      (alternative) =>
        new Set(
          alternative
            .trim()
            .split(" ")
            .map((name) => TYPES.get(name)!),
        ),
    );
    firsts.set(choice, known);
  }
  return known;
}

const NO_WORDS = "the end of the statement";

/** Rules are properties made by `RULE`. The number in a method's name tells apart the choices of one kind in one rule. */
export abstract class Parser {
  #tokens: readonly Token[] = [];
  #at = 0;
  #rule = "";

  /** Throws for what stands where something else should: a token type, or what words say. */
  protected abstract unexpected(expected: TokenType | string, rule: string): never;

  /** What `rule` makes of all of these tokens. */
  protected parse<T>(tokens: readonly Token[], rule: () => T): T {
    this.#tokens = tokens;
    this.#at = 0;
    const tree = rule();
    if (this.#at < tokens.length) this.unexpected(NO_WORDS, this.#rule);
    return tree;
  }

  protected RULE<Args extends unknown[], T>(name: string, body: Rule<Args, T>): Rule<Args, T> {
    return (...args) => {
      const outer = this.#rule;
      this.#rule = name;
      const tree = body(...args);
      this.#rule = outer;
      return tree;
    };
  }

  /** The token so many places on: 1 for the next, 0 for the one that was read last. */
  protected LA(ahead: number): Token {
    return this.#tokens[this.#at + ahead - 1] ?? END_OF_FILE;
  }

  protected CONSUME(type: TokenType, { ERR_MSG }: { ERR_MSG?: string } = {}): Token {
    const token = this.LA(1);
    if (token.tokenType !== type) this.unexpected(ERR_MSG ?? type, this.#rule);
    this.#at++;
    return token;
  }
  protected CONSUME2 = this.CONSUME;
  protected CONSUME3 = this.CONSUME;

  protected SUBRULE<Args extends unknown[], T>(rule: Rule<Args, T>, { ARGS }: { ARGS?: Args } = {}): T {
    return rule(...(ARGS ?? ([] as unknown[] as Args)));
  }
  protected SUBRULE2 = this.SUBRULE;
  protected SUBRULE3 = this.SUBRULE;
  protected SUBRULE4 = this.SUBRULE;

  /** What builds trees, which chevrotain must not run while it only reads the rules. */
  protected ACTION<T>(action: () => T): T {
    return action();
  }

  #choose<T>(choice: string, alternatives: Alternatives<T>): T {
    const { DEF, ERR_MSG } = "DEF" in alternatives ? alternatives : { DEF: alternatives, ERR_MSG: NO_WORDS };
    const first = firstOf(`${this.#rule} ${choice}`);
    const { tokenType } = this.LA(1);
    const chosen = DEF.find(({ GATE }, i) => first[i]!.has(tokenType) && (GATE?.() ?? true));
    return chosen ? chosen.ALT() : this.unexpected(ERR_MSG, this.#rule);
  }
  protected OR = <T>(alternatives: Alternatives<T>): T => this.#choose("OR", alternatives);
  protected OR2 = <T>(alternatives: Alternatives<T>): T => this.#choose("OR2", alternatives);
  protected OR3 = <T>(alternatives: Alternatives<T>): T => this.#choose("OR3", alternatives);

  #begins(choice: string): boolean {
    return firstOf(`${this.#rule} ${choice}`)[0]!.has(this.LA(1).tokenType);
  }

  #option<T>(choice: string, part: Part<T>): T | undefined {
    const { DEF, GATE } = typeof part === "function" ? { DEF: part, GATE: () => true } : part;
    return this.#begins(choice) && GATE() ? DEF() : undefined;
  }
  protected OPTION = <T>(part: Part<T>): T | undefined => this.#option("OPTION", part);
  protected OPTION2 = <T>(part: Part<T>): T | undefined => this.#option("OPTION2", part);
  protected OPTION3 = <T>(part: Part<T>): T | undefined => this.#option("OPTION3", part);
  protected OPTION4 = <T>(part: Part<T>): T | undefined => this.#option("OPTION4", part);
  protected OPTION5 = <T>(part: Part<T>): T | undefined => this.#option("OPTION5", part);

  protected MANY(part: Part<void>): void {
    const { DEF, GATE } = typeof part === "function" ? { DEF: part, GATE: () => true } : part;
    while (this.#begins("MANY") && GATE()) DEF();
  }

  #separated({ SEP, DEF }: Separated): void {
    DEF();
    while (this.LA(1).tokenType === SEP) {
      this.#at++;
      DEF();
    }
  }
  protected MANY_SEP(list: Separated): void {
    if (this.#begins("MANY_SEP")) this.#separated(list);
  }
  #atLeastOne(choice: string, list: Separated): void {
    if (!this.#begins(choice)) this.unexpected(list.ERR_MSG, this.#rule);
    this.#separated(list);
  }
  protected AT_LEAST_ONE_SEP = (list: Separated): void => this.#atLeastOne("AT_LEAST_ONE_SEP", list);
  protected AT_LEAST_ONE_SEP2 = (list: Separated): void => this.#atLeastOne("AT_LEAST_ONE_SEP2", list);
}
