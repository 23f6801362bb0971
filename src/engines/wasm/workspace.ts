/** The products of linear algebra in WebAssembly, by all threads there are: with the reference engine's bits. Knows no op. */
import {
  type Matrix,
  PANEL,
  parts,
  plainWorkspace,
  type Range,
  transposed,
  type Workspace,
} from "../reference/workspace.ts";
import { type Code, call, type FunctionCode, forBelow, get, i32Const, load, moduleOf, op, set } from "./assembler.ts";
import { FROM, itemFunction, SCRATCH_AT, TO } from "./items.ts";
import { tileOf } from "./matmul.ts";
import { MOST_PAGES, PAGE, sharedMemory } from "./memory.ts";
import { microKernel } from "./panels.ts";
import { type Machine, threads } from "./threads.ts";

const TILE = tileOf("float64", { m: 4, n: 4 });
const BYTES = 8;
/** Rows of a and columns of b that are laid out at a time: 64 and 256 KiB of a panel, which fit the second cache of a core. */
const ROWS = 256;
const COLUMNS = 1024;
/** To fewer columns it costs more to lay a out than to go without. */
const LEAST_COLUMNS = 8;
/** Columns of tiles that a thread takes at a time: some 50 µs of work where there are ROWS. */
const GRAIN = 8;

/**
 * What the loop is told, as words at the beginning of memory: where the result begins and bytes from row to row of it, how many
 * products make an element, and how many tiles a column of them. The panels of a and b lie behind.
 */
const WORDS = ["result", "pitch", "depth", "tiles"] as const;
const [A, B] = [64, 64 + ROWS * PANEL * BYTES];
const MATRICES = B + COLUMNS * PANEL * BYTES;

/** (from, to, words): takes products from a result, an item a column of tiles. */
function columnsOfTiles(micro: number): FunctionCode {
  const fn = itemFunction();
  const word = (name: (typeof WORDS)[number]) => load("i32.load", get(SCRATCH_AT), 4 * WORDS.indexOf(name));
  const [depth, pitch] = [word("depth"), word("pitch")];
  const tile = fn.local("i32");
  const sum = (x: Code, y: Code) => op("i32.add", x, y);
  const times = (...factors: readonly Code[]) => factors.reduce((x, y) => op("i32.mul", x, y));
  const a = sum(i32Const(A), times(get(tile), depth, i32Const(TILE.rows * BYTES)));
  const b = sum(i32Const(B), times(get(FROM), depth, i32Const(TILE.columns * BYTES)));
  const row = sum(word("result"), times(get(tile), pitch, i32Const(TILE.rows)));
  const result = sum(row, times(get(FROM), i32Const(TILE.columns * BYTES)));
  const column = forBelow(tile, word("tiles"), 1, call(micro, a, b, result, pitch, depth, i32Const(0)));
  fn.emit(forBelow(FROM, get(TO), 1, set(tile, i32Const(0)), column));
  return fn;
}

/** A workspace for so many threads at most, or undefined where there is no memory for it. It keeps what it has until it is disposed of. */
export function newWorkspace(most: number): WasmWorkspace | undefined {
  const memory = sharedMemory(Math.ceil(MATRICES / PAGE));
  return memory && new WasmWorkspace(memory, most);
}

class WasmWorkspace implements Workspace {
  readonly #memory: WebAssembly.Memory;
  readonly #words: Int32Array;
  readonly #a: Float64Array;
  readonly #b: Float64Array;
  readonly #machine: number;
  #end = MATRICES;

  constructor(memory: WebAssembly.Memory, most: number) {
    const { buffer } = memory;
    this.#memory = memory;
    this.#words = new Int32Array(buffer, 0, WORDS.length);
    this.#a = new Float64Array(buffer, A, ROWS * PANEL);
    this.#b = new Float64Array(buffer, B, COLUMNS * PANEL);
    const module = new WebAssembly.Module(
      moduleOf([microKernel("float64", TILE, true), columnsOfTiles(0)], [], MOST_PAGES),
    );
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const scratch = Array.from({ length: most }, () => 0);
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
    return { rows, columns, data, row, column: 1 };
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
    const isHere = to.data.buffer instanceof SharedArrayBuffer;
    if (!isHere || columns[1] - columns[0] < LEAST_COLUMNS) {
      plainWorkspace.subtractProduct(to, a, b, rows, columns, summed);
      return;
    }
    const depth = summed[1] - summed[0];
    for (const [left, right] of parts(columns, COLUMNS)) {
      pack(this.#b, transposed(b), [left, right], summed, TILE.columns, 1);
      for (const [top, bottom] of parts(rows, ROWS)) {
        pack(this.#a, a, [top, bottom], summed, TILE.rows, -1);
        const result = to.data.byteOffset + (top * to.row + left) * BYTES;
        this.#words.set([result, to.row * BYTES, depth, Math.ceil((bottom - top) / TILE.rows)]);
        threads.run(this.#machine, 1, Math.ceil((right - left) / TILE.columns), GRAIN);
      }
    }
  }
}

const wholeTiles = (size: number, tile: number): number => Math.ceil(size / tile) * tile;

/** Lays `scale` times rows of a matrix out in panels of `lines` rows, element k of each, then k + 1 of each; zeros for rows missing in the last. */
function pack(
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
