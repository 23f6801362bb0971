/** Contractions: sums of products, each in ascending order of the summed index, rounded after each product and each sum. */
import type { Node } from "../../graph/node.ts";
import { add, mul } from "../../numeric/form.ts";
import { type ContractAttrs, freeOf } from "../../ops/contract.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { contiguous, reshaped } from "./copy.ts";
import { kernel, rounded, scalarFunction } from "./kernel.ts";
import { permuted, type View, zerosView } from "./view.ts";

/** out (m, n), zeros in C order from place o on, becomes a (m, k) times b (k, n), each given by place and two strides. */
type MatrixKernel = (
  sizes: readonly [m: number, n: number, k: number],
  out: TypedArray,
  o: number,
  a: TypedArray,
  i: number,
  aStrides: readonly number[],
  b: TypedArray,
  j: number,
  bStrides: readonly number[],
) => void;

/** From this many columns on, whole rows of b are added to a row of the result; it must not be slower than single sums. */
const WIDE = 8;

/** The node's value: batch axes, then a's free axes, then b's. Summed pairs run row-major in the order listed. */
export function contract(node: Omit<Node, "id">, [a, b]: readonly View[]): View {
  const { batch, summed } = node.attrs as unknown as ContractAttrs;
  const free = freeOf(a!.shape.length, b!.shape.length, { batch, summed });
  const sizes = (view: View, axes: readonly number[]) => sizeOf(axes.map((axis) => view.shape[axis]!));
  const side = (pairs: ContractAttrs["batch"], at: 0 | 1) => pairs.map((pair) => pair[at]);
  const stack = (view: View, ...axes: number[][]) =>
    reshaped(
      permuted(view, axes.flat()),
      axes.map((group) => sizes(view, group)),
    );
  const left = stack(a!, side(batch, 0), free.a, side(summed, 0));
  const narrow = stack(b!, side(batch, 1), side(summed, 1), free.b);
  const [count, m, k] = left.shape as [number, number, number];
  const n = narrow.shape[2]!;
  const right = n < WIDE ? narrow : contiguous(narrow);
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const multiply = matrixKernel(out.dtype);
  const [aBatch, ...aStrides] = left.strides as [number, number, number];
  const [bBatch, ...bStrides] = right.strides as [number, number, number];
  for (let g = 0; g < count; g++)
    multiply(
      [m, n, k],
      out.data,
      g * m * n,
      left.data,
      left.offset + g * aBatch,
      aStrides,
      right.data,
      right.offset + g * bBatch,
      bStrides,
    );
  return out;
}

const matrixKernel = (dtype: DType): MatrixKernel =>
  kernel(
    `contract ${dtype}`,
    () => `${scalarFunction("step", dtype, 3, (sum, x, y) => rounded(dtype, add(sum, rounded(dtype, mul(x, y)))))}
    return ([m, n, k], out, o, a, i, [aRow, aStep], b, j, [bStep, bColumn]) => {
      for (let row = 0; row < m; row++, o += n, i += aRow)
        if (n < ${WIDE})
          for (let column = 0; column < n; column++) {
            let sum = out[o + column];
            for (let p = 0, x = i, y = j + column * bColumn; p < k; p++, x += aStep, y += bStep)
              sum = step(sum, a[x], b[y]);
            out[o + column] = sum;
          }
        else
          for (let p = 0, x = i, first = j; p < k; p++, x += aStep, first += bStep) {
            const factor = a[x];
            for (let column = 0, y = first; column < n; column++, y += bColumn)
              out[o + column] = step(out[o + column], factor, b[y]);
          }
    };`,
  );
