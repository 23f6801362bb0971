/**
 * Products of matrices as WebAssembly functions: packed panels, cache blocks, a register tile (Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008). Sums are in the order of reference/contract.ts, rounded after each product and each sum.
 */
import { type DType, isFloat } from "../../tensor/dtype.ts";
import { DEPTH } from "../reference/contract.ts";
import { type Code, call, type FunctionCode, forBelow, get, i32Const, op, set } from "./assembler.ts";
import { type AddressOf, FROM, itemFunction, type Loop, SCRATCH_AT, TO } from "./items.ts";
import { WIDTH } from "./lanes.ts";
import { microKernel, packPanel } from "./panels.ts";

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
  readonly tile: Tile;
  /** The result's buffer: matrices of whole tiles, row by row. */
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
  /** "blocks" of cache and register tiles; "strips" of few rows, which use no part of b twice, so that it is not packed in advance. */
  readonly way: "blocks" | "strips";
  /** Each product is rounded only with the sum that it is added to. */
  readonly isFused: boolean;
}

/** Vectors of sums that leave registers for the operands. */
const MOST_VECTORS = 12;

/**
 * @param fastMath - products may be fused with their sums, which leaves registers for a larger tile
 */
export function tileOf(dtype: DType, { m, n }: Pick<Product["sizes"], "m" | "n">, fastMath = false): Tile {
  const perVector = 16 / WIDTH[dtype];
  const isFused = fastMath && isFloat(dtype) && m >= 4;
  const rows = Math.min(m, isFused ? 3 : 4);
  const way = m >= 4 ? "blocks" : "strips";
  const vectors = Math.ceil(n / perVector);
  const most = { blocks: isFused ? 3 : 2, strips: Math.floor(MOST_VECTORS / rows) }[way];
  const tiles = Math.ceil(vectors / most);
  // An even number of strips, for two threads or more.
  const even = way === "blocks" ? tiles : Math.min(vectors, Math.max(tiles + (tiles % 2), 1));
  const columns = perVector * (way === "blocks" ? Math.min(vectors, most) : Math.ceil(vectors / even));
  return { rows, columns, pitch: Math.ceil(n / columns) * columns, height: Math.ceil(m / rows) * rows, way, isFused };
}

/** Rows and columns of the result that go through the cache together, with `DEPTH` summed indices. */
const ROWS = 96;
const COLUMNS = 512;
/** So many blocks threads share evenly, even where one of them comes late; but none for the sake of that is lower than `FEW_ROWS`. */
const EVEN_BLOCKS = 24;
const FEW_ROWS = 16;
/** Bytes of scratch memory that a product needs: a's block, or a strip of b. */
export const PACKED_BLOCK = ROWS * DEPTH * 8;

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
  const { dtype, sizes, a, b, tile } = product;
  const [micro, packA, packB] = [first, first + 1, first + 2];
  const helpers = [
    microKernel(dtype, tile),
    packPanel(dtype, tile.rows, a.row, a.column),
    packPanel(dtype, tile.columns, b.column, b.row),
  ];
  const panelsOfA = { ...sizes, matrix: a, line: a.row, lines: tile.rows, count: sizes.m };
  const panelsOfB = { ...sizes, matrix: b, line: b.column, lines: tile.columns, count: sizes.n };
  const loops =
    tile.way === "blocks"
      ? [packing(product, panelsOfB, addressOf, packB), blocks(product, addressOf, { micro, packA })]
      : [packing(product, panelsOfA, addressOf, packA), strips(product, addressOf, { micro, packB })];
  return { helpers, loops };
}

/** min(a, b), unsigned. */
const least = (a: Code, b: Code): Code => op("select", a, b, op("i32.lt_u", a, b));
const sum = (...terms: readonly Code[]): Code => terms.reduce((a, b) => op("i32.add", a, b));
const times = (a: Code, n: number): Code => op("i32.mul", a, i32Const(n));

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
  const fn = itemFunction();
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
  { dtype, sizes: { batch, n, k }, b, c, packed, tile: { rows, columns, pitch } }: Product,
  addressOf: AddressOf,
  { micro, packB }: { micro: number; packB: number },
): Loop {
  const width = WIDTH[dtype];
  const count = pitch / columns;
  const fn = itemFunction();
  const [matrix, strip, at, depth] = Array.from({ length: 4 }, () => fn.local("i32")) as [
    number,
    number,
    number,
    number,
  ];
  const left = op("i32.sub", i32Const(n), times(get(strip), columns));
  const from = sum(
    i32Const(addressOf(b.buffer).base + b.offset * width),
    times(get(matrix), b.batch * width),
    times(get(strip), b.column * columns * width),
    times(get(at), b.row * width),
  );
  const row = sum(i32Const(addressOf(packed).base), times(sum(times(get(matrix), k), get(at)), rows * width));
  const target = sum(
    i32Const(addressOf(c).base),
    times(sum(times(get(matrix), rows * pitch), times(get(strip), columns)), width),
  );
  const byDepth = forBelow(
    at,
    i32Const(k),
    DEPTH,
    set(depth, least(i32Const(DEPTH), op("i32.sub", i32Const(k), get(at)))),
    call(packB, from, get(SCRATCH_AT), least(i32Const(columns), left), get(depth)),
    call(micro, row, get(SCRATCH_AT), target, i32Const(pitch * width), get(depth), op("i32.eqz", get(at))),
  );
  fn.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      set(matrix, op("i32.div_u", get(FROM), i32Const(count))),
      set(strip, op("i32.rem_u", get(FROM), i32Const(count))),
      set(at, i32Const(0)),
      byDepth,
    ),
  );
  return { code: fn, items: batch * count, perItem: (k * columns * rows) / 4 };
}

/** The rows of a block: so many, or fewer down to half of them if none are left then, as what is left needs code of its own. */
export function evenly(rows: number, size: number, unit: number): number {
  for (let even = size; 2 * even > size; even -= unit) if (rows % even === 0) return even;
  return size;
}

/** The rows of the blocks in which a product is made, fewer in the last. */
export function blockRows({ sizes: { m }, tile }: Product): number {
  const wanted = Math.max(Math.ceil(m / ROWS), Math.min(EVEN_BLOCKS, Math.floor(m / FEW_ROWS)));
  return evenly(m, Math.ceil(m / (wanted + (wanted % 2)) / tile.rows) * tile.rows, tile.rows);
}

/** Makes the result in blocks of rows and columns: an item a block, those of the same rows one after the other. */
function blocks(product: Product, addressOf: AddressOf, { micro, packA }: { micro: number; packA: number }): Loop {
  const { dtype, a, c, packed, tile } = product;
  const { batch, m, n, k } = product.sizes;
  const width = WIDTH[dtype];
  const [source, result] = [addressOf(a.buffer), addressOf(c)];
  const { pitch, height } = tile;
  const columns = Math.floor(COLUMNS / tile.columns) * tile.columns;
  const rows = blockRows(product);
  const [rowBlocks, columnBlocks] = [Math.ceil(m / rows), Math.ceil(pitch / columns)];
  const fn = itemFunction();
  const [matrix, rest, top, bottom, left, right, at, depth, i, j] = Array.from({ length: 10 }, () =>
    fn.local("i32"),
  ) as [number, number, number, number, number, number, number, number, number, number];
  const panelSize = k * tile.columns * width;
  const panels = pitch / tile.columns;
  // A thread's own memory holds the rows of one block.
  const inBlock = op("i32.sub", get(i), get(top));
  const rowOfResult = result.isLocal ? inBlock : sum(times(get(matrix), height), get(i));
  fn.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      set(left, times(op("i32.rem_u", get(FROM), i32Const(columnBlocks)), columns)),
      set(right, least(op("i32.add", get(left), i32Const(columns)), i32Const(pitch))),
      set(rest, op("i32.div_u", get(FROM), i32Const(columnBlocks))),
      set(top, times(op("i32.rem_u", get(rest), i32Const(rowBlocks)), rows)),
      set(bottom, least(op("i32.add", get(top), i32Const(rows)), i32Const(m))),
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
              i32Const(source.base + a.offset * width),
              ...(source.isLocal ? [get(SCRATCH_AT)] : [times(get(matrix), a.batch * width)]),
              times(source.isLocal ? inBlock : get(i), a.row * width),
              times(get(at), a.column * width),
            ),
            sum(get(SCRATCH_AT), op("i32.mul", op("i32.sub", get(i), get(top)), times(get(depth), width))),
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
              sum(get(SCRATCH_AT), op("i32.mul", op("i32.sub", get(i), get(top)), times(get(depth), width))),
              sum(
                i32Const(addressOf(packed).base),
                times(sum(times(get(matrix), panels), op("i32.div_u", get(j), i32Const(tile.columns))), panelSize),
                times(get(at), tile.columns * width),
              ),
              sum(
                i32Const(result.base),
                ...(result.isLocal ? [get(SCRATCH_AT)] : []),
                times(sum(times(rowOfResult, pitch), get(j)), width),
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
export const packedSize = ({ batch, k }: Product["sizes"], { way, rows, pitch }: Tile): number =>
  batch * k * (way === "blocks" ? pitch : rows);
export const resultSize = ({ batch }: Product["sizes"], { pitch, height }: Tile): number => batch * height * pitch;
