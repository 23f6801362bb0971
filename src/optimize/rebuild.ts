/** Makes a graph anew, arguments first, with each node replaced as one wishes. Knows no op. */
import { ancestors, type Node } from "../graph/node.ts";

/** What stands in a node's place: `before` as it was, `now` with the arguments that stand in its arguments' places. */
export type Improve = (before: Node, now: Node) => Node;

/** What stands in the places of `roots`. */
export function rebuild(roots: readonly Node[], improve: Improve): Node[] {
  const successors = new Map<Node, Node>();
  for (const node of ancestors(roots)) {
    const args = node.args.map((a) => successors.get(a)!);
    successors.set(node, improve(node, withArguments(node, args)));
  }
  return roots.map((root) => successors.get(root)!);
}

const withArguments = (node: Node, args: readonly Node[]): Node =>
  args.every((a, i) => a === node.args[i]) ? node : node.graph.apply(node.op, args, node.attrs);
