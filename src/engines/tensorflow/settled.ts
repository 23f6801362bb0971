/** What of a graph hangs on no data, and is computed by the reference engine before TensorFlow computes the rest. */
import type { Node } from "../../graph/node.ts";
import { opOf } from "../../ops/define.ts";
import { inputOp } from "../../ops/leaf.ts";
import { broadcastOp } from "../../ops/movement.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { CompileOptions } from "../engine.ts";
import { copied } from "../reference/copy.ts";
import { nodeValue } from "../reference/evaluate.ts";
import { refuseNewNaN } from "../reference/trap.ts";
import { type View, zerosView } from "../reference/view.ts";

/** What TensorFlow's addon can hand over. */
const DTYPES: readonly string[] = ["bool", "int32", "float32"];
export const isHeld = (node: Node): boolean => DTYPES.includes(node.type.dtype);
export const shapeOf = (node: Node): readonly number[] => node.type.shape as readonly number[];
/** Whether a node reads or adds at positions that its second argument holds. */
export function readsIndices(node: Node): boolean {
  const op = opOf(node);
  return op.kind === "order" && /^(take|scatter)/.test(op.order);
}

/** A slice of an axis without elements may be said to have -1. */
const isEmpty = (node: Node): boolean => sizeOf(shapeOf(node)) <= 0;

/** Whether a node has no elements, and nothing that its arguments hold can be wrong with it, as an index can. */
export function isVoid(node: Node): boolean {
  return isEmpty(node) && !(readsIndices(node) && !isEmpty(node.args[1]!));
}

/** Larger values that hang on no data, and what is made of them, are computed by TensorFlow, where it can. */
const MOST_SETTLED = 1024;

/** The nodes that are computed beforehand: what has no elements and, of what hangs on no data, what is small or not for TensorFlow. */
export function settledNodes(nodes: readonly Node[]): ReadonlySet<Node> {
  /** Nodes that hang on no data. */
  const known = new Set<Node>();
  const settled = new Set<Node>();
  for (const node of nodes) {
    const { op, args } = node;
    if (!isVoid(node) && (op === inputOp || !args.every((arg) => known.has(arg)))) continue;
    known.add(node);
    const isForOthers = !isHeld(node) || args.length === 0 || args.some((arg) => !isHeld(arg) || isEmpty(arg));
    const isSmall = op !== broadcastOp && sizeOf(shapeOf(node)) <= MOST_SETTLED;
    if (isVoid(node) || isForOthers || (isSmall && args.every((arg) => settled.has(arg)))) settled.add(node);
  }
  return settled;
}

/** The values of settled nodes. Throws EvaluationError. */
export function settledValues(nodes: readonly Node[], { trap }: CompileOptions): Tensor[] {
  const values = new Map<Node, View>();
  for (const node of neededBy(nodes)) {
    const args = node.args.map((arg) => values.get(arg)!);
    const value = isVoid(node) ? zerosView(node.type.dtype, shapeOf(node)) : nodeValue(node, args);
    if (trap && !isVoid(node)) refuseNewNaN(node, () => args, value);
    values.set(node, value);
  }
  return nodes.map((node) => {
    const { dtype, shape, data } = copied(values.get(node)!);
    return { dtype, shape, data };
  });
}

/** The nodes that take part in the values, arguments first: what is void needs none. */
function neededBy(nodes: readonly Node[]): Node[] {
  const needed = new Set(nodes);
  for (const node of needed) if (!isVoid(node)) for (const arg of node.args) needed.add(arg);
  return [...needed].sort((a, b) => a.id - b.id);
}
