/** What all rules share: what is said where one cannot go on, lists, names and places. Knows no rule. */
import { fail, type SourceText, type Span, TsymError } from "../src/source.ts";
import type { Name as NameNode } from "./ast.ts";
import { CLOSER, CLOSERS, MAX_NESTING } from "./brackets.ts";
import { unparsed } from "./mistakes.ts";
import { Parser } from "./runtime.ts";
import { Comma, END_OF_FILE, Equals, Name, StringLiteral, spanOf, type Token, type TokenType, Wrt } from "./tokens.ts";

/** What a rule could have gone on with, in words, where only a token type is known. */
function inWords(expected: TokenType, previous: Token, rule: string): string {
  if (expected === Name) return "a name";
  if (expected === StringLiteral) return 'a string `"…"`';
  if (expected === Wrt) return "`wrt`";
  const sign = `\`${expected.PATTERN}\``;
  if (!CLOSERS.has(expected)) return sign;
  const begun = CLOSER.has(previous.tokenType) || previous.tokenType === Comma;
  return begun ? `${rule === "declared" ? "a dim" : "an expression"} or ${sign}` : `\`,\` or ${sign}`;
}

/** A parser without rules. */
export class Reader extends Parser {
  protected source: SourceText = { name: "", text: "" };
  /** How many expressions are being read, each within the one before. */
  protected depth = 0;
  #tokens: readonly Token[] = [];

  /** What `rule` makes of all of these tokens. Throws a TsymError of one diagnostic. */
  protected read<T>(source: SourceText, tokens: readonly Token[], rule: () => T): T {
    this.source = source;
    this.depth = 0;
    this.#tokens = tokens;
    return this.parse(tokens, rule);
  }

  protected override unexpected(expected: TokenType | string, rule: string): never {
    const at = this.#tokens.indexOf(this.LA(1));
    const words = typeof expected === "string" ? expected : inWords(expected, this.LA(0), rule);
    throw new TsymError([unparsed(this.source, this.#tokens, at < 0 ? this.#tokens.length : at, words)]);
  }

  /** What `MANY_SEP` takes for a list that lays its items into `items`: commas stand between them, and one may trail. */
  protected list<T>(expected: string, items: T[], item: () => T) {
    return {
      SEP: Comma,
      ERR_MSG: expected,
      DEF: () => {
        const { tokenType } = this.LA(1);
        const trailing = CLOSERS.has(tokenType) || tokenType === Equals || tokenType === END_OF_FILE.tokenType;
        if (items.length === 0 || !trailing) items.push(item());
      },
    };
  }

  /** Counts an expression within another. */
  protected enter(): void {
    if (++this.depth <= MAX_NESTING + 1) return;
    fail("nesting", `brackets and prefix \`grad\`s nest deeper than ${MAX_NESTING}`, {
      labels: [{ span: this.spanOf(this.LA(0)), text: "" }],
      help: "bind an inner part to a name of its own",
    });
  }

  protected named(token: Token): NameNode {
    return { name: token.image, span: this.spanOf(token) };
  }

  protected spanOf(token: Token): Span {
    return spanOf(this.source, token);
  }

  /** From the start of a token to the end of the last one read. */
  protected since(first: Token): Span {
    return { ...this.spanOf(first), end: this.spanOf(this.LA(0)).end };
  }
}
