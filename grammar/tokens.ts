/** The words and signs of the language; knows nothing of statements or trees. */
import type { SourceText, Span } from "../src/source.ts";

/** A kind of token. */
export interface TokenType {
  readonly name: string;
  /** A sign as it is written, or a sticky expression. */
  readonly PATTERN: string | RegExp;
}

export interface Token {
  readonly tokenType: TokenType;
  readonly image: string;
  /** In UTF-16 code units, as all offsets. */
  readonly startOffset: number;
}

/** Token types and what their matches begin with, in the order in which they are tried. */
const ORDER: [type: TokenType, starts: string | undefined][] = [];

/** Stands for all characters beyond ASCII. */
const BEYOND_ASCII = "\u0080";
const DIGITS = "0123456789";

/** A token type whose matches begin with one of `starts`: any character if it is left out. */
function define(name: string, PATTERN: string | RegExp, starts?: string): TokenType {
  const type = { name, PATTERN };
  ORDER.push([type, starts]);
  return type;
}
const sign = (name: string, text: string): TokenType => define(name, text, text[0]);

const SKIPPED: ReadonlySet<TokenType> = new Set([
  define("Space", /[^\S\r\n]+/y, ` \t\v\f${BEYOND_ASCII}`),
  define("Comment", /#[^\r\n]*/y, "#"),
]);
/** What ends a statement; `layout.ts` drops the newlines that do not. */
export const Separator = define("Separator", /;|\r\n?|\n/y, ";\r\n");

const LETTERS = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
export const Name = define("Name", /[\p{L}_][\p{L}\p{N}\p{M}_]*/uy, LETTERS + BEYOND_ASCII);

/** Keywords are names that a type of their own claims. */
const KEYWORDS = new Map<string, TokenType>();
function keyword(name: string, ...words: string[]): TokenType {
  const type = { name, PATTERN: words.join("|") };
  for (const word of words) KEYWORDS.set(word, type);
  return type;
}
export const InputKeyword = keyword("Input", "input");
export const OutputKeyword = keyword("Output", "output");
export const FnKeyword = keyword("Fn", "fn");
export const ImportKeyword = keyword("Import", "import");
export const Derivative = keyword("Derivative", "grad", "jacobian", "hessian");
export const Wrt = keyword("Wrt", "wrt");
export const Not = keyword("Not", "not");
export const Connective = keyword("Connective", "and", "or");
export const Bool = keyword("Bool", "true", "false");
export const NewAxis = keyword("NewAxis", "newaxis");

export const NumberLiteral = define(
  "Number",
  /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?(?![\p{L}\p{N}_]|\.\d)/uy,
  `.${DIGITS}`,
);
/** Exactly JSON's strings, so that JSON.parse reads them. */
export const StringLiteral = define("String", /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy, '"');

/** Operators of other languages: tried before ours, of which some are beginnings. */
export const Foreign = define(
  "Foreign",
  /:=|->|=>|={3}|!==|<>|<<|>>|&&|\|\||\*\*=|\/\/=|[-+*/%@]=|'[^'\r\n]*'?/y,
  ":-=!<>&|*/+%@'",
);
export const Sign = define("Sign", /[+-]/y, "+-");
/** The binary operators that are nothing else. */
export const Operator = define("Operator", /\*\*|\/\/|[*/%@]|[=!]=|[<>]=?/y, "*/%@=!<>");
export const Equals = sign("Equals", "=");
export const Comma = sign("Comma", ",");
export const Colon = sign("Colon", ":");
export const Question = sign("Question", "?");
export const LParen = sign("LParen", "(");
export const RParen = sign("RParen", ")");
export const LSquare = sign("LSquare", "[");
export const RSquare = sign("RSquare", "]");
export const LCurly = sign("LCurly", "{");
export const RCurly = sign("RCurly", "}");
export const Ellipsis = sign("Ellipsis", "...");
/** `.T`, `.sum`: the dot and the name in one, so that any word may follow a dot. */
export const Member = define("Member", /\.[^\S\r\n]*[\p{L}_][\p{L}\p{N}\p{M}_]*/uy, ".");
/** What is left over: malformed numbers, unfinished strings, or any other character. `mistakes.ts` says which. */
export const Unknown = define(
  "Unknown",
  /(?:\d|\.\d)(?:[eE][+-]?\d|[\p{L}\p{N}_]|\.(?=\d))*|"(?:[^"\\\r\n]|\\[^\r\n])*"?|./suy,
);

/** What comes after the last token. */
export const END_OF_FILE: Token = {
  tokenType: { name: "EOF", PATTERN: "" },
  image: "",
  startOffset: Number.NaN,
};

export const isKeyword = (token: Token): boolean => KEYWORDS.has(token.image);
export const isNewline = (token: Token): boolean => token.tokenType === Separator && token.image !== ";";

/** Where a token stands. */
export const spanOf = (source: SourceText, { startOffset, image }: Token): Span => ({
  source,
  start: startOffset,
  end: startOffset + image.length,
});

/** All token types. */
export const VOCABULARY: readonly TokenType[] = [...ORDER.map(([type]) => type), ...new Set(KEYWORDS.values())];

const candidatesOf = new Map<number, readonly TokenType[]>();

/** The types that a token can have which begins with the character of this code. */
function candidates(code: number): readonly TokenType[] {
  let types = candidatesOf.get(code);
  if (!types) {
    const character = code < 128 ? String.fromCharCode(code) : BEYOND_ASCII;
    types = ORDER.flatMap(([type, starts]) => (starts === undefined || starts.includes(character) ? [type] : []));
    candidatesOf.set(code, types);
  }
  return types;
}

/** What of `text` at an offset a pattern matches; "" for nothing. */
function match(pattern: string | RegExp, text: string, offset: number): string {
  if (typeof pattern === "string") return text.startsWith(pattern, offset) ? pattern : "";
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? "";
}

/** All tokens of a text, without spaces and comments. There is always a token for what stands there: nothing is an error yet. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let startOffset = 0, image = ""; startOffset < text.length; startOffset += image.length) {
    const type = candidates(text.charCodeAt(startOffset)).find(({ PATTERN }) => {
      image = match(PATTERN, text, startOffset);
      return image !== "";
    })!;
    if (SKIPPED.has(type)) continue;
    tokens.push({ tokenType: (type === Name && KEYWORDS.get(image)) || type, image, startOffset });
  }
  return tokens;
}
