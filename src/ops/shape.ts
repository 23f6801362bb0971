/** The functions that rearrange elements: what programs call, said with the movement ops. */
import { type Node, OpError, ParameterError } from "../graph/node.ts";
import {
  addDims,
  type Dim,
  floorDivDims,
  isKnown,
  maxDims,
  minDims,
  mulDims,
  positivePart,
  productOf,
  showRank,
  showShape,
  subDims,
} from "../tensor/dim.ts";
import { normalizeAxes, normalizeAxis, oneAxis } from "./broadcast.ts";
import {
  axesParam,
  axisParam,
  define,
  dimParam,
  intParam,
  intsParam,
  optional,
  shapeParam,
  tensorParam,
  tensorsParam,
  widthsParam,
} from "./define.ts";
import { dimNode, requireSize } from "./leaf.ts";
import {
  broadcastTo,
  concat,
  diagonalOfLast,
  embed,
  expandDims,
  permute,
  relabel,
  reshapeTo,
  sliceAxis,
  stackNodes,
  stretch,
} from "./movement.ts";
import { where } from "./pointwise.ts";
import { unify } from "./promote.ts";
import { asNumber } from "./static.ts";

export const reshape = define({
  name: "reshape",
  family: "shape",
  params: { x: tensorParam(), shape: shapeParam() },
  doc: "The same elements, in row-major order, under another shape; one size may be -1.",
  examples: ["reshape([1, 2, 3, 4], [2, -1]) == [[1, 2], [3, 4]]"],
  specimen: "input x[n, m]; reshape(x, [m, n])",
  build: ({ x, shape }) => reshapeTo(x, shape),
});

export const transpose = define({
  name: "transpose",
  family: "shape",
  params: { x: tensorParam(), axes: intsParam("reversed", []) },
  doc: "The axes in another order, reversed if none is given.",
  examples: ["transpose([[1, 2], [3, 4]]) == [[1, 3], [2, 4]]", "transpose([[[1, 2]]], [2, 0, 1]) == [[[1]], [[2]]]"],
  build: ({ x, axes }) => {
    const rank = x.type.shape.length;
    if (axes.length === 0)
      return permute(
        x,
        x.type.shape.map((_, i) => rank - 1 - i),
      );
    const order = axes.map((a) => normalizeAxis(a, rank, "axes"));
    if (order.length !== rank || new Set(order).size !== rank)
      throw new ParameterError("axes", `must name each of x's ${showRank(rank)} once, not [${axes.join(", ")}]`, {
        code: "axis",
      });
    return permute(x, order);
  },
});

export const expand_dims = define({
  name: "expand_dims",
  family: "shape",
  params: { x: tensorParam(), axis: axesParam() },
  doc: "Inserts axes of size 1, at these places of the result.",
  examples: ["expand_dims([1, 2], 1) == [[1], [2]]"],
  specimen: "input x[n, m]; expand_dims(x, 1)",
  build: ({ x, axis }) => {
    const axes = axis === "all" ? [] : axis;
    return expandDims(x, normalizeAxes(axes, x.type.shape.length + axes.length));
  },
});

export const squeeze = define({
  name: "squeeze",
  family: "shape",
  params: { x: tensorParam(), axis: axesParam("every axis of size 1", "all") },
  doc: "Drops axes of size 1: those named, or every one known to be 1.",
  examples: ["squeeze([[1, 2]]) == [1, 2]"],
  specimen: "input x[n, 1]; squeeze(x)",
  build: ({ x, axis }) => {
    const { shape } = x.type;
    const gone = axis === "all" ? shape.flatMap((d, i) => (d === 1 ? [i] : [])) : normalizeAxes(axis, shape.length);
    for (const i of gone) {
      const size = shape[i]!;
      if (isKnown(size) && size !== 1)
        throw new ParameterError("axis", `names axis ${i}, whose size is ${size}, not 1`, { code: "shape" });
      x.graph.require(size, "=", 1, "squeeze drops axes of size 1; the sizes", { arg: "axis" });
    }
    return relabel(
      x,
      shape.filter((_, i) => !gone.includes(i)),
    );
  },
});

export const broadcast_to = define({
  name: "broadcast_to",
  family: "shape",
  params: { x: tensorParam(), shape: shapeParam() },
  doc: "Stretches dims of 1, and adds leading ones, to reach a shape.",
  examples: ["broadcast_to([1, 2], [2, 2]) == [[1, 2], [1, 2]]"],
  specimen: "input x[n, 1]; broadcast_to(x, [n, 3])",
  build: ({ x, shape }) => broadcastTo(x, shape),
});

export const concatRow = define({
  name: "concat",
  family: "shape",
  params: { xs: tensorsParam(), axis: axisParam("0", 0) },
  doc: "Joins tensors along an axis they have.",
  examples: ["concat([[1, 2], [3]]) == [1, 2, 3]"],
  specimen: "input x[n, k], y[m, k]; concat([x, y])",
  build: ({ xs, axis }) => {
    const items = unify(xs);
    const rank = items[0]!.type.shape.length;
    for (const [arg, x] of items.entries()) {
      if (x.type.shape.length === 0)
        throw new OpError("concat joins along an axis, and a scalar has none", { arg, help: "`stack` joins scalars" });
      if (x.type.shape.length !== rank)
        throw new OpError(
          `concat joins tensors with the same number of axes, not ${showShape(items[0]!.type.shape)} and ${showShape(x.type.shape)}`,
          { arg },
        );
    }
    return concat(items, normalizeAxis(axis ?? 0, rank));
  },
});

export const stack = define({
  name: "stack",
  family: "shape",
  params: { xs: tensorsParam(), axis: axisParam("0", 0) },
  doc: "Joins tensors of one shape along a new axis.",
  examples: ["stack([[1, 2], [3, 4]], axis=1) == [[1, 3], [2, 4]]"],
  specimen: "input x[n, m], y[n, m]; stack([x, y])",
  build: ({ xs, axis }) => stackNodes(xs, axis ?? 0),
});

export const flip = define({
  name: "flip",
  family: "shape",
  params: { x: tensorParam(), axis: axesParam("all", "all") },
  doc: "Reverses the order along axes.",
  examples: ["flip([1, 2, 3]) == [3, 2, 1]"],
  build: ({ x, axis }) =>
    normalizeAxes(axis, x.type.shape.length).reduce(
      (y, a) => sliceAxis(y, a, addDims(x.type.shape[a]!, -1), x.type.shape[a]!, -1),
      x,
    ),
});

export const roll = define({
  name: "roll",
  family: "shape",
  params: { x: tensorParam(), shift: intsParam(), axis: axesParam("its only axis", "all") },
  doc: "Moves elements by `shift` places along axes, those that fall off the end to the start.",
  examples: ["roll([1, 2, 3, 4], 1) == [4, 1, 2, 3]", "roll([[1, 2], [3, 4]], [1, -1], [0, 1]) == [[4, 3], [2, 1]]"],
  specimen: "input x[4]; roll(x, 1)",
  build: ({ x, shift, axis }) => {
    const rank = x.type.shape.length;
    const axes = axis === "all" ? [oneAxis(undefined, rank, "roll")] : axis.map((a) => normalizeAxis(a, rank));
    if (shift.length !== axes.length && shift.length !== 1)
      throw new OpError(`roll needs one shift, or one for each axis: ${shift.length} for ${axes.length}`, {
        arg: "shift",
      });
    return axes.reduce((y, a, i) => rollAxis(y, a, shift[i] ?? shift[0]!), x);
  },
});

/** The last `by` elements along an axis come before the others; of a negative `by`, the first come after them. */
function rollAxis(x: Node, axis: number, by: number): Node {
  const size = x.type.shape[axis]!;
  const atLeastOne = maxDims(size, 1);
  const moved = subDims(Math.abs(by), mulDims(atLeastOne, floorDivDims(Math.abs(by), atLeastOne)));
  const cut = by > 0 ? subDims(size, moved) : moved;
  const rest = subDims(size, cut);
  return cut === 0 || rest === 0 ? x : concat([sliceAxis(x, axis, cut, rest), sliceAxis(x, axis, 0, cut)], axis);
}

export const pad = define({
  name: "pad",
  family: "shape",
  params: { x: tensorParam(), widths: widthsParam(), value: optional(tensorParam, "0") },
  doc: "Adds elements [before, after] each axis; one pair serves every axis.",
  examples: ["pad([1, 2], [[1, 2]]) == [0, 1, 2, 0, 0]", "pad([[1]], [[0, 1], [1, 0]], value=7) == [[7, 1], [7, 7]]"],
  specimen: "input x[n, m]; pad(x, [[1, 2], [0, 3]])",
  build: ({ x, widths, value }, graph) => {
    const { shape } = x.type;
    if (widths.length !== shape.length && widths.length !== 1)
      throw new OpError(`pad needs a pair of widths for each axis: ${widths.length} for shape ${showShape(shape)}`, {
        arg: "widths",
        help: `write ${shape.length === 1 ? "one pair" : `${shape.length} pairs`}: [${shape.map(() => "[before, after]").join(", ")}]`,
      });
    if (widths.flat().some((w) => isKnown(w) && w < 0))
      throw new OpError("pad adds elements: widths must be ≥ 0", { arg: "widths", help: "a slice drops some: x[1:]" });
    const pairs = shape.map((_, i) => (widths[i] ?? widths[0]!).map((w) => requireSize(graph, w, "widths")));
    const starts = pairs.map(([before]) => before!);
    const padded = shape.map((d, i) => pairs[i]!.reduce(addDims, d));
    const place = (y: Node) => embed(y, padded, starts);
    if (value === undefined || asNumber(value) === 0) return place(x);
    if (value.type.shape.length > 0) throw new ParameterError("value", "must be a scalar", { code: "shape" });
    const inside = graph.constant({ dtype: "bool", shape: [], weak: true }, [true]);
    return where(place(stretch(inside, shape)), place(x), value);
  },
});

export const diagonal = define({
  name: "diagonal",
  family: "shape",
  params: { x: tensorParam(), offset: intParam("0", 0) },
  doc: "The diagonal of the last two axes, `offset` columns to the right of the main one (to the left if negative).",
  examples: ["diagonal([[1, 2], [3, 4]]) == [1, 4]", "diagonal([[1, 2], [3, 4]], -1) == [3]"],
  build: ({ x, offset }) => {
    const [rows, columns] = x.type.shape.slice(-2);
    if (columns === undefined)
      throw new OpError("a diagonal needs at least two axes", { arg: 0, help: "diag(v) makes a matrix of a vector" });
    const [down, right] = [Math.max(-offset, 0), Math.max(offset, 0)];
    const count = positivePart(minDims(subDims(rows!, down), subDims(columns, right)));
    return diagonalOfLast(x, count, right, down);
  },
});

export const diag = define({
  name: "diag",
  family: "shape",
  params: { v: tensorParam() },
  doc: "The matrix with a vector on its diagonal, zeros elsewhere.",
  examples: ["diag([1, 2]) == [[1, 0], [0, 2]]"],
  specimen: "input v[n]; diag(v)",
  build: ({ v: x }) => {
    const [n, ...more] = x.type.shape;
    if (n === undefined || more.length > 0)
      throw new OpError(`diag takes a vector, not shape ${showShape(x.type.shape)}`, {
        arg: 0,
        help: more.length === 1 ? "diagonal(x) takes the diagonal of a matrix" : undefined,
      });
    return relabel(embed(x, [mulDims(n, n)], [0], [addDims(n, 1)]), [n, n]);
  },
});

export const tile = define({
  name: "tile",
  family: "shape",
  params: { x: tensorParam(), reps: shapeParam() },
  doc: "Repeats the whole tensor along each axis; missing reps are 1, missing axes are added in front.",
  examples: ["tile([1, 2], [2]) == [1, 2, 1, 2]"],
  specimen: "input x[n, m]; tile(x, [2, 3])",
  build: ({ x, reps }) => {
    const rank = Math.max(x.type.shape.length, reps.length);
    const pad = <T>(list: readonly T[], one: T) => [...Array.from({ length: rank - list.length }, () => one), ...list];
    const [shape, times] = [pad<Dim>(x.type.shape, 1), pad<Dim>(reps, 1)];
    const between = relabel(
      x,
      shape.flatMap((d) => [1, d]),
    );
    return relabel(
      stretch(
        between,
        shape.flatMap((d, i) => [requireSize(x.graph, times[i]!, "reps"), d]),
      ),
      shape.map((d, i) => mulDims(d, times[i]!)),
    );
  },
});

export const repeat = define({
  name: "repeat",
  family: "shape",
  params: { x: tensorParam(), n: dimParam(), axis: axisParam("its only axis", undefined) },
  doc: "Repeats each element n times along an axis.",
  examples: ["repeat([1, 2], 2) == [1, 1, 2, 2]"],
  specimen: "input x[n, m]; repeat(x, 2, axis=0)",
  build: ({ x, n, axis }) => {
    const { shape } = x.type;
    const at = oneAxis(axis, shape.length, "repeat");
    requireSize(x.graph, n, "n");
    const between = expandDims(x, [at + 1]);
    const stretched = stretch(
      between,
      between.type.shape.map((d, i) => (i === at + 1 ? n : d)),
    );
    return relabel(
      stretched,
      shape.map((d, i) => (i === at ? mulDims(d, n) : d)),
    );
  },
});

export const size = define({
  name: "size",
  family: "shape",
  params: { x: tensorParam(), axis: axesParam("all", "all") },
  doc: "The number of elements along axes: a weak int, known like a dim.",
  examples: ["size([[1, 2, 3]]) == 3", "size([[1, 2, 3]], 0) == 1"],
  build: ({ x, axis }, graph) =>
    dimNode(graph, productOf(normalizeAxes(axis, x.type.shape.length).map((a) => x.type.shape[a]!))),
});
