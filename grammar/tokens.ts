/** The words and signs of the language, as chevrotain token types, and their lexer; knows nothing of statements or trees. */
import { createToken, type IToken, type TokenType } from "chevrotain";
import type { SourceText, Span } from "../src/source.ts";
import { DTYPES } from "../src/tensor/dtype.ts";

/** What words and signs are by their text alone. */
const FIXED = new Map<string, TokenType>();

function define(name: string, ...texts: readonly string[]): TokenType {
  const type = createToken({ name, ...(texts.length === 1 && { pattern: texts[0]! }) });
  for (const text of texts) FIXED.set(text, type);
  return type;
}

export const InputKeyword = define("Input", "input");
export const OutputKeyword = define("Output", "output");
export const FnKeyword = define("Fn", "fn");
export const ImportKeyword = define("Import", "import");
export const Derivative = define("Derivative", "grad", "jacobian", "hessian");
export const Wrt = define("Wrt", "wrt");
export const Not = define("Not", "not");
export const Connective = define("Connective", "and", "or");
export const Bool = define("Bool", "true", "false");
export const NewAxis = define("NewAxis", "newaxis");
const KEYWORDS = new Set(FIXED.values());

export const Sign = define("Sign", "+", "-");
/** The binary operators that are nothing else. */
export const Operator = define("Operator", "**", "*", "//", "/", "%", "@", "==", "!=", "<=", "<", ">=", ">");
export const Equals = define("Equals", "=");
export const Comma = define("Comma", ",");
export const Colon = define("Colon", ":");
export const Question = define("Question", "?");
export const LParen = define("LParen", "(");
export const RParen = define("RParen", ")");
export const LSquare = define("LSquare", "[");
export const RSquare = define("RSquare", "]");
export const LCurly = define("LCurly", "{");
export const RCurly = define("RCurly", "}");
export const Ellipsis = define("Ellipsis", "...");

/** What ends a statement; `layout.ts` drops the newlines that do not. */
export const Separator = define("Separator");
export const Name = define("Name");
export const NumberLiteral = define("Number");
/** Exactly JSON's strings, so that JSON.parse reads them. */
export const StringLiteral = define("String");
/** Operators of other languages: tried before ours, of which some are beginnings. */
export const Foreign = define("Foreign");
/** `.T`, `.sum`: the dot and the name in one, so that any word may follow a dot. */
export const Member = define("Member");
/** What is left over: malformed numbers, unfinished strings, or any other character. `mistakes.ts` says which. */
export const Unknown = define("Unknown");

export const VOCABULARY: readonly TokenType[] = [
  ...new Set(FIXED.values()),
  ...[Separator, Name, NumberLiteral, StringLiteral, Foreign, Member, Unknown],
];

/** The types of what the groups of the pattern below match, in their order. */
const GROUPS = [Separator, Name, NumberLiteral, StringLiteral, Foreign, undefined, Member, Unknown];

/**
 * Matches whatever stands next, spaces and comments in no group; the first alternative wins.
 * @param letter - what may begin a name, besides `_`
 * @param part - what may continue one
 * @param unicode - the flag `u` where these are Unicode's classes
 */
function lexemes(letter: string, part: string, unicode: "u" | ""): RegExp {
  const digits = String.raw`\d+(?:_\d+)*`;
  const name = `[${letter}_][${part}]*`;
  return new RegExp(
    [
      String.raw`[^\S\r\n]+|#[^\r\n]*`,
      String.raw`(;|\r\n?|\n)`,
      `(${name})`,
      String.raw`((?:${digits}(?:\.(?:${digits})?)?|\.${digits})(?:[eE][+-]?${digits})?(?![${part}]|\.\d))`,
      String.raw`("(?:[^"\\\0-\x1f\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")`,
      String.raw`(:=|->|=>|={3}|!==|<>|<<|>>|&&|\|\||\*\*=|\/\/=|[\-+*\/%@]=|'[^'\r\n]*'?)`,
      String.raw`(\.{3}|\*\*|\/\/|[=!<>]=|[\-+*\/%@<>=,:?()[\]{}])`,
      String.raw`(\.[^\S\r\n]*${name})`,
      String.raw`((?:\d|\.\d)(?:[eE][+-]?\d|[${part}]|\.(?=\d))*|"(?:[^"\\\r\n]|\\[^\r\n])*"?|.)`,
    ].join("|"),
    `sy${unicode}`,
  );
}

/** All tokens of a text, without spaces and comments. There is always a token for what stands there: nothing is an error yet. */
export function tokenize(text: string): IToken[] {
  const tokens: IToken[] = [];
  // Unicode's classes and characters beyond 16 bits take long to compile, and few programs have such.
  const pattern = /[^\0-\x7f]/.test(text)
    ? lexemes(String.raw`\p{L}`, String.raw`\p{L}\p{N}\p{M}_`, "u")
    : lexemes("a-zA-Z", String.raw`\w`, "");
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const group = match.findIndex((part, i) => i > 0 && part !== undefined);
    if (group < 0) continue;
    const image = match[0];
    const tokenType = FIXED.get(image) ?? GROUPS[group - 1]!;
    tokens.push({ image, startOffset: match.index, tokenType, tokenTypeIdx: tokenType.tokenTypeIdx! });
  }
  return tokens;
}

export const isKeyword = (token: IToken): boolean => KEYWORDS.has(token.tokenType);
/** Whether a token is never right, wherever it stands. */
export const isStrange = ({ tokenType }: IToken): boolean => tokenType === Foreign || tokenType === Unknown;

/** Names that a program cannot bind although they are no keywords. */
const RESERVED: ReadonlySet<string> = new Set([...DTYPES, "pi", "inf", "nan"]);
export const isReservedName = (name: string): boolean => RESERVED.has(name);
export const isReserved = (token: IToken): boolean => isReservedName(token.image) || isKeyword(token);

export const isNewline = (token: IToken): boolean => token.tokenType === Separator && token.image !== ";";

/** Where a token stands. */
export const spanOf = (source: SourceText, { startOffset, image }: IToken): Span => ({
  source,
  start: startOffset,
  end: startOffset + image.length,
});
