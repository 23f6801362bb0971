/** The rules of expressions; operators are read flat and `operators.ts` builds their tree. Knows no statements. */
import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { fail, type SourceText, type Span } from "../src/source.ts";
import type { Arg, BinaryOperator, Expr, IndexItem, Name as NameNode, UnaryOperator } from "./ast.ts";
import { CLOSER, CLOSERS, MAX_NESTING } from "./brackets.ts";
import { FirstTokenLookahead } from "./lookahead.ts";
import { buildTree, type OperatorSign } from "./operators.ts";
import {
  Bool,
  Colon,
  Comma,
  Connective,
  Derivative,
  Ellipsis,
  Equals,
  LParen,
  LSquare,
  Member,
  Name,
  NewAxis,
  Not,
  NumberLiteral,
  Operator,
  RParen,
  RSquare,
  Sign,
  StringLiteral,
  spanOf,
  VOCABULARY,
  Wrt,
} from "./tokens.ts";

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

/** Every rule gives the tree that it read. */
export class ExpressionRules extends EmbeddedActionsParser {
  protected source: SourceText = { name: "", text: "" };
  protected depth = 0;

  constructor(skipValidations: boolean) {
    const lookaheadStrategy = new FirstTokenLookahead();
    super([...VOCABULARY], {
      maxLookahead: 1,
      lookaheadStrategy,
      skipValidations,
      errorMessageProvider: {
        buildMismatchTokenMessage: ({ expected, previous, ruleName }) => inWords(expected, previous, ruleName),
        buildNotAllInputParsedMessage: () => END,
        buildNoViableAltMessage: ({ customUserDescription }) => customUserDescription ?? END,
        buildEarlyExitMessage: ({ customUserDescription }) => customUserDescription ?? END,
      },
    });
    lookaheadStrategy.next = () => this.LA(1).tokenType;
  }

  /** `whole`: nothing else can follow in the statement, so a `wrt` takes all names up to its end. */
  protected expr = this.RULE("expr", (whole: boolean): Expr => {
    const first = this.LA(1);
    this.enter();
    const tree = this.OR<Expr>({
      ERR_MSG: "an expression",
      DEF: [
        {
          GATE: () => !this.isDerivativeCall(),
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            const keyword = this.CONSUME(Derivative);
            const of = this.SUBRULE(this.expr, { ARGS: [false] });
            this.CONSUME(Wrt);
            const wrt = this.SUBRULE(this.wrt, { ARGS: [whole] });
            const op = keyword.image as "grad" | "jacobian" | "hessian";
            return { kind: "derivative", op, of, wrt, span: this.since(first) };
          },
        },
        {
          ALT: () => {
            const flat: (OperatorSign | Expr)[] = [];
            this.SUBRULE(this.operand, { ARGS: [flat] });
            this.MANY(() => {
              const sign = this.OR2([
                { ALT: () => this.CONSUME(Operator) },
                { ALT: () => this.CONSUME(Sign) },
                { ALT: () => this.CONSUME(Connective) },
              ]);
              this.ACTION(() =>
                flat.push({ kind: "infix", op: sign.image as BinaryOperator, span: this.spanOf(sign) }),
              );
              this.SUBRULE2(this.operand, { ARGS: [flat] });
            });
            return this.ACTION(() => buildTree(flat));
          },
        },
      ],
    });
    this.depth--;
    return tree;
  });

  private wrt = this.RULE("wrt", (whole: boolean): NameNode[] => {
    const names: NameNode[] = [];
    const take = (token: IToken) => names.push(this.named(token));
    this.OR({
      ERR_MSG: "a name",
      DEF: [
        {
          ALT: () => {
            this.CONSUME(LParen);
            this.commas(1, "a name", () => take(this.CONSUME(Name)));
            this.CONSUME(RParen);
          },
        },
        {
          ALT: () => {
            take(this.CONSUME2(Name));
            this.MANY({
              GATE: () => whole,
              DEF: () => {
                this.CONSUME2(Comma);
                take(this.CONSUME3(Name));
              },
            });
          },
        },
      ],
    });
    return names;
  });

  /** `{ sign } atom { postfix }`, laid into `flat` for `buildTree`. */
  private operand = this.RULE("operand", (flat: (OperatorSign | Expr)[]): void => {
    this.MANY(() => {
      const sign = this.OR([{ ALT: () => this.CONSUME(Sign) }, { ALT: () => this.CONSUME(Not) }]);
      this.ACTION(() => flat.push({ kind: "prefix", op: sign.image as UnaryOperator, span: this.spanOf(sign) }));
    });
    const first = this.LA(1);
    let tree = this.SUBRULE(this.atom);
    this.MANY2(() => {
      tree = this.OR2<Expr>([
        {
          ALT: () => {
            this.CONSUME(LSquare);
            const items = this.commas(1, "an index", () => this.SUBRULE(this.index));
            this.CONSUME(RSquare);
            return { kind: "index", base: tree, items, span: this.since(first) };
          },
        },
        {
          ALT: () => {
            const member = this.CONSUME(Member);
            const args = this.OPTION(() => this.SUBRULE(this.args));
            return this.ACTION(() => this.member(tree, member, args));
          },
        },
      ]);
    });
    this.ACTION(() => flat.push(tree));
  });

  private atom = this.RULE("atom", (): Expr => {
    const first = this.LA(1);
    return this.OR<Expr>({
      ERR_MSG: "an expression",
      DEF: [
        {
          ALT: () => {
            const number = this.CONSUME(NumberLiteral);
            return this.ACTION(() => ({ kind: "number", value: literal(number), span: this.spanOf(number) }));
          },
        },
        {
          ALT: () => {
            const name = this.CONSUME(Name);
            const args = this.OPTION(() => this.SUBRULE(this.args));
            const callee = this.named(name);
            return args ? { kind: "call", callee, args, span: this.since(first) } : { kind: "name", ...callee };
          },
        },
        {
          ALT: () => {
            this.CONSUME(LParen);
            const inner = this.SUBRULE(this.expr, { ARGS: [false] });
            this.CONSUME(RParen, { ERR_MSG: "`)`" });
            return { ...inner, span: this.since(first) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(LSquare);
            const items = this.OPTION2(() =>
              this.commas(3, "an expression", () => this.SUBRULE2(this.expr, { ARGS: [false] })),
            );
            this.CONSUME(RSquare);
            return { kind: "list", items: items ?? [], span: this.since(first) };
          },
        },
        {
          ALT: () => {
            const { image } = this.CONSUME(Bool);
            return { kind: "bool", value: image === "true", span: this.since(first) };
          },
        },
        {
          ALT: () => {
            const string = this.CONSUME(StringLiteral);
            return this.ACTION(() => ({ kind: "string", value: JSON.parse(string.image), span: this.since(first) }));
          },
        },
        {
          GATE: () => this.isDerivativeCall(),
          ALT: () => {
            const callee = this.named(this.CONSUME(Derivative));
            const args = this.SUBRULE2(this.args);
            return { kind: "call", callee, args, span: this.since(first) };
          },
        },
      ],
    });
  });

  private args = this.RULE("args", (): Arg[] => {
    this.CONSUME(LParen);
    const args = this.OPTION(() => this.commas(2, "an argument", () => this.SUBRULE(this.arg)));
    this.CONSUME(RParen);
    return args ?? [];
  });

  private arg = this.RULE("arg", (): Arg => {
    const name = this.OPTION({
      GATE: () => this.LA(2).tokenType === Equals,
      DEF: () => {
        const token = this.CONSUME(Name);
        this.CONSUME(Equals);
        return this.named(token);
      },
    });
    const value = this.SUBRULE(this.expr, { ARGS: [false] });
    return name ? { name, value } : { value };
  });

  private index = this.RULE("index", (): IndexItem => {
    const first = this.LA(1);
    return this.OR<IndexItem>({
      ERR_MSG: "an index",
      DEF: [
        { ALT: () => ({ kind: "ellipsis", span: this.spanOf(this.CONSUME(Ellipsis)) }) },
        { ALT: () => ({ kind: "newaxis", span: this.spanOf(this.CONSUME(NewAxis)) }) },
        { ALT: () => ({ kind: "slice", ...this.SUBRULE(this.slice), span: this.since(first) }) },
        {
          ALT: () => {
            const start = this.SUBRULE(this.expr, { ARGS: [false] });
            const rest = this.OPTION(() => this.SUBRULE2(this.slice));
            const span = this.since(first);
            return rest ? { kind: "slice", start, ...rest, span } : { kind: "at", index: start, span };
          },
        },
      ],
    });
  });

  /** `: [stop] [: [step]]`. */
  private slice = this.RULE("slice", (): { stop?: Expr; step?: Expr } => {
    this.CONSUME(Colon);
    const stop = this.OPTION(() => this.SUBRULE(this.expr, { ARGS: [false] }));
    const step = this.OPTION2(() => {
      this.CONSUME2(Colon);
      return this.OPTION3(() => this.SUBRULE2(this.expr, { ARGS: [false] }));
    });
    return { ...(stop && { stop }), ...(step && { step }) };
  });

  /** One or more items with commas between, where one may trail. `slot`: each list within a rule has its own. */
  protected commas<T>(slot: 1 | 2 | 3, expected: string, item: () => T): T[] {
    const items: T[] = [];
    let more = true;
    this.atLeastOne(slot, {
      GATE: () => more,
      ERR_MSG: expected,
      DEF: () => {
        items.push(item());
        more = this.option(slot + 6, () => this.consume(slot, Comma)) !== undefined;
      },
    });
    return items;
  }

  /** `grad(E, a)` is a call, `grad (E) …` the prefix form: the parentheses of a call hold a comma of their own. */
  private isDerivativeCall(): boolean {
    if (this.LA(1).tokenType !== Derivative || this.LA(2).tokenType !== LParen) return false;
    let depth = 0;
    for (let ahead = 2; ; ahead++) {
      const { tokenType } = this.LA(ahead);
      if (CLOSER.has(tokenType)) depth++;
      if (CLOSERS.has(tokenType)) depth--;
      if (depth === 0 || tokenType.name === "EOF") return false;
      if (depth === 1 && tokenType === Comma) return this.LA(ahead + 1).tokenType !== RParen;
    }
  }

  private enter(): void {
    if (++this.depth <= MAX_NESTING + 1) return;
    fail("nesting", `brackets nest deeper than ${MAX_NESTING}`, {
      labels: [{ span: this.spanOf(this.LA(0)), text: "" }],
      help: "bind an inner part to a name of its own",
    });
  }

  /** `.T`, `.mT`, or what is no tsym but can be told what to write. */
  private member(base: Expr, token: IToken, args: Arg[] | undefined): Expr {
    const name = token.image.slice(1).trimStart();
    const { end } = this.spanOf(token);
    const span = { ...base.span, end: this.since(token).end };
    if (!args && (name === "T" || name === "mT")) return { kind: "transpose", base, matrix: name === "mT", span };
    const member = { name, span: { source: this.source, start: end - name.length, end } };
    return { kind: "member", base, member, ...(args && { args }), span };
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

/** An int literal is a bigint, one with a point or an exponent a number. */
function literal({ image }: IToken): number | bigint {
  const digits = image.replaceAll("_", "");
  return /^\d+$/.test(digits) ? BigInt(digits) : Number(digits);
}
