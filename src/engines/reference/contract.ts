/**
 * Contractions: sums of products, rounded after each product and each sum. Where the result has several rows and several columns, in
 * ascending order of the summed index, `DEPTH` products at a time: the sums of these are then added in the same order, so that rounding
 * errors grow with k / DEPTH + DEPTH, not with k. Else, so that sums of vectors can be made in parts, as `sum` adds (reduce.ts).
 */
import type { Node } from "../../graph/node.ts";
import { add, mul } from "../../numeric/form.ts";
import { type ContractAttrs, freeOf } from "../../ops/contract.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import { contiguous, reshaped } from "./copy.ts";
import { kernel, rounded, scalarFunction } from "./kernel.ts";
import { sumProducts } from "./reduce.ts";
import { permuted, type View, zerosView } from "./view.ts";

/** How many products are added to each other before their sum is added to those before. */
export const DEPTH = 256;

/** From this many columns on, b's rows, packed, are added to a row of the result; below, each sum is made alone. */
const WIDE = 8;

/** The node's value: batch axes, then a's free axes, then b's. Summed pairs run row-major in the order listed. */
export function contract(node: Node, [a, b]: readonly View[]): View {
  const { batch, summed } = node.attrs as unknown as ContractAttrs;
  const free = freeOf(a!.shape.length, b!.shape.length, { batch, summed });
  const side = (pairs: ContractAttrs["batch"], at: 0 | 1) => pairs.map((pair) => pair[at]);
  const left = matrices(a!, side(batch, 0), free.a, side(summed, 0));
  const right = matrices(b!, side(batch, 1), side(summed, 1), free.b);
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const [[count, m, k], n] = [left.shape as [number, number, number], right.shape[2]!];
  if (m === 1 || n === 1) {
    const over = (view: View, [matrix, row, column, step]: readonly number[]): View => ({
      ...view,
      shape: [count, m, n, k],
      strides: [matrix!, row!, column!, step!],
    });
    const [matrix, row, step] = left.strides;
    const [otherMatrix, otherStep, column] = right.strides;
    const result = { ...out, shape: [count, m, n], strides: stridesOf([count, m, n]) };
    sumProducts(result, over(left, [matrix!, row!, 0, step!]), over(right, [otherMatrix!, 0, column!, otherStep!]));
  } else matrixKernel(out.dtype)(out.data, left, n < WIDE ? right : contiguous(right));
  return out;
}

/** A view of three axes, each for a group of the view's. */
const matrices = (view: View, ...groups: readonly (readonly number[])[]): View =>
  reshaped(
    permuted(view, groups.flat()),
    groups.map((axes) => sizeOf(axes.map((axis) => view.shape[axis]!))),
  );

/** out (batch, m, n), zeros in C order, becomes a (batch, m, k) times b (batch, k, n). */
type MatrixKernel = (out: TypedArray, a: View, b: View) => void;

const matrixKernel = (dtype: DType): MatrixKernel =>
  kernel(
    `contract ${dtype}`,
    () => `${scalarFunction("step", dtype, 3, (sum, x, y) => rounded(dtype, add(sum, rounded(dtype, mul(x, y)))))}
    ${scalarFunction("plus", dtype, 2, (x, y) => rounded(dtype, add(x, y)))}
    return (out, { data: a, offset: aOffset, shape: [batch, m, k], strides: [aBatch, aRow, aStep] },
                 { data: b, offset: bOffset, shape: [, , n], strides: [bBatch, bStep, bColumn] }) => {
      const sums = new out.constructor(n), zero = new out.constructor(1)[0];
      let o = 0;
      for (let g = 0; g < batch; g++)
        for (let row = 0; row < m; row++, o += n)
          for (let start = 0; start < k; start += ${DEPTH}) {
            const end = Math.min(start + ${DEPTH}, k);
            const i = aOffset + g * aBatch + row * aRow, j = bOffset + g * bBatch;
            if (n < ${WIDE})
              for (let column = 0; column < n; column++) {
                let sum = zero;
                for (let p = start, x = i + p * aStep, y = j + p * bStep + column * bColumn; p < end; p++, x += aStep, y += bStep)
                  sum = step(sum, a[x], b[y]);
                sums[column] = sum;
              }
            else {
              sums.fill(zero);
              let p = start;
              ${addRows(4)}
              ${addRows(1)}
            }
            if (start === 0) out.set(sums, o);
            else for (let column = 0; column < n; column++) out[o + column] = plus(out[o + column], sums[column]);
          }
    };`,
  );

/** Adds products to a row of sums, `terms` of them, in order, at each pass over it, for as long as there are as many. */
function addRows(terms: number): string {
  const places = Array.from({ length: terms }, (_, t) => t);
  const sum = places.reduce((sum, t) => `step(${sum}, x${t}, b[y${t} + column])`, "sums[column]");
  return `for (; p + ${terms} <= end; p += ${terms}) {
    ${places.map((t) => `const x${t} = a[i + (p + ${t}) * aStep], y${t} = j + (p + ${t}) * bStep;`).join("\n")}
    for (let column = 0; column < n; column++) sums[column] = ${sum};
  }`;
}
