/** How elements lie in vectors, four at a time, and how they come from memory and go back. Knows no forms. */
import type { DType } from "../../tensor/dtype.ts";
import { type Code, extractLane, get, i32Const, op, type Width } from "./assembler.ts";

/** Four elements in one vector (f32, i32, and masks m32), or in two (f64, i64, masks m64, and i32 in the low halves of 64-bit lanes, w32). */
export type Layout = "f32" | "f64" | "i32" | "i64" | "w32" | "m32" | "m64";
export const VECTORS: Record<Layout, 1 | 2> = { f32: 1, f64: 2, i32: 1, i64: 2, w32: 2, m32: 1, m64: 2 };
export const LAYOUT: Record<DType, Layout> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  int64: "i64",
  bool: "m32",
};
export const WIDTH: Record<DType, Width> = { bool: 1, int32: 4, float32: 4, int64: 8, float64: 8 };
/** Elements at a time. */
export const GROUP = 4;

/** A form that there are no lanes for; whoever asked runs it in another way. */
export class Unvectorizable extends Error {}

/** Where a parameter's elements come from: a pointer that the loop moves, and the elements between one and the next. */
export interface Lane {
  readonly dtype: DType;
  readonly pointer: number;
  readonly stride: number;
}

export const SHAPE = { f32: "f32x4", f64: "f64x2", i32: "i32x4", w32: "i32x4", i64: "i64x2" } as const;
export const EVEN = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
export const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
export const HIGH_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
export const EVEN_TWICE = [0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11];

/** The layouts that arguments of routines are taken from. */
export const ARGUMENT = { f64: "f64", i32: "i32", i64: "i64" } as const;

/** One of four elements, as a scalar. */
export function laneOf(locals: readonly number[], layout: "f64" | "i32" | "i64", element: number): Code {
  const perVector = GROUP / VECTORS[layout];
  return extractLane(SHAPE[layout], element % perVector, get(locals[Math.floor(element / perVector)]!));
}

/** Bytes 0 and 1 as masks of 32-bit lanes. */
export const unpacked = (bytes: Code): Code =>
  op("i32x4.neg", op("i32x4.extend_low_i16x8_s", op("i16x8.extend_low_i8x16_s", bytes)));

/** Masks of 32-bit lanes as bytes 0 and 1, in the first four. */
export function packed(mask: Code): Code {
  const words = op("i32x4.neg", mask);
  const halves = op("i16x8.narrow_i32x4_s", words, words);
  return op("i8x16.narrow_i16x8_s", halves, halves);
}

/** A pointer and a number of bytes, which may be negative. */
export const displaced = (pointer: number, bytes: number): Code =>
  bytes === 0 ? get(pointer) : op("i32.add", get(pointer), i32Const(bytes));
