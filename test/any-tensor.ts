/** Tensors for properties: every dtype, special values often, axes of size 0 and 1 too. */
import fc from "fast-check";
import { allocate, DTYPES, type DType, type TypedArray } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor } from "../src/tensor/tensor.ts";

const ELEMENT: { readonly [D in DType]: fc.Arbitrary<number | bigint> } = {
  bool: fc.integer({ min: 0, max: 1 }),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.oneof(fc.float(), fc.integer({ min: -1000, max: 1000 })),
  float64: fc.oneof(fc.double(), fc.integer({ min: -1000, max: 1000 })),
};

export const anyTensor = ({ rank = 4, dtypes = DTYPES }: { rank?: number; dtypes?: readonly DType[] } = {}) =>
  fc
    .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: rank }))
    .chain(([dtype, shape]) =>
      fc.array(ELEMENT[dtype], { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((values): Tensor => {
        const data: TypedArray = allocate(dtype, values.length);
        for (const [i, value] of values.entries()) data[i] = value;
        return { dtype, shape, data };
      }),
    );
