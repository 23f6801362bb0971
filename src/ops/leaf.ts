/** Ops without tensor arguments: inputs, dims as numbers, index ramps, opaque cotangents. */
import type { Attrs, Graph, Node, TensorType } from "../graph/node.ts";
import { OpError } from "../graph/node.ts";
import { addDims, type Dim, isExact, isKnown } from "../tensor/dim.ts";
import type { DType } from "../tensor/dtype.ts";
import type { LeafOp } from "./define.ts";

const typeAttr = (_: unknown, attrs: Attrs) => attrs["type"] as TensorType;

/** attrs: { name, type } */
export const inputOp: LeafOp = { kind: "leaf", name: "input", infer: typeAttr };
export const input = (graph: Graph, name: string, type: TensorType): Node => graph.apply(inputOp, [], { name, type });

/** A stand-in that derivative transforms put in and take out again. attrs: { name, type } */
export const holeOp: LeafOp = { kind: "leaf", name: "hole", infer: typeAttr };
export const hole = (graph: Graph, type: TensorType): Node =>
  graph.apply(holeOp, [], { name: graph.nodes.length, type: { ...type, weak: false } });

/** A size as a weak int scalar. attrs: { dim } */
export const dimOp: LeafOp = {
  kind: "leaf",
  name: "dim",
  infer: () => ({ dtype: "int64", shape: [], weak: true }),
};
export function dimNode(graph: Graph, dim: Dim): Node {
  requireExact(dim);
  return isKnown(dim)
    ? graph.constant({ dtype: "int64", shape: [], weak: true }, [BigInt(dim)])
    : graph.apply(dimOp, [], { dim });
}

/** Sizes are counted in numbers that are exact up to 2^53 - 1. Throws OpError for more; `shown` is how it was written. */
export function requireExact(dim: Dim, shown: Dim | bigint = dim): void {
  if (!isExact(dim))
    throw new OpError(`${typeof shown === "object" ? "what the sizes make" : shown} is too large for a size`, {
      code: "range",
      help: "sizes and what is computed from them end at 2^53 - 1",
    });
}

/** 0, 1, 2 … along one axis. attrs: { size, dtype } */
export const rampOp: LeafOp = {
  kind: "leaf",
  name: "ramp",

  infer: (_, attrs) => ({ dtype: attrs["dtype"] as DType, shape: [attrs["size"] as Dim], weak: false }),
};
export const ramp = (graph: Graph, size: Dim, dtype: DType): Node => graph.apply(rampOp, [], { size, dtype });

/** Requires a size that a program computes to be ≥ 0. */
export function requireSize(graph: Graph, size: Dim, arg?: string): Dim {
  if (isKnown(size) && (size < 0 || !Number.isSafeInteger(size)))
    throw new OpError(`a size must be an integer ≥ 0, not ${size}`, { arg });
  if (!isKnown(size)) graph.require(size, ">=", 0, "a size must be ≥ 0", arg === undefined ? {} : { arg });
  return size;
}
export const lastIndex = (size: Dim): Dim => addDims(size, -1);
