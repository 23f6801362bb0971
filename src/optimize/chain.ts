/** The order of a chain of matrix products: the one with the fewest multiplications, by sizes alone. */
import type { Node } from "../graph/node.ts";
import { type ContractAttrs, contract, contractOp } from "../ops/contract.ts";
import { isKnown } from "../tensor/dim.ts";

/** A product of matrices and vectors over one shared axis: what `@` makes of two operands of at most two axes. */
function isProduct(node: Node): boolean {
  if (node.op !== contractOp) return false;
  const { batch, summed } = node.attrs as unknown as ContractAttrs;
  const [a, b] = node.args.map((x) => x.type.shape.length) as [number, number];
  return (
    batch.length === 0 && summed.length === 1 && a <= 2 && b <= 2 && summed[0]![0] === a - 1 && summed[0]![1] === 0
  );
}

/** Longer chains stay as written: the search is cubic. */
const LONGEST = 100;

/** The factors of a chain of products, and the multiplications it takes as written. */
interface Chain {
  readonly factors: readonly Node[];
  readonly cost: number;
}

/** Inner products that nothing else uses are part of the chain. */
function chainOf(root: Node, isShared: (node: Node) => boolean): Chain {
  const factors: Node[] = [];
  let cost = 0;
  const stack = [root];
  for (let x = stack.pop(); x; x = stack.pop()) {
    if (x !== root && !(isProduct(x) && isMatrix(x) && !isShared(x))) {
      factors.push(x);
      continue;
    }
    const [a, b] = x.args as [Node, Node];
    cost += rowsOf(a) * innerOf(a) * columnsOf(b);
    stack.push(b, a);
  }
  return { factors, cost };
}

/** Whether a node is an inner product of its one user's chain. */
export const continuesChain = (node: Node, user: Node): boolean => isProduct(node) && isMatrix(node) && isProduct(user);

/**
 * The chain that ends in `root`, in its best order; undefined where it is as good as written. Dynamic programming over
 * intervals (Cormen et al., Introduction to Algorithms, "Matrix-chain multiplication").
 */
export function reorderChain(root: Node, isShared: (node: Node) => boolean): Node | undefined {
  if (!isProduct(root)) return undefined;
  const { factors, cost } = chainOf(root, isShared);
  const n = factors.length;
  if (n < 3 || n > LONGEST) return undefined;
  const sizes = [rowsOf(factors[0]!), innerOf(factors[0]!), ...factors.slice(1).map(columnsOf)];
  if (!sizes.every(isKnown)) return undefined;
  const least = table(n, 0);
  const split = table(n, 0);
  for (let length = 2; length <= n; length++)
    for (let i = 0; i + length <= n; i++) {
      const j = i + length - 1;
      least[i]![j] = Number.POSITIVE_INFINITY;
      for (let k = i; k < j; k++) {
        const total = least[i]![k]! + least[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (total >= least[i]![j]!) continue;
        least[i]![j] = total;
        split[i]![j] = k;
      }
    }
  if (least[0]![n - 1]! >= cost) return undefined;
  const build = (i: number, j: number): Node =>
    i === j ? factors[i]! : product(build(i, split[i]![j]!), build(split[i]![j]! + 1, j));
  return build(0, n - 1);
}

const table = (n: number, value: number): number[][] =>
  Array.from({ length: n }, () => new Array<number>(n).fill(value));
const product = (a: Node, b: Node): Node => contract(a, b, { batch: [], summed: [[a.type.shape.length - 1, 0]] });

// A vector in front is a row, one behind a column.
const isMatrix = (x: Node): boolean => x.type.shape.length === 2;
const rowsOf = (x: Node): number => (isMatrix(x) ? (x.type.shape[0] as number) : 1);
const innerOf = (x: Node): number => x.type.shape.at(-1) as number;
const columnsOf = (x: Node): number => (isMatrix(x) ? (x.type.shape[1] as number) : 1);
