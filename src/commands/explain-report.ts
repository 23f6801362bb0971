/** What `tsym explain` says: each rewrite that was made of a program, and the program that they leave. */
import type { Bound } from "../bind/bind.ts";
import { ancestors, type Node } from "../graph/node.ts";
import type { NamedTensor } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import { optimize, type TracedStep } from "../optimize/index.ts";
import { printDefault, printGraph, sketch } from "../print/graph.ts";
import { positionOf } from "../render.ts";
import { showDim } from "../tensor/dim.ts";

/** A program after the optimizer, and how it came to be. */
export interface OptimizedProgram {
  readonly outputs: readonly { readonly name: string; readonly node: Node }[];
  readonly steps: readonly TracedStep[];
  readonly siteOf: Bound["siteOf"];
  /** The program's names for nodes as it was written. */
  readonly written: ReadonlyMap<Node, string>;
  /** These, and for what stands in their places now. */
  readonly names: ReadonlyMap<Node, string>;
}

/** A program's outputs, then every named tensor that they need. */
export function wantedTensors({ outputs, names }: Lowered): NamedTensor[] {
  const needed = new Set(ancestors(outputs.map((o) => o.node)));
  return [...outputs, ...names.filter((n) => needed.has(n.node))];
}

/** Optimizes what was bound of `wantedTensors`. */
export function optimized(program: Lowered, bound: Bound, fastMath: boolean): OptimizedProgram {
  const outputs = bound.outputs.slice(0, program.outputs.length);
  const steps: TracedStep[] = [];
  const roots = outputs.map((o) => o.node);
  const { outputs: results, origin } = optimize(roots, { trace: (step) => steps.push(step), fastMath });
  const written = new Map<Node, string>();
  for (const { name, node } of bound.outputs.toReversed()) if (isNamed(node)) written.set(node, name);
  // what stands in a named node's place has its name, unless that node is there too
  const nodes = ancestors(results);
  const names = new Map(written);
  const present = new Set(nodes.map((node) => written.get(node)));
  for (const node of nodes) {
    const name = written.get(origin(node) ?? node);
    if (name === undefined || written.has(node) || present.has(name) || !isNamed(node)) continue;
    names.set(node, name);
    present.add(name);
  }
  const { siteOf } = bound;
  return { outputs: outputs.map(({ name }, i) => ({ name, node: results[i]! })), steps, siteOf, written, names };
}

/** Numbers and inputs stand for themselves. */
const isNamed = ({ args }: Node): boolean => args.length > 0;

/** How much of an expression a line shows. */
const DEPTH = 2;

/** A comment for each rewrite, in order: where, which rule, what stood there, what stands there now. */
export function rewriteText({ steps, siteOf, written, names }: OptimizedProgram): string {
  const lines = steps.map(({ rule, before, after, origin }) => {
    const span = siteOf(origin)?.span;
    const { line, column } = span ? positionOf(span.source, span.start) : { line: 0, column: 0 };
    const place = span ? `${span.source.name}:${line}:${column}  ` : "";
    const [from, to] = [sketch(before, names, DEPTH), written.get(after) ?? sketch(after, names, DEPTH)];
    return `# ${place}${rule}: ${from} → ${to}`;
  });
  return lines.length > 0 ? lines.join("\n") : "# nothing to rewrite";
}

/** The program in its own language: inputs, a binding a line, outputs. */
export function programText(
  { outputs, names }: OptimizedProgram,
  inputs: readonly { readonly name: string; readonly node: Node; readonly default?: Node | undefined }[],
): string {
  const { bindings, results } = printGraph(
    outputs.map((o) => o.node),
    names,
  );
  return [
    ...inputs.map(declaration),
    ...bindings.map(({ name, text }) => `${name} = ${text}`),
    ...outputs.map(({ name }, i) => (results[i] === name ? `output ${name}` : `output ${name} = ${results[i]}`)),
  ].join("\n");
}

/** `input x[n, 3]: float64 = …` */
function declaration(input: {
  readonly name: string;
  readonly node: Node;
  readonly default?: Node | undefined;
}): string {
  const { dtype, shape } = input.node.type;
  const dims = shape.length > 0 ? `[${shape.map(showDim).join(", ")}]` : "";
  const isDefault = dtype === input.node.graph.defaultFloat;
  const value = input.default ? ` = ${printDefault(input.default)}` : "";
  return `input ${input.name}${dims}${isDefault ? "" : `: ${dtype}`}${value}`;
}
