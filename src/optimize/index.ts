/** Concrete graph → a better one with the same values: products in the cheapest order, exact rewrites, no dead code. */
import { ancestors, type Node } from "../graph/node.ts";
import { continuesChain, reorderChain } from "./chain.ts";
import { rewriteNode, type Step } from "./rewrite.ts";

export type { Step } from "./rewrite.ts";

export interface Optimized {
  readonly outputs: readonly Node[];
  /** The node before optimizing that a new one stands for. */
  readonly origin: (node: Node) => Node | undefined;
}

type Improve = (before: Node, now: Node) => Node;

/** What `outputs` need, made better. Dead code goes by itself: only what is needed is looked at. */
export function optimize(outputs: readonly Node[], trace: (step: Step) => void = () => {}): Optimized {
  const origins = new Map<Node, Node>();
  const pass = (roots: readonly Node[], improve: Improve): Node[] => {
    const successors = new Map<Node, Node>();
    for (const node of ancestors(roots)) {
      const now = improve(
        node,
        withArguments(
          node,
          node.args.map((a) => successors.get(a)!),
        ),
      );
      successors.set(node, now);
      if (now !== node && !origins.has(now)) origins.set(now, origins.get(node) ?? node);
    }
    return roots.map((root) => successors.get(root)!);
  };
  const ordered = pass(outputs, chainOrder(outputs, trace));
  return { outputs: pass(ordered, (_, now) => rewriteNode(now, trace)), origin: (node) => origins.get(node) };
}

const withArguments = (node: Node, args: readonly Node[]): Node =>
  args.every((a, i) => a === node.args[i]) ? node : node.graph.apply(node.op, args, node.attrs);

/** Reorders chains of products where they end; a product that is used twice, or is an output, ends one. */
function chainOrder(outputs: readonly Node[], trace: (step: Step) => void): Improve {
  /** The one node that uses another; undefined where there are more, or where it is an output. */
  const soleUser = new Map<Node, Node | undefined>(outputs.map((o) => [o, undefined]));
  for (const node of ancestors(outputs)) for (const a of node.args) soleUser.set(a, soleUser.has(a) ? undefined : node);
  const shared = new Set<Node>();
  return (before, now) => {
    const user = soleUser.get(before);
    const isInner = user !== undefined && continuesChain(before, user);
    const best = isInner ? undefined : reorderChain(now, (x) => shared.has(x));
    if (best) trace({ rule: "matmul-order", before: now, after: best });
    if (!user) shared.add(best ?? now);
    return best ?? now;
  };
}
