/** Which nodes of a graph become arrays in memory, and which are computed where they are read. Knows ops by their kinds; no loops. */
import type { Node } from "../../graph/node.ts";
import { isConstant, valuesOf } from "../../graph/node.ts";
import type { Form } from "../../numeric/form.ts";
import { constant, fround, parameter } from "../../numeric/form.ts";
import { scalarType } from "../../ops/cast.ts";
import { type ContractAttrs, freeOf } from "../../ops/contract.ts";
import { opOf, type PointwiseOp } from "../../ops/define.ts";
import { type DType, isInt } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { FunctionCode } from "./assembler.ts";
import { elementsOf, shapeOf } from "./cost.ts";
import { operationsIn } from "./kernel.ts";
import { LAYOUT, Unvectorizable } from "./lanes.ts";
import { Vectorizer } from "./vectorize.ts";

/** One element of a pointwise node from those of its arguments, as the reference engine computes it. */
export function elementForm(node: Node, args: readonly Form[]): Form {
  const op = opOf(node) as PointwiseOp;
  const computed = node.args.at(-1)!.type.dtype;
  const form = ((computed === "float32" && op.scalar32) || op.scalar)(args, node.attrs);
  return node.type.dtype === "float32" ? fround(form) : form;
}

/** A number or a bool that every element is, or undefined. */
export function uniformValue(node: Node): Form | undefined {
  if (!isConstant(node) || elementsOf(node) !== 1) return undefined;
  const [value] = Array.from(valuesOf(node));
  const { dtype } = node.type;
  return constant(dtype === "float32" ? Math.fround(Number(value)) : value!, scalarType(dtype));
}

/** What an op costs beside an addition; undefined where there are no lanes for it. By name, dtypes and attributes. */
const costs = new Map<string, number | undefined>();

/** The operations of a pointwise node's element, or undefined where SIMD code cannot say it. */
export function operationsOf(node: Node): number | undefined {
  const op = opOf(node) as PointwiseOp;
  const dtypes: readonly DType[] = node.args.map((arg) => arg.type.dtype);
  const key = `${op.name} ${dtypes} ${node.type.dtype} ${JSON.stringify(node.attrs)}`;
  if (!costs.has(key)) costs.set(key, measure(node, dtypes));
  return costs.get(key);
}

function measure(node: Node, dtypes: readonly DType[]): number | undefined {
  if ((opOf(node) as PointwiseOp).integerGuard && isInt(dtypes.at(-1)!)) return undefined;
  const form = elementForm(
    node,
    dtypes.map((dtype, i) => parameter(i, scalarType(dtype))),
  );
  const lanes = dtypes.map((dtype) => ({ dtype, pointer: 0, stride: 1 }));
  try {
    new Vectorizer(new FunctionCode([]), lanes).value(form, LAYOUT[node.type.dtype]);
  } catch (error) {
    if (error instanceof Unvectorizable) return undefined;
    throw error;
  }
  return operationsIn([form]).length;
}

/** Where an element of a node is read, by the loop's indices: along each axis of the node a start, and a step for each of the loop. */
export type Access = readonly { readonly start: number; readonly steps: readonly number[] }[];

/** The loop is over the node itself. */
export const directly = (shape: readonly number[]): Access =>
  shape.map((_, axis) => ({ start: 0, steps: shape.map((_, loop) => (loop === axis ? 1 : 0)) }));

/** The access to an argument that is stretched to the shape that is accessed. */
export function throughStretch(access: Access, from: readonly number[], to: readonly number[]): Access {
  const added = to.length - from.length;
  return from.map((size, axis) => {
    const { start, steps } = access[axis + added]!;
    return size === to[axis + added] ? { start, steps } : { start: 0, steps: steps.map(() => 0) };
  });
}

/** The access to the argument of a movement node, or undefined where the loop's indices cannot say it. */
export function throughMovement(node: Node, access: Access): Access | undefined {
  const op = opOf(node);
  if (op.kind !== "movement") return undefined;
  const [x] = node.args as [Node];
  const numbers = (attr: string) => node.attrs[attr] as readonly number[];
  switch (op.movement) {
    case "transpose": {
      const axes = numbers("axes");
      return axes.map((_, axis) => access[axes.indexOf(axis)]!);
    }
    case "broadcast":
      return throughStretch(access, shapeOf(x), shapeOf(node));
    case "slice":
      return access.map(({ start, steps }, axis) => {
        const step = numbers("steps")[axis]!;
        return { start: numbers("starts")[axis]! + step * start, steps: steps.map((s) => s * step) };
      });
    case "reshape":
      return throughReshape(access, shapeOf(x), shapeOf(node));
    default:
      return undefined;
  }
}

/** Each axis of `from` must be one of `to`, or several that follow each other; axes of size 1 come and go. */
function throughReshape(access: Access, from: readonly number[], to: readonly number[]): Access | undefined {
  const loop = access[0]?.steps.map(() => 0) ?? [];
  let next = 0;
  const result: Access[number][] = [];
  for (const size of from) {
    let [start, steps, covered] = [0, loop, 1];
    while (covered < size) {
      const part = to[next]!;
      if (size % (covered * part) !== 0) return undefined;
      const { start: s, steps: t } = access[next++]!;
      start = start * part + s;
      steps = steps.map((step, i) => step * part + t[i]!);
      covered *= part;
    }
    result.push({ start, steps });
  }
  return result;
}

/** How a node is computed. */
export type Kind =
  /** Where it is read, or in a loop of its own. */
  | "fused"
  | "reduce"
  | "contract"
  /** In loops that copy. */
  | "layout"
  /** By the reference engine. */
  | "host";

const PLAIN = { sum: true, prod: true, max: true, min: true, any: false, all: false, argmax: false, argmin: false };

export function kindOf(node: Node): Kind {
  const op = opOf(node);
  if (elementsOf(node) === 0 || node.args.some((arg) => elementsOf(arg) === 0)) return "host";
  switch (op.kind) {
    case "pointwise":
      return operationsOf(node) === undefined ? "host" : "fused";
    case "movement":
      return op.movement === "embed" || op.movement === "concat" ? "layout" : "fused";
    case "reduce": {
      const [x] = node.args as [Node];
      const { dtype } = node.type;
      const fits = PLAIN[op.combine] && x.type.dtype === dtype && dtype !== "bool";
      return fits && !(dtype === "int64" && (op.combine === "max" || op.combine === "min")) ? "reduce" : "host";
    }
    case "contract":
      if (node.type.dtype === "bool") return "host";
      return isOfVector(node) ? "reduce" : "contract";
    case "leaf":
      return uniformValue(node) ? "fused" : "host";
    default:
      return "host";
  }
}

/** Whether a contraction's result is of one row or of one column, and so in the order of sums. */
export function isOfVector(node: Node): boolean {
  const { batch, summed } = node.attrs as unknown as ContractAttrs;
  const [a, b] = node.args.map(shapeOf) as [readonly number[], readonly number[]];
  const free = freeOf(a.length, b.length, { batch, summed });
  return sizeOf(free.a.map((axis) => a[axis]!)) === 1 || sizeOf(free.b.map((axis) => b[axis]!)) === 1;
}

/** From so many operations on, a value that two loops read is computed once and kept. */
const WORTH_KEEPING = 6;
/** A loop's body has no more operations than this. */
const LARGEST_BODY = 600;

/**
 * The nodes among `nodes` (arguments first) that need memory of their own. All others are computed where they are read: movement as
 * an index, arithmetic again in each loop that reads it, but only where that is cheap.
 */
export function materialized(nodes: readonly Node[], inputs: ReadonlySet<Node>, outputs: readonly Node[]): Set<Node> {
  const kinds = new Map(nodes.map((node) => [node, inputs.has(node) ? "host" : kindOf(node)]));
  const kept = new Set<Node>(outputs);
  for (const node of nodes) if (kinds.get(node) !== "fused") kept.add(node);
  const weights = new Map<Node, number>();
  const weigh = (node: Node): number => {
    const own = opOf(node).kind === "pointwise" ? (operationsOf(node) ?? 0) : 0;
    return kept.has(node) ? 0 : own + node.args.reduce((sum, arg) => sum + (weights.get(arg) ?? 0), 0);
  };
  for (const node of nodes) {
    let weight = weigh(node);
    if (weight > LARGEST_BODY) {
      for (const arg of node.args) if (weights.get(arg)! > WORTH_KEEPING) kept.add(arg);
      for (const arg of node.args) weights.set(arg, weigh(arg));
      weight = weigh(node);
    }
    weights.set(node, weight);
  }
  /** The kept nodes that read a node, by way of nodes that are not kept. */
  const readers = new Map<Node, Set<Node>>(nodes.map((node) => [node, new Set()]));
  for (const node of nodes.toReversed()) {
    if (!kept.has(node) && readers.get(node)!.size > 1 && weights.get(node)! > WORTH_KEEPING) kept.add(node);
    const kind = kinds.get(node)!;
    for (const arg of node.args) {
      const into = readers.get(arg)!;
      for (const reader of kept.has(node) ? [node] : readers.get(node)!) into.add(reader);
      if (kept.has(arg) || isConstant(arg)) continue;
      if (kind === "host" || kind === "contract" || repeats(node, arg, weights.get(arg)!) || splits(node))
        kept.add(arg);
    }
  }
  return kept;
}

/** Whether `node` reads elements of `arg` again and again along an axis that is not the last, at a cost. */
function repeats(node: Node, arg: Node, weight: number): boolean {
  if (weight <= WORTH_KEEPING) return false;
  const kind = opOf(node).kind;
  if (kind === "contract") return node.args.some((other) => elementsOf(other) > elementsOf(arg));
  if (elementsOf(node) <= elementsOf(arg) || (shapeOf(arg).at(-1) ?? 1) === 1) return false;
  return kind === "pointwise" || kind === "movement";
}

/** Whether a reshape takes an axis apart, which an index into its argument cannot say. */
function splits(node: Node): boolean {
  const op = opOf(node);
  return op.kind === "movement" && op.movement === "reshape" && !throughMovement(node, directly(shapeOf(node)));
}
