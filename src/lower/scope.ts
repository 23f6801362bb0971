/** Which names mean what: values and dims of a program or of one call of a fn, and the fns it can call. */
import type { FnDecl } from "../../grammar/ast.ts";
import type { Span } from "../source.ts";
import type { Dim } from "../tensor/dim.ts";
import type { Value } from "./value.ts";

export interface Bound {
  readonly value: Value;
  readonly span: Span;
  readonly what: "input" | "binding" | "parameter";
  /** Some expression mentions it. */
  used: boolean;
}

export interface BoundDim {
  readonly dim: Dim;
  readonly span: Span;
}

/** The fns of one file, those of the files it imports included. */
export type FnTable = Map<string, { readonly decl: FnDecl; readonly table: FnTable }>;

export class Scope {
  readonly names = new Map<string, Bound>();
  readonly dims = new Map<string, BoundDim>();
  /** Names that are told to mean nothing, and dims that a mistake leaves without a size: more uses of them are no more mistakes. */
  readonly missing = new Set<string>();
  readonly fns: FnTable;
  /** What stands around a fn: the program, whose dims it sees, though not its values. */
  readonly outer: Scope | undefined;

  constructor(fns: FnTable, outer?: Scope) {
    this.fns = fns;
    this.outer = outer;
  }

  /** Whether it is told already that a name means nothing; from now on it is. */
  isToldMissing(name: string): boolean {
    const isTold = this.missing.has(name) || (this.outer?.missing.has(name) ?? false);
    this.missing.add(name);
    return isTold;
  }

  dim(name: string): BoundDim | undefined {
    return this.dims.get(name) ?? this.outer?.dims.get(name);
  }
}
