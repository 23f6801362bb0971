/** The tree: what was written and where, nothing inferred. */
import type { Span } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";

export interface Name {
  readonly name: string;
  readonly span: Span;
}

export type UnaryOperator = "-" | "+" | "not";
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "//"
  | "%"
  | "@"
  | "**"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "and"
  | "or";

export type Expr =
  /** An int literal is a bigint, a float literal a number: `1` is int, `1.0` and `1e3` are float. */
  | {
      readonly kind: "number";
      readonly value: number | bigint;
      readonly span: Span;
    }
  | { readonly kind: "bool"; readonly value: boolean; readonly span: Span }
  | { readonly kind: "string"; readonly value: string; readonly span: Span }
  /** Any bare name: a binding, an input, a dim, a dtype (`float64`), `pi`, `inf`, `nan`. */
  | { readonly kind: "name"; readonly name: string; readonly span: Span }
  | {
      readonly kind: "list";
      readonly items: readonly Expr[];
      readonly span: Span;
    }
  | {
      readonly kind: "unary";
      readonly op: UnaryOperator;
      readonly arg: Expr;
      readonly opSpan: Span;
      readonly span: Span;
    }
  | {
      readonly kind: "binary";
      readonly op: BinaryOperator;
      readonly left: Expr;
      readonly right: Expr;
      readonly opSpan: Span;
      readonly span: Span;
    }
  | {
      readonly kind: "call";
      readonly callee: Name;
      readonly args: readonly Arg[];
      readonly span: Span;
    }
  /** `np.dot`, `x.shape`, `x.sum(…)`: no tsym, but parsed so that the checker can say what to write. `args` is absent without parentheses. */
  | {
      readonly kind: "member";
      readonly base: Expr;
      readonly member: Name;
      readonly args?: readonly Arg[];
      readonly span: Span;
    }
  | {
      readonly kind: "index";
      readonly base: Expr;
      readonly items: readonly IndexItem[];
      readonly span: Span;
    }
  /** `.T` (matrix: false) and `.mT` (matrix: true). */
  | {
      readonly kind: "transpose";
      readonly base: Expr;
      readonly matrix: boolean;
      readonly span: Span;
    }
  /** The prefix form `grad E wrt a, b`; the call form `grad(E, a)` is a call. */
  | {
      readonly kind: "derivative";
      readonly op: "grad" | "jacobian" | "hessian";
      readonly of: Expr;
      readonly wrt: readonly Name[];
      readonly span: Span;
    };

export interface Arg {
  /** The parameter's name when given as `name=value`. */
  readonly name?: Name;
  readonly value: Expr;
}

export type IndexItem =
  | { readonly kind: "at"; readonly index: Expr; readonly span: Span }
  | {
      readonly kind: "slice";
      readonly start?: Expr;
      readonly stop?: Expr;
      readonly step?: Expr;
      readonly span: Span;
    }
  | { readonly kind: "ellipsis"; readonly span: Span }
  | { readonly kind: "newaxis"; readonly span: Span };

/** A declared dim: `?`, or sums and products of integers and names. */
export type DimExpr =
  | { readonly kind: "unknown"; readonly span: Span }
  | { readonly kind: "number"; readonly value: number; readonly span: Span }
  | { readonly kind: "name"; readonly name: string; readonly span: Span }
  | {
      readonly kind: "binary";
      readonly op: "+" | "-" | "*";
      readonly left: DimExpr;
      readonly right: DimExpr;
      readonly span: Span;
    };

/** `name [dims] [: dtype]`: an input, a target or a parameter. */
export interface Declared extends Name {
  readonly dims?: readonly DimExpr[];
  readonly dtype?: { readonly dtype: DType; readonly span: Span };
  /** The `= expr` of an input or a parameter. */
  readonly default?: Expr;
}

export interface Block {
  readonly bindings: readonly Binding[];
  readonly result: Expr;
}

export interface Binding {
  readonly kind: "bind";
  readonly targets: readonly Declared[];
  readonly value: Expr;
  readonly span: Span;
}

export interface FnDecl {
  readonly kind: "fn";
  readonly name: string;
  readonly nameSpan: Span;
  readonly params: readonly Declared[];
  readonly body: Block;
  /** The `#` comment lines directly above, without the `#`: the prelude's documentation. */
  readonly doc: readonly string[];
  readonly span: Span;
}

export type Statement =
  | {
      readonly kind: "input";
      readonly inputs: readonly Declared[];
      readonly span: Span;
    }
  | {
      readonly kind: "output";
      readonly outputs: readonly {
        readonly name: Name;
        readonly value?: Expr;
      }[];
      readonly span: Span;
    }
  | {
      readonly kind: "import";
      readonly path: string;
      readonly pathSpan: Span;
      readonly span: Span;
    }
  | FnDecl
  | Binding
  /** A bare expression: an output. */
  | { readonly kind: "expr"; readonly value: Expr; readonly span: Span }
  /**
   * A statement that did not parse; its diagnostic is reported already. `binds` are the names it would have bound or
   * declared, as far as they can be told, so that their users stay silent; `mayDeclare` are names in it that may be dims.
   */
  | {
      readonly kind: "broken";
      readonly binds: readonly string[];
      readonly mayDeclare: readonly string[];
      readonly span: Span;
    };

export interface Program {
  readonly source: import("../src/source.ts").SourceText;
  readonly statements: readonly Statement[];
}
