/** Any graph as the text of a program: a line a binding, what is used twice named, the rest where it is used. */
import type { Expr } from "../../grammar/ast.ts";
import { formatExpr } from "../../grammar/format.ts";
import { ancestors, isConstant, type Node } from "../graph/node.ts";
import { castOp } from "../ops/cast.ts";
import { inputOp } from "../ops/leaf.ts";
import { broadcastOp, transposeOp } from "../ops/movement.ts";
import { symbolsOf } from "../tensor/dim.ts";
import { expressionOf } from "./expression.ts";
import { bareLiteral, isFill, isLiteral } from "./literal.ts";
import * as tree from "./tree.ts";

/** What is longer has a name where it is part of something. */
const LONGEST = 80;

export interface Binding {
  readonly name: string;
  readonly node: Node;
  readonly text: string;
}

export interface PrintedGraph {
  /** What `results` need, in an order that defines names before they are used. */
  readonly bindings: readonly Binding[];
  /** An expression for each root. */
  readonly results: readonly string[];
}

/**
 * The text of `roots`. A node in `names` is bound under that name (a leaf is called so), but for a root that nothing uses;
 * others that need a name are t1, t2 …, whatever is free.
 */
export function printGraph(roots: readonly Node[], names: ReadonlyMap<Node, string> = new Map()): PrintedGraph {
  const nodes = ancestors(roots);
  const uses = new Map<Node, number>();
  for (const used of [...nodes.flatMap((node) => node.args), ...roots]) uses.set(used, (uses.get(used) ?? 0) + 1);
  const fresh = freshNames(nodes, names);
  const trees = new Map<Node, Expr>();
  const bindings: Binding[] = [];
  const named = new Set<Node>();
  /** What is so short that it stands wherever it is used. */
  const atoms = new Set<Node>();
  const isShort = (node: Node) => atoms.has(node) || named.has(node);
  const shown = { tree: (node: Node) => trees.get(node)!, isInline: (node: Node) => !named.has(node) };
  for (const node of nodes) {
    const given = names.get(node);
    if (given !== undefined && node.args.length === 0) {
      trees.set(node, tree.name(given));
      atoms.add(node);
      continue;
    }
    const expression = expressionOf(node, shown);
    const text = formatExpr(expression);
    if (isAtom(node) || (node.op === transposeOp && isShort(node.args[0]!))) atoms.add(node);
    const isResult = roots.includes(node) && uses.get(node) === 1;
    const isPart = !atoms.has(node) && (uses.get(node)! > 1 || text.length > LONGEST);
    const wantsName = !isResult && (given !== undefined || isPart);
    if (wantsName) {
      const name = given ?? fresh();
      named.add(node);
      bindings.push({ name, node, text });
    }
    trees.set(node, wantsName ? tree.name(bindings.at(-1)!.name) : expression);
  }
  return { bindings, results: roots.map((root) => formatExpr(trees.get(root)!)) };
}

/** Inputs, numbers, `zeros` and `arange`. */
const isAtom = (node: Node): boolean => isFill(node) || (node.args.length === 0 && !isConstant(node));

/** A node in one line: names for what `names` holds, `…` for what lies deeper than `depth`. */
export function sketch(node: Node, names: ReadonlyMap<Node, string>, depth: number): string {
  const treeAt = (x: Node, level: number): Expr => {
    const name = level > 0 ? names.get(x) : undefined;
    if (name !== undefined) return tree.name(name);
    if (level > depth && x.args.length > 0) return tree.name("…");
    return expressionOf(x, { tree: (arg) => treeAt(arg, level + 1), isInline: (arg) => !names.has(arg) });
  };
  return formatExpr(treeAt(node, 0));
}

/** A default of an input, which gives it its dtype and shape. */
export function printDefault(value: Node): string {
  let bare = value;
  while (bare.op === broadcastOp || bare.op === castOp) bare = bare.args[0]!;
  return isLiteral(bare) ? formatExpr(bareLiteral(bare)) : sketch(bare, new Map(), Number.POSITIVE_INFINITY);
}

/** Names that nothing in a graph has. */
function freshNames(nodes: readonly Node[], names: ReadonlyMap<Node, string>): () => string {
  const inputs = nodes.filter((node) => node.op === inputOp).map((node) => String(node.attrs["name"]));
  const sizes = nodes.flatMap(({ type }) => type.shape.flatMap((d) => [...symbolsOf(d).values()].map((s) => s.label)));
  const taken = new Set([...names.values(), ...inputs, ...sizes]);
  let count = 0;
  return () => {
    do count++;
    while (taken.has(`t${count}`));
    return `t${count}`;
  };
}
