/** Sums of products as text: `@` of matrices and their transposes, `einsum` of all else. */
import type { Expr } from "../../grammar/ast.ts";
import type { Node } from "../graph/node.ts";
import { type ContractAttrs, freeOf } from "../ops/contract.ts";
import * as tree from "./tree.ts";

const LABELS = "ijklmnopqrstuvwxyzabcdefgh";

/** The product of operands whose trees are `a` and `b`. */
export function contraction(node: Node, a: Expr, b: Expr): Expr {
  const [left, right] = matrices(node, a, b) ?? [];
  return left && right ? tree.binary("@", left, right) : einsum(node, a, b);
}

/** The transpose of a product: that of the factors' transposes, the other way round. Undefined where it is none of two matrices. */
export function transposedContraction(node: Node, a: Expr, b: Expr): Expr | undefined {
  const [left, right] = matrices(node, a, b) ?? [];
  if (!left || !right || node.args.some((x) => x.type.shape.length < 2)) return undefined;
  const isStack = attrsOf(node).batch.length > 0;
  return tree.binary("@", tree.transposed(right, isStack), tree.transposed(left, isStack));
}

const attrsOf = (node: Node): ContractAttrs => node.attrs as unknown as ContractAttrs;
const ranksOf = (node: Node): [number, number] => node.args.map((x) => x.type.shape.length) as [number, number];

/** The operands turned so that `@` multiplies them; undefined where no turning makes it do so. */
function matrices(node: Node, a: Expr, b: Expr): [Expr, Expr] | undefined {
  const { batch, summed } = attrsOf(node);
  const [m, n] = ranksOf(node);
  const [pair, more] = summed;
  if (!pair || more || batch.some(([i, j], axis) => i !== axis || j !== axis)) return undefined;
  const isStack = batch.length > 0;
  const isMatmul = pair[0] === m - 1 && pair[1] === Math.max(n - 2, 0);
  if (isStack ? m !== batch.length + 2 || n !== m : n > 2 || (m > 2 && !isMatmul)) return undefined;
  return [
    pair[0] === m - 1 ? a : tree.transposed(a, isStack),
    pair[1] === Math.max(n - 2, 0) ? b : tree.transposed(b, isStack),
  ];
}

function einsum(node: Node, a: Expr, b: Expr): Expr {
  const { batch, summed } = attrsOf(node);
  const [m, n] = ranksOf(node);
  const first = [...LABELS.slice(0, m)];
  const second = [...LABELS.slice(m, m + n)];
  for (const [i, j] of [...batch, ...summed]) second[j] = first[i]!;
  const free = freeOf(m, n, attrsOf(node));
  const result = [...batch.map(([i]) => first[i]), ...free.a.map((i) => first[i]), ...free.b.map((j) => second[j])];
  return tree.call("einsum", [tree.string(`${first.join("")},${second.join("")}->${result.join("")}`), a, b]);
}
