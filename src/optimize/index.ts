/** Graph → a better one with the same values: products in the cheapest order, constants computed, exact rewrites, no dead code. */
import { ancestors, type Node } from "../graph/node.ts";
import { continuesChain, reorderChain } from "./chain.ts";
import { foldConstants } from "./fold.ts";
import { rebuild } from "./rebuild.ts";
import { rewriteNode, type Step, type TracedImprove } from "./rewrite.ts";

export type { Step } from "./rewrite.ts";

/** A step, and the node before optimizing that stood in its place. */
export interface TracedStep extends Step {
  readonly origin: Node;
}

export interface Optimized {
  readonly outputs: readonly Node[];
  /** The node before optimizing that a new one stands for. */
  readonly origin: (node: Node) => Node | undefined;
}

/**
 * What `outputs` need, made better. Dead code goes by itself: only what is needed is looked at. Sizes may be symbols: then what
 * hangs on them stays as it is.
 * @param fastMath - what is equal for real numbers may take the place of what is not so in every bit
 */
export function optimize(
  outputs: readonly Node[],
  { trace, fastMath = false }: { trace?: (step: TracedStep) => void; fastMath?: boolean | undefined } = {},
): Optimized {
  const origins = new Map<Node, Node>();
  const originOf = (node: Node): Node => origins.get(node) ?? node;
  const pass = (roots: readonly Node[], improve: TracedImprove): Node[] =>
    rebuild(roots, (node, rebuilt) => {
      const origin = originOf(node);
      const now = improve(node, rebuilt, (step) => trace?.({ ...step, origin }));
      if (now !== node && !origins.has(now)) origins.set(now, origin);
      return now;
    });
  const ordered = pass(outputs, chainOrder(outputs));
  const folded = pass(ordered, foldConstants(ordered));
  const users = soleUsers(folded);
  const shared = new Set<Node>();
  const rewritten = pass(folded, (before, now, trace) => {
    const best = rewriteNode(now, trace, fastMath ? (node) => shared.has(node) : undefined);
    if (!users.get(before)) shared.add(best);
    return best;
  });
  return { outputs: rewritten, origin: (node) => origins.get(node) };
}

/** The one node that uses another; undefined where there are more, or where it is an output. */
function soleUsers(outputs: readonly Node[]): Map<Node, Node | undefined> {
  const users = new Map<Node, Node | undefined>(outputs.map((o) => [o, undefined]));
  for (const node of ancestors(outputs)) for (const a of node.args) users.set(a, users.has(a) ? undefined : node);
  return users;
}

/** Reorders chains of products where they end; a product that is used twice, or is an output, ends one. */
function chainOrder(outputs: readonly Node[]): TracedImprove {
  const users = soleUsers(outputs);
  const shared = new Set<Node>();
  return (before, now, trace) => {
    const user = users.get(before);
    const isInner = user !== undefined && continuesChain(before, user);
    const best = isInner ? undefined : reorderChain(now, (x) => shared.has(x));
    if (best) trace({ rule: "matmul-order", before: now, after: best });
    if (!user) shared.add(best ?? now);
    return best ?? now;
  };
}
