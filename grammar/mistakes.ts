/** What is said about text that is no tsym: every message of the grammar that needs no tree. Knows tokens, not the parser. */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic, SourceText, Span } from "../src/source.ts";
import { DTYPES } from "../src/tensor/dtype.ts";
import {
  Bool,
  Colon,
  Comma,
  Connective,
  Derivative,
  Equals,
  ImportKeyword,
  InputKeyword,
  isKeyword,
  isNewline,
  LCurly,
  LParen,
  LSquare,
  Member,
  Name,
  NumberLiteral,
  Operator,
  OutputKeyword,
  Question,
  RCurly,
  RParen,
  RSquare,
  Separator,
  Sign,
  StringLiteral,
  spanOf,
} from "./tokens.ts";

/** An error whose labels say nothing beyond where it is; the first is the place. */
export const mistake = (code: string, message: string, spans: readonly Span[], help?: string): Diagnostic => ({
  severity: "error",
  code,
  message,
  labels: spans.map((span) => ({ span, text: "" })),
  help,
});

/** What to write for a sign of another language. */
const INSTEAD: Readonly<Record<string, string>> = {
  "^": "a power is written `**`",
  "&": "write `and`",
  "&&": "write `and`",
  "|": "write `or`",
  "||": "write `or`",
  "!": "write `not`",
  "~": "write `not`",
  "===": "write `==`",
  "!==": "write `!=`",
  "<>": "write `!=`",
  "√": "write `sqrt(x)`",
  "∞": "write `inf`",
  "∑": "write `sum(x)`",
  "∏": "write `prod(x)`",
  "∇": "write `grad loss wrt x`",
  "∂": "write `grad loss wrt x`",
  "∗": "write `*`",
  "⋅": "write `*`, or `@` for the matrix product",
  "•": "write `*`, or `@` for the matrix product",
  "≠": "write `!=`",
  "≤": "write `<=`",
  "≥": "write `>=`",
  "×": "write `*`, or `@` for the matrix product",
  "·": "write `*`, or `@` for the matrix product",
  "÷": "write `/`",
  "−": "write `-`",
  "…": "write `...`",
  ".": "a name follows a dot: `x.T`",
  ":=": "a name is bound with `=`",
  "->": "a fn needs no `->`; its result is what follows `=` or stands last in its block",
  "=>": "a fn is written `fn f(x) = …`",
  "<<": "multiply by a power of two",
  ">>": "divide with `//` by a power of two",
  "“": 'strings stand in plain double quotes: "…"',
  "”": 'strings stand in plain double quotes: "…"',
  "‘": 'strings stand in plain double quotes: "…"',
  "’": 'strings stand in plain double quotes: "…"',
  "„": 'strings stand in plain double quotes: "…"',
  "«": 'strings stand in plain double quotes: "…"',
  "»": 'strings stand in plain double quotes: "…"',
  "`": 'strings stand in double quotes: "…"',
  $: "names are made of letters, digits and `_`",
  "\\": "a line goes on after an operator, `=`, `,` or inside brackets; no sign is needed",
};

/** Tokens that are never right, by what they look like; the first row that fits speaks. */
const STRANGE: readonly (readonly [RegExp, code: string, message: string, help: string])[] = [
  [/^"(?:[^"\\]|\\.)*$/, "string", "this string is not finished", 'a string is `"…"` on one line'],
  [/^".*\t/, "string", "this string holds a tab", "write `\\t` for it"],
  [
    /^".*\p{Cc}/u,
    "string",
    "this string holds a control character",
    "write `\\u00XX` for it, where XX is its code in hexadecimal digits",
  ],
  [/^"/, "string", "this string holds an escape that JSON does not know", "write `\\\\` for a backslash"],
  [/^'/, "string", "strings stand in double quotes", 'write `"…"`; a transpose is `.T`'],
  [/^0[xXbBoO]/, "number", "numbers are decimal", "write it in decimal digits"],
  [
    /^[\d._]+$/,
    "number",
    "this number is malformed",
    "write it like `1`, `1.5`, `1e-3` or `1_000`, with one point and `_` only between digits",
  ],
  [/^[\d.]+[eE][+-]?$/, "number", "the exponent of this number is missing", "write it like `1e-3`"],
  [/^[\d.]+[eE][+-]?\d+\./, "number", "the exponent of a number is an int", "for another power write `10 ** 5.5`"],
  [/^[\d.]+[jJ]$/, "number", "there are no complex numbers", "keep real and imaginary parts in two tensors"],
  [
    /^\.?\d/,
    "number",
    "a number and a name run together",
    "to multiply write `*` between them; a name begins with a letter",
  ],
  [
    /^..?=$/,
    "character",
    "a name is bound once, so there is no assignment operator",
    "bind the result to a new name: `b = a + 1`",
  ],
];

/** What is wrong with a token that is wrong in itself. */
export function strangeToken(source: SourceText, token: IToken): Diagnostic {
  const span = [spanOf(source, token)];
  const instead = INSTEAD[token.image];
  const row = instead ? undefined : STRANGE.find(([looks]) => looks.test(token.image));
  if (row) return mistake(row[1], row[2], span, row[3]);
  return mistake("character", `\`${token.image}\` means nothing in tsym`, span, instead ?? lookAlike(token.image));
}

/** What to write for a character that looks like one of ours: the dashes, and what Unicode itself says is another way to write it. */
function lookAlike(char: string): string {
  const plain = /\p{Pd}/u.test(char) ? "-" : char.normalize("NFKC");
  return /^[!-~]$/.test(plain) ? `write \`${plain}\`` : "remove it";
}

/** A line that begins with what should end the line before. */
export function lineOperator(source: SourceText, before: IToken, operator: IToken): Diagnostic {
  const { image } = operator;
  const end = before.startOffset + before.image.length;
  const comment = image === "//" ? "; a comment begins with `#`" : "";
  return {
    severity: "error",
    code: "line-operator",
    message: `a line cannot begin with \`${image}\``,
    labels: [
      { span: spanOf(source, operator), text: "" },
      { span: { source, start: end, end }, text: "the line before ends here" },
    ],
    help: `put \`${image}\` at the end of the line before, or parentheses around the whole expression${comment}`,
  };
}

export const reservedName = (name: string, span: Span): Diagnostic =>
  mistake("reserved", `\`${name}\` is a reserved name`, [span], `use another name, such as \`${name}_\``);
export const reserved = (source: SourceText, token: IToken): Diagnostic =>
  reservedName(token.image, spanOf(source, token));

/** Words of other languages. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  lambda: "a function is defined with `fn f(x) = …`",
  def: "a function is defined with `fn f(x) = …`",
  function: "a function is defined with `fn f(x) = …`",
  func: "a function is defined with `fn f(x) = …`",
  let: "a binding needs no keyword: `x = …`",
  var: "a binding needs no keyword: `x = …`",
  val: "a binding needs no keyword: `x = …`",
  const: "a binding needs no keyword: `x = …`",
  return: "the last expression of a block is its result; at the top level write `output`",
  print: "a bare expression is an output: write it alone on its line",
  for: "there are no loops: operations work on whole tensors",
  while: "there are no loops: operations work on whole tensors",
  if: "to choose element by element write `where(condition, a, b)`",
  from: 'the fns of another file come with `import "lib.tsym"`',
  assert: "assert a shape or dtype on the target: `y[n]: float32 = …`",
};

const isElsewhere = (token: IToken | undefined) => token !== undefined && Object.hasOwn(ELSEWHERE, token.image);

interface Hint {
  /** How the statement begins. */
  readonly first?: readonly TokenType[];
  readonly expected?: RegExp;
  readonly before?: readonly TokenType[];
  /** The text before, where its kind does not tell. */
  readonly previous?: RegExp;
  readonly found?: readonly TokenType[];
  readonly image?: RegExp;
  readonly help: string;
}

const ENDS_OPERAND = [Name, NumberLiteral, StringLiteral, Bool, RParen, RSquare, Member];
const DTYPE = new RegExp(`^(${DTYPES.join("|")})$`);
const STARTS_OPERAND = [Name, NumberLiteral, StringLiteral, Bool, LSquare];

/** What to do instead, by what could have stood there and what stood there; the first row that fits speaks. */
const HINTS: readonly Hint[] = [
  { first: [OutputKeyword], found: [Colon], help: "bind it first: `z: int32 = …`, then `output z`" },
  { previous: DTYPE, found: [LSquare], help: "dims come before the dtype: `b[2]: bool`" },
  { first: [OutputKeyword], found: [Derivative], help: "give it a name: `output g = grad loss wrt w`" },
  { found: [Derivative], help: "inside a larger expression put parentheses around it: `(grad … wrt …)`" },
  { first: [ImportKeyword], help: 'the path stands in quotes: `import "fns.tsym"`' },
  { expected: /^`wrt`/, help: "say by what to differentiate: `grad loss wrt w`" },
  { found: [Equals], help: "bind one name in each statement; to compare write `==`" },
  { expected: /^`=`$/, before: [Name], found: [LParen], help: "a function is defined with `fn f(x) = …`" },
  { expected: /^`=`$/, help: "only names stand to the left of `=`; to compare write `==`" },
  { expected: /dim/, found: [Colon], help: "tensors do not change: `where` and `scatter_add` make a changed one" },
  { found: [Question], help: "`?` is an unknown dim of an input; to choose write `where(condition, a, b)`" },
  { found: [LCurly], help: "braces hold the body of a fn: `fn f(x) { … }`" },
  { expected: /^`=` or `{`/, help: "a fn's body is `= …` or `{ … }`" },
  { image: DTYPE, help: "a dtype stands after a colon: `x: float32`" },
  {
    first: [OutputKeyword],
    found: [Operator, Sign, Connective, LParen, LSquare],
    help: "give it a name: `output c = a + b`",
  },
  {
    expected: /^the end/,
    before: [Name, RParen],
    found: [Operator, Sign, Connective],
    help: "to go on after `wrt x` put parentheses around it: `(grad … wrt x)`",
  },
  {
    expected: /^the end/,
    before: [Name],
    found: [LSquare],
    help: "`wrt` takes names: index the derivative, as in `(grad y wrt x)[0]`",
  },
  { expected: /^the end/, found: [Comma], help: "make each a statement of its own, or a list: `[a, b]`" },
  { expected: /^`\)`$/, found: [Comma], help: "a list stands in brackets: `[a, b]`" },
  { expected: /`\]`/, first: [InputKeyword], found: [Separator], help: "dims are separated by commas: `[3, 4]`" },
  { expected: /`\]`/, found: [Separator], help: "each row of a matrix is a list: `[[1, 2], [3, 4]]`" },
  { before: [Member], found: [LParen], help: "`.T` and `.mT` take no parentheses" },
  { before: ENDS_OPERAND, found: [LParen], help: "only a function's name can be called; to multiply write `*`" },
  { expected: /^`,`/, before: ENDS_OPERAND, found: STARTS_OPERAND, help: "put a comma or an operator between them" },
  {
    before: ENDS_OPERAND,
    found: STARTS_OPERAND,
    help: "put an operator between them, or a newline or `;` between two statements",
  },
  { expected: /^an index/, help: "index like `x[0]`, `x[1:3]`, `x[..., newaxis]`" },
  { found: [RCurly], help: "a block ends with the expression that it gives" },
  { expected: /block/, help: "a block ends with the expression that it gives" },
];

/**
 * Why a statement does not parse, in one message.
 * @param tokens - the whole statement
 * @param at - the index of the token that did not fit; `tokens.length` when more was needed
 * @param expected - what could have stood there, in words
 */
export function unparsed(source: SourceText, tokens: readonly IToken[], at: number, expected: string): Diagnostic {
  const before = tokens[at - 1];
  const found = tokens[at];
  const keyword = keywordAsName(tokens, at, expected);
  if (keyword) return reserved(source, keyword);
  const word = [0, at - 1, at].find((i) => isElsewhere(tokens[i]) && tokens[i + 1]?.tokenType !== Equals);
  if (word !== undefined) {
    const { image } = tokens[word]!;
    return mistake("syntax", `there is no \`${image}\` in tsym`, [spanOf(source, tokens[word]!)], ELSEWHERE[image]);
  }
  const fits = (types: readonly TokenType[] | undefined, token: IToken | undefined) =>
    types === undefined || (token !== undefined && types.includes(token.tokenType));
  const hint = HINTS.find(
    (row) =>
      fits(row.first, tokens[0]) &&
      fits(row.before, before) &&
      fits(row.found, found) &&
      (row.previous ?? /^/).test(before?.image ?? "") &&
      (row.expected ?? /^/).test(expected) &&
      (row.image ?? /^/).test(found?.image ?? ""),
  );
  const end = before ? spanOf(source, before).end : 0;
  const span = found ? spanOf(source, found) : { source, start: end, end };
  const after = before && /^an? /.test(expected) ? ` after \`${before.image}\`` : "";
  return mistake("syntax", `expected ${expected}${after}, found ${describe(found)}`, [span], hint?.help);
}

/** A keyword where a name should stand: before a `=`, or found where a name was expected. */
function keywordAsName(tokens: readonly IToken[], at: number, expected: string): IToken | undefined {
  const found = tokens[at];
  const isExpression = tokens[0]!.tokenType === OutputKeyword && found?.tokenType === Derivative;
  if (found && !isExpression && isKeyword(found) && /^a (name|parameter)/.test(expected)) return found;
  return tokens.find((token, i) => {
    const first = i === 0 || tokens[i - 1]!.tokenType === Comma;
    return first && isKeyword(token) && tokens[i + 1]?.tokenType === Equals;
  });
}

function describe(token: IToken | undefined): string {
  if (!token) return "the end of the statement";
  if (isNewline(token)) return "the end of the line";
  return `${isKeyword(token) ? "the keyword " : ""}\`${token.image}\``;
}
