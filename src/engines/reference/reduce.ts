/**
 * Reductions, and THE order of summation: a function of shapes alone that every engine must keep, bit for bit. (Products of
 * matrices have another: see contract.ts.)
 *
 * The elements of one result, in row-major order of the reduced axes, are x[0] … x[n - 1]. `sum` and `prod` combine them so
 * (written for +; an accumulator of the result's dtype rounds after each addition, ints wrap):
 *
 * 1. They are cut into blocks of 256; the last may be shorter.
 * 2. A block has 16 lanes, fewer if it has fewer elements. Lane j starts as the block's element j and adds elements j + 16,
 *    j + 32 … in that order.
 * 3. The lanes fold as a tree: for h = 8, 4, 2, 1, lane j += lane j + h for every j < h whose lane j + h exists. Lane 0 is
 *    the block's sum.
 * 4. Blocks' sums combine like the carries of a binary counter. A block's sum has height 0; whenever the last two partial
 *    sums have the same height, they become one, earlier + later, of the next height. After the last block the partial sums
 *    that are left combine from the last (the lowest) to the first, again earlier + later: 7 blocks are
 *    ((b0 + b1) + (b2 + b3)) + ((b4 + b5) + b6).
 *
 * The sum of nothing is 0, its product 1, its `max`, which softmax and its kin ask for in floats, -inf. `max` and `min`: a
 * NaN wins, -0 < +0, so their order does not matter. `argmax` and `argmin`: the first of equals (-0 = +0), the first NaN
 * before all.
 */
import type { Node } from "../../graph/node.ts";
import { add, type Form, max, min, mul } from "../../numeric/form.ts";
import type { ReduceOp } from "../../ops/define.ts";
import { allocate, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { reshaped } from "./copy.ts";
import { kernel, rounded, scalarFunction } from "./kernel.ts";
import { forEachRow, permuted, type View, zerosView } from "./view.ts";

/**
 * Gives `count` results, each of `n` elements that are `step` apart. Operand 0 is the result, 1 what is reduced: its k-th
 * lies (begins) at data[·][at[·] + k · steps[·]]. `scratch`, of the result's dtype, has room for lanes and partial sums.
 */
type ReduceKernel = (
  count: number,
  data: readonly TypedArray[],
  at: readonly number[],
  steps: readonly number[],
  n: number,
  step: number,
  scratch: TypedArray,
) => void;

const LANES = 16;
const BLOCK = 256;
/** More heights than there are bits in a number of blocks. */
const HEIGHTS = 53;

/** The node's value: axes attrs.axes (ascending) of x folded away. */
export function reduce(node: Node, op: ReduceOp, [x]: readonly View[]): View {
  const axes = node.attrs["axes"] as readonly number[];
  const kept = x!.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const n = sizeOf(axes.map((axis) => x!.shape[axis]!));
  // like the result, with one more axis for what is reduced
  const rows = reshaped(permuted(x!, [...kept, ...axes]), [...out.shape, n]);
  const step = rows.strides.at(-1)!;
  const scratch = allocate(out.dtype, LANES + HEIGHTS);
  const run = reduceKernel(op.combine, x!.dtype, out.dtype);
  const data = [out.data, rows.data];
  forEachRow(out.shape, [out, rows], (count, at, steps) => run(count, data, at, steps, n, step, scratch));
  return out;
}

function reduceKernel(combine: ReduceOp["combine"], from: DType, to: DType): ReduceKernel {
  return kernel(`reduce ${combine} ${from} ${to}`, () => {
    const { definitions, one } = STRATEGIES[combine](to);
    return `${definitions}${one}
    return (count, [out, x], [o, i], [outStep, xStep], n, step, scratch) => {
      for (let r = 0; r < count; r++, o += outStep, i += xStep) out[o] = one(x, i, step, n, scratch);
    };`;
  });
}

/**
 * Sums of products along the last axis of two views of one shape, into `out`, which lacks that axis: as `sum` of their product,
 * which is rounded too.
 */
export function sumProducts(out: View, a: View, b: View): void {
  const n = a.shape.at(-1)!;
  const scratch = allocate(out.dtype, LANES + HEIGHTS);
  const run = productsKernel(out.dtype);
  forEachRow(out.shape, [out, a, b], (count, at, steps) =>
    run(count, [out.data, a.data, b.data], at, steps, n, [a.strides.at(-1)!, b.strides.at(-1)!], scratch),
  );
}

/** As ReduceKernel, with two operands and a step for each. */
type ProductsKernel = (
  count: number,
  data: readonly TypedArray[],
  at: readonly number[],
  steps: readonly number[],
  n: number,
  step: readonly number[],
  scratch: TypedArray,
) => void;

const productsKernel = (dtype: DType): ProductsKernel =>
  kernel(`sum products ${dtype}`, () => {
    const { definitions, one } = blocked(dtype, 0, add, PRODUCTS);
    const product = scalarFunction("product", dtype, 2, (a, b) => rounded(dtype, mul(a, b)));
    return `${definitions}${product}${one}
    return (count, [out, x, y], [o, i, j], [outStep, xStep, yStep], n, [step, otherStep], scratch) => {
      for (let r = 0; r < count; r++, o += outStep, i += xStep, j += yStep)
        out[o] = one(x, i, step, y, j, otherStep, n, scratch);
    };`;
  });

/** How the elements of a row are read: `at` is the next one, and `next` goes on. */
interface Reading {
  readonly parameters: string;
  readonly at: string;
  readonly next: string;
}
const PLAIN: Reading = { parameters: "x, i, step", at: "x[i]", next: "i += step" };
const PRODUCTS: Reading = {
  parameters: "x, i, step, y, j, otherStep",
  at: "product(x[i], y[j])",
  next: "i += step, j += otherStep",
};

interface Strategy {
  readonly definitions: string;
  /** Defines `one(x, i, step, n, scratch)`: the result of one row. */
  readonly one: string;
}

const STRATEGIES: Record<ReduceOp["combine"], (dtype: DType) => Strategy> = {
  sum: (dtype) => blocked(dtype, 0, add),
  prod: (dtype) => blocked(dtype, 1, mul),
  max: (dtype) => straight(dtype, "n > 0 ? x[i] : -Infinity", max),
  min: (dtype) => straight(dtype, "x[i]", min),
  any: (dtype) => straight(dtype, "0", max),
  all: (dtype) => straight(dtype, "1", min),
  argmax: () => position(">"),
  argmin: () => position("<"),
};

/** In blocks, lanes and a tree, as the head of this file says. Partial sums lie after the lanes, higher ones first. */
const blocked = (
  dtype: DType,
  empty: number,
  combine: (a: Form, b: Form) => Form,
  { parameters, at, next } = PLAIN,
): Strategy => ({
  definitions: scalarFunction("combine", dtype, 2, (a, b) => rounded(dtype, combine(a, b))),
  one: `const one = (${parameters}, n, scratch) => {
    if (n === 0) return ${empty}${dtype === "int64" ? "n" : ""};
    let top = ${LANES};
    for (let start = 0, block = 1; start < n; start += ${BLOCK}, block++) {
      const length = Math.min(${BLOCK}, n - start);
      const lanes = Math.min(${LANES}, length);
      for (let lane = 0; lane < lanes; lane++, ${next}) scratch[lane] = ${at};
      for (let k = lanes; k < length; k++, ${next}) scratch[k % ${LANES}] = combine(scratch[k % ${LANES}], ${at});
      for (let h = ${LANES / 2}; h > 0; h >>= 1)
        for (let lane = 0; lane < h && lane + h < lanes; lane++)
          scratch[lane] = combine(scratch[lane], scratch[lane + h]);
      let sum = scratch[0];
      for (let height = block; height % 2 === 0; height /= 2) sum = combine(scratch[--top], sum);
      scratch[top++] = sum;
    }
    let sum = scratch[--top];
    while (top > ${LANES}) sum = combine(scratch[--top], sum);
    return sum;
  };`,
});

/** One after the other, from `first` on, which may be the first element. */
const straight = (dtype: DType, first: string, combine: (a: Form, b: Form) => Form): Strategy => ({
  definitions: scalarFunction("combine", dtype, 2, combine),
  one: `const one = (x, i, step, n) => {
    let result = ${first};
    for (let k = 0; k < n; k++, i += step) result = combine(result, x[i]);
    return result;
  };`,
});

/** Where the first element is that no other beats. */
const position = (beats: "<" | ">"): Strategy => ({
  definitions: "",
  one: `const one = (x, i, step, n) => {
    let best = x[i], place = 0;
    for (let k = 0; k < n && best === best; k++, i += step)
      if (x[i] ${beats} best || x[i] !== x[i]) { best = x[i]; place = k; }
    return place;
  };`,
});
