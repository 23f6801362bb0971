/** Every function that programs can call, by name: rows stated in TypeScript, and composites from the prelude. */
import * as choosing from "./choosing.ts";
import * as contract from "./contract.ts";
import type { FunctionRow } from "./define.ts";
import { einsum } from "./einsum.ts";
import * as elementwise from "./elementwise.ts";
import * as identity from "./identity.ts";
import * as indexing from "./indexing.ts";
import * as linalg from "./linalg.ts";
import * as making from "./making.ts";
import { preludeNames } from "./prelude.ts";
import * as reduce from "./reduce.ts";
import * as scan from "./scan.ts";
import * as shape from "./shape.ts";
import * as sort from "./sort.ts";

const isRow = (x: unknown): x is FunctionRow => typeof x === "object" && x !== null && "params" in x;

const rows = new Map<string, FunctionRow>(
  [
    ...elementwise.elementwise,
    einsum,
    ...[elementwise, making, reduce, shape, scan, indexing, sort, contract, linalg, choosing, identity].flatMap(
      (room) => Object.values<unknown>(room).filter(isRow),
    ),
  ].map((row) => [row.name, row]),
);

export const functionRow = (name: string): FunctionRow | undefined => rows.get(name);
/** What programs can call; names that begin with `_` are for the prelude alone. */
export const functionNames = (): string[] => [...rows.keys(), ...preludeNames()].filter((name) => !isPrivate(name));
export const isPrivate = (name: string): boolean => name.startsWith("_");
