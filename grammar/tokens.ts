/** The words and signs of the language, as chevrotain token types; knows nothing of statements or trees. */
import { createToken, type ILexerConfig, type IToken, Lexer, type TokenPattern, type TokenType } from "chevrotain";
import type { SourceText, Span } from "../src/source.ts";

/**
 * chevrotain cannot read `\p{…}`: it lexes such an expression wrongly and says nothing. As a function it is not read,
 * and the characters it may begin with are stated, so that the lexer need not try every pattern everywhere.
 */
function unicode(pattern: RegExp): TokenPattern {
  return (text, offset) => {
    pattern.lastIndex = offset;
    return pattern.exec(text) as RegExpExecArray | null;
  };
}

/** chevrotain keeps one bucket for every 255 codes above ASCII and Latin-1: one code of each will do. */
const BEYOND_ASCII = Array.from({ length: 128 + 256 }, (_, i) => (i < 128 ? 128 + i : 256 + 255 * (i - 128)));
const ASCII = Array.from({ length: 128 }, (_, i) => i);

const TOKENS: TokenType[] = [];

/** A token type whose matches begin with one of `starts`; the order of definition is the order in which they are tried. */
function define(name: string, pattern: TokenPattern, starts: Iterable<string | number>, group?: string): TokenType {
  const type = createToken({
    name,
    pattern,
    start_chars_hint: [...starts] as string[],
    line_breaks: false,
    ...(group !== undefined && { group }),
  });
  TOKENS.push(type);
  return type;
}

define("Space", /[^\S\r\n]+/, [..." \t\v\f", ...BEYOND_ASCII], Lexer.SKIPPED);
define("Comment", /#[^\r\n]*/, "#", Lexer.SKIPPED);
/** What ends a statement; `layout.ts` drops the newlines that do not. */
export const Separator = define("Separator", /;|\r\n?|\n/, ";\r\n");

/** A name. Keywords are names that a keyword's own type claims first. */
export const Name = createToken({
  name: "Name",
  pattern: unicode(/[\p{L}_][\p{L}\p{N}\p{M}_]*/uy),
  start_chars_hint: [..."_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ...BEYOND_ASCII] as string[],
  line_breaks: false,
});
const KEYWORDS = new Set<TokenType>();

function keyword(name: string, pattern: RegExp, starts: string): TokenType {
  const type = define(name, pattern, starts);
  type.LONGER_ALT = Name;
  KEYWORDS.add(type);
  return type;
}
export const InputKeyword = keyword("Input", /input/, "i");
export const OutputKeyword = keyword("Output", /output/, "o");
export const FnKeyword = keyword("Fn", /fn/, "f");
export const ImportKeyword = keyword("Import", /import/, "i");
export const Derivative = keyword("Derivative", /grad|jacobian|hessian/, "gjh");
export const Wrt = keyword("Wrt", /wrt/, "w");
export const Not = keyword("Not", /not/, "n");
export const Connective = keyword("Connective", /and|or/, "ao");
export const Bool = keyword("Bool", /true|false/, "tf");
export const NewAxis = keyword("NewAxis", /newaxis/, "n");
TOKENS.push(Name);

const NUMBER =
  /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?(?![\p{L}\p{N}_]|\.\d)/uy;
export const NumberLiteral = define("Number", unicode(NUMBER), ".0123456789");
/** Exactly JSON's strings, so that JSON.parse reads them. */
export const StringLiteral = define("String", unicode(/"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy), '"');

/** Operators of other languages: tried before ours, of which some are beginnings. */
export const Foreign = define(
  "Foreign",
  /:=|->|=>|={3}|!==|<>|<<|>>|&&|\|\||\*\*=|\/\/=|[-+*/%@]=|'[^'\r\n]*'?/,
  ":-=!<>&|*/+%@'",
);
export const Sign = define("Sign", /[+-]/, "+-");
/** The binary operators that are nothing else. */
export const Operator = define("Operator", /\*\*|\/\/|[*/%@]|[=!]=|[<>]=?/, "*/%@=!<>");
export const Equals = define("Equals", "=", "=");
export const Comma = define("Comma", ",", ",");
export const Colon = define("Colon", ":", ":");
export const Question = define("Question", "?", "?");
export const LParen = define("LParen", "(", "(");
export const RParen = define("RParen", ")", ")");
export const LSquare = define("LSquare", "[", "[");
export const RSquare = define("RSquare", "]", "]");
export const LCurly = define("LCurly", "{", "{");
export const RCurly = define("RCurly", "}", "}");
export const Ellipsis = define("Ellipsis", "...", ".");
/** `.T`, `.sum`: the dot and the name in one, so that any word may follow a dot. */
export const Member = define("Member", unicode(/\.[^\S\r\n]*[\p{L}_][\p{L}\p{N}\p{M}_]*/uy), ".");
/** What is left over: malformed numbers, unfinished strings, or any other character. `mistakes.ts` says which. */
export const Unknown = define(
  "Unknown",
  unicode(/(?:\d|\.\d)(?:[eE][+-]?\d|[\p{L}\p{N}_]|\.(?=\d))*|"(?:[^"\\\r\n]|\\[^\r\n])*"?|./suy),
  [...ASCII, ...BEYOND_ASCII],
);

export const isKeyword = (token: IToken): boolean => KEYWORDS.has(token.tokenType);
export const isNewline = (token: IToken): boolean => token.tokenType === Separator && token.image !== ";";

/** Where a token stands. */
export const spanOf = (source: SourceText, { startOffset, image }: IToken): Span => ({
  source,
  start: startOffset,
  end: startOffset + image.length,
});

/** All token types, in the order in which the lexer tries them. */
export const VOCABULARY: readonly TokenType[] = TOKENS;
/** A test has chevrotain check this definition; a start should not pay for that. */
export const LEXER: ILexerConfig = { positionTracking: "onlyOffset", ensureOptimizations: true, skipValidations: true };

let lexer: Lexer | undefined;

/** All tokens of a text, without spaces and comments. There is always a token for what stands there: nothing is an error yet. */
export function tokenize(text: string): IToken[] {
  lexer ??= new Lexer(TOKENS, LEXER);
  return lexer.tokenize(text).tokens;
}
