/** Ops that fold axes away, in the one order of summation that ARCHITECTURE.md states. */
import { type Attrs, type Node, OpError, type TensorType } from "../graph/node.ts";
import { type Dim, productOf } from "../tensor/dim.ts";
import type { DType } from "../tensor/dtype.ts";
import { normalizeAxes, normalizeAxis } from "./broadcast.ts";
import { axesParam, axisParam, boolParam, define, type FunctionRow, type ReduceOp, tensorParam } from "./define.ts";
import { stopGradient } from "./identity.ts";
import { flatten, keepAxes, permute, relabel, stretch } from "./movement.ts";
import { div, eq, mul, scale, where } from "./pointwise.ts";
import { cast, castTo } from "./promote.ts";
import { cumprod } from "./scan.ts";

type Combine = ReduceOp["combine"];
const axesOf = (attrs: Attrs) => attrs["axes"] as number[];

/** What tells reductions apart. */
interface Traits {
  /** The result's dtype, from that of the elements. */
  readonly result: (x: Pick<TensorType, "dtype" | "weak">) => DType;
  readonly grad?: ReduceOp["grad"];
  /** Of no elements there is no result. */
  readonly needsElement?: true;
  /** The result is the place of an element: never a literal, and of no axes still a place. */
  readonly isPlace?: true;
  /** Only of bools. */
  readonly takesBools?: true;
  /** Only of numbers: what to write of bools. */
  readonly ofBools?: Combine;
}

function reduceOp(combine: Combine, { result, isPlace, grad }: Traits): ReduceOp {
  return {
    kind: "reduce",
    name: combine,
    combine,
    infer: ([x], attrs) => ({
      dtype: result(x!),
      shape: x!.shape.filter((_, i) => !axesOf(attrs).includes(i)),
      weak: x!.weak && !isPlace,
    }),
    ...(grad ? { grad } : {}),
  };
}

const same: Traits["result"] = ({ dtype }) => dtype;
/** Bools are counted in int32, literal ones exactly, as literal ints are. */
const counted: Traits["result"] = ({ dtype, weak }) => (dtype !== "bool" ? dtype : weak ? "int64" : "int32");
const place = (): DType => "int32";

/** Back to the shape before reduction. */
const unreduce = (y: Node, x: Node, axes: readonly number[]): Node =>
  stretch(keepAxes(y, x.type.shape, axes), x.type.shape);

/** Ties share the cotangent evenly. */
const shareAmongTies: ReduceOp["grad"] = ({ args: [x], out, ct, attrs }) => {
  const axes = axesOf(attrs);
  const chosen = eq(x!, unreduce(out, x!, axes));
  const share = div(ct, cast(reduce("sum", chosen, axes), ct.type.dtype));
  return [where(chosen, unreduce(share, x!, axes), 0)];
};

/** The product of the others, exact with zeros: the products before and after each element. */
const productOfOthers: ReduceOp["grad"] = ({ args: [x], ct, attrs }) => {
  const axes = axesOf(attrs);
  const kept = x!.type.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const flat = relabel(permute(x!, order), [
    ...kept.map((i) => x!.type.shape[i]!),
    productOf(axes.map((i) => x!.type.shape[i]!)),
  ]);
  const last = kept.length;
  const others = mul(cumprod(flat, last, { exclusive: true }), cumprod(flat, last, { exclusive: true, reverse: true }));
  const unflat = permute(
    relabel(
      others,
      order.map((i) => x!.type.shape[i]!),
    ),
    order.map((_, i) => order.indexOf(i)),
  );
  return [scale(unreduce(ct, x!, axes), unflat)];
};

const TRAITS: Readonly<Record<Combine, Traits>> = {
  sum: { result: counted, grad: ({ args: [x], ct, attrs }) => [unreduce(ct, x!, axesOf(attrs))] },
  prod: { result: counted, grad: productOfOthers },
  max: { result: same, needsElement: true, ofBools: "any", grad: shareAmongTies },
  min: { result: same, needsElement: true, ofBools: "all", grad: shareAmongTies },
  any: { result: same, takesBools: true },
  all: { result: same, takesBools: true },
  argmax: { result: place, needsElement: true, isPlace: true },
  argmin: { result: place, needsElement: true, isPlace: true },
};
const OPS = Object.fromEntries(
  Object.entries(TRAITS).map(([combine, traits]) => [combine, reduceOp(combine as Combine, traits)]),
) as Record<Combine, ReduceOp>;

/** Folds `axes` (normalized, ascending) of x away; nothing to fold is the value in the result's dtype. */
export function reduce(combine: Combine, x: Node, axes: readonly number[]): Node {
  const { result, needsElement, isPlace } = TRAITS[combine];
  if (needsElement && axes.length > 0)
    x.graph.require(
      productOf(axes.map((i) => x.type.shape[i]!)),
      ">=",
      1,
      `${combine} needs at least one element; the size of what it reduces`,
      { arg: 0 },
    );
  if (axes.length === 0 && !isPlace) return castTo(x, { dtype: result(x.type), weak: x.type.weak });
  return x.graph.apply(OPS[combine], [x], { axes });
}

/** For the prelude, which shifts by it: nothing needs an element, and of none it is -inf. No derivative flows. */
export const top = define({
  name: "_top",
  family: "reductions",
  params: { x: tensorParam(), axis: axesParam("all", "all") },
  doc: "The largest of floats along axes, which are kept.",
  examples: [],
  build: ({ x, axis }) => {
    const axes = normalizeAxes(axis, x.type.shape.length);
    return keepAxes(stopGradient(x.graph.apply(OPS.max, [x], { axes })), x.type.shape, axes);
  },
});

/** Sums axes away where a cotangent was stretched, so that it has `shape`: the one undoing of broadcasting. */
export function sumToShape(x: Node, shape: readonly Dim[]): Node {
  const extra = x.type.shape.length - shape.length;
  const axes = x.type.shape.flatMap((d, i) => (i < extra || (shape[i - extra] === 1 && d !== 1) ? [i] : []));
  return relabel(axes.length === 0 ? x : x.graph.apply(OPS.sum, [x], { axes }), shape);
}

/** Refuses elements that a reduction does not take. */
function requireElements(name: Combine, { type: { dtype, weak } }: Node): void {
  const { takesBools, ofBools } = TRAITS[name];
  if (takesBools && dtype !== "bool")
    throw new OpError(`${name} takes bools, not ${weak ? "numbers" : dtype}`, {
      code: "dtype",
      arg: 0,
      help: "compare first: `x != 0`",
    });
  if (ofBools && dtype === "bool")
    throw new OpError(`${name} takes numbers, not bools`, {
      code: "dtype",
      arg: 0,
      help: `of bools write \`${ofBools}\``,
    });
}

function reduction(name: Combine, doc: string, examples: readonly string[]): FunctionRow {
  return define({
    name,
    family: "reductions",
    params: { x: tensorParam(), axis: axesParam("all", "all"), keepdims: boolParam("false", false) },
    doc,
    examples,
    build: ({ x, axis, keepdims }) => {
      const axes = normalizeAxes(axis, x.type.shape.length);
      requireElements(name, x);
      const result = reduce(name, x, axes);
      return keepdims ? keepAxes(result, x.type.shape, axes) : result;
    },
  });
}

export const sum = reduction("sum", "Adds up elements, pairwise in blocks.", [
  "sum([[1, 2], [3, 4]], axis=0) == [4, 6]",
  "sum([true, true]) == 2",
]);
export const prod = reduction("prod", "Multiplies elements.", ["prod([2, 3, 4]) == 24", "prod([]) == 1"]);
export const max = reduction("max", "The largest element; nan if there is one.", ["max([1, 3, 2]) == 3"]);
export const min = reduction("min", "The smallest element; nan if there is one.", ["min([1, 3, 2]) == 1"]);
export const any = reduction("any", "Whether some element is true.", ["any([false, true])"]);
export const all = reduction("all", "Whether every element is true.", ["not all([false, true])"]);

function position(name: "argmax" | "argmin", doc: string, examples: readonly string[]): FunctionRow {
  return define({
    name,
    family: "reductions",
    params: { x: tensorParam(), axis: axisParam("flat", undefined), keepdims: boolParam("false", false) },
    doc,
    examples,
    build: ({ x, axis, keepdims }) => {
      if (axis !== undefined) {
        const at = normalizeAxis(axis, x.type.shape.length);
        const found = reduce(name, x, [at]);
        return keepdims ? keepAxes(found, x.type.shape, [at]) : found;
      }
      const found = reduce(name, flatten(x), [0]);
      return keepdims
        ? relabel(
            found,
            x.type.shape.map(() => 1),
          )
        : found;
    },
  });
}
export const argmax = position("argmax", "Where the largest element is: the first of ties.", [
  "argmax([1, 3, 3]) == 1",
]);
export const argmin = position("argmin", "Where the smallest element is: the first of ties.", [
  "argmin([[3, 1], [0, 2]], axis=1) == [1, 0]",
]);
