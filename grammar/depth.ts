/** Refuses trees too deep to be walked by recursion, however few brackets they have; knows nodes only as plain data. */
import { fail, type Span } from "../src/source.ts";

/** How deep a statement's tree may be. The left operands of a long sum or product do not count: who walks them iterates. */
export const MAX_DEPTH = 1000;

interface Node {
  readonly kind?: string;
  readonly span?: Span;
}
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/**
 * Measures a tree made from so many tokens.
 * @throws TsymError at the node that lies too deep
 */
export function checkDepth(tree: Node, tokens: number): void {
  if (tokens < MAX_DEPTH) return; // every level takes a token
  const stack: [Node, number][] = [[tree, 0]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [node, depth] = top;
    if (depth > MAX_DEPTH && node.span) {
      fail("nesting", `operators nest deeper than ${MAX_DEPTH}`, {
        labels: [{ span: node.span, text: "" }],
        help: "bind an inner part to a name of its own",
      });
    }
    for (const [key, child] of Object.entries(node)) {
      if (!isNode(child) || key.endsWith("pan")) continue;
      const same = Array.isArray(child) || (node.kind === "binary" && key === "left");
      stack.push([child, same ? depth : depth + 1]);
    }
  }
}
