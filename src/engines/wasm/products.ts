/** A contraction as a product of matrices, and where in its result the node's elements lie. */
import type { Node } from "../../graph/node.ts";
import type { DType } from "../../tensor/dtype.ts";
import { stridesOf } from "../../tensor/tensor.ts";
import { shapeOf } from "./cost.ts";
import { GROUP } from "./lanes.ts";
import { type Matrices, type Product, packedSize, resultSize, tileOf } from "./matmul.ts";
import type { Place, Step } from "./steps.ts";

/**
 * @param factors - stacks of matrices: of m lines and of n, each of k elements that are summed
 * @param axes - how many of the node's axes make the stack, and how many the first factor's lines
 * @param fastMath - products may be fused with their sums
 */
export function productStep(
  node: Node,
  [a, b]: readonly [Place, Place],
  [shared, freeOfA]: readonly [number, number],
  newBuffer: (dtype: DType, size: number) => number,
  fastMath: boolean | undefined,
): { readonly step: Step; readonly place: Place } {
  const { dtype } = node.type;
  const [count, m, k] = a.shape as [number, number, number];
  const n = b.shape[1]!;
  const shape = shapeOf(node);
  // A row of many columns is quicker than a column of many rows; products commute.
  const isSwapped = m > n && n < GROUP * 4;
  const sizes = { batch: count, m: isSwapped ? n : m, n: isSwapped ? m : n, k };
  const matrices = ({ buffer, offset, strides: [batchStride, line, step] }: Place, isRight: boolean): Matrices => ({
    buffer,
    offset,
    batch: batchStride!,
    row: isRight ? step! : line!,
    column: isRight ? line! : step!,
  });
  const [rows, columns] = isSwapped ? [b, a] : [a, b];
  const factors = { a: matrices(rows, false), b: matrices(columns, true) };
  const tile = tileOf(dtype, sizes, fastMath);
  const c = newBuffer(dtype, resultSize(sizes, tile));
  const packed = newBuffer(dtype, packedSize(sizes, tile));
  const product: Product = { dtype, sizes, ...factors, tile, c, packed };
  const { pitch, height } = tile;
  const group = (from: number, to: number, scale: number) =>
    stridesOf(shape.slice(from, to)).map((stride) => stride * scale);
  const strides = [
    ...group(0, shared, height * pitch),
    ...group(shared, shared + freeOfA, isSwapped ? 1 : pitch),
    ...group(shared + freeOfA, shape.length, isSwapped ? pitch : 1),
  ];
  return {
    step: { kind: "product", product, node },
    place: { dtype, buffer: c, offset: 0, shape, strides },
  };
}
