/** Derivatives, graph to graph: they come back as nodes like any other, to be differentiated again. Knows no single op. */
import { batch } from "./batch.ts";
import { ancestors, type Node } from "./graph/node.ts";
import { opOf } from "./ops/define.ts";
import { hole } from "./ops/leaf.ts";
import { oneHotRows } from "./ops/making.ts";
import { fillLike, relabel, zerosLike } from "./ops/movement.ts";
import { add } from "./ops/pointwise.ts";
import { sumToShape } from "./ops/reduce.ts";
import { productOf } from "./tensor/dim.ts";
import { isFloat } from "./tensor/dtype.ts";

/** The nodes among `nodes` (arguments first) that depend on some x, the xs themselves included. */
export function dependents(nodes: readonly Node[], xs: readonly Node[]): Set<Node> {
  const found = new Set(xs);
  for (const node of nodes) if (node.args.some((a) => found.has(a))) found.add(node);
  return found;
}

/**
 * Reverse mode: the cotangent of each x, of x's shape and dtype, given `ct` (shape and dtype of y); null where no
 * derivative reaches it.
 */
export function vjp(y: Node, xs: readonly Node[], ct: Node): (Node | null)[] {
  const nodes = ancestors([y]);
  const active = dependents(nodes, xs);
  const cotangents = new Map<Node, Node>([[y, ct]]);
  for (const node of nodes.reverse()) {
    const own = cotangents.get(node);
    const { grad } = opOf(node);
    if (!own || !grad || !node.args.some((a) => active.has(a))) continue;
    for (const [i, part] of grad({ out: node, args: node.args, ct: own, attrs: node.attrs }).entries()) {
      const arg = node.args[i]!;
      if (!part || !active.has(arg) || !isFloat(arg.type.dtype)) continue;
      const whole = sumToShape(part, arg.type.shape);
      const known = cotangents.get(arg);
      cotangents.set(arg, known ? add(known, whole) : whole);
    }
  }
  return xs.map((x) => cotangents.get(x) ?? null);
}

/** The gradient of a scalar with respect to each x. */
export const gradients = (y: Node, xs: readonly Node[]): (Node | null)[] => vjp(y, xs, fillLike(y, 1));

/** Forward mode by transposing reverse mode twice: vjp is linear in its cotangent, so its own vjp there is the jvp. */
export function jvp(y: Node, x: Node, v: Node): Node {
  const cotangent = hole(y.graph, y.type);
  const [pulled] = vjp(y, [x], cotangent);
  const [pushed] = pulled ? vjp(pulled, [cotangent], v) : [];
  return pushed ?? zerosLike(y);
}

/** d y / d x of shape y.shape + x.shape: one vjp, batched over the unit cotangents. */
export function jacobian(y: Node, x: Node): Node | null {
  if (y.type.shape.length === 0) return gradients(y, [x])[0]!;
  const cotangent = hole(y.graph, y.type);
  const [pulled] = vjp(y, [x], cotangent);
  if (!pulled) return null;
  const units = oneHotRows(y.graph, productOf(y.type.shape), y.type.dtype);
  const rows = batch(pulled, cotangent, relabel(units, [productOf(y.type.shape), ...y.type.shape]));
  return relabel(rows, [...y.type.shape, ...x.type.shape]);
}
