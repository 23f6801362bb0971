/** Ops that only say where each element is read from. Engines fold them into the reader's index. */
import { type Node, OpError, type TensorType } from "../graph/node.ts";
import {
  addDims,
  cancelFactors,
  type Dim,
  divideExactly,
  floorDivDims,
  isKnown,
  mulDims,
  positivePart,
  productOf,
  sameDim,
  showShape,
  subDims,
  sumOf,
} from "../tensor/dim.ts";
import { normalizeAxis } from "./broadcast.ts";
import type { MovementOp } from "./define.ts";
import { requireSize } from "./leaf.ts";
import { cast, lift, unify } from "./promote.ts";

const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((d, i) => sameDim(d, b[i]!));
const withShape = (t: TensorType, shape: readonly Dim[]): TensorType => ({ ...t, shape });

/** attrs: { shape } of as many elements. */
export const reshapeOp: MovementOp = {
  kind: "movement",
  movement: "reshape",
  name: "reshape",
  infer: ([x], attrs) => withShape(x!, attrs["shape"] as Dim[]),
  grad: ({ args: [x], ct }) => [relabel(ct, x!.type.shape)],
};
/** The same elements under a shape that is known to hold as many. */
export function relabel(x: Node, shape: readonly Dim[]): Node {
  const from = x.op === reshapeOp ? x.args[0]! : x;
  return sameShape(from.type.shape, shape) ? from : x.graph.apply(reshapeOp, [from], { shape });
}

/** Row-major reshape to sizes of which one may be -1. */
export function reshapeTo(x: Node, sizes: readonly Dim[]): Node {
  const { graph } = x;
  const total = productOf(x.type.shape);
  const open = sizes.flatMap((d, i) => (d === -1 ? [i] : []));
  if (open.length > 1) throw new OpError("reshape can work out one -1, not two", { arg: "shape" });
  const known = productOf(sizes.filter((d) => d !== -1));
  for (const d of sizes) if (d !== -1) requireSize(graph, d, "shape");
  const from = `${showShape(x.type.shape)} to ${showShape(sizes)}`;
  if (open.length === 0) {
    graph.require(total, "=", known, `the numbers of elements on reshaping ${from}`, { arg: "shape" });
    return relabel(x, sizes);
  }
  if (known === 0) throw new OpError(`reshape cannot work out -1 beside a size of 0 (${from})`, { arg: "shape" });
  const [whole, parts] = cancelFactors(total, known);
  if (divideExactly(whole, parts) === undefined)
    graph.require(parts, "divides", whole, `the sizes on reshaping ${from}`, { arg: "shape" });
  return relabel(
    x,
    sizes.map((d) => (d === -1 ? floorDivDims(whole, parts) : d)),
  );
}

/** attrs: { axes }: axis i of the result is axis axes[i] of x. */
export const transposeOp: MovementOp = {
  kind: "movement",
  movement: "transpose",
  name: "transpose",
  infer: ([x], attrs) =>
    withShape(
      x!,
      (attrs["axes"] as number[]).map((a) => x!.shape[a]!),
    ),
  grad: ({ ct, attrs }) => {
    const axes = attrs["axes"] as number[];
    return [
      permute(
        ct,
        axes.map((_, i) => axes.indexOf(i)),
      ),
    ];
  },
};
export function permute(x: Node, axes: readonly number[]): Node {
  if (axes.every((a, i) => a === i)) return x;
  if (x.op !== transposeOp) return x.graph.apply(transposeOp, [x], { axes });
  const inner = x.attrs["axes"] as number[];
  return permute(
    x.args[0]!,
    axes.map((a) => inner[a]!),
  );
}

/** x with one axis moved; the others keep their order. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const axes = x.type.shape.map((_, i) => i).filter((i) => i !== from);
  axes.splice(to, 0, from);
  return permute(x, axes);
}

/** attrs: { shape }: x's dims aligned right, each the same or 1. */
export const broadcastOp: MovementOp = {
  kind: "movement",
  movement: "broadcast",
  name: "broadcast_to",
  infer: ([x], attrs) => withShape(x!, attrs["shape"] as Dim[]),
  // autodiff sums the stretched axes
  grad: ({ ct }) => [ct],
};
export function stretch(x: Node, shape: readonly Dim[]): Node {
  if (sameShape(x.type.shape, shape)) return x;
  return x.graph.apply(broadcastOp, [x.op === broadcastOp ? x.args[0]! : x], { shape });
}

/** Broadcasts to a shape, checking that it is one x stretches to. */
export function broadcastTo(x: Node, shape: readonly Dim[]): Node {
  const { graph } = x;
  for (const d of shape) requireSize(graph, d, "shape");
  const offset = shape.length - x.type.shape.length;
  for (const [i, d] of x.type.shape.entries()) {
    const wanted = shape[i + offset];
    const never = wanted === undefined || (d !== 1 && isKnown(d) && isKnown(wanted) && d !== wanted);
    if (never)
      throw new OpError(`${showShape(x.type.shape)} does not broadcast to ${showShape(shape)}`, { arg: "shape" });
    if (d !== 1) graph.require(d, "=", wanted, `broadcast_to: sizes along axis ${i}`, { arg: "shape" });
  }
  return stretch(x, shape);
}

export interface SliceAttrs {
  /** The first element read, per axis. */
  readonly starts: readonly Dim[];
  /** How many are read, per axis: the shape of the result. */
  readonly sizes: readonly Dim[];
  /** From one to the next, per axis; negative reads backwards. */
  readonly steps: readonly Dim[];
}
/** attrs: SliceAttrs, all in range. */
export const sliceOp: MovementOp = {
  kind: "movement",
  movement: "slice",
  name: "slice",
  infer: ([x], attrs) => withShape(x!, attrs["sizes"] as Dim[]),
  grad: ({ args: [x], ct, attrs }) => [embed(ct, x!.type.shape, attrs["starts"] as Dim[], attrs["steps"] as Dim[])],
};
export const slice = (x: Node, { starts, sizes, steps }: SliceAttrs): Node =>
  sameShape(x.type.shape, sizes) && steps.every((s) => s === 1)
    ? x
    : x.graph.apply(sliceOp, [x], { starts, sizes, steps });

/** The elements start, start + step … of one axis, the others whole. */
export function sliceAxis(x: Node, axis: number, start: Dim, size: Dim, step: Dim = 1): Node {
  const at = <T>(value: T, others: (i: number) => T) => x.type.shape.map((_, i) => (i === axis ? value : others(i)));
  return slice(x, {
    starts: at<Dim>(start, () => 0),
    sizes: at(size, (i) => x.type.shape[i]!),
    steps: at<Dim>(step, () => 1),
  });
}

/** attrs: { shape, starts, steps }: zeros of `shape` with x at the places that a slice with these attrs reads. */
export const embedOp: MovementOp = {
  kind: "movement",
  movement: "embed",
  name: "embed",
  infer: ([x], attrs) => withShape(x!, attrs["shape"] as Dim[]),
  grad: ({ args: [x], ct, attrs }) => [
    slice(ct, { starts: attrs["starts"] as Dim[], sizes: x!.type.shape, steps: attrs["steps"] as Dim[] }),
  ],
};
export const embed = (
  x: Node,
  shape: readonly Dim[],
  starts: readonly Dim[],
  steps: readonly Dim[] = starts.map(() => 1),
): Node =>
  sameShape(x.type.shape, shape) && steps.every((s) => s === 1)
    ? x
    : x.graph.apply(embedOp, [x], { shape, starts, steps });

/** attrs: { axis }; arguments equal in dtype and in every other axis. */
export const concatOp: MovementOp = {
  kind: "movement",
  movement: "concat",
  name: "concat",
  infer: (xs, attrs, graph) => {
    const axis = attrs["axis"] as number;
    const [first] = xs as [TensorType];
    const shape = first.shape.map((_, i) => {
      if (i === axis) return sumOf(xs.map((x) => x.shape[i]!));
      for (const [arg, x] of xs.entries())
        graph.require(first.shape[i]!, "=", x.shape[i]!, `sizes along axis ${i}`, { arg });
      return (xs.find((x) => isKnown(x.shape[i]!)) ?? first).shape[i]!;
    });
    return { dtype: first.dtype, shape, weak: xs.every((x) => x.weak) };
  },
  grad: ({ args, ct, attrs }) => {
    const axis = attrs["axis"] as number;
    let start: Dim = 0;
    return args.map((x) => {
      const size = x.type.shape[axis]!;
      const part = sliceAxis(ct, axis, start, size);
      start = addDims(start, size);
      return part;
    });
  },
};
export const concat = (xs: readonly Node[], axis: number): Node =>
  xs.length === 1 ? xs[0]! : xs[0]!.graph.apply(concatOp, xs, { axis });

/** Inserts axes of size 1 so that they stand at `axes` (normalized, ascending) of the result. */
export function expandDims(x: Node, axes: readonly number[]): Node {
  const shape = [...x.type.shape];
  for (const axis of axes) shape.splice(axis, 0, 1);
  return relabel(x, shape);
}

/** Joins tensors along a new axis. */
export function stackNodes(xs: readonly Node[], axis: number): Node {
  if (xs.length === 0) throw new OpError("stack needs at least one tensor", { arg: 0 });
  const rank = xs[0]!.type.shape.length;
  for (const [arg, x] of xs.entries())
    if (x.type.shape.length !== rank)
      throw new OpError(
        `the items have different shapes: ${showShape(xs[0]!.type.shape)} and ${showShape(x.type.shape)}`,
        {
          arg,
        },
      );
  const at = normalizeAxis(axis, rank + 1);
  const items = unify(xs).map((x) => expandDims(x, [at]));
  for (let i = 0; i < rank; i++)
    for (const [arg, x] of xs.entries())
      xs[0]!.graph.require(xs[0]!.type.shape[i]!, "=", x.type.shape[i]!, `sizes of the items along axis ${i}`, { arg });
  return concat(items, at);
}

/** The elements whose positions along two axes of one size are the same; the result keeps the first of the two. */
export function mergeDiagonal(x: Node, i: number, j: number): Node {
  const n = x.type.shape[i]!;
  const last = x.type.shape.length - 1;
  const paired = moveAxis(moveAxis(x, i, last), j > i ? j - 1 : j, last);
  return moveAxis(diagonalOfLast(paired, n, 0), last - 1, i);
}

/** Elements [k, k + offset] of the last two axes: `count` of them, every (columns + 1)-th when laid out flat. */
export function diagonalOfLast(x: Node, count: Dim, offset: Dim, firstRow: Dim = 0): Node {
  const { shape } = x.type;
  const columns = shape.at(-1)!;
  const flat = relabel(x, [...shape.slice(0, -2), mulDims(shape.at(-2)!, columns)]);
  return sliceAxis(flat, shape.length - 2, addDims(mulDims(firstRow, columns), offset), count, addDims(columns, 1));
}

/** Swaps the last two axes. */
export function swapLast(x: Node): Node {
  const rank = x.type.shape.length;
  if (rank < 2)
    throw new OpError(`\`.mT\` needs at least two axes, and this has ${rank === 0 ? "none" : "one"}`, { arg: 0 });
  return moveAxis(x, rank - 1, rank - 2);
}

/** The number of elements that start, start + step … takes before stop, never negative. */
export const countSteps = (start: Dim, stop: Dim, step: number): Dim =>
  step > 0
    ? positivePart(floorDivDims(addDims(subDims(stop, start), step - 1), step))
    : positivePart(floorDivDims(addDims(subDims(start, stop), -step - 1), -step));

export const flatten = (x: Node): Node => relabel(x, [productOf(x.type.shape)]);
export const keepAxes = (x: Node, shape: readonly Dim[], axes: readonly number[]): Node =>
  relabel(
    x,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );

/** Zeros of x's shape and dtype. */
export const zerosLike = (x: Node): Node => fillLike(x, 0);
export const fillLike = (x: Node, value: number): Node =>
  stretch(cast(lift(value, x.graph), x.type.dtype), x.type.shape);
