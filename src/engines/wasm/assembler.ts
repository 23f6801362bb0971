/** Bytes of WebAssembly modules: instructions, functions, sections. Knows the binary format (WebAssembly core specification 2.0, part 5) and no kernel. */

/** Instructions, encoded: bytes, and code within code. An expression's code leaves its value on the stack. */
export type Code = readonly (number | Code)[];

export const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPES;

/** Unsigned LEB128. */
function unsigned(n: number): number[] {
  const bytes: number[] = [];
  let rest = n >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

/** Signed LEB128 of an i32. */
function signed(n: number): number[] {
  const bytes: number[] = [];
  let rest = n | 0;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest & 127];
}

/** The numeric instructions that kernels use: their opcodes, those from 0x100 on after the SIMD prefix. */
const simd = (code: number): number => 0x100 + code;
const NUMERIC = {
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.ne": 0x47,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_u": 0x6e,
  "i32.rem_u": 0x70,
  "i32.and": 0x71,
  "i32.shl": 0x74,
  "i32.shr_u": 0x76,
  "i64.trunc_sat_f64_s": -6,
  "f64.convert_i64_s": 0xb9,
  select: 0x1b,
  "i32x4.splat": simd(17),
  "i64x2.splat": simd(18),
  "f32x4.splat": simd(19),
  "f64x2.splat": simd(20),
  "i32x4.eq": simd(55),
  "i32x4.lt_s": simd(57),
  "i32x4.le_s": simd(61),
  "f32x4.eq": simd(65),
  "f32x4.lt": simd(67),
  "f32x4.le": simd(69),
  "f64x2.eq": simd(71),
  "f64x2.lt": simd(73),
  "f64x2.le": simd(75),
  "v128.not": simd(77),
  "v128.and": simd(78),
  "v128.andnot": simd(79),
  "v128.or": simd(80),
  "v128.xor": simd(81),
  "v128.bitselect": simd(82),
  "v128.any_true": simd(83),
  "f32x4.demote_f64x2_zero": simd(94),
  "f64x2.promote_low_f32x4": simd(95),
  "i8x16.narrow_i16x8_s": simd(101),
  "f32x4.ceil": simd(103),
  "f32x4.floor": simd(104),
  "f32x4.trunc": simd(105),
  "f64x2.ceil": simd(116),
  "f64x2.floor": simd(117),
  "f64x2.trunc": simd(122),
  "i16x8.narrow_i32x4_s": simd(133),
  "i16x8.extend_low_i8x16_s": simd(135),
  "i32x4.abs": simd(160),
  "i32x4.neg": simd(161),
  "i32x4.extend_low_i16x8_s": simd(167),
  "i32x4.shl": simd(171),
  "i32x4.shr_s": simd(172),
  "i32x4.add": simd(174),
  "i32x4.sub": simd(177),
  "i32x4.mul": simd(181),
  "i32x4.min_s": simd(182),
  "i32x4.max_s": simd(184),
  "i64x2.abs": simd(192),
  "i64x2.neg": simd(193),
  "i64x2.extend_low_i32x4_s": simd(199),
  "i64x2.extend_high_i32x4_s": simd(200),
  "i64x2.shl": simd(203),
  "i64x2.shr_u": simd(205),
  "i64x2.add": simd(206),
  "i64x2.sub": simd(209),
  "i64x2.mul": simd(213),
  "i64x2.eq": simd(214),
  "i64x2.lt_s": simd(216),
  "i64x2.le_s": simd(218),
  "f32x4.abs": simd(224),
  "f32x4.neg": simd(225),
  "f32x4.sqrt": simd(227),
  "f32x4.add": simd(228),
  "f32x4.sub": simd(229),
  "f32x4.mul": simd(230),
  "f32x4.div": simd(231),
  "f32x4.min": simd(232),
  "f32x4.max": simd(233),
  "f32x4.pmin": simd(234),
  "f32x4.pmax": simd(235),
  "f64x2.abs": simd(236),
  "f64x2.neg": simd(237),
  "f64x2.sqrt": simd(239),
  "f64x2.add": simd(240),
  "f64x2.sub": simd(241),
  "f64x2.mul": simd(242),
  "f64x2.div": simd(243),
  "f64x2.min": simd(244),
  "f64x2.max": simd(245),
  "f64x2.pmin": simd(246),
  "f64x2.pmax": simd(247),
  "f32x4.convert_i32x4_s": simd(250),
  "i32x4.trunc_sat_f64x2_s_zero": simd(252),
  "f64x2.convert_low_i32x4_s": simd(254),
  "f32x4.relaxed_madd": simd(0x105),
  "f64x2.relaxed_madd": simd(0x107),
} as const;
export type Instruction = keyof typeof NUMERIC;
export const isInstruction = (name: string): name is Instruction => name in NUMERIC;

function opcode(code: number): number[] {
  if (code < 0) return [0xfc, -code];
  return code < 0x100 ? [code] : [0xfd, ...unsigned(code - 0x100)];
}

/** `operands` pushed, then the instruction. */
export const op = (name: Instruction, ...operands: readonly Code[]): Code => [operands, opcode(NUMERIC[name])];

/** Memory instructions: opcode and the alignment they may assume, as a power of two. */
const LOADS = {
  "i32.load": [0x28, 2],
  "v128.load": [simd(0), 0],
  "v128.load8_splat": [simd(7), 0],
  "v128.load32_splat": [simd(9), 0],
  "v128.load64_splat": [simd(10), 0],
  "v128.load32_zero": [simd(92), 0],
} as const;
const STORES = { "i32.store": [0x36, 2], "v128.store": [simd(11), 0] } as const;
const LANE_LOADS = { 1: simd(84), 4: simd(86), 8: simd(87) } as const;
const LANE_STORES = { 1: simd(88), 4: simd(90), 8: simd(91) } as const;
/** Bytes of one element in memory. */
export type Width = keyof typeof LANE_LOADS;

export const load = (name: keyof typeof LOADS, address: Code, offset = 0): Code => {
  const [code, align] = LOADS[name];
  return [address, opcode(code), align, unsigned(offset)];
};
export const store = (name: keyof typeof STORES, address: Code, value: Code, offset = 0): Code => {
  const [code, align] = STORES[name];
  return [address, value, opcode(code), align, unsigned(offset)];
};
/** A vector whose lanes all hold one element of `width` bytes. */
export const loadSplat = (width: Width, address: Code, offset = 0): Code =>
  load(`v128.load${(width * 8) as 8 | 32 | 64}_splat`, address, offset);
/** `vector` with one lane of `width` bytes read from memory. */
export const loadLane = (width: Width, lane: number, address: Code, vector: Code): Code => [
  address,
  vector,
  opcode(LANE_LOADS[width]),
  0,
  0,
  lane,
];
export const storeLane = (width: Width, lane: number, address: Code, vector: Code, offset = 0): Code => [
  address,
  vector,
  opcode(LANE_STORES[width]),
  0,
  unsigned(offset),
  lane,
];

const EXTRACTS = { i32x4: 27, i64x2: 29, f32x4: 31, f64x2: 33 } as const;
export const extractLane = (shape: keyof typeof EXTRACTS, lane: number, vector: Code): Code => [
  vector,
  opcode(simd(EXTRACTS[shape])),
  lane,
];
export const replaceLane = (shape: keyof typeof EXTRACTS, lane: number, vector: Code, value: Code): Code => [
  vector,
  value,
  opcode(simd(EXTRACTS[shape] + 1)),
  lane,
];
/** Sixteen bytes chosen from those of a (0 … 15) and b (16 … 31). */
export const shuffle = (a: Code, b: Code, bytes: readonly number[]): Code => [a, b, opcode(simd(13)), bytes];

export const i32Const = (n: number): Code => [0x41, signed(n)];
/** A vector whose lanes all hold one value. */
export function v128Const(lanes: "f32" | "f64" | "i32" | "i64", value: number | bigint): Code {
  const bytes = new Uint8Array(16);
  if (lanes === "f32") new Float32Array(bytes.buffer).fill(Number(value));
  else if (lanes === "f64") new Float64Array(bytes.buffer).fill(Number(value));
  else if (lanes === "i32") new Int32Array(bytes.buffer).fill(Number(value));
  else new BigInt64Array(bytes.buffer).fill(BigInt(value));
  return [opcode(simd(12)), Array.from(bytes)];
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
/** Adds a number of bytes to a pointer. */
export const moveBy = (pointer: number, bytes: number): Code =>
  set(pointer, op("i32.add", get(pointer), i32Const(bytes)));
export const call = (index: number, ...args: readonly Code[]): Code => [args, 0x10, unsigned(index)];

const EMPTY = 0x40;
const END = 0x0b;
export const when = (condition: Code, ...body: readonly Code[]): Code => [condition, 0x04, EMPTY, body, END];
/** Leaves a loop and the block around it, if the condition before it holds. */
const BREAK_OUT: Code = [0x0d, 1];
/** `do body while condition`. */
const loopWhile = (body: readonly Code[], condition: Code): Code => [0x03, EMPTY, body, condition, 0x0d, 0, END];

/** `for (; i < end; i += step) body`, of unsigned numbers; `end` is a local or a constant. */
export function forBelow(i: number, end: Code, step: number, ...body: readonly Code[]): Code {
  const below = op("i32.lt_u", get(i), end);
  return when(below, loopWhile([...body, moveBy(i, step)], below));
}

/**
 * As `forBelow`, with the body written out twice and a test between: V8 looks for interrupts half as often, and keeps the loads of
 * each copy to itself (of one straight body it moves all loads to the front, and spills).
 */
export function forBelowTwice(i: number, end: Code, step: number, ...body: readonly Code[]): Code {
  const below = op("i32.lt_u", get(i), end);
  const once = [...body, moveBy(i, step)];
  return when(below, loopWhile([...once, op("i32.eqz", below), BREAK_OUT, ...once], below));
}

function appendTo(bytes: number[], code: Code): void {
  for (const part of code) {
    if (typeof part === "number") bytes.push(part);
    else appendTo(bytes, part);
  }
}

/** A function's code as it grows. */
export class FunctionCode {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: ValueType[] = [];
  readonly code: number[] = [];

  constructor(params: readonly ValueType[], results: readonly ValueType[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A new local's index. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  emit(...codes: readonly Code[]): void {
    for (const code of codes) appendTo(this.code, code);
  }
}

/** A function of the host's; imports come first in the index space of calls. */
export interface ImportedFunction {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), items];
const text = (s: string): Code => [unsigned(s.length), Array.from(new TextEncoder().encode(s))];
const types = (list: readonly ValueType[]): Code => vector(list.map((type) => [VALUE_TYPES[type]]));

/** `parts` after the number of their bytes. */
function sized(...parts: readonly Code[]): number[] {
  const bytes: number[] = [];
  for (const part of parts) appendTo(bytes, part);
  return unsigned(bytes.length).concat(bytes);
}

/** Locals as runs of one type. */
function localRuns(locals: readonly ValueType[]): Code {
  const runs: { count: number; type: ValueType }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ count: 1, type });
  }
  return vector(runs.map(({ count, type }) => [unsigned(count), VALUE_TYPES[type]]));
}

/**
 * A module that exports `functions` by their place, "0", "1" …, imports functions of "env" (which come first in the index
 * space of calls), and the shared memory "env" "memory" of `pages` 64 KiB pages at most.
 */
export function moduleOf(
  functions: readonly FunctionCode[],
  imports: readonly ImportedFunction[],
  pages: number,
): Uint8Array<ArrayBuffer> {
  const signatures = [...imports, ...functions].map(({ params, results }) => [0x60, types(params), types(results)]);
  const memory = [text("env"), text("memory"), 2, 3, unsigned(1), unsigned(pages)];
  const imported = imports.map(({ name }, i) => [text("env"), text(name), 0, unsigned(i)]);
  const indices = functions.map((_, i) => unsigned(imports.length + i));
  const bodies = functions.map(({ locals, code }) => sized(localRuns(locals), code, [END]));
  const parts = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, ...sized(vector(signatures))],
    [2, ...sized(vector([memory, ...imported]))],
    [3, ...sized(vector(indices))],
    [7, ...sized(vector(indices.map((index, i) => [text(String(i)), 0, index])))],
    [10, ...unsigned(unsigned(functions.length).length + bodies.reduce((sum, body) => sum + body.length, 0))],
    unsigned(functions.length),
    ...bodies,
  ];
  const module = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    module.set(part, end);
    end += part.length;
  }
  return module;
}
