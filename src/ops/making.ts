/** Tensors from nothing but sizes and numbers. */
import { type Graph, type Node, OpError, ParameterError } from "../graph/node.ts";
import { type Dim, isKnown } from "../tensor/dim.ts";
import { type DType, isInt } from "../tensor/dtype.ts";
import { type ArgsOf, define, dimParam, dtypeParam, optional, shapeParam, tensorParam } from "./define.ts";
import { indexNode } from "./indexing.ts";
import { dimNode, lastIndex, ramp, requireSize } from "./leaf.ts";
import { countSteps, expandDims, fillLike, stretch } from "./movement.ts";
import { add, div, eq, ge, le, mul, sub, where } from "./pointwise.ts";
import { cast, castTo, lift, strong } from "./promote.ts";
import { asDim, asNumber } from "./static.ts";

const dtype = dtypeParam("the default float", undefined);

/** The identity of n: n cotangents, each 1 in one place. */
export const oneHotRows = (graph: Graph, n: Dim, dtype: DType): Node => identity(graph, n, n, dtype);

/** n rows and m columns with 1 where they meet. */
const identity = (graph: Graph, n: Dim, m: Dim, dtype: DType): Node =>
  cast(eq(expandDims(ramp(graph, n, "int32"), [1]), ramp(graph, m, "int32")), dtype);

function fill(graph: Graph, shape: readonly Dim[], value: Node): Node {
  for (const d of shape) requireSize(graph, d, "shape");
  if (value.type.shape.length > 0)
    throw new ParameterError("value", "must be a scalar", { code: "shape", help: "`broadcast_to` stretches a tensor" });
  return stretch(value, shape);
}

const constantMaker = (name: string, value: number, doc: string, examples: readonly string[]) =>
  define({
    name,
    family: "making",
    params: { shape: shapeParam(), dtype },
    doc,
    examples,
    specimen: `${name}([2, 3])`,
    build: ({ shape, dtype }, graph) => fill(graph, shape, cast(lift(value, graph), dtype ?? graph.defaultFloat)),
  });
export const zeros = constantMaker("zeros", 0, "Zeros of a shape.", ["zeros([2]) == [0, 0]"]);
export const ones = constantMaker("ones", 1, "Ones of a shape.", ["ones([2], dtype=int32) == [1, 1]"]);

export const full = define({
  name: "full",
  family: "making",
  params: { shape: shapeParam(), value: tensorParam(), dtype: dtypeParam("the value's", undefined) },
  doc: "One value throughout a shape.",
  examples: ["full([2], 7) == [7, 7]"],
  specimen: "input v; full([2, 3], v)",
  build: ({ shape, value, dtype }, graph) => fill(graph, shape, dtype ? cast(value, dtype, 1) : strong(value)),
});

export const eye = define({
  name: "eye",
  family: "making",
  params: { n: dimParam(), m: optional(dimParam, "n"), dtype },
  doc: "The identity matrix of n rows and m columns.",
  examples: ["eye(2) == [[1, 0], [0, 1]]"],
  specimen: "eye(3)",
  build: ({ n, m, dtype }, graph) =>
    identity(graph, requireSize(graph, n, "n"), requireSize(graph, m ?? n, "m"), dtype ?? graph.defaultFloat),
});

const arangeParams = {
  start: optional(tensorParam, "0"),
  stop: optional(tensorParam, "start"),
  step: optional(tensorParam, "1"),
  dtype: dtypeParam("int32 of ints", undefined),
};
export const arange = define({
  name: "arange",
  family: "making",
  params: arangeParams,
  doc: "arange([start,] stop, step=1): the numbers from start (0 if left out) in steps up to, not including, stop.",
  examples: ["arange(3) == [0, 1, 2]", "arange(1, 2, 0.5) == [1, 1.5]", "arange(5, 0, -2) == [5, 3, 1]"],
  specimen: "arange(5)",
  build: (args, graph) => buildArange(args, graph),
});

function buildArange({ start, stop, step, dtype }: ArgsOf<typeof arangeParams>, graph: Graph): Node {
  const end = stop ?? start;
  if (!end) throw new OpError("arange needs stop", { code: "argument", help: "`arange(3)` is [0, 1, 2]" });
  const bounds = { start: (stop && start) ?? lift(0, graph), stop: end };
  const numbers = { ...bounds, step: step ?? lift(1, graph) };
  for (const [param, x] of Object.entries(numbers))
    if (asDim(x) === undefined && asNumber(x) === undefined)
      throw new ParameterError(stop || param === "step" ? param : "start", "must be a number known without data", {
        code: "static",
        help: "literals, dims and arithmetic on them are; sizes are divided with `//`",
      });
  if (asNumber(numbers.step) === 0) throw new ParameterError("step", "must not be 0");
  const [from, to, by] = [numbers.start, numbers.stop, numbers.step].map(asDim);
  if (from !== undefined && to !== undefined && isKnownStep(by)) {
    const wanted = dtype ?? "int32";
    const index = ramp(graph, countSteps(from, to, by), isInt(wanted) ? wanted : "float64");
    const scaled = by === 1 ? index : mul(index, by);
    return cast(from === 0 ? scaled : add(scaled, dimNode(graph, from)), wanted);
  }
  const [a, b, s] = [numbers.start, numbers.stop, numbers.step].map(asNumber);
  if (a === undefined || b === undefined || s === undefined)
    throw new OpError("arange of a dim takes int bounds and a literal step", { code: "static" });
  const wanted = dtype ?? graph.defaultFloat;
  const count = Math.max(0, Math.ceil((b - a) / s));
  if (!Number.isSafeInteger(count))
    throw new OpError(`arange from ${showNumber(a)} to ${showNumber(b)} by ${showNumber(s)} has no end`, {
      code: "arithmetic",
    });
  const index = ramp(graph, count, "float64");
  return cast(add(mul(index, s), a), wanted);
}
const showNumber = (x: number): string => String(x).replace("Infinity", "inf").replace("NaN", "nan");
const isKnownStep = (step: Dim | undefined): step is number => step !== undefined && isKnown(step);

export const linspace = define({
  name: "linspace",
  family: "making",
  params: { start: tensorParam(), stop: tensorParam(), n: dimParam(), dtype },
  doc: "n evenly spaced numbers from start to stop, both included.",
  examples: ["linspace(0, 1, 5) == [0, 0.25, 0.5, 0.75, 1]"],
  specimen: "input a, b; linspace(a, b, 5)",
  build: ({ start, stop, n, dtype }, graph) => {
    const wanted = dtype ?? graph.defaultFloat;
    const [from, to] = [start, stop].map((x) => cast(x, "float64")) as [Node, Node];
    const index = ramp(graph, requireSize(graph, n, "n"), "float64");
    if (n === 0 || n === 1) return cast(add(mul(index, 0), from), wanted);
    const last = cast(dimNode(graph, lastIndex(n)), "float64");
    const points = add(from, mul(index, div(sub(to, from), last)));
    return cast(where(eq(index, last), to, points), wanted);
  },
});

const likeMaker = (name: string, value: number, doc: string, examples: readonly string[]) =>
  define({
    name,
    family: "making",
    params: { x: tensorParam() },
    doc,
    examples,
    build: ({ x }) => fillLike(strong(x), value),
  });
export const zeros_like = likeMaker("zeros_like", 0, "Zeros of x's shape and dtype.", ["zeros_like([1, 2]) == [0, 0]"]);
export const ones_like = likeMaker("ones_like", 1, "Ones of x's shape and dtype.", ["ones_like([5, 6]) == [1, 1]"]);
export const full_like = define({
  name: "full_like",
  family: "making",
  params: { x: tensorParam(), value: tensorParam() },
  doc: "One value throughout x's shape, in x's dtype.",
  examples: ["full_like([1, 2], 7) == [7, 7]"],
  specimen: "input x[n, m], v; full_like(x, v)",
  build: ({ x, value }, graph) => fill(graph, x.type.shape, cast(value, strong(x).type.dtype)),
});

export const one_hot = define({
  name: "one_hot",
  family: "shape",
  params: { i: tensorParam(), n: dimParam(), dtype },
  doc: "A new last axis of n with a 1 at each index; an index out of range is a row of zeros.",
  examples: ["one_hot([1, 0], 2) == [[0, 1], [1, 0]]"],
  specimen: "input i[n]: int32; one_hot(i, 3)",
  build: ({ i, n, dtype }, graph) => {
    const index = indexNode(i, "i");
    const places = ramp(graph, requireSize(graph, n, "n"), index.type.dtype);
    return cast(eq(expandDims(index, [index.type.shape.length]), places), dtype ?? graph.defaultFloat);
  },
});

/** x where column - row ≤ k (keep is le) or ≥ k (ge) over the last two axes, else 0. */
export function triangle(x: Node, k: Dim, keep: (columns: Node, diagonal: Node) => Node): Node {
  const rank = x.type.shape.length;
  if (rank < 2) throw new OpError("a triangle needs at least two axes", { arg: "x" });
  const [rows, columns] = [
    ramp(x.graph, x.type.shape[rank - 2]!, "int32"),
    ramp(x.graph, x.type.shape[rank - 1]!, "int32"),
  ];
  const column = expandDims(rows, [1]);
  const diagonal = k === 0 ? column : add(column, dimNode(x.graph, k));
  return where(castTo(keep(columns, diagonal), { dtype: "bool", weak: x.type.weak }), x, 0);
}
const triangleParams = { x: tensorParam(), k: dimParam("0", 0) };
export const tril = define({
  name: "tril",
  family: "shape",
  params: triangleParams,
  doc: "The lower triangle of the last two axes, up to the k-th diagonal; zeros above.",
  examples: ["tril([[1, 2], [3, 4]]) == [[1, 0], [3, 4]]"],
  build: ({ x, k }) => triangle(x, k, le),
});
export const triu = define({
  name: "triu",
  family: "shape",
  params: triangleParams,
  doc: "The upper triangle of the last two axes, from the k-th diagonal on; zeros below.",
  examples: ["triu([[1, 2], [3, 4]]) == [[1, 2], [0, 4]]"],
  build: ({ x, k }) => triangle(x, k, ge),
});
