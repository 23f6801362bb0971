/** Which names mean what: values and dims of a program or of one call of a fn, and the fns it can call. */
import type { FnDecl, Name, Statement } from "../../grammar/ast.ts";
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
  /** All that is bound here, in order. */
  readonly statements: readonly Statement[];
  #definitions: ReadonlyMap<string, Span> | undefined;
  /** What stands around a fn: the program, whose dims it sees, though not its values. */
  readonly outer: Scope | undefined;

  constructor(fns: FnTable, outer?: Scope, statements: readonly Statement[] = []) {
    this.fns = fns;
    this.statements = statements;
    this.outer = outer;
  }

  /** Whether it is told already that a name means nothing; from now on it is. */
  isToldMissing(name: string): boolean {
    const isTold = this.missing.has(name) || (this.outer?.missing.has(name) ?? false);
    this.missing.add(name);
    return isTold;
  }

  /** Where a name is bound after a place. */
  definitionBelow(name: string, use: Span): Span | undefined {
    this.#definitions ??= new Map(
      this.statements
        .flatMap(boundBy)
        .map(({ name, span }): [string, Span] => [name, span])
        .reverse(),
    );
    const found = this.#definitions.get(name);
    return found && found.source === use.source && found.start > use.start ? found : undefined;
  }

  dim(name: string): BoundDim | undefined {
    return this.dims.get(name) ?? this.outer?.dims.get(name);
  }
}

/** The names that a statement declares or binds, with their places as far as these are known. */
export function boundBy(s: Statement): readonly Name[] {
  switch (s.kind) {
    case "input":
      return s.inputs;
    case "bind":
      return s.targets;
    case "output":
      return s.outputs.flatMap((o) => (o.value ? [o.name] : []));
    case "broken":
      return s.binds.map((name) => ({ name, span: s.span }));
    default:
      return [];
  }
}
