/** Running sums and products along an axis, and the recurrence that differentiates them. */
import type { Node, TensorType } from "../graph/node.ts";
import { addDims, type Dim } from "../tensor/dim.ts";
import { oneAxis } from "./broadcast.ts";
import { axisParam, define, type OrderOp, tensorParam } from "./define.ts";
import { embed, sliceAxis } from "./movement.ts";
import { scale } from "./pointwise.ts";
import { castTo } from "./promote.ts";

export interface ScanAttrs {
  readonly axis: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
  /** Each result leaves its own element out. */
  readonly exclusive: boolean;
}
type ScanOptions = { readonly reverse?: boolean; readonly exclusive?: boolean };
const scanAttrs = (attrs: unknown) => attrs as ScanAttrs;
const first = ([x]: readonly TensorType[]): TensorType => x!;

const cumsumOp: OrderOp = {
  kind: "order",
  order: "cumsum",
  name: "cumsum",
  infer: first,
  grad: ({ ct, attrs }) => {
    const { axis, reverse, exclusive } = scanAttrs(attrs);
    return [cumsum(ct, axis, { reverse: !reverse, exclusive })];
  },
};
const cumprodOp: OrderOp = {
  kind: "order",
  order: "cumprod",
  name: "cumprod",
  infer: first,
  // The products before each element times a backward recurrence over those after it: exact with zeros.
  grad: ({ args: [x], ct, attrs }) => {
    const { axis, reverse, exclusive } = scanAttrs(attrs);
    const before = cumprod(x!, axis, { reverse, exclusive: true });
    const after = exclusive
      ? shift(recurrence(x!, ct, axis, !reverse), axis, reverse ? -1 : 1)
      : recurrence(shift(x!, axis, reverse ? -1 : 1), ct, axis, !reverse);
    return [scale(after, before)];
  },
};
/** y[i] = b[i] + a[i] · y[i - 1] (y[i + 1] in reverse), from 0: the scan whose special cases are cumsum and cumprod's gradient. */
const recurrenceOp: OrderOp = {
  kind: "order",
  order: "recurrence",
  name: "recurrence",
  infer: first,
  grad: ({ args: [a], out, ct, attrs }) => {
    const { axis, reverse } = scanAttrs(attrs);
    const flow = recurrence(shift(a!, axis, reverse ? -1 : 1), ct, axis, !reverse);
    return [scale(flow, shift(out, axis, reverse ? 1 : -1)), flow];
  },
};
const scan = (
  op: OrderOp,
  args: readonly Node[],
  axis: number,
  { reverse = false, exclusive = false }: ScanOptions,
): Node => args[0]!.graph.apply(op, args, { axis, reverse, exclusive });
export const cumsum = (x: Node, axis: number, options: ScanOptions = {}): Node => scan(cumsumOp, [x], axis, options);
export const cumprod = (x: Node, axis: number, options: ScanOptions = {}): Node => scan(cumprodOp, [x], axis, options);
const recurrence = (a: Node, b: Node, axis: number, reverse: boolean): Node =>
  scan(recurrenceOp, [a, b], axis, { reverse });

/** y[i] = x[i + by] along an axis (by is ±1), 0 past the end. */
function shift(x: Node, axis: number, by: 1 | -1): Node {
  const { shape } = x.type;
  const rest = addDims(shape[axis]!, -1);
  const starts = shape.map<Dim>((_, i) => (i === axis && by < 0 ? 1 : 0));
  return embed(sliceAxis(x, axis, by > 0 ? 1 : 0, rest), shape, starts);
}

/** Running sums and products of bool are counted in int32. */
export const counted = (x: Node): Node => {
  const { dtype, weak } = x.type;
  return dtype === "bool" ? castTo(x, { dtype: weak ? "int64" : "int32", weak }) : x;
};

const scanParams = { x: tensorParam(), axis: axisParam("its only axis", undefined) };
export const cumsumRow = define({
  name: "cumsum",
  family: "reductions",
  params: scanParams,
  doc: "Running sums along an axis.",
  examples: ["cumsum([1, 2, 3]) == [1, 3, 6]"],
  specimen: "input x[n, m]; cumsum(x, axis=1)",
  build: ({ x, axis }) => cumsum(counted(x), oneAxis(axis, x.type.shape.length, "cumsum")),
});
export const cumprodRow = define({
  name: "cumprod",
  family: "reductions",
  params: scanParams,
  doc: "Running products along an axis.",
  examples: ["cumprod([1, 2, 3]) == [1, 2, 6]"],
  specimen: "input x[n, m]; cumprod(x, axis=1)",
  build: ({ x, axis }) => cumprod(counted(x), oneAxis(axis, x.type.shape.length, "cumprod")),
});
