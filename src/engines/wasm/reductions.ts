/** Reductions as WebAssembly functions, in the one order of summation that reference/reduce.ts states. Knows no graph. */
import { type DType, isFloat } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import {
  type Code,
  forBelow,
  get,
  type Instruction,
  i32Const,
  load,
  loadSplat,
  moveBy,
  op,
  set,
  shuffle,
  store,
  storeLane,
  v128Const,
  when,
} from "./assembler.ts";
import { type AddressOf, advance, Items, type Loop, SCRATCH_AT, stepped } from "./items.ts";
import { BLOCK, type Combine, type Kernel, LANES, type Operand, type Reduction } from "./kernel.ts";
import { GROUP, LAYOUT, type Lane, Unvectorizable, WIDTH } from "./lanes.ts";
import { Vectorizer } from "./vectorize.ts";

/** Columns that a reduction over another axis than the last folds together. */
const COLUMNS = 64;
/** Bytes of scratch memory that a loop may use: lanes for as many columns, of eight bytes each. */
export const SCRATCH = LANES * COLUMNS * 8;

const VECTOR_BYTES = 16;

/** Reduces the innermost axis: lanes are elements that follow each other. */
export function rowReduction(
  { shape, loads, stores }: Kernel,
  { combine, to, value }: Reduction,
  addressOf: AddressOf,
): Loop {
  const inner = shape.at(-1)!;
  const sizes = [...shape.slice(0, -1), Math.ceil(inner / BLOCK)];
  const items = new Items(sizes);
  const { fn } = items;
  const lane = (operand: Operand) => items.lane(operand, addressOf(operand.buffer), BLOCK);
  const [from, side] = [loads.map(lane), stores.map((s) => lane(s.to))];
  const result = items.pointer(to, addressOf(to.buffer), to.strides);
  const count = items.countOf(sizes.length - 1, BLOCK, inner);

  const { dtype } = to;
  const width = WIDTH[dtype];
  const instruction = combining(combine, dtype);
  const perVector = VECTOR_BYTES / width;
  const accumulators = Array.from({ length: LANES / perVector }, () => fn.local("v128"));
  const vectors = new Vectorizer(fn, from);
  /** Adds so many groups of elements to the accumulators. */
  const accumulate = (to: Vectorizer, elements: number) => {
    for (let group = 0; group < elements; group += GROUP) {
      to.moveTo(group);
      to.storeAll(stores, side);
      for (const [i, local] of to.value(value, LAYOUT[dtype]).entries()) {
        const accumulator = accumulators[group / perVector + i]!;
        to.body.push(set(accumulator, op(instruction, get(accumulator), get(local))));
      }
    }
  };
  accumulate(vectors, LANES);
  // What is left of a row, after whole rounds: groups, and then elements one by one.
  const left = inner % LANES;
  const grouped = left - (left % GROUP);
  const groups = vectors.again();
  accumulate(groups, grouped);
  const single = vectors.single();
  single.storeAll(stores, side);
  const [local] = single.value(value, LAYOUT[dtype]);
  const place = (index: number): Code =>
    op("i32.add", get(SCRATCH_AT), op("i32.mul", op("i32.and", get(index), i32Const(LANES - 1)), i32Const(width)));
  const one = (index: number) => [
    single.body,
    storeLane(width, 0, place(index), op(instruction, loadSplat(width, place(index)), get(local!))),
  ];
  const spill = accumulators.map((a, i) => store("v128.store", get(SCRATCH_AT), get(a), VECTOR_BYTES * i));
  const reload = accumulators.map((a, i) => set(a, load("v128.load", get(SCRATCH_AT), VECTOR_BYTES * i)));
  const lanes = [...from, ...side];
  const [index, whole] = [fn.local("i32"), fn.local("i32")];
  const code = items.finish(
    vectors.constants,
    vectors.invariant,
    ...accumulators.map((a) => set(a, identity(combine, dtype))),
    set(index, i32Const(0)),
    set(whole, op("i32.and", count, i32Const(-LANES))),
    forBelow(index, get(whole), LANES, vectors.body, ...advance(lanes, LANES)),
    ...(left > 0
      ? [
          when(
            op("i32.lt_u", get(index), count),
            groups.body,
            ...advance(lanes, grouped),
            set(index, op("i32.add", get(index), i32Const(grouped))),
            ...(left > grouped
              ? [...spill, forBelow(index, count, 1, ...one(index), ...advance(lanes, 1)), ...reload]
              : []),
          ),
        ]
      : []),
    ...fold(accumulators, instruction, width),
    storeLane(width, 0, get(result), get(accumulators[0]!)),
  );
  return { code, items: sizeOf(sizes), perItem: Math.min(BLOCK, inner) };
}

/** Folds lanes j + h into lanes j, for h = 8, 4, 2, 1; the first is the block's. */
function fold(accumulators: readonly number[], instruction: Instruction, width: number): Code[] {
  const perVector = VECTOR_BYTES / width;
  const code: Code[] = [];
  for (let h = LANES / 2; h >= 1; h /= 2)
    for (let v = 0; v < Math.max(h / perVector, 1); v++) {
      const low = get(accumulators[v]!);
      const bytes = Array.from({ length: VECTOR_BYTES }, (_, i) => (i + h * width) % VECTOR_BYTES);
      const high = h < perVector ? shuffle(low, low, bytes) : get(accumulators[v + h / perVector]!);
      code.push(set(accumulators[v]!, op(instruction, low, high)));
    }
  return code;
}

/** Reduces the axis before the innermost: lanes are rows, and columns stand beside each other in vectors. */
export function columnReduction(
  { shape, loads, stores }: Kernel,
  { combine, to, value }: Reduction,
  addressOf: AddressOf,
): Loop {
  const [size, inner] = shape.slice(-2) as [number, number];
  const outer = shape.slice(0, -2);
  const sizes = [...outer, Math.ceil(size / BLOCK), Math.ceil(inner / COLUMNS)];
  const items = new Items(sizes);
  const { fn } = items;
  const { dtype } = to;
  const width = WIDTH[dtype];
  const rowBytes = COLUMNS * width;
  const instruction = combining(combine, dtype);
  /** Pointers to an operand's row, and within it. */
  const lane = (operand: Operand): Lane & { row: number; step: number } => {
    const [step, stride] = operand.strides.slice(-2) as [number, number];
    const strides = [...operand.strides.slice(0, -2), step * BLOCK, stride * COLUMNS];
    const row = items.pointer(operand, addressOf(operand.buffer), strides);
    return { dtype: operand.dtype, pointer: fn.local("i32"), stride, row, step: step * WIDTH[operand.dtype] };
  };
  const [from, side] = [loads.map(lane), stores.map((s) => lane(s.to))];
  const result = items.pointer(to, addressOf(to.buffer), [...to.strides.slice(0, -1), to.strides.at(-1)! * COLUMNS]);
  const rows = items.countOf(sizes.length - 2, BLOCK, size);
  const columns = items.countOf(sizes.length - 1, COLUMNS, inner);

  const sums: Lane = { dtype, pointer: fn.local("i32"), stride: 1 };
  const accumulate = (vectors: Vectorizer, isSingle: boolean) => {
    vectors.storeAll(stores, side);
    for (const [i, local] of vectors.value(value, LAYOUT[dtype]).entries()) {
      const at = get(sums.pointer);
      const offset = VECTOR_BYTES * i;
      if (isSingle && i > 0) continue;
      const sum = op(instruction, load("v128.load", at, offset), get(local));
      vectors.body.push(isSingle ? storeLane(width, 0, at, sum) : store("v128.store", at, sum, offset));
    }
  };
  const vectors = new Vectorizer(fn, from);
  accumulate(vectors, false);
  const single = vectors.single();
  accumulate(single, true);

  const lanes = [...from, ...side];
  const [row, at] = [fn.local("i32"), fn.local("i32")];
  const each = (bytes: number, body: (address: Code) => Code): Code[] => [
    set(at, get(SCRATCH_AT)),
    forBelow(at, op("i32.add", get(SCRATCH_AT), i32Const(bytes)), VECTOR_BYTES, body(get(at))),
  ];
  const code = items.finish(
    vectors.constants,
    ...each(LANES * rowBytes, (address) => store("v128.store", address, identity(combine, dtype))),
    set(row, i32Const(0)),
    forBelow(
      row,
      rows,
      1,
      ...lanes.map((l) => set(l.pointer, get(l.row))),
      set(
        sums.pointer,
        op("i32.add", get(SCRATCH_AT), op("i32.mul", op("i32.and", get(row), i32Const(LANES - 1)), i32Const(rowBytes))),
      ),
      vectors.invariant,
      ...stepped(fn, columns, GROUP, [...lanes, sums], vectors.body, single.body),
      ...lanes.map((l) => moveBy(l.row, l.step)),
    ),
    ...[8, 4, 2, 1].flatMap((h) =>
      each(h * rowBytes, (address) =>
        store(
          "v128.store",
          address,
          op(instruction, load("v128.load", address), load("v128.load", address, h * rowBytes)),
        ),
      ),
    ),
    // Rows of `to` are padded to whole groups.
    set(sums.pointer, get(SCRATCH_AT)),
    set(row, i32Const(0)),
    forBelow(
      row,
      columns,
      VECTOR_BYTES / width,
      store("v128.store", get(result), load("v128.load", get(sums.pointer))),
      moveBy(result, VECTOR_BYTES),
      moveBy(sums.pointer, VECTOR_BYTES),
    ),
  );
  return { code, items: sizeOf(sizes), perItem: Math.min(BLOCK, size) * Math.min(COLUMNS, inner) };
}

/** Sums of blocks that are still to be combined: arrays of `blocks` rows of `pitch` elements each. */
export interface Partials {
  readonly reduction: Pick<Reduction, "combine" | "to">;
  /** The arrays, as many as `outer` has elements, and the elements from one to the next along each of its axes. */
  readonly outer: readonly number[];
  readonly strides: readonly number[];
  readonly blocks: number;
  readonly pitch: number;
}

/** Combines them in place, pair by pair until one row is left, as the carries of a binary counter would. */
export function combineBlocks({ reduction, outer, strides, blocks, pitch }: Partials, addressOf: AddressOf): Loop {
  const { combine, to } = reduction;
  const width = WIDTH[to.dtype];
  const instruction = combining(combine, to.dtype);
  const columns = Math.min(pitch, COLUMNS);
  const sizes = [...outer, Math.ceil(pitch / columns)];
  const items = new Items(sizes);
  const { fn } = items;
  const first = items.pointer(to, addressOf(to.buffer), [...strides, columns]);
  const count = items.countOf(outer.length, columns, pitch);
  const [left, pair, source, target, at] = Array.from({ length: 5 }, () => fn.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const rowBytes = pitch * width;
  const row = (index: Code) => op("i32.add", get(first), op("i32.mul", index, i32Const(rowBytes)));
  const columnwise = (value: (offset: Code) => Code): Code[] => {
    const bytes = op("i32.mul", count, i32Const(width));
    return [
      set(at, i32Const(0)),
      forBelow(
        at,
        bytes,
        VECTOR_BYTES,
        store("v128.store", op("i32.add", get(target), get(at)), value(op("i32.add", get(source), get(at)))),
      ),
    ];
  };
  const half = op("i32.shr_u", get(left), i32Const(1));
  const passes = Math.ceil(Math.log2(blocks));
  const pass = [
    set(pair, i32Const(0)),
    forBelow(
      pair,
      half,
      1,
      set(target, row(get(pair))),
      set(source, row(op("i32.shl", get(pair), i32Const(1)))),
      ...columnwise((address) => op(instruction, load("v128.load", address), load("v128.load", address, rowBytes))),
    ),
    when(
      op("i32.and", get(left), i32Const(1)),
      set(target, row(half)),
      set(source, row(op("i32.sub", get(left), i32Const(1)))),
      ...columnwise((address) => load("v128.load", address)),
    ),
    set(left, op("i32.add", half, op("i32.and", get(left), i32Const(1)))),
  ];
  const round = fn.local("i32");
  const code = items.finish(
    [],
    set(left, i32Const(blocks)),
    set(round, i32Const(0)),
    forBelow(round, i32Const(passes), 1, ...pass),
  );
  return { code, items: sizeOf(sizes), perItem: blocks * columns };
}

const NAMES: Record<Combine, string> = { sum: "add", prod: "mul", max: "max", min: "min" };

function combining(combine: Combine, dtype: DType): Instruction {
  const name = NAMES[combine];
  switch (dtype) {
    case "float32":
      return `f32x4.${name}` as Instruction;
    case "float64":
      return `f64x2.${name}` as Instruction;
    case "int32":
      return (combine === "max" || combine === "min" ? `i32x4.${name}_s` : `i32x4.${name}`) as Instruction;
    case "int64":
      if (combine === "sum" || combine === "prod") return `i64x2.${name}` as Instruction;
  }
  throw new Unvectorizable(`${combine} of ${dtype}`);
}

/** What combines with any value to that value, to the bit: -0 for sums. */
function identity(combine: Combine, dtype: DType): Code {
  const lanes = LAYOUT[dtype] as "f32" | "f64" | "i32" | "i64";
  const isFloating = isFloat(dtype);
  const value = {
    sum: isFloating ? -0 : 0,
    prod: 1,
    max: isFloating ? -Infinity : -(2 ** 31),
    min: isFloating ? Infinity : 2 ** 31 - 1,
  }[combine];
  return v128Const(lanes, value);
}
