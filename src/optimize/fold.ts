/**
 * What hangs on no input is computed once, by the engine that says what ops mean, and is a constant from then on: a program that
 * runs on many records, or many steps, computes it no more. A small program pays nothing for it: its one run would compute the
 * same, by the same loops, which are compiled once.
 */
import { EvaluationError } from "../engines/engine.ts";
import { evaluate } from "../engines/reference/index.ts";
import { ancestors, isConstant, type Node } from "../graph/node.ts";
import { type Op, opOf } from "../ops/define.ts";
import { rampOp } from "../ops/leaf.ts";
import { isKnown, productOf } from "../tensor/dim.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TracedImprove } from "./rewrite.ts";

/**
 * Larger results, and what needs larger ones on the way, are left to the engine. So compiling takes no time to speak of
 * whatever a program makes, the key that tells constants apart in the graph stays short, and the sessions' 64 compiled
 * programs hold little.
 */
const MOST_ELEMENTS = 1024;

/** Views cost no engine anything, while their elements written out would take memory. */
const VIEWS: ReadonlySet<string> = new Set(["reshape", "transpose", "broadcast", "slice"]);
const isView = (op: Op): boolean => op.kind === "movement" && VIEWS.has(op.movement);

/** Replaces what can be folded and is needed by `roots` or by what cannot. */
export function foldConstants(roots: readonly Node[]): TracedImprove {
  const known = new Set<Node>();
  /** Known nodes that take computing. */
  const computed = new Set<Node>();
  const wanted = new Set(roots);
  for (const node of ancestors(roots)) {
    if (isFoldable(node) && node.args.every((a) => known.has(a))) {
      known.add(node);
      const op = opOf(node);
      if (op.kind !== "leaf" && (!isView(op) || node.args.some((a) => computed.has(a)))) computed.add(node);
    } else for (const a of node.args) wanted.add(a);
  }
  return (before, now, trace) => {
    const folded = wanted.has(before) && computed.has(before) ? foldedValue(now) : undefined;
    if (folded) trace({ rule: "fold", before: now, after: folded });
    return folded ?? now;
  };
}

/** Whether a node may be folded if its arguments may. Engines may differ in the last bits of linear algebra. */
function isFoldable(node: Node): boolean {
  const { shape } = node.type;
  if (!shape.every(isKnown) || (productOf(shape) as number) > MOST_ELEMENTS) return false;
  return node.args.length > 0 ? opOf(node).kind !== "linalg" : isConstant(node) || node.op === rampOp;
}

/** The node's value as a constant; undefined where there is none, or where a run that traps NaN must find one. */
function foldedValue(node: Node): Node | undefined {
  if (node.type.weak) return undefined;
  try {
    const [value] = evaluate([node], new Map(), { trap: "nan" }) as [Tensor];
    return node.graph.constant(node.type, node.type.dtype === "bool" ? Array.from(value.data, Boolean) : value.data);
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}
