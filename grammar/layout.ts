/** Cuts a program's tokens into statements, so that one that does not parse hides only itself; knows lines, not the grammar. */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic, SourceText } from "../src/source.ts";
import { LISTS, pairBrackets, startsAnew } from "./brackets.ts";
import { lineOperator, strangeToken } from "./mistakes.ts";
import {
  Comma,
  Connective,
  Derivative,
  Equals,
  isNewline,
  isStrange,
  LCurly,
  Member,
  Name,
  Not,
  Operator,
  Separator,
  Sign,
  Wrt,
} from "./tokens.ts";

/** The tokens of one statement; between two lines of a block stands one Separator. */
export interface Chunk {
  readonly tokens: readonly IToken[];
  /** What is wrong with it before it is parsed: then the one message about this statement. */
  readonly mistake?: Diagnostic | undefined;
}

const INFIX: readonly TokenType[] = [Operator, Sign, Connective];
/** A line that ends with one of these goes on in the next. */
const CONTINUES: ReadonlySet<TokenType> = new Set([...INFIX, Not, Equals, Comma]);
/** A line that begins with one of these was meant to go on from the line before. */
const CONTINUED: ReadonlySet<TokenType> = new Set([...INFIX, Equals, Comma, Member]);
/** After one of these, within a block, a line may begin with a sign. */
const OPENS: ReadonlySet<TokenType> = new Set([Separator, LCurly]);

/** Cuts a program's tokens into its statements. */
export function layOut(source: SourceText, tokens: readonly IToken[]): Chunk[] {
  const { inside, mistakes, restarts } = pairBrackets(source, tokens);
  const chunks: Chunk[] = [];
  let kept: IToken[] = [];
  let mistake: Diagnostic | undefined;
  let strange: Diagnostic | undefined;

  const finish = () => {
    // An unfinished string hides the brackets after it, so what is wrong in a token comes first.
    if (kept.length > 0) chunks.push({ tokens: kept, mistake: strange ?? mistake });
    kept = [];
    mistake = strange = undefined;
  };

  tokens.forEach((token, i) => {
    const { tokenType } = token;
    if (restarts.has(i)) finish();
    if (tokenType !== Separator) {
      kept.push(token);
      mistake ??= mistakes.get(i);
      if (isStrange(token)) strange ??= strangeToken(source, token);
      return;
    }
    const last = kept.at(-1);
    if (last === undefined) return;
    const listing = LISTS.has(inside[i] as TokenType);
    if (isNewline(token)) {
      const next = tokens[i + 1];
      if (listing || (next && (isNewline(next) || goesOn(tokens, last, i + 1)))) return;
      if (next && CONTINUED.has(next.tokenType) && !OPENS.has(last.tokenType)) {
        mistake ??= lineOperator(source, last, next);
        return;
      }
    }
    if (inside[i] === undefined) finish();
    else if (listing || !OPENS.has(last.tokenType)) kept.push(token);
  });
  finish();
  return chunks;
}

/** Whether the line that begins at `tokens[next]` belongs to the one that ends with `last`. */
function goesOn(tokens: readonly IToken[], last: IToken, next: number): boolean {
  const { tokenType } = tokens[next]!;
  if (tokenType === Wrt) return true;
  if (!CONTINUES.has(last.tokenType)) return false;
  // Nothing but a `grad` can go on like a statement, and after a comma a target or a default.
  const may = tokenType === Derivative || (tokenType === Name && last.tokenType === Comma);
  return may || !startsAnew(tokens, next);
}
