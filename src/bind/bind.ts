/**
 * Symbolic graph + sizes of the fed data → concrete graph: every dim a number, every recorded condition checked, marks
 * erased, defaults put in. Knows sizes, not values.
 */
import { ancestors, type Node } from "../graph/node.ts";
import type { InputTensor } from "../lower/inputs.ts";
import type { NamedTensor } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import type { Operand, Site } from "../lower/site.ts";
import { type Diagnostic, TsymError } from "../source.ts";
import { showShape } from "../tensor/dim.ts";
import { Concretizer } from "./concretize.ts";
import { type FedShape, Sizes } from "./sizes.ts";

export interface Bound {
  /** The inputs that are read, in program order, and their concrete nodes. */
  readonly inputs: readonly { readonly name: string; readonly node: Node }[];
  readonly outputs: readonly { readonly name: string; readonly node: Node }[];
  /** Where in the source a concrete node comes from. */
  readonly siteOf: (node: Node) => Site | undefined;
  /** Which operand of that place a concrete node's argument is. */
  readonly operandOf: (node: Node, arg: number) => Operand | undefined;
}

/** Binds the sizes of the fed data and keeps what `outputs` need. Throws TsymError: a missing input, a wrong rank or size. */
export function bind(program: Lowered, outputs: readonly NamedTensor[], fed: ReadonlyMap<string, FedShape>): Bound {
  requireInputs(program, outputs, fed);
  const sizes = new Sizes(program, fed);
  const given = program.inputs.filter((i) => fed.has(i.name));
  for (const i of given) sizes.read(i);
  if (given.length < program.inputs.length) sizes.force();
  sizes.check(given);
  sizes.checkConditions();
  return new Concretizer(program, sizes, fed).concretize(outputs, given);
}

/** What `outputs` need as `bind` makes it, but before there is data: sizes are as declared, and every input is open. */
export const withoutData = (program: Lowered, outputs: readonly NamedTensor[]): Bound =>
  new Concretizer(program, new Sizes(program, new Map()), undefined).concretize(outputs, program.inputs);

/** Everything that the outputs need must be fed or have a default, what the defaults need included. */
function requireInputs(program: Lowered, outputs: readonly NamedTensor[], fed: ReadonlyMap<string, FedShape>): void {
  const pending = new Map(program.inputs.filter((i) => !fed.has(i.name)).map((i) => [i.node, i]));
  const missing = new Set<InputTensor>();
  const roots = outputs.map((o) => o.node);
  for (let root = roots.pop(); root; root = roots.pop())
    for (const node of ancestors([root])) {
      const unfed = pending.get(node);
      pending.delete(node);
      if (unfed?.default) roots.push(unfed.default);
      else if (unfed) missing.add(unfed);
    }
  if (missing.size > 0)
    throw new TsymError(
      program.inputs.filter((i) => missing.has(i)).map((i) => missingInput(i, program.feeding(i.name))),
    );
}

const missingInput = ({ name, node, span }: InputTensor, feeding: string): Diagnostic => ({
  severity: "error",
  code: "missing-input",
  message: `input \`${name}\` is not fed`,
  labels: [{ span, text: `${showShape(node.type.shape)} ${node.type.dtype}` }],
  help: `give it data: ${feeding}`,
});
