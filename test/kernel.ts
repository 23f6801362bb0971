/** The meaning of a kernel: its forms as JavaScript, an element after the other, and the order of sums as reference/reduce.ts states it. */
import { BLOCK, type Combine, type Kernel, LANES, type Operand, type Reduction } from "../src/engines/wasm/kernel.ts";
import { add, type Form, fround, max, min, mul } from "../src/numeric/form.ts";
import { compileScalar, emit, scope } from "../src/numeric/javascript.ts";
import { scalarType } from "../src/ops/cast.ts";
import type { DType, TypedArray } from "../src/tensor/dtype.ts";
import { sizeOf, stridesOf } from "../src/tensor/tensor.ts";

type Scalar = number | bigint | boolean;

/** Runs a kernel on buffers: stores, and the sums of a reduction's blocks. */
export function interpret({ shape, loads, stores, reduction }: Kernel, buffers: readonly TypedArray[]): void {
  const read = (load: Operand, at: readonly number[]) => buffers[load.buffer]![indexOf(load, at)]!;
  const parameters = (at: readonly number[]) => loads.map((load) => read(load, at));
  for (const { to, value } of stores) {
    const element = elementOf(value, loads.length);
    for (const at of coordinates(shape)) write(buffers, to, at, element(...parameters(at)));
  }
  if (!reduction) return;
  const { axis, to, combine } = reduction;
  const element = elementOf(reduction.value, loads.length);
  const join = combining(combine, to.dtype);
  for (const at of coordinates(shape.with(axis, Math.ceil(shape[axis]! / BLOCK)))) {
    const start = at[axis]! * BLOCK;
    const length = Math.min(BLOCK, shape[axis]! - start);
    const values = Array.from({ length }, (_, i) => element(...parameters(at.with(axis, start + i))));
    write(buffers, to, at, foldBlock(values, join));
  }
}

/** 16 lanes, each in order, then lane j + h to lane j. */
function foldBlock(values: readonly Scalar[], join: Join): Scalar {
  const lanes = values.slice(0, LANES);
  for (const [i, value] of values.entries()) if (i >= LANES) lanes[i % LANES] = join(lanes[i % LANES]!, value);
  for (let h = LANES / 2; h >= 1; h /= 2)
    for (let j = 0; j < h && j + h < lanes.length; j++) lanes[j] = join(lanes[j]!, lanes[j + h]!);
  return lanes[0]!;
}

/** The sums of blocks as one: pairs that follow each other, until one is left. */
export function combined(sums: readonly Scalar[], { combine, to }: Reduction): Scalar {
  const join = combining(combine, to.dtype);
  let left = sums;
  while (left.length > 1)
    left = left.flatMap((sum, i) => (i % 2 === 1 ? [] : i + 1 < left.length ? [join(sum, left[i + 1]!)] : [sum]));
  return left[0]!;
}

type Join = (a: Scalar, b: Scalar) => Scalar;
const COMBINE: Record<Combine, (a: Form, b: Form) => Form> = { sum: add, prod: mul, max, min };

function combining(combine: Combine, dtype: DType): Join {
  const type = scalarType(dtype);
  const rounded = (form: Form) => (dtype === "float32" ? fround(form) : form);
  return compileScalar((a, b) => rounded(COMBINE[combine](a!, b!)), [type, type], type) as Join;
}

function elementOf(form: Form, arity: number): (...parameters: Scalar[]) => Scalar {
  const names = Array.from({ length: arity }, (_, i) => `x${i}`);
  const { statements, result } = emit(form, names);
  const body = `return (${names}) => {\n${statements}\nreturn ${result};\n}`;
  return new Function(...Object.keys(scope()), body)(...Object.values(scope()));
}

export const indexOf = ({ offset, strides }: Pick<Operand, "offset" | "strides">, at: readonly number[]): number =>
  strides.reduce((sum, stride, axis) => sum + stride * at[axis]!, offset);

const write = (buffers: readonly TypedArray[], to: Operand, at: readonly number[], value: Scalar): void => {
  buffers[to.buffer]![indexOf(to, at)] = to.dtype === "bool" ? Number(value) : (value as number);
};

/** Of all elements, in C order. */
export function* coordinates(shape: readonly number[]): Generator<number[]> {
  const strides = stridesOf(shape);
  for (let i = 0; i < sizeOf(shape); i++) yield shape.map((size, axis) => Math.floor(i / strides[axis]!) % size);
}
