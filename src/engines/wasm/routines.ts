/** The scalar routines that loops call for rare arguments, as imports. Only the main thread has them. */
import type { ROUTINES } from "../../numeric/routines.ts";
import type { ImportedFunction, ValueType } from "./assembler.ts";

const SIGNATURES: Record<keyof typeof ROUTINES, readonly [params: readonly ValueType[], result: ValueType]> = {
  fmod: [["f64", "f64"], "f64"],
  halfPiQuadrant: [["f64"], "i32"],
  halfPiHigh: [["f64"], "f64"],
  halfPiLow: [["f64"], "f64"],
  integerPower32: [["i32", "i32"], "i32"],
  integerPower64: [["i64", "i64"], "i64"],
  polygamma: [["f64", "f64"], "f64"],
};

const IMPORTED = Object.entries(SIGNATURES).map(([name, [params, result]]) => ({ name, params, results: [result] }));

/** For threads that do not have them: their names, and something of the type of their results. */
export const STAND_INS = IMPORTED.map(({ name, results }) => ({ name, zero: results[0] === "i64" ? 0n : 0 }));

/** (stream, block, address): these read and write a block of a file, on every thread; see threads.ts. */
const MOVES = ["fetch", "deliver"].map(
  (name): ImportedFunction => ({ name, params: ["i32", "i32", "i32"], results: [] }),
);

/** Every module imports all of these. */
export const IMPORTS: readonly ImportedFunction[] = [...IMPORTED, ...MOVES];

/** What a call of one names it by. */
export const importIndex = (name: string): number => IMPORTS.findIndex((i) => i.name === name);
