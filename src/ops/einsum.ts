/** Einstein summation: labels on axes, contracted from left to right. */
import { type Node, OpError } from "../graph/node.ts";
import type { Dim } from "../tensor/dim.ts";
import { broadcastShapes } from "./broadcast.ts";
import { contract } from "./contract.ts";
import { define, restParam, stringParam } from "./define.ts";
import { mergeDiagonal, permute, stretch } from "./movement.ts";
import { reduce } from "./reduce.ts";

/** A tensor and the label of each of its axes. */
interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

export const einsum = define({
  name: "einsum",
  family: "linear algebra",
  params: { spec: stringParam(), operands: restParam() },
  doc: "Einstein summation: axes with one label are paired, labels missing on the right are summed; `...` broadcasts.",
  examples: ['einsum("ij,jk->ik", [[1, 2], [3, 4]], [[1], [1]]) == [[3], [7]]', 'einsum("ii", [[1, 2], [3, 4]]) == 5'],
  specimen: 'input a[n, k], b[k, m]; einsum("ij,jk->ik", a, b)',
  build: ({ spec, operands }) => {
    const { inputs, output } = parseSpec(spec, operands);
    const terms = alignEllipsis(operands.map((node, i) => ({ node, labels: inputs[i]! })));
    const sizes = new Map<string, Dim>();
    for (const [arg, { node, labels }] of terms.entries())
      for (const [axis, label] of labels.entries()) {
        const dim = node.type.shape[axis]!;
        const known = sizes.get(label);
        if (known !== undefined) node.graph.require(known, "=", dim, `the sizes of label ${label}`, { arg: arg + 1 });
        else sizes.set(label, dim);
      }
    const needed = (from: number) => new Set([...output, ...terms.slice(from).flatMap((t) => t.labels)]);
    const first = project(terms[0]!, needed(1));
    const result = terms
      .slice(1)
      .reduce(
        (left, right, i) => pair(left, project(right, new Set([...left.labels, ...needed(i + 2)])), needed(i + 2)),
        first,
      );
    const { node, labels } = project(result, new Set(output));
    return permute(
      node,
      output.map((l) => labels.indexOf(l)),
    );
  },
});

const WHERE_ELLIPSIS = "…";

function parseSpec(text: string, operands: readonly Node[]): { inputs: string[][]; output: string[] } {
  const wrong = (message: string, help?: string) => new OpError(message, { code: "einsum", arg: "spec", help });
  const [left, right, more] = text.replace(/\s+/g, "").split("->");
  if (more !== undefined) throw wrong("the subscripts hold two `->`");
  const sides = left!.split(",");
  if (sides.length !== operands.length)
    throw wrong(
      `the subscripts describe ${sides.length} ${sides.length === 1 ? "tensor" : "tensors"}, but ${operands.length} ${operands.length === 1 ? "is" : "are"} given`,
    );
  const ellipsisRank = Math.max(
    0,
    ...sides.map((s, i) => (s.includes("...") ? operands[i]!.type.shape.length - s.replace("...", "").length : 0)),
  );
  const read = (side: string, rank?: number): string[] => {
    const letters = side.replace("...", WHERE_ELLIPSIS);
    const bad = [...letters].find((c) => c !== WHERE_ELLIPSIS && !/\p{L}/u.test(c));
    if (bad !== undefined) throw wrong(`\`${bad}\` is no label: labels are letters`);
    const own = rank === undefined ? ellipsisRank : rank - [...letters].filter((c) => c !== WHERE_ELLIPSIS).length;
    if (rank !== undefined && (letters.includes(WHERE_ELLIPSIS) ? own < 0 : own !== 0))
      throw wrong(`\`${side}\` describes ${rank - own} axes, but the tensor has ${rank}`);
    return [...letters].flatMap((c) =>
      c === WHERE_ELLIPSIS ? Array.from({ length: own }, (_, i) => `.${ellipsisRank - own + i}`) : [c],
    );
  };
  const inputs = sides.map((s, i) => read(s, operands[i]!.type.shape.length));
  const used = inputs.flat();
  if (right === undefined) {
    const once = [...new Set(used)].filter((l) => l.startsWith(".") || used.indexOf(l) === used.lastIndexOf(l));
    return { inputs, output: once.sort() };
  }
  const output = read(right);
  const twice = output.find((l, i) => output.indexOf(l) !== i);
  if (twice !== undefined) throw wrong(`label ${twice} stands twice on the right`);
  const unknown = output.find((l) => !used.includes(l));
  if (unknown !== undefined)
    throw wrong(
      unknown.startsWith(".") ? "`...` stands on the right only" : `label ${unknown} stands on the right only`,
    );
  return { inputs, output };
}

/** Stretches the axes under `...` to one shape: they alone broadcast. */
function alignEllipsis(terms: readonly Labelled[]): Labelled[] {
  const isHidden = (label: string) => label.startsWith(".");
  const hidden = terms.map(({ node, labels }) => node.type.shape.filter((_, i) => isHidden(labels[i]!)));
  const common = broadcastShapes(terms[0]!.node.graph, hidden);
  return terms.map(({ node, labels }) => {
    const at = (label: string) => common[Number(label.slice(1))]!;
    return {
      labels,
      node: stretch(
        node,
        node.type.shape.map((d, i) => (isHidden(labels[i]!) ? at(labels[i]!) : d)),
      ),
    };
  });
}

/** Takes diagonals of repeated labels and sums those that nothing needs. */
function project({ node, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  let [x, rest] = [node, [...labels]];
  for (let i = 0; i < rest.length; i++) {
    for (let j = rest.indexOf(rest[i]!, i + 1); j >= 0; j = rest.indexOf(rest[i]!, i + 1)) {
      x = mergeDiagonal(x, i, j);
      rest.splice(j, 1);
    }
  }
  const gone = rest.flatMap((l, i) => (needed.has(l) ? [] : [i]));
  if (gone.length > 0) x = reduce("sum", x, gone);
  rest = rest.filter((l) => needed.has(l));
  return { node: x, labels: rest };
}

/** The product of two, summed over shared labels that nothing needs any more. */
function pair(left: Labelled, right: Labelled, needed: ReadonlySet<string>): Labelled {
  const shared = left.labels.filter((l) => right.labels.includes(l));
  const pairs = (labels: readonly string[]) =>
    labels.map((l) => [left.labels.indexOf(l), right.labels.indexOf(l)] as const);
  const batch = shared.filter((l) => needed.has(l));
  const summed = shared.filter((l) => !needed.has(l));
  const node = contract(left.node, right.node, { batch: pairs(batch), summed: pairs(summed) });
  const free = (side: Labelled) => side.labels.filter((l) => !shared.includes(l));
  return project({ node, labels: [...batch, ...free(left), ...free(right)] }, needed);
}
