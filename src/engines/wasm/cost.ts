/** What a graph costs, to tell whether code pays: all of this engine that small programs load. Knows ops by their kinds. */
import { ancestors, type Node } from "../../graph/node.ts";
import type { ContractAttrs } from "../../ops/contract.ts";
import { opOf } from "../../ops/define.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { ConcreteGraph } from "../engine.ts";

export const shapeOf = (node: Node): readonly number[] => node.type.shape as readonly number[];
export const elementsOf = (node: Node): number => sizeOf(shapeOf(node));

/** What a graph costs, about, in nanoseconds of the reference engine's loops. */
export function costOf(graph: ConcreteGraph): number {
  return ancestors(graph.outputs).reduce((sum, node) => sum + nodeCost(node), 0);
}

function nodeCost(node: Node): number {
  const op = opOf(node);
  if (op.kind === "contract") {
    const [a] = node.args as [Node];
    const { summed } = node.attrs as unknown as ContractAttrs;
    return elementsOf(node) * sizeOf(summed.map(([axis]) => shapeOf(a)[axis]!));
  }
  if (op.kind === "reduce") return elementsOf(node.args[0]!) * 2;
  if (op.kind === "pointwise") return elementsOf(node) * (op.operands === "float" ? 30 : 4);
  if (op.kind === "linalg") return elementsOf(node.args[0]!) * shapeOf(node.args[0]!).at(-1)! * 2;
  return elementsOf(node);
}
