/** Reading and adding at positions that a tensor names: take, scatter_add, and the two along an axis. */
import type { Node } from "../../graph/node.ts";
import { add } from "../../numeric/form.ts";
import type { OrderOp } from "../../ops/define.ts";
import type { IndexAttrs } from "../../ops/indexing.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { EvaluationError } from "../engine.ts";
import { contiguous, copied, elementsOf } from "./copy.ts";
import { kernel, rounded, scalarFunction } from "./kernel.ts";
import { placeOf, type View, zerosView } from "./view.ts";

/**
 * Goes through `part`, (outer, count, inner) in C order. Each element goes with the one of `whole`, (outer, size, inner),
 * at the same place but for the position along the middle axis.
 */
type IndexKernel = (
  sizes: readonly [outer: number, count: number, inner: number, size: number],
  positions: Int32Array,
  part: TypedArray,
  partOffset: number,
  whole: TypedArray,
  wholeOffset: number,
) => void;

type Gather = Extract<OrderOp["order"], "take" | "take_along_axis">;
type Scatter = Extract<OrderOp["order"], "scatter_add" | "scatter_along_axis">;
type Direction = "gather" | "scatter";

/** take: the indices' axes stand for the indexed one. take_along_axis: an index for each element. */
export function gather(node: Node, name: Gather, [x, indices]: readonly View[]): View {
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  go("gather", node, name === "take_along_axis", indices!, out, contiguous(x!));
  return out;
}

/** x with updates added; equal indices add up in the row-major order of the updates. */
export function scatterAdd(node: Node, name: Scatter, [x, indices, updates]: readonly View[]): View {
  const out = copied(x!);
  go("scatter", node, name === "scatter_along_axis", indices!, contiguous(updates!), out);
  return out;
}

function go(direction: Direction, node: Node, along: boolean, indices: View, part: View, whole: View) {
  const axis = node.attrs["axis"] as number;
  const size = whole.shape[axis]!;
  const count = along ? indices.shape[axis]! : sizeOf(indices.shape);
  const [outer, inner] = [sizeOf(whole.shape.slice(0, axis)), sizeOf(whole.shape.slice(axis + 1))];
  const positions = positionsOf(node, along, indices, size);
  const run = indexKernel(direction, along, whole.dtype);
  run([outer, count, inner, size], positions, part.data, part.offset, whole.data, whole.offset);
}

/** The indices in C order, counted from the start. Throws EvaluationError for one out of range. */
function positionsOf(node: Node, along: boolean, indices: View, size: number): Int32Array {
  const { fromStart } = node.attrs as unknown as IndexAttrs;
  // labels were given an axis for the classes
  const given = along && fromStart ? indices.shape.slice(0, -1) : indices.shape;
  const elements = elementsOf(indices);
  const positions = new Int32Array(elements.length);
  for (let i = 0; i < positions.length; i++) {
    const index = Number(elements[i]);
    const position = index < 0 && !fromStart ? index + size : index;
    if (!(position >= 0 && position < size)) outOfRange(node, elements[i]!, placeOf(i, given), size);
    positions[i] = position;
  }
  return positions;
}

function outOfRange(node: Node, index: number | bigint, place: string, size: number): never {
  const { fromStart } = node.attrs as unknown as IndexAttrs;
  throw new EvaluationError(
    node,
    `index ${index}${place} is out of range for an axis of size ${size}`,
    size === 0 ? "an axis of size 0 has no elements" : `indices go from ${fromStart ? 0 : -size} to ${size - 1}`,
    1,
  );
}

const indexKernel = (direction: Direction, along: boolean, dtype: DType): IndexKernel =>
  kernel(
    `${direction} ${along} ${dtype}`,
    () => `${scalarFunction("sum", dtype, 2, (a, b) => rounded(dtype, add(a, b)))}
    return ([outer, count, inner, size], positions, part, i, whole, start) => {
      let at = 0;
      for (let u = 0; u < outer; u++)
        for (let p = 0; p < count; p++)
          for (let t = 0; t < inner; t++, i++) {
            const w = start + (u * size + positions[${along ? "at++" : "p"}]) * inner + t;
            ${direction === "gather" ? "part[i] = whole[w];" : "whole[w] = sum(whole[w], part[i]);"}
          }
    };`,
  );
