/** The rules of statements, and the parser made of them. tsym.ebnf says the same for readers. Knows no lines. */
import type { IParserConfig, IToken } from "chevrotain";
import { fail, type SourceText, TsymError } from "../src/source.ts";
import { DTYPES, isDType } from "../src/tensor/dtype.ts";
import type { Binding, Block, Declared, DimExpr, Expr, Name as NameNode, Statement } from "./ast.ts";
import { isBinding } from "./brackets.ts";
import { toDim } from "./dims.ts";
import { ExpressionRules } from "./expressions.ts";
import { reserved, unparsed } from "./mistakes.ts";
import {
  Colon,
  Equals,
  FnKeyword,
  ImportKeyword,
  InputKeyword,
  isReserved,
  LCurly,
  LParen,
  LSquare,
  Name,
  OutputKeyword,
  Question,
  RCurly,
  RParen,
  RSquare,
  Separator,
  StringLiteral,
} from "./tokens.ts";

type Output = Extract<Statement, { kind: "output" }>["outputs"][number];

/** The parser: one statement or expression at a time. */
export class Grammar extends ExpressionRules {
  constructor(config?: IParserConfig) {
    super(config);
    this.takeAnalysis();
  }

  /**
   * The statement that these tokens are.
   * @throws TsymError with one diagnostic
   */
  readStatement(source: SourceText, tokens: readonly IToken[]): Statement {
    return this.read(source, tokens, () => this.statement());
  }

  /**
   * The expression that these tokens are.
   * @throws TsymError with one diagnostic
   */
  readExpression(source: SourceText, tokens: readonly IToken[]): Expr {
    return this.read(source, tokens, () => this.expr(true));
  }

  private read<T>(source: SourceText, tokens: readonly IToken[], rule: () => T): T {
    this.source = source;
    this.depth = 0;
    this.input = [...tokens];
    const tree = rule();
    const [error] = this.errors;
    if (!error) return tree;
    const at = tokens.indexOf(error.token);
    throw new TsymError([unparsed(source, tokens, at < 0 ? tokens.length : at, error.message)]);
  }

  private statement = this.RULE("statement", (): Statement => {
    const first = this.LA(1);
    return this.OR<Statement>({
      ERR_MSG: "a statement",
      DEF: [
        {
          ALT: () => {
            this.CONSUME(InputKeyword);
            const inputs: Declared[] = [];
            this.AT_LEAST_ONE_SEP(this.list("a name", inputs, () => this.SUBRULE(this.declared, { ARGS: [true] })));
            return { kind: "input", inputs, span: this.since(first) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(OutputKeyword);
            const outputs: Output[] = [];
            this.AT_LEAST_ONE_SEP2(this.list("a name", outputs, () => this.SUBRULE(this.output)));
            return { kind: "output", outputs, span: this.since(first) };
          },
        },
        { ALT: () => this.SUBRULE(this.fn) },
        {
          ALT: () => {
            this.CONSUME(ImportKeyword);
            const path = this.CONSUME(StringLiteral);
            return this.ACTION(() => ({
              kind: "import",
              path: JSON.parse(path.image) as string,
              pathSpan: this.spanOf(path),
              span: this.since(first),
            }));
          },
        },
        {
          GATE: () => isBinding((ahead) => this.LA(ahead)),
          IGNORE_AMBIGUITIES: true,
          ALT: () => this.SUBRULE(this.binding),
        },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expr, { ARGS: [true] });
            return { kind: "expr", value, span: this.since(first) };
          },
        },
      ],
    });
  });

  private output = this.RULE("output", (): Output => {
    const name = this.CONSUME(Name);
    const value = this.OPTION(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.expr, { ARGS: [false] });
    });
    return this.ACTION(() => (value ? { name: this.bound(name), value } : { name: this.named(name) }));
  });

  /** `name [dims] [: dtype] [= expr]`. */
  private declared = this.RULE("declared", (hasDefault: boolean): Declared => {
    const name = this.CONSUME(Name);
    const dims = this.OPTION(() => {
      this.CONSUME(LSquare);
      const items: DimExpr[] = [];
      this.MANY_SEP(this.list("a dim", items, () => this.SUBRULE(this.dim)));
      this.CONSUME(RSquare);
      return items;
    });
    const dtype = this.OPTION3(() => {
      this.CONSUME(Colon);
      return this.CONSUME2(Name, { ERR_MSG: `a dtype (${DTYPES.join(", ")})` });
    });
    const value = this.OPTION4({
      GATE: () => hasDefault,
      DEF: () => {
        this.CONSUME(Equals);
        return this.SUBRULE(this.expr, { ARGS: [false] });
      },
    });
    return this.ACTION(() => ({
      ...this.bound(name),
      ...(dims && { dims }),
      ...(dtype && { dtype: this.dtypeOf(dtype) }),
      ...(value && { default: value }),
    }));
  });

  /** Read as an expression, so that there is one grammar of sums and products. */
  private dim = this.RULE("dim", () =>
    this.OR([
      {
        ALT: () => {
          const unknown = this.CONSUME(Question);
          return this.ACTION(() => ({ kind: "unknown" as const, span: this.spanOf(unknown) }));
        },
      },
      {
        ALT: () => {
          const size = this.SUBRULE(this.expr, { ARGS: [false] });
          return this.ACTION(() => toDim(size));
        },
      },
    ]),
  );

  private fn = this.RULE("fn", (): Statement => {
    const first = this.CONSUME(FnKeyword);
    const name = this.CONSUME(Name);
    this.CONSUME(LParen);
    const params: Declared[] = [];
    this.MANY_SEP(this.list("a parameter", params, () => this.SUBRULE(this.declared, { ARGS: [true] })));
    this.CONSUME(RParen);
    const body = this.OR<Block>({
      ERR_MSG: "`=` or `{`",
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Equals);
            return { bindings: [], result: this.SUBRULE(this.expr, { ARGS: [true] }) };
          },
        },
        { ALT: () => this.SUBRULE(this.block) },
      ],
    });
    return this.ACTION(() => {
      const { name: bound, span: nameSpan } = this.bound(name);
      const doc = commentsAbove(this.source.text, first.startOffset);
      return { kind: "fn", name: bound, nameSpan, params, body, doc, span: this.since(first) };
    });
  });

  private block = this.RULE("block", (): Block => {
    const bindings: Binding[] = [];
    this.CONSUME(LCurly);
    this.MANY({
      GATE: () => isBinding((ahead) => this.LA(ahead)),
      DEF: () => {
        bindings.push(this.SUBRULE(this.binding));
        this.CONSUME(Separator, { ERR_MSG: "`;` or a newline, and the block's result" });
      },
    });
    const result = this.SUBRULE(this.expr, { ARGS: [true] });
    this.OPTION(() => this.CONSUME2(Separator));
    this.CONSUME(RCurly, { ERR_MSG: "`}` after the block's result" });
    return { bindings, result };
  });

  private binding = this.RULE("binding", (): Binding => {
    const first = this.LA(1);
    const targets: Declared[] = [];
    this.AT_LEAST_ONE_SEP(this.list("a name", targets, () => this.SUBRULE(this.declared, { ARGS: [false] })));
    this.CONSUME(Equals);
    const value = this.SUBRULE(this.expr, { ARGS: [true] });
    return { kind: "bind", targets, value, span: this.since(first) };
  });

  /** A name where it is bound. */
  private bound(token: IToken): NameNode {
    if (isReserved(token)) throw new TsymError([reserved(this.source, token)]);
    return this.named(token);
  }

  private dtypeOf(token: IToken): NonNullable<Declared["dtype"]> {
    const span = this.spanOf(token);
    if (isDType(token.image)) return { dtype: token.image, span };
    return fail("dtype", `there is no dtype \`${token.image}\``, {
      labels: [{ span, text: "" }],
      help: `the dtypes are ${DTYPES.join(", ")}`,
    });
  }
}

/** The comment lines directly above the line that begins at an offset; none if something else begins that line. */
function commentsAbove(text: string, offset: number): string[] {
  const lines: string[] = [];
  let end = text.lastIndexOf("\n", offset - 1);
  if (text.slice(end + 1, offset).trim() !== "") return lines;
  while (end > 0) {
    const start = text.lastIndexOf("\n", end - 1) + 1;
    const comment = /^\s*# ?(.*?)\r?$/.exec(text.slice(start, end));
    if (!comment) break;
    lines.unshift(comment[1]!);
    end = start - 1;
  }
  return lines;
}
