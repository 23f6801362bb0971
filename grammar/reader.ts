/** What all rules share: how the parser is set up, lists, names and places. Knows no rule. */
import {
  EmbeddedActionsParser,
  EOF,
  type IParserConfig,
  type IToken,
  NoViableAltException,
  type TokenType,
} from "chevrotain";
import { fail, type SourceText, type Span } from "../src/source.ts";
import { analysis, type Firsts } from "./analysis.ts";
import type { Name as NameNode } from "./ast.ts";
import { CLOSER, CLOSERS, MAX_NESTING } from "./brackets.ts";
import { Comma, Equals, Name, StringLiteral, spanOf, VOCABULARY, Wrt } from "./tokens.ts";

/** What a rule could have gone on with, in words, when chevrotain knows no better than a token type. */
function inWords(expected: TokenType, previous: IToken, rule: string): string {
  if (expected === Name) return "a name";
  if (expected === StringLiteral) return 'a string `"…"`';
  if (expected === Wrt) return "`wrt`";
  const sign = `\`${expected.PATTERN}\``;
  if (!CLOSERS.has(expected)) return sign;
  const begun = CLOSER.has(previous.tokenType) || previous.tokenType === Comma;
  return begun ? `${rule === "declared" ? "a dim" : "an expression"} or ${sign}` : `\`,\` or ${sign}`;
}

const END = "the end of the statement";

type Lookahead = (alternatives?: readonly { readonly GATE?: () => boolean }[]) => number | boolean | undefined;

/** A parser without rules. What goes wrong is put in words here, and into a message by `mistakes.ts`. */
export class Reader extends EmbeddedActionsParser {
  protected source: SourceText = { name: "", text: "" };
  /** How many expressions are being read, each within the one before. */
  protected depth = 0;
  private readonly lookaheads = new Map<number, Lookahead>();
  declare protected selfAnalysisDone: boolean;
  declare protected SAVE_ERROR: (error: Error) => Error;

  constructor(config: IParserConfig = {}) {
    super([...VOCABULARY], {
      maxLookahead: 1,
      errorMessageProvider: {
        buildMismatchTokenMessage: ({ expected, previous, ruleName }) => inWords(expected, previous, ruleName),
        buildNotAllInputParsedMessage: () => END,
        buildNoViableAltMessage: () => END,
        buildEarlyExitMessage: () => END,
      },
      ...config,
    });
  }

  /** In place of chevrotain's analysis, which runs every rule once: takes what that found when tsym was built. Once all rules are there. */
  protected takeAnalysis(): void {
    this.selfAnalysisDone = true;
    for (const [key, firsts] of analysis) this.lookaheads.set(key, this.lookahead(firsts));
  }

  /** Of a choice the first alternative that may begin with the next token and whose gate is open; of an optional part, whether it may. */
  private lookahead(firsts: Firsts): Lookahead {
    const [only] = firsts;
    if (firsts.length === 1) return () => only!.includes(this.LA(1).tokenType.name);
    return (alternatives = []) => {
      const { name } = this.LA(1).tokenType;
      const index = firsts.findIndex((first, i) => first.includes(name) && (alternatives[i]?.GATE?.() ?? true));
      return index < 0 ? undefined : index;
    };
  }

  /** Called by chevrotain, as are the next two. */
  protected getLaFuncFromCache(key: number): Lookahead | undefined {
    return this.lookaheads.get(key);
  }

  /** No alternative fits. chevrotain's own would look for all that could have come. */
  protected raiseNoAltException(_occurrence: number, expected: string = END): never {
    throw this.SAVE_ERROR(new NoViableAltException(expected, this.LA(1), this.LA(0)));
  }

  protected raiseEarlyExitException(_occurrence: number, _kind: unknown, expected?: string): never {
    return this.raiseNoAltException(_occurrence, expected);
  }

  /** What `MANY_SEP` takes for a list that lays its items into `items`: commas stand between them, and one may trail. */
  protected list<T>(expected: string, items: T[], item: () => T) {
    return {
      SEP: Comma,
      ERR_MSG: expected,
      DEF: () => {
        const { tokenType } = this.LA(1);
        const trailing = CLOSERS.has(tokenType) || tokenType === Equals || tokenType === EOF;
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

  protected named(token: IToken): NameNode {
    return { name: token.image, span: this.spanOf(token) };
  }

  protected spanOf(token: IToken): Span {
    return spanOf(this.source, token);
  }

  /** From the start of a token to the end of the last one read. */
  protected since(first: IToken): Span {
    return { ...this.spanOf(first), end: this.spanOf(this.LA(0)).end };
  }
}
