/** The functions that products call: the register tile, and panels laid out for it. Knows no blocks and no threads. */
import type { DType } from "../../tensor/dtype.ts";
import {
  type Code,
  FunctionCode,
  forBelow,
  forBelowTwice,
  get,
  type Instruction,
  i32Const,
  load,
  loadLane,
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
import { Unvectorizable, WIDTH } from "./lanes.ts";
import type { Tile } from "./matmul.ts";

const MULTIPLY: Partial<Record<DType, readonly [Instruction, Instruction]>> = {
  float32: ["f32x4.mul", "f32x4.add"],
  float64: ["f64x2.mul", "f64x2.add"],
  int32: ["i32x4.mul", "i32x4.add"],
  int64: ["i64x2.mul", "i64x2.add"],
};

const FUSED: Partial<Record<DType, Instruction>> = {
  float32: "f32x4.relaxed_madd",
  float64: "f64x2.relaxed_madd",
};

function multiplication(dtype: DType): readonly [multiply: Instruction, add: Instruction] {
  const instructions = MULTIPLY[dtype];
  if (!instructions) throw new Unvectorizable(`products of ${dtype}`);
  return instructions;
}

/**
 * (a, b, c, pitch, depth, begin): makes the product of two packed panels, and adds it to a tile of c, or begins it. Pitch in bytes.
 * @param inTurn - each of `depth` products is added to c in turn, not their sum
 */
export function microKernel(dtype: DType, { rows, columns, isFused }: Tile, inTurn = false): FunctionCode {
  const [multiply, add] = multiplication(dtype);
  const fused = FUSED[dtype];
  const step = (sum: Code, x: Code, y: Code) =>
    isFused && fused ? op(fused, x, y, sum) : op(add, sum, op(multiply, x, y));
  const width = WIDTH[dtype];
  const vectors = (columns * width) / 16;
  const fn = new FunctionCode(["i32", "i32", "i32", "i32", "i32", "i32"]);
  const [a, b, c, pitch, depth, begin] = [0, 1, 2, 3, 4, 5] as const;
  const tile = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => fn.local("v128")));
  const right = Array.from({ length: vectors }, () => fn.local("v128"));
  const left = fn.local("v128");
  const [end, row] = [fn.local("i32"), fn.local("i32")];
  const eachRow = (body: (locals: readonly number[]) => Code[]): Code[] => [
    set(row, get(c)),
    ...tile.flatMap((locals) => [...body(locals), set(row, op("i32.add", get(row), get(pitch)))]),
  ];
  const before = (v: number) => load("v128.load", get(row), 16 * v);
  const read = (locals: readonly number[]) => locals.map((local, v) => set(local, before(v)));
  const added = (locals: readonly number[]) => locals.map((local, v) => set(local, op(add, before(v), get(local))));
  fn.emit(
    ...(inTurn ? eachRow(read) : tile.flat().map((local) => set(local, v128Const("i32", 0)))),
    set(end, op("i32.add", get(a), op("i32.mul", get(depth), i32Const(rows * width)))),
    forBelowTwice(
      a,
      get(end),
      rows * width,
      ...right.map((local, v) => set(local, load("v128.load", get(b), 16 * v))),
      ...tile.flatMap((locals, r) => [
        set(left, loadSplat(width, get(a), r * width)),
        ...locals.map((local, v) => set(local, step(get(local), get(left), get(right[v]!)))),
      ]),
      moveBy(b, columns * width),
    ),
    ...(inTurn ? [] : [when(op("i32.eqz", get(begin)), ...eachRow(added))]),
    ...eachRow((locals) => locals.map((local, v) => store("v128.store", get(row), get(local), 16 * v))),
  );
  return fn;
}

/**
 * (source, target, count, depth): lays `lines` lines of `depth` elements beside each other, element k of all, then k + 1 of all.
 * Of `count` lines that there are, the last stands for those missing. Strides in elements.
 */
export function packPanel(dtype: DType, lines: number, lineStride: number, stepStride: number): FunctionCode {
  const width = WIDTH[dtype];
  const perVector = 16 / width;
  const fn = new FunctionCode(["i32", "i32", "i32", "i32"]);
  const [source, target, count, depth] = [0, 1, 2, 3] as const;
  const k = fn.local("i32");
  const pointers = Array.from({ length: lines }, () => fn.local("i32"));
  const vector = fn.local("v128");
  const last = op("i32.sub", get(count), i32Const(1));
  const start = pointers.map((pointer, line) => {
    const held = op("select", i32Const(line), last, op("i32.lt_u", i32Const(line), last));
    return set(pointer, op("i32.add", get(source), op("i32.mul", held, i32Const(lineStride * width))));
  });
  const gathered = (from: number): Code[] => {
    const some = pointers.slice(from, from + perVector);
    // Nothing is written past a panel, whose neighbour another thread may be packing.
    if (some.length < perVector)
      return some.map((pointer, i) =>
        storeLane(width, 0, get(target), loadSplat(width, get(pointer)), (from + i) * width),
      );
    const lanes = some.reduce<Code>(
      (v, pointer, i) => (i === 0 ? loadSplat(width, get(pointer)) : loadLane(width, i, get(pointer), v)),
      [],
    );
    return [set(vector, lanes), store("v128.store", get(target), get(vector), from * width)];
  };
  const vectorwise = Array.from({ length: Math.ceil(lines / perVector) }, (_, v) => v * perVector);
  const move = (pointer: number, elements: number) => moveBy(pointer, elements * width);
  const gather = forBelow(
    k,
    get(depth),
    1,
    ...vectorwise.flatMap(gathered),
    ...pointers.map((p) => move(p, stepStride)),
    move(target, lines),
  );
  // Of whole panels the lines, or squares of them, go in vectors.
  const asVectors = (): Code =>
    lineStride === 1
      ? forBelow(
          k,
          get(depth),
          1,
          ...vectorwise.map((v) =>
            store("v128.store", get(target), load("v128.load", get(source), v * width), v * width),
          ),
          move(source, stepStride),
          move(target, lines),
        )
      : forBelow(
          k,
          op("i32.and", get(depth), i32Const(-perVector)),
          perVector,
          ...vectorwise.flatMap((from) => transposed(fn, { source, target, width, lineStride, lines, from })),
          move(source, perVector),
          move(target, lines * perVector),
        );
  const isRegular = lineStride === 1 || (stepStride === 1 && lineStride > 0);
  fn.emit(
    set(k, i32Const(0)),
    ...(isRegular && lines % perVector === 0 ? [when(op("i32.eq", get(count), i32Const(lines)), asVectors())] : []),
    ...start,
    gather,
  );
  return fn;
}

interface Square {
  readonly source: number;
  readonly target: number;
  readonly width: number;
  readonly lineStride: number;
  readonly lines: number;
  /** The first of the lines that it is made of. */
  readonly from: number;
}

/** Lays a square of elements out by columns: of as many lines as a vector has elements, a vector each. */
function transposed(fn: FunctionCode, { source, target, width, lineStride, lines, from }: Square): Code[] {
  const perVector = 16 / width;
  const vectors = (codes: readonly Code[]) => codes.map((code) => ({ code, local: fn.local("v128") }));
  const sets = (values: ReturnType<typeof vectors>) => values.map(({ local, code }) => set(local, code));
  const gets = (values: ReturnType<typeof vectors>) =>
    values.map(({ local }) => get(local)) as [Code, Code, Code, Code];
  const read = vectors(
    Array.from({ length: perVector }, (_, i) => load("v128.load", get(source), (from + i) * lineStride * width)),
  );
  const [a, b, c, d] = gets(read);
  const at = (k: number, code: Code) => store("v128.store", get(target), code, (k * lines + from) * width);
  /** Elements i … i + n - 1 of x, each followed by that of y. */
  const zipped = (x: Code, y: Code, i: number, n: number) => shuffle(x, y, interleaved(width, i, n));
  if (perVector === 2) return [...sets(read), at(0, zipped(a, b, 0, 1)), at(1, zipped(a, b, 1, 1))];
  const pairs = vectors([zipped(a, b, 0, 2), zipped(c, d, 0, 2), zipped(a, b, 2, 2), zipped(c, d, 2, 2)]);
  const [p, q, r, t] = gets(pairs);
  const halves = (x: Code, y: Code, i: number) => shuffle(x, y, interleaved(8, i, 1));
  return [
    ...sets(read),
    ...sets(pairs),
    at(0, halves(p, q, 0)),
    at(1, halves(p, q, 1)),
    at(2, halves(r, t, 0)),
    at(3, halves(r, t, 1)),
  ];
}

/** The bytes of elements i … i + n - 1 of a vector, each followed by that of the other vector. */
const interleaved = (width: number, i: number, n: number): number[] =>
  Array.from({ length: 2 * n }, (_, k) => k).flatMap((k) =>
    Array.from({ length: width }, (_, byte) => (i + (k >> 1)) * width + byte + (k % 2) * 16),
  );
