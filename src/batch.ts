/** Runs a graph for many values of one of its nodes at once: a leading batch axis, by one rule per kind of op. */
import { ancestors, type Node, OpError } from "./graph/node.ts";
import { type ContractAttrs, contract, freeOf } from "./ops/contract.ts";
import { opOf } from "./ops/define.ts";
import { isIdentity } from "./ops/identity.ts";
import { moveAxis, relabel, stretch } from "./ops/movement.ts";
import type { Dim } from "./tensor/dim.ts";

/** `root` with `variable` replaced by `values`, which has one more leading axis; so has the result. */
export function batch(root: Node, variable: Node, values: Node): Node {
  const size = values.type.shape[0]!;
  const batched = new Map<Node, Node>([[variable, values]]);
  for (const node of ancestors([root])) {
    if (!node.args.some((a) => batched.has(a))) continue;
    batched.set(
      node,
      batchNode(
        node,
        node.args.map((a) => batched.get(a)),
        size,
      ),
    );
  }
  return batched.get(root) ?? stretch(root, [size, ...root.type.shape]);
}

/** x under a leading axis of 1s down to `rank` axes behind the batch axis. */
const alignRank = (x: Node, rank: number): Node => {
  const [size, ...rest] = x.type.shape;
  return relabel(x, [size!, ...Array.from({ length: rank - rest.length }, () => 1), ...rest]);
};

function batchNode(node: Node, args: readonly (Node | undefined)[], size: Dim): Node {
  const { graph, attrs } = node;
  const op = opOf(node);
  const rank = node.type.shape.length;
  const whole = () => args.map((a, i) => a ?? stretch(node.args[i]!, [size, ...node.args[i]!.type.shape]));
  const x = args[0]!;
  if (isIdentity(node)) return x;
  switch (op.kind) {
    case "pointwise":
      return graph.apply(
        op,
        args.map((a, i) => (a ? alignRank(a, rank) : node.args[i]!)),
        attrs,
      );
    case "reduce":
      return graph.apply(op, [x], { ...attrs, axes: (attrs["axes"] as number[]).map((a) => a + 1) });
    case "contract":
      return batchContract(node, args);
    case "order": {
      const indexed = op.order === "take" || op.order === "scatter_add"; // their indices have axes of their own
      return graph.apply(
        op,
        indexed ? whole().map((a, i) => (i === 1 ? node.args[1]! : a)) : whole(),
        shiftAxis(attrs),
      );
    }
    case "linalg":
      return graph.apply(op, whole(), attrs);
    case "movement": {
      const { shape, axes, starts, sizes, steps } = attrs as Record<string, readonly Dim[] | undefined>;
      switch (op.movement) {
        case "reshape":
          return relabel(x, [size, ...node.type.shape]);
        case "transpose":
          return graph.apply(op, [x], { axes: [0, ...(axes as number[]).map((a) => a + 1)] });
        case "broadcast":
          return stretch(alignRank(x, rank), [size, ...node.type.shape]);
        case "slice":
          return graph.apply(op, [x], { starts: [0, ...starts!], sizes: [size, ...sizes!], steps: [1, ...steps!] });
        case "embed":
          return graph.apply(op, [x], { shape: [size, ...shape!], starts: [0, ...starts!], steps: [1, ...steps!] });
        case "concat":
          return graph.apply(op, whole(), shiftAxis(attrs));
      }
      break;
    }
    case "leaf":
      break;
  }
  throw new OpError(`${op.name} cannot be batched`);
}

const shiftAxis = (attrs: Node["attrs"]) => ({ ...attrs, axis: (attrs["axis"] as number) + 1 });

/** The batch axis of one side is one more free axis, moved to the front; of both, one more batch pair. */
function batchContract(node: Node, [a, b]: readonly (Node | undefined)[]): Node {
  const pairs = node.attrs as unknown as ContractAttrs;
  const [x, y] = [a ?? node.args[0]!, b ?? node.args[1]!];
  const moved = (list: ContractAttrs["batch"]) => list.map(([i, j]) => [a ? i + 1 : i, b ? j + 1 : j] as const);
  const [batchPairs, summed] = [moved(pairs.batch), moved(pairs.summed)];
  if (a && b) return contract(x, y, { batch: [[0, 0], ...batchPairs], summed });
  const free = freeOf(node.args[0]!.type.shape.length, node.args[1]!.type.shape.length, pairs);
  const at = pairs.batch.length + (a ? 0 : free.a.length);
  return moveAxis(contract(x, y, { batch: batchPairs, summed }), at, 0);
}
