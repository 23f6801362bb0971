/** Kernels mean what they say: as WebAssembly they leave the bits that their interpreter leaves. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { moduleOf } from "../src/engines/wasm/assembler.ts";
import type { AddressOf, Loop } from "../src/engines/wasm/items.ts";
import {
  BLOCK,
  type Combine,
  type Kernel,
  type Operand,
  type Reduction,
  showKernel,
} from "../src/engines/wasm/kernel.ts";
import { GROUP } from "../src/engines/wasm/lanes.ts";
import { loopOf } from "../src/engines/wasm/loops.ts";
import { combineBlocks, type Partials, SCRATCH } from "../src/engines/wasm/reductions.ts";
import { IMPORTS } from "../src/engines/wasm/routines.ts";
import * as form from "../src/numeric/form.ts";
import { ROUTINES } from "../src/numeric/routines.ts";
import { castOp, scalarType } from "../src/ops/cast.ts";
import { allocate, DTYPES, type DType, type TypedArray } from "../src/tensor/dtype.ts";
import { sizeOf, stridesOf } from "../src/tensor/tensor.ts";
import { combined, coordinates, indexOf, interpret } from "./kernel.ts";

type Form = form.Form;

/** Choices that a test case is made of, one after the other: what has few of them is simple. */
class Choices {
  readonly #numbers: readonly number[];
  #next = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  below(count: number): number {
    return (this.#numbers[this.#next++] ?? 0) % count;
  }
  of<T>(options: readonly T[]): T {
    return options[this.below(options.length)]!;
  }
}

const FLOAT = (round: (x: Form) => Form): readonly Operation[] => [
  ...[form.add, form.sub, form.mul, form.div, form.min, form.max].map(
    (op): Operation => ({ arity: 2, make: ([a, b]) => round(op(a!, b!)) }),
  ),
  ...[form.neg, form.abs, form.sqrt, form.floor, form.ceil, form.trunc].map(
    (op): Operation => ({ arity: 1, make: ([a]) => round(op(a!)) }),
  ),
  // The sign of a NaN means nothing.
  { arity: 2, make: ([a, b]) => round(form.copysign(a!, form.select(form.eq(b!, b!), b!, 1))) },
  { arity: 4, make: ([a, b, c, d]) => round(form.select(form.lt(a!, b!), c!, d!)) },
];
const INT: readonly Operation[] = [
  ...[form.add, form.sub, form.mul, form.and, form.or, form.xor].map(
    (op): Operation => ({ arity: 2, make: ([a, b]) => op(a!, b!) }),
  ),
  ...[form.neg, form.abs, form.not].map((op): Operation => ({ arity: 1, make: ([a]) => op(a!) })),
  { arity: 4, make: ([a, b, c, d]) => form.select(form.le(a!, b!), c!, d!) },
];

/** Something that makes a form of the dtype from others of it. */
interface Operation {
  readonly arity: number;
  readonly make: (args: readonly Form[]) => Form;
}
const OPERATIONS: Record<DType, readonly Operation[]> = {
  bool: [
    ...[form.and, form.or, form.xor].map((op): Operation => ({ arity: 2, make: ([a, b]) => op(a!, b!) })),
    { arity: 1, make: ([a]) => form.not(a!) },
  ],
  int32: [...INT, { arity: 2, make: ([a, b]) => form.max(a!, b!) }],
  int64: INT,
  float32: FLOAT(form.fround),
  float64: FLOAT((x) => x),
};

/** An element of a dtype made of a loop's loads. */
function anyForm(dtype: DType, loads: readonly Operand[], choices: Choices, depth = 3): Form {
  if (depth === 0 || choices.below(4) === 0) {
    const place = choices.below(loads.length + 1);
    const load = loads[place];
    if (!load) return form.constant(choices.below(3), scalarType(dtype));
    const element = form.parameter(place, scalarType(load.dtype));
    if (load.dtype === dtype) return element;
    const cast = castOp.scalar([element], { dtype });
    return dtype === "float32" ? form.fround(cast) : cast;
  }
  if (dtype === "bool" && choices.below(2) === 0) {
    const compared = choices.of(DTYPES.slice(1));
    const [a, b] = [1, 2].map(() => anyForm(compared, loads, choices, depth - 1));
    return choices.of([form.lt, form.le, form.eq])(a!, b!);
  }
  const { arity, make } = choices.of(OPERATIONS[dtype]);
  return make(Array.from({ length: arity }, () => anyForm(dtype, loads, choices, depth - 1)));
}

/** Sizes around those that loops go by. */
const SIZES = [1, 2, 3, 4, 5, 7, 13, 16, 17, 31, 63, 64, 65, 67, 255, 256, 257, 521];
const MOST_ELEMENTS = 10_000;

/** An array as a loop may go through it: each axis forwards or backwards, with gaps or without, or, where `mayStay`, not at all. */
function anyOperand(
  buffer: number,
  dtype: DType,
  shape: readonly number[],
  choices: Choices,
  mayStay: boolean,
): Operand {
  let [extent, offset] = [1, choices.below(3)];
  const strides = shape.toReversed().map((size) => {
    const stride = choices.of([1, 1, 1, -1, 2, -3, ...(mayStay ? [0] : [])]) * extent;
    if (stride < 0) offset -= stride * (size - 1);
    extent = Math.max(extent, Math.abs(stride) * size);
    return stride;
  });
  return { dtype, buffer, offset, strides: strides.reverse() };
}

const REDUCIBLE: Record<Combine, readonly DType[]> = {
  sum: ["int32", "int64", "float32", "float64"],
  prod: ["int32", "int64", "float32", "float64"],
  max: ["int32", "float32", "float64"],
  min: ["int32", "float32", "float64"],
};

/** As the planner lays sums of blocks out: rows of whole groups. */
function anyReduction(
  shape: readonly number[],
  buffer: number,
  loads: readonly Operand[],
  choices: Choices,
): Reduction {
  const combine = choices.of(["sum", "prod", "max", "min"] as const);
  const dtype = choices.of(REDUCIBLE[combine]);
  const byColumn = shape.length > 1 && choices.below(2) === 0;
  const axis = shape.length - (byColumn ? 2 : 1);
  const pitch = byColumn ? Math.ceil(shape.at(-1)! / GROUP) * GROUP : GROUP;
  const rows = Math.ceil(shape[axis]! / BLOCK) * pitch;
  const outer = stridesOf(shape.slice(0, axis)).map((stride) => stride * rows);
  const to = { dtype, buffer, offset: 0, strides: [...outer, pitch, ...(byColumn ? [1] : [])] };
  return { combine, axis, to, value: anyForm(dtype, loads, choices) };
}

function anyKernel(choices: Choices): Kernel {
  const shape: number[] = [];
  for (let rank = 1 + choices.below(3); rank > 0; rank--)
    shape.unshift(choices.of(SIZES.filter((size) => size * sizeOf(shape) <= MOST_ELEMENTS)));
  const loads = Array.from({ length: 1 + choices.below(3) }, (_, i) =>
    anyOperand(i, choices.of(DTYPES), shape, choices, true),
  );
  const isReduction = choices.below(2) === 0;
  const stores = Array.from({ length: choices.below(3) + (isReduction ? 0 : 1) }, (_, i) => {
    const dtype = choices.of(DTYPES);
    const to = anyOperand(loads.length + i, dtype, shape, choices, false);
    return { to, value: anyForm(dtype, loads, choices) };
  });
  const reduction = isReduction ? anyReduction(shape, loads.length + stores.length, loads, choices) : undefined;
  return { shape, loads, stores, reduction };
}

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 1e-310, 1e-40, 3e38, 1e300, 2 ** 31, -(2 ** 31), 0.5];

/** A buffer for all that an operand reaches, and a group more. */
function filled({ dtype, offset, strides }: Operand, shape: readonly number[], random: () => number): TypedArray {
  const reach = strides.reduce((sum, stride, axis) => sum + Math.max(0, stride) * (shape[axis]! - 1), offset);
  const data: TypedArray = allocate(dtype, reach + 1 + GROUP);
  for (let i = 0; i < data.length; i++) {
    const x = random() < 0.1 ? SPECIAL[Math.floor(random() * SPECIAL.length)]! : (random() - 0.5) * 8;
    data[i] =
      dtype === "int64"
        ? BigInt(Number.isFinite(x * 1e9) ? Math.trunc(x * 1e9) : 7)
        : dtype === "bool"
          ? Number(x > 0)
          : x;
  }
  return data;
}

/** xorshift32 */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Runs a loop on copies of the buffers, its items in two parts, and gives what it leaves. */
function runLoop(makeLoop: (addressOf: AddressOf) => Loop, buffers: readonly TypedArray[]): TypedArray[] {
  const addresses: number[] = [];
  let end = SCRATCH;
  for (const { byteLength } of buffers) {
    addresses.push(end);
    end += Math.ceil(byteLength / 64) * 64 + 64;
  }
  const pages = Math.ceil(end / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  for (const [i, { buffer }] of buffers.entries()) bytes.set(new Uint8Array(buffer), addresses[i]);
  const { code, items } = makeLoop((buffer) => ({ base: addresses[buffer]!, isLocal: false }));
  const module = new WebAssembly.Module(moduleOf([code], IMPORTS, pages));
  const { exports } = new WebAssembly.Instance(module, {
    env: { ...ROUTINES, fetch: () => {}, deliver: () => {}, memory },
  });
  const run = exports["0"] as (from: number, to: number, scratch: number) => void;
  const half = Math.floor(items / 2);
  run(half, items, 0);
  run(0, half, 0);
  return buffers.map((buffer, i) => {
    const copy = buffer.slice();
    new Uint8Array(copy.buffer).set(bytes.subarray(addresses[i], addresses[i]! + copy.byteLength));
    return copy;
  });
}

/** What arrays hold at places, so that numbers are told apart to the bit (but NaNs are one). */
const elements = (array: TypedArray, { offset, strides }: Operand, shape: readonly number[]): unknown[] =>
  Array.from(coordinates(shape), (at) => array[indexOf({ offset, strides }, at)]);

test("random kernels leave the bits that their interpreter leaves", () => {
  const numbers = fc.array(fc.nat({ max: 999 }), { minLength: 40, maxLength: 100 });
  fc.assert(
    fc.property(numbers, fc.integer(), (choices, seed) => {
      const kernel = anyKernel(new Choices(choices));
      const { shape, loads, stores, reduction } = kernel;
      const text = showKernel(kernel);
      const random = randomFrom(seed);
      const operands = [...loads, ...stores.map((store) => store.to)];
      const buffers = operands.map((operand) => filled(operand, shape, random));
      const blocks = reduction ? shape.with(reduction.axis, Math.ceil(shape[reduction.axis]! / BLOCK)) : [];
      if (reduction) buffers.push(filled(reduction.to, blocks, random));
      const found = runLoop((addressOf) => loopOf(kernel, addressOf), buffers);
      interpret(kernel, buffers);
      // What lies between the elements of a store stays as it was.
      for (const i of operands.keys()) expect([...found[i]!], text).toEqual([...buffers[i]!]);
      if (!reduction) return;
      // A row of sums may be filled up to its pitch.
      const { axis, to } = reduction;
      expect(elements(found.at(-1)!, to, blocks), text).toEqual(elements(buffers.at(-1)!, to, blocks));
      const partials = partialsOf(reduction, blocks);
      const sums = runLoop((addressOf) => combineBlocks(partials, addressOf), found).at(-1)!;
      const wanted = combineAll(reduction, blocks, buffers.at(-1)!);
      expect(elements(sums, to, blocks.with(axis, 1)), text).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

/** The combination of a reduction's blocks, as the planner asks for it. */
function partialsOf({ axis, to, combine }: Reduction, blocks: readonly number[]): Partials {
  const [count, pitch] = [blocks[axis]!, to.strides[axis]!];
  const outer = [sizeOf(blocks.slice(0, axis))];
  return { reduction: { combine, to }, outer, strides: [count * pitch], blocks: count, pitch };
}

/** The results of a reduction, of the sums of its blocks. */
const combineAll = (reduction: Reduction, blocks: readonly number[], sums: TypedArray): unknown[] =>
  Array.from(coordinates(blocks.with(reduction.axis, 1)), (at) =>
    combined(
      Array.from({ length: blocks[reduction.axis]! }, (_, block) => {
        return sums[indexOf(reduction.to, at.with(reduction.axis, block))]!;
      }),
      reduction,
    ),
  );
