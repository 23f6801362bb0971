/** The concrete graph: made node by node as the symbolic one was, with a number for every dim. */
import { foldWeak } from "../fold.ts";
import { ancestors, Graph, type Node, OpError } from "../graph/node.ts";
import type { InputTensor } from "../lower/inputs.ts";
import type { NamedTensor } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import { type Operand, placeLabels, type Site } from "../lower/site.ts";
import { castOp } from "../ops/cast.ts";
import type { PointwiseOp } from "../ops/define.ts";
import { isIdentity } from "../ops/identity.ts";
import { dimNode, dimOp, input, inputOp, requireExact } from "../ops/leaf.ts";
import { broadcastOp, relabel, reshapeOp, stretch } from "../ops/movement.ts";
import { requireDivisor } from "../ops/pointwise.ts";
import { castTo } from "../ops/promote.ts";
import { fail } from "../source.ts";
import { asSymbol, type Dim, isKnown, isSymbolic } from "../tensor/dim.ts";
import type { Bound } from "./bind.ts";
import type { FedShape, Sizes } from "./sizes.ts";

const CONVERSIONS: ReadonlySet<unknown> = new Set([castOp, reshapeOp, broadcastOp]);
/** What an op's argument was before it was made to fit. */
function bare(node: Node | undefined): Node | undefined {
  let found = node;
  while (found && CONVERSIONS.has(found.op)) found = found.args[0];
  return found;
}

/** Makes the concrete graph, node by node. */
export class Concretizer {
  readonly #graph: Graph;
  readonly #program: Lowered;
  readonly #sizes: Sizes;
  readonly #fed: ReadonlyMap<string, FedShape> | undefined;
  readonly #made = new Map<Node, Node>();
  readonly #from = new Map<Node, Node>();
  readonly #numbers = new Map<string, Dim>();

  /** Without `fed`, inputs stay inputs and what `sizes` do not tell stays a symbol. */
  constructor(program: Lowered, sizes: Sizes, fed: ReadonlyMap<string, FedShape> | undefined) {
    this.#program = program;
    this.#sizes = sizes;
    this.#fed = fed;
    this.#graph = new Graph({ defaultFloat: program.graph.defaultFloat, fold: foldWeak });
  }

  concretize(outputs: readonly NamedTensor[], inputs: readonly InputTensor[]): Bound {
    const unfed = this.#program.inputs.filter((i) => this.#fed?.has(i.name) === false);
    const defaults = new Map(unfed.flatMap((i) => (i.default ? [[i.node, i.default] as const] : [])));
    this.#follow(
      outputs.map((o) => o.node),
      defaults,
    );
    return {
      inputs: inputs.flatMap(({ name, node }) => (this.#made.has(node) ? [{ name, node: this.#made.get(node)! }] : [])),
      outputs: outputs.map(({ name, node }) => ({ name, node: this.#made.get(node)! })),
      siteOf: (node) => this.#siteOf(node),
      operandOf: (node, arg) => {
        const argument = bare(node.args[arg]);
        const isArgument = ({ value }: Operand) =>
          value.kind === "tensor" && bare(this.#made.get(value.node)) === argument;
        return argument && this.#siteOf(node)?.operands.find(isArgument);
      },
    };
  }

  #siteOf(node: Node): Site | undefined {
    const symbolic = this.#from.get(node);
    return symbolic && this.#program.sites.get(symbolic);
  }

  /** Concrete nodes for `roots` and all they need; an unfed input is what its default is. */
  #follow(roots: readonly Node[], defaults: ReadonlyMap<Node, Node>): void {
    for (const node of ancestors(roots)) {
      if (this.#made.has(node)) continue;
      const stand = defaults.get(node);
      if (stand) this.#follow([stand], defaults);
      const concrete = stand ? this.#made.get(stand)! : this.#located(node);
      this.#made.set(node, concrete);
      if (!this.#from.has(concrete)) this.#from.set(concrete, node);
    }
  }

  /** The node rebuilt; arithmetic on sizes that has no result for these is told of its place. */
  #located(node: Node): Node {
    try {
      return this.#rebuild(node);
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      const site = this.#program.sites.get(node);
      const labels = site ? placeLabels(site) : [];
      return fail(error.code, `for the sizes of these data, ${error.message}`, { labels, help: error.help });
    }
  }

  #rebuild(node: Node): Node {
    const args = node.args.map((a) => this.#made.get(a)!);
    const [x] = args as [Node];
    const { op, attrs } = node;
    if (isIdentity(node)) return x;
    if (op === dimOp) return dimNode(this.#graph, this.#number(attrs["dim"] as Dim, node));
    if (op === castOp) return castTo(x, { dtype: node.type.dtype, weak: node.type.weak });
    if (op === reshapeOp) return relabel(x, this.#numbersOf(attrs["shape"], node));
    if (op === broadcastOp) return stretch(x, this.#numbersOf(attrs["shape"], node));
    if (op === inputOp)
      return input(this.#graph, attrs["name"] as string, {
        ...node.type,
        shape: this.#numbersOf(node.type.shape, node),
      });
    if ((op as Partial<PointwiseOp>).integerGuard === "divisor") requireDivisor(args[1]!);
    return this.#graph.apply(op, args, this.#concreteAttrs(attrs, node));
  }

  #concreteAttrs(attrs: Node["attrs"], node: Node): Node["attrs"] {
    return Object.fromEntries(Object.entries(attrs).map(([k, v]) => [k, this.#concreteAttr(v, node)]));
  }
  #concreteAttr(value: unknown, node: Node): unknown {
    if (Array.isArray(value) && value.some((v) => isSymbolic(v))) return value.map((v) => this.#number(v as Dim, node));
    return isSymbolic(value) ? this.#number(value, node) : value;
  }
  #numbersOf(dims: unknown, node: Node): Dim[] {
    return (dims as Dim[]).map((d) => this.#number(d, node));
  }

  #number(d: Dim, node: Node): Dim {
    if (isKnown(d)) return d;
    const known = this.#numbers.get(d.key);
    if (known !== undefined) return known;
    const value = this.#sizes.value(d) ?? (this.#fed ? this.#reportUnknown(d, node) : d);
    requireExact(value!);
    this.#numbers.set(d.key, value);
    return value;
  }

  #reportUnknown(d: Dim, node: Node): never {
    const [symbol] = this.#sizes.unknown(d);
    const declared = this.#program.inputs.find((i) => i.node.type.shape.some((s) => asSymbol(s)?.key === symbol?.key));
    const site = this.#program.sites.get(node);
    return fail("missing-input", `the size ${symbol?.label} is not known`, {
      labels: [
        ...(site ? placeLabels(site) : []),
        ...(declared ? [{ span: declared.span, text: "declared here, but not fed" }] : []),
      ],
      help: declared
        ? `feed \`${declared.name}\`: ${this.#program.feeding(declared.name)}`
        : "no input declares it alone",
    });
  }
}
