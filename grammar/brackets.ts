/** Which bracket each token stands in, also where brackets are wrong: one that is never closed must not swallow the file. */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic, SourceText } from "../src/source.ts";
import { mistake } from "./mistakes.ts";
import {
  Derivative,
  Equals,
  FnKeyword,
  ImportKeyword,
  InputKeyword,
  isNewline,
  LCurly,
  LParen,
  LSquare,
  Name,
  OutputKeyword,
  RCurly,
  RParen,
  RSquare,
  Separator,
  spanOf,
} from "./tokens.ts";

/** How deep brackets and prefix `grad`s may nest, so that the parser's recursion fits every stack. */
export const MAX_NESTING = 256;

export const CLOSER: ReadonlyMap<TokenType, TokenType> = new Map([
  [LParen, RParen],
  [LSquare, RSquare],
  [LCurly, RCurly],
]);
export const CLOSERS: ReadonlySet<TokenType> = new Set(CLOSER.values());

/** The brackets in which no newline ends anything. */
export const LISTS: ReadonlySet<TokenType> = new Set([LParen, LSquare]);

/** The keywords that begin a statement. */
export const STARTERS: ReadonlySet<TokenType> = new Set([
  InputKeyword,
  OutputKeyword,
  FnKeyword,
  ImportKeyword,
  Derivative,
]);

/**
 * Whether what begins at `at(1)` has a `=` outside brackets before its statement ends: then it is a binding.
 * `at` gives the token so many places on, and past the last one undefined or chevrotain's end of file.
 */
export function isBinding(at: (ahead: number) => IToken | undefined): boolean {
  let depth = 0;
  for (let ahead = 1; ; ahead++) {
    const type = at(ahead)?.tokenType;
    if (type === undefined || type.name === "EOF") return false;
    if (depth === 0 && type === Separator) return false;
    if (depth === 0 && type === Equals) return true;
    if (CLOSER.has(type)) depth++;
    if (CLOSERS.has(type) && --depth < 0) return false;
  }
}

/** Whether a line begins at this token, at column 1, as only statements do: with a keyword or a binding. */
export function startsAnew(tokens: readonly IToken[], index: number): boolean {
  const token = tokens[index]!;
  const before = tokens[index - 1];
  if (!before || !isNewline(before) || before.startOffset + before.image.length !== token.startOffset) return false;
  return STARTERS.has(token.tokenType) || (token.tokenType === Name && isBinding((ahead) => tokens[index + ahead - 1]));
}

export interface Brackets {
  /** For each token the type of the innermost open bracket around it. */
  readonly inside: readonly (TokenType | undefined)[];
  /** Where brackets are wrong, by the index of the token at fault. */
  readonly mistakes: ReadonlyMap<number, Diagnostic>;
  /** The tokens at which a statement must begin, whatever bracket seems open. */
  readonly restarts: ReadonlySet<number>;
}

/**
 * Pairs all brackets of a program. That one is never closed shows only at the end of the text, or at a closer of another
 * kind; then the next place after it that looks like a statement is one, with nothing open.
 */
export function pairBrackets(source: SourceText, tokens: readonly IToken[]): Brackets {
  /** For each token the index of the innermost bracket open there, -1 for none. */
  const around: number[] = [];
  const mistakes = new Map<number, Diagnostic>();
  const restarts = new Set<number>();
  let open: number[] = [];

  const show = (index: number) => `\`${tokens[index]!.image}\``;
  const closerOf = (opener: number) => CLOSER.get(tokens[opener]!.tokenType)!;
  const isList = (opener: number | undefined) =>
    opener !== undefined && LISTS.has(tokens[opener]?.tokenType as TokenType);
  const report = (message: string, places: readonly number[], help: string) => {
    const spans = places.map((index) => spanOf(source, tokens[index]!));
    mistakes.set(places[0]!, mistake("bracket", message, spans, help));
  };
  const reportUnclosed = (opener: number, ...closer: number[]) =>
    report(`${show(opener)} is never closed`, [opener, ...closer], `close it with \`${closerOf(opener).PATTERN}\``);

  /** The next statement after an unclosed bracket, before the place where that shows. */
  const nextStatement = (opener: number, found: number): number | undefined => {
    for (let i = opener + 1; i < found; i++) {
      if (startsAnew(tokens, i)) return i;
      if (found === tokens.length && tokens[i]!.image === ";" && isList(around[i])) return i + 1;
    }
    return undefined;
  };
  /** At the end, or at a closer that does not fit: gives up on all open brackets that have a statement after them. */
  const giveUp = (found: number) => {
    let next = found < tokens.length ? Math.max(0, open.findIndex(isList)) : 0;
    let done = 0;
    while (next < open.length) {
      const restart = nextStatement(open[next]!, found);
      if (restart === undefined) break;
      reportUnclosed(open[next]!);
      restarts.add(restart);
      while (next < open.length && open[next]! < restart) next++;
      done = next;
    }
    open = open.slice(done);
  };

  for (let i = 0; i <= tokens.length; i++) {
    const type = tokens[i]?.tokenType;
    around[i] = open.at(-1) ?? -1;
    if (type && CLOSER.has(type)) open.push(i);
    if (type && !CLOSERS.has(type)) continue;
    if (open.length > 0 && closerOf(open.at(-1)!) !== type) giveUp(i);
    const top = open.at(-1);
    const pair = open.findLastIndex((opener) => closerOf(opener) === type);
    if (top === undefined) {
      if (type) report(`${show(i)} closes nothing`, [i], "remove it, or open it before");
    } else if (!type) reportUnclosed(open[0]!);
    else if (pair === open.length - 1) open.pop();
    else if (pair >= 0) {
      reportUnclosed(top, i);
      open.length = pair;
    } else {
      report(`${show(i)} does not close ${show(top)}`, [i, top], `write \`${closerOf(top).PATTERN}\``);
      open.pop();
    }
  }

  let begun = 0;
  const inside = tokens.map((_, i) => {
    if (restarts.has(i)) begun = i;
    const opener = around[i]!;
    return opener >= begun ? tokens[opener]!.tokenType : undefined;
  });
  return { inside, mistakes, restarts };
}
