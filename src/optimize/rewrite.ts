/**
 * Rewrites a concrete graph by rules.tsym and, where fast math is asked for, real-rules.tsym: a matcher, a driver and a trace. Knows
 * the language's operators, no single rule.
 */
import type { Expr, FnDecl } from "../../grammar/ast.ts";
import { isConstant, type Node, type NodeOp, valuesOf } from "../graph/node.ts";
import type { PointwiseOp } from "../ops/define.ts";
import { broadcastOp, stretch } from "../ops/movement.ts";
import { binaryOp, binaryOperator, unaryOp, unaryOperator } from "../ops/operators.ts";
import { graphOf, lift } from "../ops/promote.ts";
import { functionRow } from "../ops/registry.ts";
import { treeReader } from "../ops/trees.ts";
import { type Dim, sameDim } from "../tensor/dim.ts";
import realTrees from "./real-rules.tsym";
import exactTrees from "./rules.tsym";

/** A rule applied: what stood there, what stands there now. */
export interface Step {
  readonly rule: string;
  readonly before: Node;
  readonly after: Node;
}
export type Trace = (step: Step) => void;
/** What stands in a node's place, as in rebuild.ts; it tells of what it does. */
export type TracedImprove = (before: Node, now: Node, trace: Trace) => Node;

interface Rule {
  readonly name: string;
  readonly params: readonly string[];
  readonly from: Expr;
  readonly to: Expr;
}

/** "exact" rules keep every bit; "real" ones hold for real numbers. */
type Kind = "exact" | "real";
const TREES = { exact: exactTrees, real: realTrees };

const readTree = { exact: treeReader(exactTrees), real: treeReader(realTrees) };
export const ruleNames = (kind: Kind): string[] => [...TREES[kind].keys()];
export function rule(kind: Kind, name: string): Rule {
  const { params, body }: FnDecl = readTree[kind](name)!;
  return { name, params: params.map((p) => p.name), from: body.bindings[0]!.value, to: body.result };
}

/** The rules whose pattern has this op on top; read from text when first asked for. */
const byOp = new Map<Kind, ReadonlyMap<NodeOp, readonly Rule[]>>();
function rulesFor(kind: Kind, node: Node): readonly Rule[] {
  let rules = byOp.get(kind);
  if (!rules) {
    rules = groupByOp(ruleNames(kind).map((name) => rule(kind, name)));
    byOp.set(kind, rules);
  }
  return rules.get(node.op) ?? [];
}
function groupByOp(rules: readonly Rule[]): ReadonlyMap<NodeOp, readonly Rule[]> {
  const groups = new Map<NodeOp, Rule[]>();
  for (const r of rules) {
    const op = patternOp(r.from);
    groups.set(op, [...(groups.get(op) ?? []), r]);
  }
  return groups;
}

/** The op of the nodes that a pattern fits: a pointwise one, since patterns say nothing of the attrs that others have. */
export function patternOp(pattern: Expr): PointwiseOp {
  const op = namedOp(pattern);
  if (!op) throw new Error(`a rule cannot look for ${describePattern(pattern)}: it is no single op`);
  return op;
}
function namedOp(e: Expr): PointwiseOp | undefined {
  switch (e.kind) {
    case "binary":
      return binaryOp(e.op);
    case "unary":
      return unaryOp(e.op);
    case "call":
      return functionRow(e.callee.name)?.op;
    default:
      return undefined;
  }
}
const describePattern = (e: Expr): string =>
  e.kind === "binary" || e.kind === "unary" ? `\`${e.op}\`` : e.kind === "call" ? e.callee.name : e.kind;

function operandsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case "binary":
      return [e.left, e.right];
    case "unary":
      return [e.arg];
    case "call":
      return e.args.map((a) => a.value);
    default:
      return [];
  }
}

type Match = Map<string, Node>;

/** Whether `node` looks like `pattern`, and nothing within it is shared; names are bound in `match`. */
function matches(pattern: Expr, node: Node, match: Match, isShared: IsShared): boolean {
  if (pattern.kind === "name") {
    const known = match.get(pattern.name);
    if (!known) match.set(pattern.name, node);
    return !known || known === node;
  }
  const literal = literalOf(pattern);
  if (literal !== undefined) return isFilledWith(node, literal);
  if (node.op !== patternOp(pattern)) return false;
  return operandsOf(pattern).every((operand, i) => {
    const arg = node.args[i]!;
    return !(operandsOf(operand).length > 0 && isShared(arg)) && matches(operand, arg, match, isShared);
  });
}

/** The number that a pattern wants; of a bool 1 or 0, as constants hold them. */
function literalOf(e: Expr): number | undefined {
  if (e.kind === "number" || e.kind === "bool") return Number(e.value);
  return e.kind === "unary" && e.op === "-" && e.arg.kind === "number" ? -Number(e.arg.value) : undefined;
}

/** A constant, stretched or not, whose every element is `value`. */
function isFilledWith(node: Node, value: number): boolean {
  if (node.op === broadcastOp) return isFilledWith(node.args[0]!, value);
  return isConstant(node) && Array.from(valuesOf(node)).every((v) => Object.is(Number(v), value));
}

/** One side of a rule, of the nodes that its names stand for. */
export function build(e: Expr, match: ReadonlyMap<string, Node>): Node {
  if (e.kind === "name") return match.get(e.name)!;
  const graph = graphOf([...match.values()]);
  if (e.kind === "bool") return graph.constant({ dtype: "bool", shape: [], weak: true }, [e.value]);
  const literal = literalOf(e);
  if (literal !== undefined) return lift(literal, graph);
  const [x, y] = operandsOf(e).map((operand) => build(operand, match)) as [Node, Node];
  switch (e.kind) {
    case "binary":
      return binaryOperator(e.op, x, y);
    case "unary":
      return unaryOperator(e.op, x);
    case "call": {
      const row = functionRow(e.callee.name)!;
      const args = e.args.map((a) => build(a.value, match));
      return row.build(Object.fromEntries(Object.keys(row.params).map((name, i) => [name, args[i]])), x.graph) as Node;
    }
    default:
      throw new Error(`a rule cannot build ${e.kind}`);
  }
}

/** Whether others use a node too, so that it stays where a rule takes its place. */
export type IsShared = (node: Node) => boolean;

/** What a rule makes of a node, of the same dtype and shape; undefined where it does not fit. */
export function applyRule({ from, to }: Rule, node: Node, isShared: IsShared = () => false): Node | undefined {
  const match: Match = new Map();
  if (!matches(from, node, match, isShared)) return undefined;
  const after = build(to, match);
  const { dtype, shape } = node.type;
  if (after.type.dtype !== dtype || !stretches(after.type.shape, shape)) return undefined;
  return stretch(after, shape);
}

const stretches = (from: readonly Dim[], to: readonly Dim[]): boolean =>
  from.length <= to.length && from.every((d, i) => d === 1 || sameDim(d, to[i + to.length - from.length]!));

/**
 * The node with rules applied until none fits: exact ones and, if it is told what is shared, those that hold for real numbers. (An
 * exact rule costs nothing even where what it takes apart stays.)
 */
export function rewriteNode(node: Node, trace: Trace, isShared?: IsShared): Node {
  const step = (kind: Kind, of: Node): Node | undefined => {
    for (const r of rulesFor(kind, of)) {
      const after = applyRule(r, of, kind === "real" ? isShared : undefined);
      if (!after || after === of) continue;
      trace({ rule: r.name, before: of, after });
      return after;
    }
    return undefined;
  };
  for (let now = node; ; ) {
    const next = step("exact", now) ?? (isShared && step("real", now));
    if (!next) return now;
    now = next;
  }
}
