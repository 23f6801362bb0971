/**
 * Products of matrices as WebAssembly functions: packed panels, cache blocks, a register tile (Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008). Each sum runs over k in ascending order, rounded after each product and each sum.
 */
import type { DType } from "../../tensor/dtype.ts";
import {
  type Code,
  call,
  FunctionCode,
  forBelow,
  get,
  type Instruction,
  i32Const,
  load,
  loadLane,
  op,
  set,
  shuffle,
  store,
  v128Const,
  when,
} from "./assembler.ts";
import type { AddressOf, Loop } from "./loops.ts";
import { Unvectorizable, WIDTH } from "./vectorize.ts";

/** A stack of matrices: strides of batch, rows and columns, in elements. */
export interface Matrices {
  readonly buffer: number;
  readonly offset: number;
  readonly batch: number;
  readonly row: number;
  readonly column: number;
}

export interface Product {
  readonly dtype: DType;
  readonly sizes: { readonly batch: number; readonly m: number; readonly n: number; readonly k: number };
  readonly a: Matrices;
  readonly b: Matrices;
  /** The result's buffer: matrices of whole tiles, row by row; see `tileOf`. */
  readonly c: number;
  /** A buffer of `packedSize` elements for b's panels. */
  readonly packed: number;
}

/** The register tile of a product, in elements, and the result's padded size. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Elements from row to row of the result, and its rows. */
  readonly pitch: number;
  readonly height: number;
  /** So few rows that no part of b is used twice: it is not packed in advance, and not at all where its rows lie in one piece. */
  readonly isThin: boolean;
}

/** Vectors of sums that leave registers for the operands. */
const MOST_VECTORS = 12;

export function tileOf(dtype: DType, m: number, n: number): Tile {
  const perVector = 16 / WIDTH[dtype];
  const isThin = m < 4;
  const rows = Math.min(m, 4);
  const vectors = Math.ceil(n / perVector);
  let perTile = Math.min(vectors, 2);
  if (isThin) {
    const tiles = Math.ceil((vectors * rows) / MOST_VECTORS);
    // An even number, for two threads or more.
    perTile = Math.ceil(vectors / (tiles > 1 ? tiles + (tiles % 2) : tiles));
  }
  const columns = perVector * perTile;
  return { rows, columns, pitch: Math.ceil(n / columns) * columns, height: Math.ceil(m / rows) * rows, isThin };
}

/** Summed indices that go through the cache together, and rows and columns of the result. */
const DEPTH = 256;
const ROWS = 96;
const COLUMNS = 512;
/** Bytes of scratch memory that a product needs: a's block, or a strip of b. */
export const PACKED_BLOCK = ROWS * DEPTH * 8;

const MULTIPLY: Partial<Record<DType, readonly [Instruction, Instruction]>> = {
  float32: ["f32x4.mul", "f32x4.add"],
  float64: ["f64x2.mul", "f64x2.add"],
  int32: ["i32x4.mul", "i32x4.add"],
  int64: ["i64x2.mul", "i64x2.add"],
};

/** The functions that a product takes: `micro` and `pack` are called by the loops. */
export interface ProductLoops {
  readonly helpers: readonly FunctionCode[];
  readonly loops: readonly Loop[];
}

/**
 * The loops of a product, to be run one after the other: b is packed, then blocks of rows are made.
 * @param first - the index that the first helper function will have; the others follow it
 * @throws Unvectorizable
 */
export function productOf(product: Product, addressOf: AddressOf, first: number): ProductLoops {
  const { dtype, sizes, a, b } = product;
  const tile = tileOf(dtype, sizes.m, sizes.n);
  const [micro, packA, packB] = [first, first + 1, first + 2];
  const step = tile.isThin && b.column === 1 ? b.row : tile.columns;
  const helpers = [
    microKernel(dtype, tile.rows, tile.columns, step),
    packPanel(dtype, tile.rows, a.row, a.column),
    packPanel(dtype, tile.columns, b.column, b.row),
  ];
  const loops = tile.isThin
    ? [
        packing(product, { ...sizes, matrix: a, line: a.row, lines: tile.rows, count: sizes.m }, addressOf, packA),
        strips(product, tile, addressOf, { micro, packB }),
      ]
    : [
        packing(
          product,
          { ...sizes, matrix: b, line: b.column, lines: tile.columns, count: sizes.n },
          addressOf,
          packB,
        ),
        blocks(product, tile, addressOf, { micro, packA }),
      ];
  return { helpers, loops };
}

/**
 * (a, b, c, pitch, depth, begin): adds the product of two panels to a tile of c, or begins it. Pitch in bytes; `step` are the
 * elements of b from k to k + 1.
 */
function microKernel(dtype: DType, rows: number, columns: number, step: number): FunctionCode {
  const instructions = MULTIPLY[dtype];
  if (!instructions) throw new Unvectorizable(`products of ${dtype}`);
  const [multiply, add] = instructions;
  const width = WIDTH[dtype];
  const vectors = (columns * width) / 16;
  const fn = new FunctionCode(["i32", "i32", "i32", "i32", "i32", "i32"]);
  const [a, b, c, pitch, depth, begin] = [0, 1, 2, 3, 4, 5] as const;
  const tile = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => fn.local("v128")));
  const right = Array.from({ length: vectors }, () => fn.local("v128"));
  const left = fn.local("v128");
  const [end, row] = [fn.local("i32"), fn.local("i32")];
  const splat = width === 4 ? "v128.load32_splat" : "v128.load64_splat";
  const eachRow = (body: (locals: readonly number[]) => Code[]): Code[] => [
    set(row, get(c)),
    ...tile.flatMap((locals) => [...body(locals), set(row, op("i32.add", get(row), get(pitch)))]),
  ];
  fn.emit(
    ...tile.flat().map((local) => set(local, v128Const("i32", 0))),
    when(
      op("i32.eqz", get(begin)),
      ...eachRow((locals) => locals.map((local, v) => set(local, load("v128.load", get(row), 16 * v)))),
    ),
    set(end, op("i32.add", get(a), op("i32.mul", get(depth), i32Const(rows * width)))),
    forBelow(
      a,
      get(end),
      rows * width,
      ...right.map((local, v) => set(local, load("v128.load", get(b), 16 * v))),
      ...tile.flatMap((locals, r) => [
        set(left, load(splat, get(a), r * width)),
        ...locals.map((local, v) => set(local, op(add, get(local), op(multiply, get(left), get(right[v]!))))),
      ]),
      set(b, op("i32.add", get(b), i32Const(step * width))),
    ),
    ...eachRow((locals) => locals.map((local, v) => store("v128.store", get(row), get(local), 16 * v))),
  );
  return fn;
}

/**
 * (source, target, count, depth): lays `lines` lines of `depth` elements beside each other, element k of all, then k + 1 of all.
 * Of `count` lines that there are, the last stands for those missing. Strides in elements.
 */
function packPanel(dtype: DType, lines: number, lineStride: number, stepStride: number): FunctionCode {
  const width = WIDTH[dtype];
  const perVector = 16 / width;
  const fn = new FunctionCode(["i32", "i32", "i32", "i32"]);
  const [source, target, count, depth] = [0, 1, 2, 3] as const;
  const k = fn.local("i32");
  const pointers = Array.from({ length: lines }, () => fn.local("i32"));
  const vector = fn.local("v128");
  const splat = width === 4 ? "v128.load32_splat" : "v128.load64_splat";
  const last = op("i32.sub", get(count), i32Const(1));
  const start = pointers.map((pointer, line) => {
    const held = op("select", i32Const(line), last, op("i32.lt_u", i32Const(line), last));
    return set(pointer, op("i32.add", get(source), op("i32.mul", held, i32Const(lineStride * width))));
  });
  const gathered = (from: number): Code[] => {
    const some = pointers.slice(from, from + perVector);
    const lanes = some.reduce<Code>(
      (v, pointer, i) => (i === 0 ? load(splat, get(pointer)) : loadLane(width, i, get(pointer), v)),
      [],
    );
    return [set(vector, lanes), store("v128.store", get(target), get(vector), from * width)];
  };
  const vectorwise = Array.from({ length: Math.ceil(lines / perVector) }, (_, v) => v * perVector);
  const move = (pointer: number, elements: number) =>
    set(pointer, op("i32.add", get(pointer), i32Const(elements * width)));
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

/** min(a, b), unsigned. */
const least = (a: Code, b: Code): Code => op("select", a, b, op("i32.lt_u", a, b));
const sum = (...terms: readonly Code[]): Code => terms.reduce((a, b) => op("i32.add", a, b));
const times = (a: Code, n: number): Code => op("i32.mul", a, i32Const(n));

const [FROM, TO, SCRATCH] = [0, 1, 2];

interface Panels {
  readonly matrix: Matrices;
  readonly batch: number;
  readonly k: number;
  /** Elements from line to line, lines of a panel, and of all. */
  readonly line: number;
  readonly lines: number;
  readonly count: number;
}

/** Lays matrices out in panels: an item a panel. */
function packing(
  { dtype, packed }: Product,
  { matrix: source, batch, k, line, lines, count }: Panels,
  addressOf: AddressOf,
  pack: number,
): Loop {
  const width = WIDTH[dtype];
  const panels = Math.ceil(count / lines);
  const fn = new FunctionCode(["i32", "i32", "i32"]);
  const [matrix, panel] = [fn.local("i32"), fn.local("i32")];
  fn.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      set(matrix, op("i32.div_u", get(FROM), i32Const(panels))),
      set(panel, op("i32.rem_u", get(FROM), i32Const(panels))),
      call(
        pack,
        sum(
          i32Const(addressOf(source.buffer).base + source.offset * width),
          times(get(matrix), source.batch * width),
          times(get(panel), line * lines * width),
        ),
        sum(i32Const(addressOf(packed).base), times(get(FROM), k * lines * width)),
        least(i32Const(lines), op("i32.sub", i32Const(count), times(get(panel), lines))),
        i32Const(k),
      ),
    ),
  );
  return { code: fn, items: batch * panels, perItem: k * lines };
}

/** Makes a result of few rows from the packed a: an item a strip of columns. */
function strips(
  { dtype, sizes: { batch, n, k }, b, c, packed }: Product,
  { rows, columns, pitch }: Tile,
  addressOf: AddressOf,
  { micro, packB }: { micro: number; packB: number },
): Loop {
  const width = WIDTH[dtype];
  const count = pitch / columns;
  const fn = new FunctionCode(["i32", "i32", "i32"]);
  const [matrix, strip, at, depth, source] = Array.from({ length: 5 }, () => fn.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const isDirect = b.column === 1;
  const pack = call(
    packB,
    get(source),
    get(SCRATCH),
    least(i32Const(columns), op("i32.sub", i32Const(n), times(get(strip), columns))),
    get(depth),
  );
  fn.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      set(matrix, op("i32.div_u", get(FROM), i32Const(count))),
      set(strip, op("i32.rem_u", get(FROM), i32Const(count))),
      set(at, i32Const(0)),
      forBelow(
        at,
        i32Const(k),
        DEPTH,
        set(depth, least(i32Const(DEPTH), op("i32.sub", i32Const(k), get(at)))),
        set(
          source,
          sum(
            i32Const(addressOf(b.buffer).base + b.offset * width),
            times(get(matrix), b.batch * width),
            times(get(strip), b.column * columns * width),
            times(get(at), b.row * width),
          ),
        ),
        ...(isDirect ? [] : [pack]),
        call(
          micro,
          sum(i32Const(addressOf(packed).base), times(sum(times(get(matrix), k), get(at)), rows * width)),
          get(isDirect ? source : SCRATCH),
          sum(
            i32Const(addressOf(c).base),
            times(sum(times(get(matrix), rows * pitch), times(get(strip), columns)), width),
          ),
          i32Const(pitch * width),
          get(depth),
          op("i32.eqz", get(at)),
        ),
      ),
    ),
  );
  return { code: fn, items: batch * count, perItem: (k * columns * rows) / 4 };
}

/** Makes the result in blocks of rows and columns: an item a block. */
function blocks(
  { dtype, sizes: { batch, m, n, k }, a, c, packed }: Product,
  tile: Tile,
  addressOf: AddressOf,
  { micro, packA }: { micro: number; packA: number },
): Loop {
  const width = WIDTH[dtype];
  const { pitch, height } = tile;
  const [rowBlocks, columnBlocks] = [Math.ceil(m / ROWS), Math.ceil(pitch / COLUMNS)];
  const fn = new FunctionCode(["i32", "i32", "i32"]);
  const [matrix, rest, top, bottom, left, right, at, depth, i, j] = Array.from({ length: 10 }, () =>
    fn.local("i32"),
  ) as [number, number, number, number, number, number, number, number, number, number];
  const panelSize = k * tile.columns * width;
  const panels = pitch / tile.columns;
  fn.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      set(left, times(op("i32.rem_u", get(FROM), i32Const(columnBlocks)), COLUMNS)),
      set(right, least(op("i32.add", get(left), i32Const(COLUMNS)), i32Const(pitch))),
      set(rest, op("i32.div_u", get(FROM), i32Const(columnBlocks))),
      set(top, times(op("i32.rem_u", get(rest), i32Const(rowBlocks)), ROWS)),
      set(bottom, least(op("i32.add", get(top), i32Const(ROWS)), i32Const(m))),
      set(matrix, op("i32.div_u", get(rest), i32Const(rowBlocks))),
      set(at, i32Const(0)),
      forBelow(
        at,
        i32Const(k),
        DEPTH,
        set(depth, least(i32Const(DEPTH), op("i32.sub", i32Const(k), get(at)))),
        set(i, get(top)),
        forBelow(
          i,
          get(bottom),
          tile.rows,
          call(
            packA,
            sum(
              i32Const(addressOf(a.buffer).base + a.offset * width),
              times(get(matrix), a.batch * width),
              times(get(i), a.row * width),
              times(get(at), a.column * width),
            ),
            sum(get(SCRATCH), op("i32.mul", op("i32.sub", get(i), get(top)), times(get(depth), width))),
            least(i32Const(tile.rows), op("i32.sub", i32Const(m), get(i))),
            get(depth),
          ),
        ),
        set(j, get(left)),
        forBelow(
          j,
          get(right),
          tile.columns,
          set(i, get(top)),
          forBelow(
            i,
            get(bottom),
            tile.rows,
            call(
              micro,
              sum(get(SCRATCH), op("i32.mul", op("i32.sub", get(i), get(top)), times(get(depth), width))),
              sum(
                i32Const(addressOf(packed).base),
                times(sum(times(get(matrix), panels), op("i32.div_u", get(j), i32Const(tile.columns))), panelSize),
                times(get(at), tile.columns * width),
              ),
              sum(
                i32Const(addressOf(c).base),
                times(sum(times(sum(times(get(matrix), height), get(i)), pitch), get(j)), width),
              ),
              i32Const(pitch * width),
              get(depth),
              op("i32.eqz", get(at)),
            ),
          ),
        ),
      ),
    ),
  );
  const items = batch * rowBlocks * columnBlocks;
  return { code: fn, items, perItem: (2 * batch * m * n * k) / items / 8 };
}

/** Elements of what is packed in advance, and of the padded result. */
export const packedSize = ({ dtype, sizes: { batch, m, n, k } }: Pick<Product, "dtype" | "sizes">): number => {
  const { isThin, rows, pitch } = tileOf(dtype, m, n);
  return batch * k * (isThin ? rows : pitch);
};
export const resultSize = ({ dtype, sizes: { batch, m, n } }: Pick<Product, "dtype" | "sizes">): number => {
  const { pitch, height } = tileOf(dtype, m, n);
  return batch * height * pitch;
};
