/** Ops along one axis: scans, gathers, scatters, sorts. */
import type { Node } from "../../graph/node.ts";
import type { OrderOp } from "../../ops/define.ts";
import type { IndexAttrs } from "../../ops/indexing.ts";
import type { ScanAttrs } from "../../ops/scan.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Builder, boolAttribute, type Register, typeAttribute } from "./builder.ts";
import type { Outcome } from "./plan.ts";
import { anyOf } from "./reduce.ts";

/** The node's value. */
export function order(node: Node, op: OrderOp, args: readonly Register[], b: Builder): Outcome {
  const [x, indices, updates] = args as [Register, Register, Register];
  const { axis, fromStart = false } = node.attrs as unknown as IndexAttrs;
  switch (op.order) {
    case "cumsum":
      return { result: scan(b, "Cumsum", x, node.attrs as unknown as ScanAttrs) };
    case "cumprod":
      return { result: scan(b, "Cumprod", x, node.attrs as unknown as ScanAttrs) };
    case "recurrence":
      return { result: recurrence(b, x, indices, node.attrs as unknown as ScanAttrs) };
    case "take":
      return take(b, x, positions(b, indices, x.shape[axis]!, fromStart), axis);
    case "take_along_axis":
      return takeAlong(b, x, positions(b, indices, x.shape[axis]!, fromStart), axis);
    case "scatter_add":
      return scatterAdd(b, x, positions(b, flat(b, indices), x.shape[axis]!, fromStart), updates, axis);
    case "scatter_along_axis":
      return scatterAlong(b, x, positions(b, indices, x.shape[axis]!, fromStart), updates, axis);
    case "sort":
      return { result: takeAt(b, x, sortedPositions(b, x, axis, node.attrs["descending"] as boolean), axis) };
    case "argsort":
      return { result: sortedPositions(b, x, axis, node.attrs["descending"] as boolean) };
    default:
      return op.order satisfies never;
  }
}

const scan = (b: Builder, op: string, x: Register, { axis, exclusive, reverse }: ScanAttrs): Register =>
  b.call(op, [x, b.scalar("int32", axis)], x, [
    boolAttribute("exclusive", exclusive),
    boolAttribute("reverse", reverse),
  ]);

/**
 * y[i] = c[i] + a[i] · y[i - 1] by doubling (Hillis and Steele 1986): after k rounds, c holds the sums of the 2^k elements up to
 * each place, and a the products of their factors.
 */
function recurrence(b: Builder, x: Register, y: Register, { axis, reverse }: ScanAttrs): Register {
  const { shape } = x;
  const n = shape[axis]!;
  const at = <T>(value: T, others: T) => shape.map((_, i) => (i === axis ? value : others));
  const sizes = (size: number) => shape.map((all, i) => (i === axis ? size : all));
  const ones = at(1, 1);
  /** Each element where the one is that lies `by` after it, `fill` where there is none before. */
  const moved = (of: Register, by: number, fill: number): Register => {
    const kept = b.slice(of, at(reverse ? by : 0, 0), sizes(n - by), ones);
    const filler = b.stretch(b.scalar(of.dtype, fill), sizes(by));
    return b.concat(reverse ? [kept, filler] : [filler, kept], axis, shape);
  };
  let [factors, sums] = [x, y];
  for (let by = 1; by < n; by *= 2) {
    // a sum of 0 stays 0, though the factor be infinite
    sums = b.map("AddV2", [sums, b.map("MulNoNan", [factors, moved(sums, by, 0)])]);
    if (by * 2 < n) factors = b.map("Mul", [factors, moved(factors, by, 1)]);
  }
  return sums;
}

interface Positions {
  readonly at: Register;
  readonly wrong: Register;
}

/** Indices counted from the start, as all of them are already where `fromStart`, and whether one of them is out of range. */
function positions(b: Builder, indices: Register, size: number, fromStart: boolean): Positions {
  const isNegative = b.map("Less", [indices, b.scalar("int32", 0)], "bool");
  const fromEnd = () => b.map("SelectV2", [isNegative, b.map("AddV2", [indices, b.scalar("int32", size)]), indices]);
  const at = fromStart ? indices : fromEnd();
  const isBelow = b.map("Less", [at, b.scalar("int32", 0)], "bool");
  const isAbove = b.map("GreaterEqual", [at, b.scalar("int32", size)], "bool");
  return { at, wrong: anyOf(b, b.map("LogicalOr", [isBelow, isAbove])) };
}

const gather = (b: Builder, x: Register, at: Register, axis: number): Register => {
  const shape = [...x.shape.slice(0, axis), ...at.shape, ...x.shape.slice(axis + 1)];
  return b.call("GatherV2", [x, at, b.scalar("int32", axis)], { dtype: x.dtype, shape });
};

function take(b: Builder, x: Register, { at, wrong }: Positions, axis: number): Outcome {
  return { result: gather(b, x, at, axis), wrong };
}

/** x's axes before the one that is indexed, that one, and those after it, as three. */
const folded = ({ shape }: Register, axis: number): [outer: number, size: number, inner: number] => [
  sizeOf(shape.slice(0, axis)),
  shape[axis]!,
  sizeOf(shape.slice(axis + 1)),
];

/** 0, `step`, 2 · `step` … along the first of `rank` axes. */
function ramp(b: Builder, size: number, step: number, rank: number): Register {
  const limits = [0, size * step, step].map((value) => b.scalar("int32", value));
  const numbers = b.call("Range", limits, { dtype: "int32", shape: [size] });
  return b.reshape(numbers, [size, ...Array.from({ length: rank - 1 }, () => 1)]);
}

/** Of each position along an axis of x the place among all of x's elements, laid out flat. */
function flatPlaces(b: Builder, x: Register, at: Register, axis: number): Register {
  const [outer, size, inner] = folded(x, axis);
  const middle = b.reshape(at, [outer, at.shape[axis]!, inner]);
  const within = b.map("AddV2", [b.map("Mul", [middle, b.scalar("int32", inner)]), ramp(b, inner, 1, 1)]);
  return b.map("AddV2", [within, ramp(b, outer, size * inner, 3)]);
}

/** For each position along an axis the element of x there. */
function takeAt(b: Builder, x: Register, at: Register, axis: number): Register {
  const places = flatPlaces(b, x, at, axis);
  const taken = gather(b, b.reshape(x, [sizeOf(x.shape)]), b.reshape(places, [sizeOf(places.shape)]), 0);
  return b.reshape(taken, at.shape);
}

function takeAlong(b: Builder, x: Register, { at, wrong }: Positions, axis: number): Outcome {
  return { result: takeAt(b, x, at, axis), wrong };
}

function scatterAlong(b: Builder, x: Register, { at, wrong }: Positions, updates: Register, axis: number): Outcome {
  return { result: added(b, x, [sizeOf(x.shape)], flatPlaces(b, x, at, axis), updates), wrong };
}

const flat = (b: Builder, x: Register): Register => b.reshape(x, [sizeOf(x.shape)]);

/** The rows of updates are added to rows of x, counted through all axes before the indexed one. */
function scatterAdd(b: Builder, x: Register, { at, wrong }: Positions, updates: Register, axis: number): Outcome {
  const [outer, size, inner] = folded(x, axis);
  const places = b.map("AddV2", [at, ramp(b, outer, size, 2)]);
  return { result: added(b, x, [outer * size, inner], places, updates), wrong };
}

/** x, as `rows`, with updates added at places among them. */
function added(b: Builder, x: Register, rows: readonly number[], places: Register, updates: Register): Register {
  const count = sizeOf(places.shape);
  const whole = b.reshape(x, rows);
  const inputs = [whole, b.reshape(places, [count, 1]), b.reshape(updates, [count, ...rows.slice(1)])];
  return b.reshape(b.call("TensorScatterAdd", inputs, whole), x.shape);
}

/**
 * The positions that sort along an axis: stable, NaN last. TopKV2 puts the largest first and the lower index first among equals,
 * so what it sorts are ints whose order is the opposite of the one wanted.
 */
function sortedPositions(b: Builder, x: Register, axis: number, descending: boolean): Register {
  const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const keys = b.transpose(sortKeys(b, x, descending), [...others, axis]);
  const n = x.shape[axis]!;
  const [, places] = b.calls("TopKV2", [keys, b.scalar("int32", n)], [keys, keys], [boolAttribute("sorted", true)]);
  return b.transpose(
    places!,
    x.shape.map((_, i) => (i === axis ? others.length : others.indexOf(i))),
  );
}

const SMALLEST = -(2 ** 31);

/** Ints that are larger the earlier an element comes. */
function sortKeys(b: Builder, x: Register, descending: boolean): Register {
  const opposite = (keys: Register) => (descending ? keys : b.map("Sub", [b.scalar("int32", -1), keys]));
  if (x.dtype !== "float32") return opposite(b.cast(x, "int32"));
  // adding 0 makes -0 of one kind with 0; the bits of floats above 0 are in their order, those below in the opposite one
  const bits = b.call("Bitcast", [b.map("AddV2", [x, b.scalar("float32", 0)])], { dtype: "int32", shape: x.shape }, [
    typeAttribute("type", "int32"),
  ]);
  const isNegative = b.map("Less", [bits, b.scalar("int32", 0)], "bool");
  const ordered = b.map("SelectV2", [isNegative, b.map("Sub", [b.scalar("int32", SMALLEST), bits]), bits]);
  return b.map("SelectV2", [b.map("IsNan", [x], "bool"), b.scalar("int32", SMALLEST), opposite(ordered)]);
}
