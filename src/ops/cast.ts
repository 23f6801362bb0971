/** The op that changes a dtype; apart from the other pointwise rows because promotion itself needs it. */
import type { Attrs } from "../graph/node.ts";
import { abs, and, convert, eq, type Form, lt, or, type ScalarType, select } from "../numeric/form.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import type { PointwiseOp } from "./define.ts";
import { cast } from "./promote.ts";

/** The type that elements of a dtype are computed in: both floats in f64, float32 rounded when stored. */
export const scalarType = (dtype: DType): ScalarType =>
  isFloat(dtype) ? "f64" : dtype === "int32" ? "i32" : dtype === "int64" ? "i64" : "bool";

/**
 * An int64 as an f64 that rounds to the float32 nearest to the int itself: what f64 has no bits for is gathered in one odd
 * bit far below float32's last (rounding to odd: Boldo and Melquiond 2008).
 */
function toNearlyFloat32(x: Form): Form {
  const sticky = select(eq(and(x, 0x7ff), 0), and(x, -0x800), or(and(x, -0x800), 0x800));
  return convert(select(lt(abs(x), 2 ** 53), x, sticky), "f64");
}

/** attrs: { dtype, weak }. Floats go to ints towards zero and stop at their bounds, nan is 0; to bool is `!= 0`. */
export const castOp: PointwiseOp = {
  kind: "pointwise",
  name: "astype",
  display: "Cast",
  arity: 1,
  operands: "any",
  result: "same",
  domain: [[-3, 3]],
  infer: ([x], attrs: Attrs) => ({ dtype: attrs["dtype"] as DType, shape: x!.shape, weak: attrs["weak"] as boolean }),
  scalar: ([x], attrs) =>
    attrs["dtype"] === "float32" && x!.type === "i64"
      ? toNearlyFloat32(x!)
      : convert(x!, scalarType(attrs["dtype"] as DType)),
  grad: ({ args: [x], ct }) => [isFloat(x!.type.dtype) ? cast(ct, x!.type.dtype) : null],
};
