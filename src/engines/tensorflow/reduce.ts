/** Reductions, in TensorFlow's order of summation, which is another than ours. */
import type { Node } from "../../graph/node.ts";
import type { ReduceOp } from "../../ops/define.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Builder, type Register, typeAttribute } from "./builder.ts";

const FOLDS: Readonly<Record<Exclude<ReduceOp["combine"], "argmax" | "argmin">, string>> = {
  sum: "Sum",
  prod: "Prod",
  max: "Max",
  min: "Min",
  any: "Any",
  all: "All",
};

/** The node's value: axes attrs.axes (ascending) of x folded away. */
export function reduce(node: Node, { combine }: ReduceOp, [x]: readonly Register[], b: Builder): Register {
  const axes = node.attrs["axes"] as readonly number[];
  const shape = node.type.shape as number[];
  if (combine === "argmax" || combine === "argmin")
    return position(b, combine === "argmax" ? "ArgMax" : "ArgMin", x!, axes, shape);
  // bools are counted in int32
  const elements = b.cast(x!, node.type.dtype as "bool" | "int32" | "float32");
  return fold(b, FOLDS[combine], elements, axes);
}

/** Axes folded away. */
export const fold = (b: Builder, op: string, x: Register, axes: readonly number[]): Register =>
  b.call(op, [x, b.ints(...axes)], { dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)) });

/** Whether some element is true: a scalar. */
export const anyOf = (b: Builder, x: Register): Register =>
  fold(
    b,
    "Any",
    x,
    x.shape.map((_, axis) => axis),
  );

/** Where the first element is that no other beats, counted along `axes`; the first NaN, where there is one. */
function position(
  b: Builder,
  op: "ArgMax" | "ArgMin",
  x: Register,
  axes: readonly number[],
  shape: readonly number[],
): Register {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const n = sizeOf(axes.map((axis) => x.shape[axis]!));
  const rows = b.reshape(b.transpose(x, [...kept, ...axes]), [sizeOf(shape), n]);
  const place = (by: string, of: Register) =>
    b.call(by, [of, b.scalar("int32", 1)], { dtype: "int32", shape: [of.shape[0]!] }, [
      typeAttribute("output_type", "int32"),
    ]);
  if (x.dtype !== "float32") return b.reshape(place(op, rows), shape);
  const areNaN = b.map("IsNan", [rows], "bool");
  const places = b.map("SelectV2", [
    fold(b, "Any", areNaN, [1]),
    place("ArgMax", b.cast(areNaN, "int32")),
    place(op, rows),
  ]);
  return b.reshape(places, shape);
}
