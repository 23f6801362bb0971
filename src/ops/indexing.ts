/** Reading and adding at positions that a tensor holds: take, scatter_add, the two along an axis, sums of segments. */
import { type Attrs, type Node, OpError, ParameterError } from "../graph/node.ts";
import { type Dim, isKnown, showDim, showShape } from "../tensor/dim.ts";
import { isInt } from "../tensor/dtype.ts";
import { normalizeAxis, oneAxis } from "./broadcast.ts";
import { axisParam, define, dimParam, type OrderOp, tensorParam } from "./define.ts";
import { lastIndex, requireSize } from "./leaf.ts";
import { expandDims, stretch, zerosLike } from "./movement.ts";
import { castTo, lift, strong, unify } from "./promote.ts";
import { counted } from "./scan.ts";
import { asDims } from "./static.ts";

/** Index values, the argument of `param`, as an int tensor: weak ones as int32 (int64 if they do not fit). */
export function indexNode(i: Node, param = "indices"): Node {
  const index = strong(i);
  if (!isInt(index.type.dtype))
    throw new ParameterError(param, `must be ints, not ${index.type.dtype}`, {
      code: "dtype",
      help: "write `astype(…, int32)`",
    });
  return index;
}

/** How the positions along an axis are counted that an argument holds. */
export interface IndexAttrs {
  readonly axis: number;
  /** Whether negative ones are wrong; otherwise they count from the end. */
  readonly fromStart?: boolean;
}
/** An id or a class is no position: none is negative. */
const byId = (axis: number): Attrs & IndexAttrs => ({ axis, fromStart: true });

/**
 * Requires the indices that are known without data to be in range of an axis whose size is, negative ones too unless they are ids.
 * `arg` is whose they are.
 */
export function requireInRange(indices: Node, size: Dim, arg: string | number, { fromStart = false } = {}): void {
  if (!isKnown(size)) return;
  const least = fromStart ? 0 : -size;
  const wrong = asDims(indices)?.values.find((i) => isKnown(i) && (i < least || i >= size));
  if (wrong === undefined) return;
  throw outOfRange(wrong, size, arg, least);
}

/** The mistake of an index that is not in `least` ≤ index < size. */
export const outOfRange = (index: Dim, size: Dim, arg: string | number, least: Dim): OpError =>
  new OpError(`index ${showDim(index)} is out of range for an axis of size ${showDim(size)}`, {
    code: "index",
    arg,
    help: size === 0 ? undefined : `indices go from ${showDim(least)} to ${showDim(lastIndex(size))}`,
  });

/** attrs: IndexAttrs: the indices' axes take the place of the indexed one. */
const takeOp: OrderOp = {
  kind: "order",
  order: "take",
  name: "take",
  infer: ([x, indices], attrs) => {
    const axis = attrs["axis"] as number;
    return {
      dtype: x!.dtype,
      shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
      weak: x!.weak,
    };
  },
  grad: ({ args: [x, indices], ct, attrs }) => [
    x!.graph.apply(scatterAddOp, [zerosLike(x!), indices!, ct], attrs),
    null,
  ],
};
/** attrs: IndexAttrs: x with updates added at the indices; equal indices add up, in order. */
const scatterAddOp: OrderOp = {
  kind: "order",
  order: "scatter_add",
  name: "scatter_add",
  infer: ([x]) => x!,
  grad: ({ args: [, indices], ct, attrs }) => [ct, null, ct.graph.apply(takeOp, [ct, indices!], attrs)],
};
const takeAlongOp: OrderOp = {
  kind: "order",
  order: "take_along_axis",
  name: "take_along_axis",
  infer: ([x, indices]) => ({ ...x!, shape: indices!.shape }),
  grad: ({ args: [x, indices], ct, attrs }) => [
    x!.graph.apply(scatterAlongOp, [zerosLike(x!), indices!, ct], attrs),
    null,
  ],
};
export const scatterAlongOp: OrderOp = {
  kind: "order",
  order: "scatter_along_axis",
  name: "scatter_along_axis",
  infer: ([x]) => x!,
  grad: ({ args: [, indices], ct, attrs }) => [ct, null, ct.graph.apply(takeAlongOp, [ct, indices!], attrs)],
};
export const take = (x: Node, indices: Node, axis: number): Node => x.graph.apply(takeOp, [x, indices], { axis });
export const scatterAdd = (x: Node, indices: Node, updates: Node, axis: number): Node =>
  x.graph.apply(scatterAddOp, [x, indices, updates], { axis });
export const takeAlong = (x: Node, indices: Node, axis: number): Node =>
  x.graph.apply(takeAlongOp, [x, indices], { axis });

export const takeRow = define({
  name: "take",
  family: "shape",
  params: { x: tensorParam(), indices: tensorParam(), axis: axisParam("0", 0) },
  doc: "The slices at these positions along an axis; negative ones count from the end.",
  examples: ["take([10, 20, 30], [2, -3]) == [30, 10]"],
  specimen: "input x[n, m], indices[k]: int32; take(x, indices)",
  build: ({ x, indices, axis }) => {
    const { shape } = x.type;
    const at = normalizeAxis(axis ?? 0, shape.length);
    requireInRange(indices, shape[at]!, "indices");
    return take(x, indexNode(indices), at);
  },
});

export const takeAlongRow = define({
  name: "take_along_axis",
  family: "shape",
  params: { x: tensorParam(), indices: tensorParam(), axis: axisParam("its only axis", undefined) },
  doc: "For each place of `indices`, the element of x there with its position along the axis replaced by the index.",
  examples: ["take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1) == [[2], [3]]"],
  specimen: "input x[n, m], indices[n, k]: int32; take_along_axis(x, indices, axis=1)",
  build: ({ x, indices, axis }) => {
    const { shape } = x.type;
    const at = oneAxis(axis, shape.length, "take_along_axis");
    const index = indexNode(indices);
    requireInRange(indices, shape[at]!, "indices");
    return alongAxis(x, index, { axis: at });
  },
});

/** take_along_axis, once x and index are stretched to each other along the other axes. */
function alongAxis(x: Node, index: Node, attrs: Attrs & IndexAttrs): Node {
  const { shape } = x.type;
  if (index.type.shape.length !== shape.length)
    throw new OpError(
      `take_along_axis needs indices of x's rank: ${showShape(index.type.shape)} against ${showShape(shape)}`,
      { arg: "indices" },
    );
  const common = shape.map((d, i): Dim => {
    const other = index.type.shape[i]!;
    if (i === attrs.axis || other === 1) return d;
    if (d !== 1) x.graph.require(d, "=", other, `sizes along axis ${i}`, { arg: "indices" });
    return other;
  });
  const pick = (own: readonly Dim[]) => common.map((d, i) => (i === attrs.axis ? own[i]! : d));
  return x.graph.apply(takeAlongOp, [stretch(x, pick(shape)), stretch(index, pick(index.type.shape))], attrs);
}

/** For the prelude: softmax_cross_entropy's. */
export const ofClass = define({
  name: "_of_class",
  family: "learning",
  params: { x: tensorParam(), labels: tensorParam() },
  doc: "For each label the element of x that it is the number of, along the last axis, which stays.",
  examples: [],
  build: ({ x, labels }) => {
    const [last, rank] = [x.type.shape.length - 1, labels.type.shape.length];
    if (rank !== last)
      throw new OpError(
        `a label takes the place of the classes, so labels have one axis fewer: ${showShape(labels.type.shape)} against ${showShape(x.type.shape)}`,
        { arg: 1 },
      );
    requireInRange(labels, x.type.shape[last]!, 1, { fromStart: true });
    return alongAxis(x, expandDims(indexNode(labels, "labels"), [rank]), byId(last));
  },
});

export const scatterAddRow = define({
  name: "scatter_add",
  family: "shape",
  params: { x: tensorParam(), indices: tensorParam(), updates: tensorParam(), axis: axisParam("0", 0) },
  doc: "x with updates added at these positions along an axis: the transpose of take. Equal indices add up.",
  examples: ["scatter_add([0, 0, 0], [1, 1], [2, 3]) == [0, 5, 0]"],
  specimen: "input x[n, m], indices[k]: int32, updates[k, m]; scatter_add(x, indices, updates)",
  build: ({ x, indices, updates, axis }) => {
    const [a, u] = unify([x, updates]) as [Node, Node];
    if (a.type.dtype === "bool")
      throw new ParameterError("x", "must be numbers, not bools", {
        code: "dtype",
        help: "to count them write `astype(…, int32)`",
      });
    const index = indexNode(indices);
    const at = normalizeAxis(axis ?? 0, a.type.shape.length);
    requireInRange(indices, a.type.shape[at]!, "indices");
    const wanted = [...a.type.shape.slice(0, at), ...index.type.shape, ...a.type.shape.slice(at + 1)];
    return scatterAdd(a, index, stretchUpdates(u, wanted), at);
  },
});

function stretchUpdates(u: Node, wanted: readonly Dim[]): Node {
  if (u.type.shape.length > wanted.length)
    throw new ParameterError("updates", `must have shape ${showShape(wanted)}, not ${showShape(u.type.shape)}`, {
      code: "shape",
    });
  const offset = wanted.length - u.type.shape.length;
  for (const [i, d] of u.type.shape.entries())
    if (d !== 1)
      u.graph.require(d, "=", wanted[offset + i]!, "sizes of updates and of what the indices take", { arg: "updates" });
  return stretch(u, wanted);
}

export const segment_sum = define({
  name: "segment_sum",
  family: "shape",
  params: { x: tensorParam(), ids: tensorParam(), n: dimParam() },
  doc: "Sums the rows of x that share an id, into n rows.",
  examples: ["segment_sum([1, 2, 3], [0, 1, 0], 2) == [4, 2]"],
  specimen: "input x[n, m], ids[n]: int32; segment_sum(x, ids, 3)",
  build: ({ x, ids, n }) => {
    const rows = counted(x);
    const index = indexNode(ids, "ids");
    if (rows.type.shape.length === 0 || index.type.shape.length !== 1)
      throw new OpError(
        `segment_sum takes rows and one id a row, got ${showShape(rows.type.shape)} and ${showShape(index.type.shape)}`,
        { arg: "ids" },
      );
    rows.graph.require(rows.type.shape[0]!, "=", index.type.shape[0]!, "numbers of rows and ids", { arg: "ids" });
    requireInRange(ids, n, "ids", { fromStart: true });
    const zero = stretch(castTo(lift(0, rows.graph), rows.type), [
      requireSize(rows.graph, n, "n"),
      ...rows.type.shape.slice(1),
    ]);
    return zero.graph.apply(scatterAddOp, [zero, index, rows], byId(0));
  },
});
