/** Functions that do a range of items: coordinates, pointers, and steps through elements. Knows no kernel. */
import { type Code, FunctionCode, forBelow, get, i32Const, moveBy, op, set } from "./assembler.ts";
import type { Operand } from "./kernel.ts";
import { type Lane, WIDTH } from "./lanes.ts";

/** A function (from, to, scratch) that does items from … to - 1, each apart from all others; `scratch` is memory of its thread. */
export interface Loop {
  readonly code: FunctionCode;
  readonly items: number;
  /** Elements that an item goes through, about. */
  readonly perItem: number;
}

/** Where a buffer begins, in bytes: in the thread's own memory, or in that of all. */
export interface Address {
  readonly base: number;
  readonly isLocal: boolean;
}
export type AddressOf = (buffer: number) => Address;

/** The parameters of such a function: the first item, the one after the last, and its thread's memory. */
export const [FROM, TO, SCRATCH_AT] = [0, 1, 2] as const;
export const itemFunction = (): FunctionCode => new FunctionCode(["i32", "i32", "i32"]);

/** A function under way: its items, and for each the coordinates that it stands for. */
export class Items {
  readonly fn = itemFunction();
  /** What an item begins with. */
  readonly start: Code[] = [];
  readonly #sizes: readonly number[];
  readonly #coordinates: readonly number[];

  /** An item for each element of an array of these sizes, in C order. */
  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
    this.#coordinates = sizes.map(() => this.fn.local("i32"));
    const rest = this.fn.local("i32");
    this.start.push(set(rest, get(FROM)));
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const size = i32Const(sizes[axis]!);
      const isFirst = axis === 0;
      this.start.push(set(this.#coordinates[axis]!, isFirst ? get(rest) : op("i32.rem_u", get(rest), size)));
      if (!isFirst) this.start.push(set(rest, op("i32.div_u", get(rest), size)));
    }
  }

  coordinate(axis: number): Code {
    return get(this.#coordinates[axis]!);
  }

  /** A pointer to an operand's first element of the item, which moves by `strides` elements from coordinate to coordinate. */
  pointer({ dtype, offset }: Operand, { base, isLocal }: Address, strides: readonly number[]): number {
    const width = WIDTH[dtype];
    const terms = strides.flatMap((stride, axis) =>
      stride === 0 || this.#sizes[axis] === 1 ? [] : [op("i32.mul", this.coordinate(axis), i32Const(stride * width))],
    );
    const pointer = this.fn.local("i32");
    const begin = i32Const(base + offset * width);
    const sum = [begin, ...(isLocal ? [get(SCRATCH_AT)] : []), ...terms].reduce((a, b) => op("i32.add", a, b));
    this.start.push(set(pointer, sum));
    return pointer;
  }

  /** A lane along the last axis, which items go through by `tile` elements. */
  lane(operand: Operand, address: Address, tile: number): Lane {
    const stride = operand.strides.at(-1) ?? 0;
    const strides = [...operand.strides.slice(0, -1), stride * tile];
    return { dtype: operand.dtype, pointer: this.pointer(operand, address, strides), stride };
  }

  /** The elements of the tile at a coordinate, of tiles of `tile` along an axis of `size`. */
  countOf(axis: number, tile: number, size: number): Code {
    if (size % tile === 0) return i32Const(tile);
    const left = this.fn.local("i32");
    this.start.push(
      set(left, op("i32.sub", i32Const(size), op("i32.mul", this.coordinate(axis), i32Const(tile)))),
      set(left, op("select", get(left), i32Const(tile), op("i32.lt_u", get(left), i32Const(tile)))),
    );
    return get(left);
  }

  /** The function that does `body` for each item. */
  finish(constants: Code, ...body: readonly Code[]): FunctionCode {
    this.fn.emit(constants, forBelow(FROM, get(TO), 1, ...this.start, ...body));
    return this.fn;
  }
}

export const advance = (lanes: readonly Lane[], elements: number): Code[] =>
  lanes.flatMap(({ dtype, pointer, stride }) =>
    stride === 0 ? [] : [moveBy(pointer, elements * stride * WIDTH[dtype])],
  );

/** Goes through `count` elements, `step` at a time with `many`, those that are left with `one`; all lanes' pointers move along. */
export function stepped(
  fn: FunctionCode,
  count: Code,
  step: number,
  lanes: readonly Lane[],
  many: readonly Code[],
  one: readonly Code[],
): Code[] {
  const [index, whole] = [fn.local("i32"), fn.local("i32")];
  return [
    set(index, i32Const(0)),
    set(whole, op("i32.and", count, i32Const(-step))),
    forBelow(index, get(whole), step, ...many, ...advance(lanes, step)),
    forBelow(index, count, 1, ...one, ...advance(lanes, 1)),
  ];
}
