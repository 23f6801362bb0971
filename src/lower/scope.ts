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
  readonly fns: FnTable;
  /** What stands around a fn: the program, whose dims it sees, though not its values. */
  readonly outer: Scope | undefined;

  constructor(fns: FnTable, outer?: Scope) {
    this.fns = fns;
    this.outer = outer;
  }

  dim(name: string): BoundDim | undefined {
    return this.dims.get(name) ?? this.outer?.dims.get(name);
  }
}
