/** The products of linear algebra in WebAssembly, by all threads there are: with the reference engine's bits. Knows no op. */
import { type Matrix, PANEL, plainWorkspace, type Range, transposed, type Workspace } from "../reference/workspace.ts";
import { type Code, call, type FunctionCode, forBelow, get, i32Const, load, moduleOf, op, set } from "./assembler.ts";
import { FROM, itemFunction, SCRATCH_AT, TO } from "./items.ts";
import { tileOf } from "./matmul.ts";
import { MOST_PAGES, PAGE, sharedMemory } from "./memory.ts";
import { microKernel } from "./panels.ts";
import { type Machine, threads } from "./threads.ts";

/** Gives `use` a workspace, if there is memory for it. */
export function withWorkspace<T>(use: (work?: Workspace) => T): T {
  const memory = sharedMemory(FIXED_PAGES);
  if (!memory) return use();
  const work = new FastWorkspace(memory);
  try {
    return use(work);
  } finally {
    work.dispose();
  }
}

const TILE = tileOf("float64", { m: 4, n: 4 });
const BYTES = 8;
/** Rows of a and columns of b that go through the cache together. */
const ROWS = 256;
const COLUMNS = 1024;
/** Columns of tiles that a thread takes at a time. */
const GRAIN = 8;

/** What the loop is told, as words at the beginning of memory; the panels of a and b lie behind them. */
const WORDS = ["result", "pitch", "depth", "rows"] as const;
const [A, B] = [64, 64 + ROWS * PANEL * BYTES];
const MATRICES = B + COLUMNS * PANEL * BYTES;
const FIXED_PAGES = Math.ceil(MATRICES / PAGE);

/** (from, to, words): adds products to a result, an item a column of tiles. Pitch is in bytes, rows are tiles. */
function columnsOfTiles(micro: number): FunctionCode {
  const fn = itemFunction();
  const word = (name: (typeof WORDS)[number]) => load("i32.load", get(SCRATCH_AT), 4 * WORDS.indexOf(name));
  const depth = word("depth");
  const row = fn.local("i32");
  const plus = (base: Code, index: Code, ...sizes: readonly Code[]) =>
    op(
      "i32.add",
      base,
      [index, ...sizes].reduce((a, b) => op("i32.mul", a, b)),
    );
  const a = plus(i32Const(A), get(row), depth, i32Const(TILE.rows * BYTES));
  const b = plus(i32Const(B), get(FROM), depth, i32Const(TILE.columns * BYTES));
  const tile = plus(
    plus(word("result"), get(row), word("pitch"), i32Const(TILE.rows)),
    get(FROM),
    i32Const(TILE.columns * BYTES),
  );
  const eachRow = forBelow(row, word("rows"), 1, call(micro, a, b, tile, word("pitch"), depth, i32Const(0)));
  fn.emit(forBelow(FROM, get(TO), 1, set(row, i32Const(0)), eachRow));
  return fn;
}

/** A matrix in memory, with room for whole tiles. */
interface Placed extends Matrix {
  readonly address: number;
}
const isPlaced = (matrix: Matrix): matrix is Placed => "address" in matrix;

class FastWorkspace implements Workspace {
  readonly #memory: WebAssembly.Memory;
  readonly #words: Int32Array;
  readonly #a: Float64Array;
  readonly #b: Float64Array;
  readonly #machine: number;
  #end = MATRICES;

  constructor(memory: WebAssembly.Memory) {
    const { buffer } = memory;
    this.#memory = memory;
    this.#words = new Int32Array(buffer, 0, WORDS.length);
    this.#a = new Float64Array(buffer, A, ROWS * PANEL);
    this.#b = new Float64Array(buffer, B, COLUMNS * PANEL);
    const module = new WebAssembly.Module(moduleOf([microKernel("float64", TILE), columnsOfTiles(0)], [], MOST_PAGES));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const scratch = Array.from({ length: threads.count }, () => 0);
    this.#machine = threads.add({ memory, module, exports: exports as Machine["exports"], routines: [], scratch });
  }

  dispose(): void {
    threads.remove(this.#machine);
  }

  clear(): void {
    this.#end = MATRICES;
  }

  zeros(rows: number, columns: number): Matrix {
    const [height, row] = [wholeTiles(rows, TILE.rows), wholeTiles(columns, TILE.columns)];
    const address = this.#end;
    const end = address + height * row * BYTES;
    if (!this.#reaches(end)) return plainWorkspace.zeros(rows, columns);
    this.#end = end;
    const data = new Float64Array(this.#memory.buffer, address, height * row).fill(0);
    const placed: Placed = { data, row, column: 1, address };
    return placed;
  }

  #reaches(end: number): boolean {
    const missing = Math.ceil((end - this.#memory.buffer.byteLength) / PAGE);
    try {
      if (missing > 0) this.#memory.grow(missing);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  subtractProduct(to: Matrix, a: Matrix, b: Matrix, rows: Range, columns: Range, summed: Range): void {
    if (!isPlaced(to)) {
      plainWorkspace.subtractProduct(to, a, b, rows, columns, summed);
      return;
    }
    const depth = summed[1] - summed[0];
    for (const [left, right] of parts(columns, COLUMNS)) {
      layOut(this.#b, transposed(b), [left, right], summed, TILE.columns, 1);
      for (const [top, bottom] of parts(rows, ROWS)) {
        layOut(this.#a, a, [top, bottom], summed, TILE.rows, -1);
        const result = to.address + (top * to.row + left) * BYTES;
        this.#words.set([result, to.row * BYTES, depth, Math.ceil((bottom - top) / TILE.rows)]);
        threads.run(this.#machine, 1, Math.ceil((right - left) / TILE.columns), GRAIN);
      }
    }
  }
}

const wholeTiles = (size: number, tile: number): number => Math.ceil(size / tile) * tile;

function* parts([from, to]: Range, size: number): Iterable<Range> {
  for (let first = from; first < to; first += size) yield [first, Math.min(first + size, to)];
}

/** Lays `scale` times rows of a matrix out in panels of `lines` rows, element k of each, then k + 1 of each; zeros for rows missing in the last. */
function layOut(
  panels: Float64Array,
  { data, row, column }: Matrix,
  [top, bottom]: Range,
  [first, end]: Range,
  lines: number,
  scale: number,
): void {
  let place = 0;
  for (let line = top; line < bottom; line += lines)
    for (let k = first; k < end; k++)
      for (let i = line; i < line + lines; i++) panels[place++] = i < bottom ? scale * data[i * row + k * column]! : 0;
}
