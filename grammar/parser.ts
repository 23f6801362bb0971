/** Text to tree: every statement by itself, all mistakes in one go. */
import type { IToken } from "chevrotain";
import { type Diagnostic, fail, type SourceText, TsymError } from "../src/source.ts";
import type { Expr, Program, Statement } from "./ast.ts";
import { CLOSER, CLOSERS, isBinding, STARTERS } from "./brackets.ts";
import { checkDepth } from "./depth.ts";
import { type Chunk, layOut } from "./layout.ts";
import { Grammar } from "./statements.ts";
import { Comma, Equals, FnKeyword, ImportKeyword, InputKeyword, Name, spanOf, tokenize } from "./tokens.ts";

let grammar: Grammar | undefined;

/** Runs one rule of the grammar over the tokens of one statement: its tree, or what is wrong with it. */
function attempt<T extends object>(tokens: readonly IToken[], read: (grammar: Grammar) => T): T | Diagnostic[] {
  grammar ??= new Grammar();
  try {
    const tree = read(grammar);
    checkDepth(tree, tokens.length);
    return tree;
  } catch (error) {
    if (error instanceof TsymError) return [...error.diagnostics];
    throw error;
  }
}

/** Parses a program. Never throws: a statement that does not parse is `broken` and has exactly one diagnostic. */
export function parse(source: SourceText): { program: Program; diagnostics: Diagnostic[] } {
  const statements: Statement[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { tokens, mistake } of layOut(source, tokenize(source.text))) {
    const tree = attempt(tokens, (grammar) => grammar.readStatement(source, tokens));
    const wrong = Array.isArray(tree) ? tree : [];
    statements.push(Array.isArray(tree) ? broken(source, tokens) : tree);
    diagnostics.push(...(mistake ? [mistake] : wrong));
  }
  return { program: { source, statements }, diagnostics };
}

/**
 * Parses a text that is one expression.
 * @throws TsymError when it is not
 */
export function parseExpression(source: SourceText): Expr {
  const [chunk, second]: Chunk[] = layOut(source, tokenize(source.text));
  const tokens = chunk?.tokens ?? [];
  if (second) {
    const span = spanOf(source, second.tokens[0]!);
    fail("syntax", "expected one expression", { labels: [{ span, text: "a second one begins here" }] });
  }
  const tree = attempt(tokens, (grammar) => grammar.readExpression(source, tokens));
  if (chunk?.mistake) throw new TsymError([chunk.mistake]);
  if (Array.isArray(tree)) throw new TsymError(tree);
  return tree;
}

function broken(source: SourceText, tokens: readonly IToken[]): Statement {
  const span = { ...spanOf(source, tokens[0]!), end: spanOf(source, tokens.at(-1)!).end };
  return { kind: "broken", binds: boundNames(tokens), mayDeclare: mentionedNames(tokens), span };
}

/** The names in an `input` or `import` that does not parse: its dims may be among them, or what others take for a module. */
const mentionedNames = (tokens: readonly IToken[]): string[] =>
  [InputKeyword, ImportKeyword].includes(tokens[0]!.tokenType)
    ? tokens.flatMap(({ tokenType, image }) => (tokenType === Name ? [image] : []))
    : [];

/** The names that a statement would have bound or declared, as far as that can be told of one that does not parse. */
function boundNames(tokens: readonly IToken[]): string[] {
  const names = new Set<string>();
  const first = tokens[0]!.tokenType;
  const start = STARTERS.has(first) ? 1 : 0;
  /** Whether a name is bound for standing first or after a comma. */
  let listing =
    first === InputKeyword || first === FnKeyword || (start === 0 && isBinding((ahead) => tokens[ahead - 1]));
  let depth = 0;
  tokens.forEach(({ tokenType, image }, i) => {
    if (CLOSERS.has(tokenType)) depth--;
    if (depth === 0 && tokenType === Name) {
      const listed = listing && (i === start || tokens[i - 1]!.tokenType === Comma);
      if (listed || ["=", ":="].includes(tokens[i + 1]?.image ?? "")) names.add(image);
    }
    if (depth === 0 && tokenType === Equals && first !== InputKeyword) listing = false;
    if (CLOSER.has(tokenType)) depth++;
  });
  return [...names];
}
