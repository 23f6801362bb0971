/** What `tsym check` says of a program: Keras-like lines, or one JSON object. */
import type { Node } from "../graph/node.ts";
import { TURNING_OPS } from "../lower/context.ts";
import { describeNeed, needsOf } from "../lower/inputs.ts";
import type { NamedTensor } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import type { Site } from "../lower/site.ts";
import { displayName, opOf } from "../ops/define.ts";
import { isIdentity } from "../ops/identity.ts";
import { inputOp } from "../ops/leaf.ts";
import { strongDType } from "../ops/promote.ts";
import { diagnosticToJson, positionOf } from "../render.ts";
import { type Span, textOf } from "../source.ts";
import { type Dim, isKnown, showDim, showShape } from "../tensor/dim.ts";

/** A line a tensor, in program order, then a line a condition on sizes. */
export function checkLines(program: Lowered): string[] {
  const names = tensorNames(program);
  const tensors = namedTensors(program).map(
    ({ name, node }) =>
      `${name} = <Tensor '${names(node)}' shape=${showShape(node.type.shape)} dtype=${strongDType(node)}>`,
  );
  const conditions = needsOf(program.graph, program.inputs).map((need) => {
    const { span } = need.condition.site as Site;
    const { line, column } = positionOf(span.source, span.start);
    return `needs ${describeNeed(need)}  # ${oneLine(textOf(span))} at ${span.source.name}:${line}:${column}`;
  });
  return [...tensors, ...conditions];
}

/** inputs, dims, tensors, outputs, conditions and diagnostics, all with spans. */
export function checkJson(program: Lowered): object {
  const names = tensorNames(program);
  const describe = ({ name, node, span }: NamedTensor) => ({
    name,
    op: names(node),
    dtype: strongDType(node),
    shape: node.type.shape.map(sizeJson),
    span: spanJson(span),
  });
  return {
    inputs: program.inputs.map((i) => ({
      name: i.name,
      dtype: i.node.type.dtype,
      shape: i.node.type.shape.map(sizeJson),
      optional: i.default !== undefined,
      span: spanJson(i.span),
    })),
    dims: [...program.dims].map(([name, { dim, span }]) => ({ name, size: sizeJson(dim), span: spanJson(span) })),
    tensors: program.names.map(describe),
    outputs: program.outputs.map(describe),
    conditions: needsOf(program.graph, program.inputs).map(({ condition: c, unlessFed }) => ({
      lhs: sizeJson(c.lhs),
      relation: c.relation,
      rhs: sizeJson(c.rhs),
      what: c.what,
      ...(unlessFed !== undefined && { unlessFed }),
      span: spanJson((c.site as Site).span),
    })),
    diagnostics: program.diagnostics.map(diagnosticToJson),
  };
}

/** Bindings and inputs, then the outputs that no name stands for. */
function namedTensors({ names, outputs }: Lowered): readonly NamedTensor[] {
  const bound = new Set(names.map(({ name }) => name));
  return [...names, ...outputs.filter(({ name }) => !bound.has(name))].sort((a, b) => a.span.start - b.span.start);
}

/**
 * Keras's names: the op's, counted per kind over the whole program, derivatives in a scope of their own. Weak values are
 * counted when one is asked for: shapes and indices hold many.
 */
function tensorNames(program: Lowered): (node: Node) => string {
  const counts = new Map<string, number>();
  const names = new Map<Node, string>();
  const nameOf = (node: Node): string => {
    const known = names.get(node);
    if (known !== undefined) return known;
    const kind = kindOf(node, program);
    const before = counts.get(kind) ?? 0;
    const name = isInput(node) || before === 0 ? `${kind}:0` : `${kind}_${before}:0`;
    counts.set(kind, before + 1);
    names.set(node, name);
    return name;
  };
  for (const node of program.graph.nodes) if (!node.type.weak && shownAs(node, program) === node) nameOf(node);
  return (node) => nameOf(shownAs(node, program));
}

const isInput = (node: Node): boolean => node.op === inputOp;

function kindOf(node: Node, { sites, origins }: Lowered): string {
  if (isInput(node)) return String(node.attrs["name"]);
  const op = opOf(node);
  return `${sites.get(node)?.derivative ? "gradients/" : ""}${origins.get(node) ?? op.display ?? displayName(op.name)}`;
}

/** Nodes that only pass on, relabel or turn what another made go by its name, unless a function of the program made them. */
function shownAs(node: Node, { origins }: Lowered): Node {
  let shown = node;
  while (isIdentity(shown) || (TURNING_OPS.has(shown.op) && !origins.has(shown))) shown = shown.args[0]!;
  return shown;
}
const sizeJson = (d: Dim): number | string => (isKnown(d) ? d : showDim(d));
const oneLine = (text: string): string => text.replace(/\s+/g, " ");
const spanJson = ({ source, start, end }: Span) => ({
  file: source.name,
  start: positionOf(source, start),
  end: positionOf(source, end),
});
