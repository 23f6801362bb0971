/** The rules of expressions; operators are read flat and `operators.ts` builds their tree. Knows no statements. */
import type { IToken } from "chevrotain";
import type { Span } from "../src/source.ts";
import type { Arg, BinaryOperator, Expr, IndexItem, Name as NameNode, UnaryOperator } from "./ast.ts";
import { CLOSER, CLOSERS } from "./brackets.ts";
import { buildTree, type OperatorSign } from "./operators.ts";
import { Reader } from "./reader.ts";
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
  Wrt,
} from "./tokens.ts";

/** Only a name can be called; a prefix `grad` ends its expression. */
type Operand = "name" | "value" | "derivative";

/** Every rule gives the tree that it read. */
export class ExpressionRules extends Reader {
  /**
   * Operands with operators between, and calls, indices and members after them; `buildTree` makes the tree of what is laid
   * out flat. Brackets recurse through this rule alone, as each rule between takes from the depth that fits the stack.
   * @param whole - nothing else can follow in the statement, so a `wrt` takes all names up to its end
   */
  protected expr = this.RULE("expr", (whole: boolean): Expr => {
    const flat: (OperatorSign | Expr)[] = [];
    this.enter();
    let last = this.SUBRULE(this.operand, { ARGS: [flat, whole] });
    /** Applies to the last operand, as nothing binds tighter. */
    const apply = (postfix: (base: Expr, span: Span) => Expr) =>
      this.ACTION(() => {
        const base = flat.pop() as Expr;
        flat.push(postfix(base, { ...base.span, end: this.spanOf(this.LA(0)).end }));
      });
    this.MANY({
      GATE: () => last !== "derivative" && (last === "name" || this.LA(1).tokenType !== LParen),
      DEF: () => {
        last = this.OR<Operand>([
          {
            ALT: () => {
              const op = this.OR2([
                { ALT: () => this.CONSUME(Operator) },
                { ALT: () => this.CONSUME(Sign) },
                { ALT: () => this.CONSUME(Connective) },
              ]);
              this.ACTION(() => flat.push({ kind: "infix", op: op.image as BinaryOperator, span: this.spanOf(op) }));
              return this.SUBRULE2(this.operand, { ARGS: [flat, whole] });
            },
          },
          {
            ALT: () => {
              const args: Arg[] = [];
              this.CONSUME(LParen);
              this.MANY_SEP(this.list("an argument", args, () => this.argument()));
              this.CONSUME(RParen);
              apply((callee, span) => call(callee, args, span));
              return "value";
            },
          },
          {
            ALT: () => {
              const items: IndexItem[] = [];
              this.CONSUME(LSquare);
              this.AT_LEAST_ONE_SEP(this.list("an index", items, () => this.index()));
              this.CONSUME(RSquare);
              apply((base, span) => ({ kind: "index", base, items, span }));
              return "value";
            },
          },
          {
            ALT: () => {
              const { name, span: place } = this.memberName(this.CONSUME(Member));
              const transposes = name === "T" || name === "mT";
              apply((base, span) =>
                transposes
                  ? { kind: "transpose", base, matrix: name === "mT", span }
                  : { kind: "member", base, member: { name, span: place }, span },
              );
              return transposes ? "value" : "name";
            },
          },
        ]);
      },
    });
    this.depth--;
    return this.ACTION(() => buildTree(flat));
  });

  /** `[name =] expr`, within `expr`. */
  private argument(): Arg {
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
  }

  /** `...`, `newaxis` or `[start] [: [stop] [: [step]]]`, within `expr`: its parts follow each other, none within another. */
  private index(): IndexItem {
    const first = this.LA(1);
    let word: "ellipsis" | "newaxis" | undefined;
    let start: Expr | undefined;
    let colon = false;
    this.OR3({
      ERR_MSG: "an index",
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Ellipsis);
            word = "ellipsis";
          },
        },
        {
          ALT: () => {
            this.CONSUME(NewAxis);
            word = "newaxis";
          },
        },
        {
          ALT: () => {
            start = this.SUBRULE2(this.expr, { ARGS: [false] });
          },
        },
        {
          ALT: () => {
            this.CONSUME(Colon);
            colon = true;
          },
        },
      ],
    });
    this.OPTION2({
      GATE: () => start !== undefined,
      DEF: () => {
        this.CONSUME2(Colon);
        colon = true;
      },
    });
    const stop = this.OPTION3({ GATE: () => colon, DEF: () => this.SUBRULE3(this.expr, { ARGS: [false] }) });
    const second = this.OPTION4({ GATE: () => colon, DEF: () => this.CONSUME3(Colon) });
    const step = this.OPTION5({
      GATE: () => second !== undefined,
      DEF: () => this.SUBRULE4(this.expr, { ARGS: [false] }),
    });
    const span = this.since(first);
    if (word) return { kind: word, span };
    if (start && !colon) return { kind: "at", index: start, span };
    return { kind: "slice", ...(start && { start }), ...(stop && { stop }), ...(step && { step }), span };
  }

  /** `{ sign } atom`, laid into `flat`; says what it was, and so what may follow. */
  private operand = this.RULE("operand", (flat: (OperatorSign | Expr)[], whole: boolean): Operand => {
    this.MANY(() => {
      const sign = this.OR([{ ALT: () => this.CONSUME(Sign) }, { ALT: () => this.CONSUME(Not) }]);
      this.ACTION(() => flat.push({ kind: "prefix", op: sign.image as UnaryOperator, span: this.spanOf(sign) }));
    });
    const first = this.LA(1);
    const take = (kind: Operand, atom: Expr): Operand => {
      this.ACTION(() => flat.push(atom));
      return kind;
    };
    return this.OR2<Operand>({
      ERR_MSG: "an expression",
      DEF: [
        { ALT: () => take("value", this.SUBRULE(this.literal)) },
        { ALT: () => take("name", { kind: "name", ...this.named(this.CONSUME(Name)) }) },
        {
          GATE: () => this.isDerivativeCall(),
          IGNORE_AMBIGUITIES: true,
          ALT: () => take("name", { kind: "name", ...this.named(this.CONSUME(Derivative)) }),
        },
        {
          GATE: () => flat.length === 0,
          ALT: () => {
            const op = this.CONSUME2(Derivative).image as "grad" | "jacobian" | "hessian";
            const of = this.SUBRULE(this.expr, { ARGS: [false] });
            this.CONSUME(Wrt);
            const wrt = this.SUBRULE(this.wrt, { ARGS: [whole] });
            return take("derivative", { kind: "derivative", op, of, wrt, span: this.since(first) });
          },
        },
        {
          ALT: () => {
            this.CONSUME(LParen);
            const inner = this.SUBRULE2(this.expr, { ARGS: [false] });
            this.CONSUME(RParen, { ERR_MSG: "`)`" });
            return take("value", { ...inner, span: this.since(first) });
          },
        },
        {
          ALT: () => {
            const items: Expr[] = [];
            this.CONSUME(LSquare);
            this.MANY_SEP(this.list("an expression", items, () => this.SUBRULE3(this.expr, { ARGS: [false] })));
            this.CONSUME(RSquare);
            return take("value", { kind: "list", items, span: this.since(first) });
          },
        },
      ],
    });
  });

  private wrt = this.RULE("wrt", (whole: boolean): NameNode[] => {
    const names: NameNode[] = [];
    this.OR({
      ERR_MSG: "a name",
      DEF: [
        {
          ALT: () => {
            this.CONSUME(LParen);
            this.AT_LEAST_ONE_SEP(this.list("a name", names, () => this.named(this.CONSUME(Name))));
            this.CONSUME(RParen);
          },
        },
        {
          ALT: () => {
            names.push(this.named(this.CONSUME2(Name)));
            this.MANY({
              GATE: () => whole,
              DEF: () => {
                this.CONSUME2(Comma);
                names.push(this.named(this.CONSUME3(Name)));
              },
            });
          },
        },
      ],
    });
    return names;
  });

  private literal = this.RULE(
    "literal",
    (): Expr =>
      this.OR<Expr>([
        {
          ALT: () => {
            const number = this.CONSUME(NumberLiteral);
            return this.ACTION(() => ({ kind: "number", value: numberOf(number), span: this.spanOf(number) }));
          },
        },
        {
          ALT: () => {
            const string = this.CONSUME(StringLiteral);
            return this.ACTION(() => ({ kind: "string", value: JSON.parse(string.image), span: this.spanOf(string) }));
          },
        },
        {
          ALT: () => {
            const bool = this.CONSUME(Bool);
            return { kind: "bool", value: bool.image === "true", span: this.spanOf(bool) };
          },
        },
      ]),
  );

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

  private memberName(token: IToken): NameNode {
    const name = token.image.slice(1).trimStart();
    const { source, end } = this.spanOf(token);
    return { name, span: { source, start: end - name.length, end } };
  }
}

/** A name or a member with its arguments. */
function call(callee: Expr, args: readonly Arg[], span: Span): Expr {
  if (callee.kind === "member") return { ...callee, args, span };
  return { kind: "call", callee: { name: (callee as NameNode).name, span: callee.span }, args, span };
}

/** An int literal is a bigint, one with a point or an exponent a number. */
function numberOf({ image }: IToken): number | bigint {
  const digits = image.replaceAll("_", "");
  return /^\d+$/.test(digits) ? BigInt(digits) : Number(digits);
}
