/** A function at work on inputs of symbolic sizes: what it makes of each dtype, and its gradient in tsym's own notation. */
import { vjp } from "../autodiff.ts";
import { checkProgram, loadProgram } from "../compile.ts";
import { ancestors, type Node } from "../graph/node.ts";
import type { Lowered } from "../lower/program.ts";
import { isIdentity } from "../ops/identity.ts";
import { hole } from "../ops/leaf.ts";
import { div, mul } from "../ops/pointwise.ts";
import { optimize } from "../optimize/index.ts";
import { rebuild } from "../optimize/rebuild.ts";
import { printGraph } from "../print/graph.ts";
import { showDim } from "../tensor/dim.ts";
import { DTYPES, type DType, isFloat } from "../tensor/dtype.ts";

/** The specimen lowered with its undeclared inputs of a dtype; undefined where the function does not take it. */
function lowered(specimen: string, dtype: DType): Lowered | undefined {
  const { sources, diagnostics } = loadProgram({ name: "specimen", text: specimen }, () => {
    throw new Error("a specimen imports nothing");
  });
  const statements = sources.main.statements.map((s) =>
    s.kind === "input"
      ? { ...s, inputs: s.inputs.map((i) => ({ ...i, dtype: i.dtype ?? { dtype, span: i.span } })) }
      : s,
  );
  const main = { ...sources.main, statements };
  const program = checkProgram({ sources: { ...sources, main }, diagnostics }, { defaultFloat: "float32" });
  return program.diagnostics.some((d) => d.severity === "error") ? undefined : program;
}

/** The dtypes that a function takes for its inputs, and what it gives of each; none where it has no inputs. */
export function dtypesOf(specimen: string): { readonly takes: DType; readonly gives: DType }[] {
  return DTYPES.flatMap((takes) => {
    const program = lowered(specimen, takes);
    const isTaken = program?.inputs.some(({ node }) => node.type.dtype === takes);
    return program && isTaken ? [{ takes, gives: program.outputs[0]!.node.type.dtype }] : [];
  });
}

/** The gradient of a specimen's call with respect to its float inputs. */
export interface Gradient {
  /** The inputs as they are declared: `x[n, m]`. */
  readonly inputs: readonly string[];
  /** The result's cotangent, likewise. */
  readonly cotangent: string;
  /** What several of the parts below need, in order. */
  readonly bindings: readonly { readonly name: string; readonly value: string }[];
  readonly parts: readonly { readonly of: string; readonly value: string }[];
  /** Whether parts hold products that are 0 wherever the cotangent is, though the other factor be infinite. */
  readonly zeroStaysZero: boolean;
}

const COTANGENT = "g";

/** The gradient, or why there is none. */
export function gradientOf(specimen: string): Gradient | { readonly none: string } {
  const program = lowered(specimen, "float32");
  const y = program?.outputs[0]?.node;
  if (!y) return { none: "it takes no floats" };
  const inputs = program.inputs.filter(({ node }) => isFloat(node.type.dtype));
  if (inputs.length === 0) return { none: "it takes no floats" };
  if (!isFloat(y.type.dtype)) return { none: `its results are ${y.type.dtype === "bool" ? "bools" : "ints"}` };
  const cotangent = hole(y.graph, y.type);
  const parts = vjp(
    y,
    inputs.map((i) => i.node),
    cotangent,
  ).flatMap((node, i) => (node ? [{ of: inputs[i]!.name, node }] : []));
  if (parts.length === 0) return { none: "it is 0 everywhere" };
  const nodes = parts.map((p) => p.node);
  const simple = optimize(rebuild(nodes, (_, now) => plainly(now))).outputs;
  const { bindings, results } = printGraph(simple, new Map([[cotangent, COTANGENT]]));
  const shown = new Map(results.map((text, i) => [parts[i]!.of, text]));
  return {
    inputs: program.inputs.map((i) => declared(i.name, i.node)),
    cotangent: declared(COTANGENT, y),
    bindings: bindings.map(({ name, text }) => ({ name, value: text })),
    parts: inputs.map(({ name }) => ({ of: name, value: shown.get(name) ?? "0" })),
    zeroStaysZero: ancestors(nodes).some(({ op }) => PLAIN.has(op.name)),
  };
}

/** Products that keep a zero cotangent zero are shown as products: which they are, told once, wherever both factors are finite. */
const PLAIN: ReadonlyMap<string, typeof mul> = new Map([
  ["zero_mul", mul],
  ["zero_mul_both", mul],
  ["zero_div", div],
]);

function plainly(node: Node): Node {
  if (isIdentity(node)) return node.args[0]!;
  const plain = PLAIN.get(node.op.name);
  return plain ? plain(node.args[0]!, node.args[1]!) : node;
}

/** `x[n, m]`, `i[k]: int32`. */
function declared(name: string, { type: { shape, dtype } }: Node): string {
  const dims = shape.length > 0 ? `[${shape.map(showDim).join(", ")}]` : "";
  return name + dims + (dtype === "float32" ? "" : `: ${dtype}`);
}
