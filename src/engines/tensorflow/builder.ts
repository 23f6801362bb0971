/** A program of TensorFlow operations in the making: operations by name, on registers. Knows no graph and no addon. */
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf, type Tensor, tensorOf } from "../../tensor/tensor.ts";
import { collapse } from "../reference/view.ts";

/** What a register may hold. The addon passes no float64 in or out, but within, functions may be computed in it. */
export const HELD = ["bool", "int32", "float32", "float64"] as const satisfies readonly DType[];
export type Held = (typeof HELD)[number];

/** TensorFlow's numbers for dtypes (tf_datatype.h). */
export const TYPE_NUMBER: Readonly<Record<Held, number>> = { float32: 1, float64: 2, int32: 3, bool: 10 };

/** Where a tensor will be while the program runs. */
export interface Register {
  readonly dtype: Held;
  readonly shape: readonly number[];
}

export interface Attribute {
  readonly name: string;
  /** TF_AttrType (tf_attrtype.h). */
  readonly type: number;
  readonly value: number | boolean;
}
export const intAttribute = (name: string, value: number): Attribute => ({ name, type: 1, value });
export const boolAttribute = (name: string, value: boolean): Attribute => ({ name, type: 3, value });
export const typeAttribute = (name: string, dtype: Held): Attribute => ({ name, type: 4, value: TYPE_NUMBER[dtype] });

export interface Call {
  readonly op: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Register[];
  readonly outputs: readonly Register[];
}

/** Broadcasting kernels go along no more axes at a time, neighbours that go together counted as one. */
const MOST_BROADCAST = 5;
/** Kernels that slice or select know no more axes. */
const MOST_AXES = 8;

export class Builder {
  readonly #constants = new Map<string, { readonly register: Register; readonly tensor: Tensor }>();
  #calls: Call[] = [];

  /** What the program holds from its start to its end. */
  get constants(): readonly { readonly register: Register; readonly tensor: Tensor }[] {
    return [...this.#constants.values()];
  }

  /** The calls made since this was last asked. */
  takeCalls(): Call[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /** An operation with one result. */
  call(op: string, inputs: readonly Register[], result: Register, attributes: readonly Attribute[] = []): Register {
    return this.calls(op, inputs, [result], attributes)[0]!;
  }

  /** An operation with several. */
  calls(
    op: string,
    inputs: readonly Register[],
    results: readonly Register[],
    attributes: readonly Attribute[] = [],
  ): readonly Register[] {
    const outputs = results.map(({ dtype, shape }): Register => ({ dtype, shape }));
    this.#calls.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  /** A small tensor; the same one for the same values. */
  constant(dtype: Exclude<Held, "float64">, values: readonly number[], shape: readonly number[] = [values.length]) {
    const key = `${dtype} ${shape} ${values.map((v) => (Object.is(v, -0) ? "-0" : v))}`;
    const known = this.#constants.get(key);
    if (known) return known.register;
    const register: Register = { dtype, shape };
    this.#constants.set(key, { register, tensor: tensorOf(dtype, shape, values) });
    return register;
  }

  /** A number as a scalar of a dtype; one for float64 must be a float32 too. */
  scalar(dtype: Held, value: number): Register {
    return dtype === "float64"
      ? this.cast(this.constant("float32", [value], []), dtype)
      : this.constant(dtype, [value], []);
  }

  /** The number that a scalar is, where that is known. */
  valueOf(x: Register): number | undefined {
    const known = [...this.#constants.values()].find(({ register }) => register === x);
    return known && x.shape.length === 0 ? Number(known.tensor.data[0]) : undefined;
  }

  ints(...values: readonly number[]): Register {
    return this.constant("int32", values);
  }

  /** The elements converted as C converts them: floats out of an int's range give any int. */
  cast(x: Register, dtype: Held): Register {
    return x.dtype === dtype ? x : this.call("Cast", [x], { dtype, shape: x.shape }, [typeAttribute("DstT", dtype)]);
  }

  /** The same elements, in the same memory. */
  reshape(x: Register, shape: readonly number[]): Register {
    return isSame(x.shape, shape) ? x : this.call("Reshape", [x, this.ints(...shape)], { dtype: x.dtype, shape });
  }

  transpose(x: Register, axes: readonly number[]): Register {
    if (axes.every((axis, i) => axis === i)) return x;
    const shape = axes.map((axis) => x.shape[axis]!);
    return this.call("Transpose", [x, this.ints(...axes)], { dtype: x.dtype, shape });
  }

  /** Tensors one after another along an axis. */
  concat(xs: readonly Register[], axis: number, shape: readonly number[]): Register {
    const { dtype } = xs[0]!;
    const attributes = [intAttribute("N", xs.length), typeAttribute("T", dtype)];
    return this.call("ConcatV2", [...xs, this.scalar("int32", axis)], { dtype, shape }, attributes);
  }

  /** An operation element by element over operands that broadcast; `dtype` is the result's, the last operand's if not given. */
  map(op: string, xs: readonly Register[], dtype: Held = xs.at(-1)!.dtype): Register {
    const shape = broadcastShape(xs.map((x) => x.shape));
    const strides = xs.map((x) => stridesWithin(x.shape, shape));
    if (shape.length <= MOST_AXES && collapse(shape, strides).length <= MOST_BROADCAST)
      return this.call(op, xs, { dtype, shape });
    const flat = xs.map((x) => this.reshape(this.stretch(x, shape), [sizeOf(shape)]));
    return this.reshape(this.call(op, flat, { dtype, shape: flat[0]!.shape }), shape);
  }

  /** x stretched to `shape`, its axes aligned to the last. */
  stretch(x: Register, shape: readonly number[]): Register {
    const { dtype } = x;
    if (isSame(x.shape, shape)) return x;
    if (collapse(shape, [stridesOf(shape), stridesWithin(x.shape, shape)]).length <= MOST_BROADCAST)
      return this.call("BroadcastTo", [x, this.ints(...shape)], { dtype, shape });
    // one axis at a time
    const aligned = [...shape.slice(x.shape.length).fill(1), ...x.shape].slice(-shape.length);
    let stretched = x;
    for (const [axis, size] of shape.entries()) {
      if (aligned[axis] === size) continue;
      const [outer, inner] = [sizeOf(aligned.slice(0, axis)), sizeOf(aligned.slice(axis + 1))];
      const to = [outer, size, inner];
      const from = this.reshape(stretched, [outer, 1, inner]);
      stretched = this.call("BroadcastTo", [from, this.ints(...to)], { dtype, shape: to });
      aligned[axis] = size;
    }
    return this.reshape(stretched, shape);
  }

  /** Along every axis `sizes` elements, at least one, from `starts` on in `steps`. */
  slice(x: Register, starts: readonly number[], sizes: readonly number[], steps: readonly number[]): Register {
    const { dtype, shape } = x;
    if (shape.length <= MOST_AXES) {
      const { bounds, attributes } = this.#bounds(starts, sizes, steps);
      return this.call("StridedSlice", [x, ...bounds], { dtype, shape: sizes }, attributes);
    }
    let part = x;
    for (const { axis, outer, inner } of axesOf(sizes, shape)) {
      if (starts[axis] === 0 && steps[axis] === 1 && sizes[axis] === shape[axis]) continue;
      const from = this.reshape(part, [outer, shape[axis]!, inner]);
      part = this.slice(from, [0, starts[axis]!, 0], [outer, sizes[axis]!, inner], [1, steps[axis]!, 1]);
    }
    return this.reshape(part, sizes);
  }

  /** Zeros of `shape` with x at the places that such a slice of it reads. */
  embed(x: Register, shape: readonly number[], starts: readonly number[], steps: readonly number[]): Register {
    const { dtype, shape: sizes } = x;
    if (shape.length <= MOST_AXES) {
      const { bounds, attributes } = this.#bounds(starts, sizes, steps);
      return this.call("StridedSliceGrad", [this.ints(...shape), ...bounds, x], { dtype, shape }, attributes);
    }
    let whole = x;
    for (const { axis, outer, inner } of axesOf(shape, sizes)) {
      if (steps[axis] === 1 && sizes[axis] === shape[axis]) continue;
      const part = this.reshape(whole, [outer, sizes[axis]!, inner]);
      whole = this.embed(part, [outer, shape[axis]!, inner], [0, starts[axis]!, 0], [1, steps[axis]!, 1]);
    }
    return this.reshape(whole, shape);
  }

  /**
   * What tells a slice: its first elements, where it ends, its steps. An end before the first element is said by a mask. A step that
   * is never made may be beyond all ints, and counts as 1.
   */
  #bounds(starts: readonly number[], sizes: readonly number[], strides: readonly number[]) {
    const steps = strides.map((stride, axis) => (sizes[axis] === 1 ? 1 : stride));
    const ends = starts.map((start, axis) => start + (sizes[axis]! - 1) * steps[axis]! + Math.sign(steps[axis]!));
    const mask = ends.reduce((bits, end, axis) => (end < 0 ? bits | (1 << axis) : bits), 0);
    const bounds = [this.ints(...starts), this.ints(...ends.map((end) => Math.max(end, 0))), this.ints(...steps)];
    return { bounds, attributes: [intAttribute("end_mask", mask)] };
  }
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** The shape that shapes broadcast to. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** How elements of `shape` lie for a loop over `whole`, to which it broadcasts. */
function stridesWithin(shape: readonly number[], whole: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const added = whole.length - shape.length;
  return whole.map((size, axis) => (shape[axis - added] === size ? strides[axis - added]! : 0));
}

/** Each axis, with the sizes of what lies before it, of `done`, and after it, of `open`. */
const axesOf = (done: readonly number[], open: readonly number[]) =>
  open.map((_, axis) => ({ axis, outer: sizeOf(done.slice(0, axis)), inner: sizeOf(open.slice(axis + 1)) }));
