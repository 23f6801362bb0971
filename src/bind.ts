/**
 * Symbolic graph + sizes of the fed data → concrete graph: every dim a number, every recorded condition checked, marks
 * erased, defaults put in. Knows sizes, not values.
 */

import { foldWeak } from "./fold.ts";
import { ancestors, Graph, type Node } from "./graph/node.ts";
import type { InputTensor, Lowered, NamedTensor } from "./lower/program.ts";
import type { Site } from "./lower/value.ts";
import { castOp } from "./ops/cast.ts";
import { isIdentity } from "./ops/identity.ts";
import { dimNode, dimOp, input, inputOp } from "./ops/leaf.ts";
import { broadcastOp, relabel, reshapeOp, stretch } from "./ops/movement.ts";
import { castTo } from "./ops/promote.ts";
import { type Diagnostic, fail, type Label, TsymError } from "./source.ts";
import { type Condition, conditionSymbols, holds } from "./tensor/conditions.ts";
import {
  asSymbol,
  type Dim,
  type DimSymbol,
  isKnown,
  showDim,
  showShape,
  substitute,
  symbolsOf,
} from "./tensor/dim.ts";

/** What is fed to an input, as far as binding must know. */
export interface FedShape {
  /** A size that is undefined is what the declaration makes it: `[]` has as many axes as are wanted. */
  readonly shape: readonly (number | undefined)[];
  /** How messages name where it comes from: `a.npy`. */
  readonly label: string;
}

export interface Bound {
  /** The inputs that are read, in program order, and their concrete nodes. */
  readonly inputs: readonly { readonly name: string; readonly node: Node }[];
  readonly outputs: readonly { readonly name: string; readonly node: Node }[];
  /** Where in the source a concrete node comes from. */
  readonly siteOf: (node: Node) => Site | undefined;
}

/** Binds the sizes of the fed data and keeps what `outputs` need. Throws TsymError: a missing input, a wrong rank or size. */
export function bind(program: Lowered, outputs: readonly NamedTensor[], fed: ReadonlyMap<string, FedShape>): Bound {
  requireInputs(program, outputs, fed);
  const sizes = new Sizes(program, fed);
  const given = program.inputs.filter((i) => fed.has(i.name));
  for (const i of given) sizes.read(i);
  sizes.check(given);
  sizes.checkConditions();
  return new Concretizer(program, sizes, fed).concretize(outputs, given);
}

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
  if (missing.size > 0) throw new TsymError(program.inputs.filter((i) => missing.has(i)).map(missingInput));
}

const missingInput = ({ name, node, span }: InputTensor): Diagnostic => ({
  severity: "error",
  code: "missing-input",
  message: `input \`${name}\` is not fed`,
  labels: [{ span, text: `${showShape(node.type.shape)} ${node.type.dtype}` }],
  help: `give it data: --feed ${name}=FILE`,
});

/** What number each symbol stands for, and where that was learnt. */
class Sizes {
  readonly #program: Lowered;
  readonly #fed: ReadonlyMap<string, FedShape>;
  readonly #values = new Map<string, { readonly size: number; readonly from: InputTensor }>();

  constructor(program: Lowered, fed: ReadonlyMap<string, FedShape>) {
    this.#program = program;
    this.#fed = fed;
  }

  /** Learns the symbols that stand alone in an input's declaration. */
  read(declared: InputTensor): void {
    const { shape } = declared.node.type;
    const data = this.#fed.get(declared.name)!;
    if (data.shape.length !== shape.length) {
      const axes = shape.length === 0 ? "is a scalar" : `has ${shape.length === 1 ? "1 axis" : `${shape.length} axes`}`;
      this.#refuse(declared, `input \`${declared.name}\` ${axes}, but ${data.label} has shape ${showFed(data.shape)}`);
    }
    for (const [axis, d] of shape.entries()) {
      const symbol = asSymbol(d);
      const size = data.shape[axis];
      if (symbol && size !== undefined && !this.#values.has(symbol.key))
        this.#values.set(symbol.key, { size, from: declared });
    }
  }

  /** Every declared dim against the size that came. */
  check(inputs: readonly InputTensor[]): void {
    for (const declared of inputs)
      for (const [axis, d] of declared.node.type.shape.entries()) {
        const size = this.value(d);
        const data = this.#fed.get(declared.name)!;
        if (size === undefined || data.shape[axis] === undefined || size === data.shape[axis]) continue;
        const learnt = asSymbol(d) && this.#values.get(asSymbol(d)!.key);
        const why = isKnown(d)
          ? ""
          : learnt
            ? `; \`${learnt.from.name}\` made ${showDim(d)} = ${size}`
            : `; ${showDim(d)} is ${size}`;
        this.#refuse(
          declared,
          `axis ${axis} of input \`${declared.name}\` must have size ${size}, but ${data.label} has shape ${showFed(data.shape)}${why}`,
          learnt
            ? [
                {
                  span: learnt.from.span,
                  text: `${showDim(d)} = ${size}, from ${this.#fed.get(learnt.from.name)!.label}`,
                },
              ]
            : [],
        );
      }
  }

  #refuse(declared: InputTensor, message: string, more: readonly Label[] = []): never {
    const labels =
      declared.span.end > declared.span.start
        ? [{ span: declared.span, text: `declared ${showShape(declared.node.type.shape)}` }, ...more]
        : more;
    return fail("feed", message, { labels });
  }

  checkConditions(): void {
    const broken = this.#program.graph.conditions.list.flatMap((c) => this.#brokenCondition(c) ?? []);
    if (broken.length > 0) throw new TsymError(broken);
  }

  #brokenCondition(c: Condition): Diagnostic | undefined {
    const [lhs, rhs] = [this.value(c.lhs), this.value(c.rhs)];
    if (lhs === undefined || rhs === undefined || holds(lhs, c.relation, rhs)) return undefined;
    const site = c.site as Site;
    const symbols = conditionSymbols(c).flatMap((s) => this.#values.get(s.key)?.from ?? []);
    const sources = [...new Set(symbols)].map((from): Label => {
      const { label, shape } = this.#fed.get(from.name)!;
      return { span: from.span, text: `fed from ${label}, shape ${showFed(shape)}` };
    });
    return {
      severity: "error",
      code: "size",
      message: `${c.what}: ${this.#finding(c, lhs, rhs)}`,
      labels: [
        { span: site.span, text: "" },
        ...site.operands.flatMap(operandLabel),
        ...sources.filter((l) => l.span.end > l.span.start),
        ...site.calls.map((span) => ({ span, text: "in this call" })),
      ],
      help:
        c.broadcasts && (lhs === 1 || rhs === 1)
          ? "only a dim that is 1 before there is data stretches: declare it 1"
          : `feed data whose sizes fit: ${[...new Set(symbols)].map(({ name }) => `\`${name}\` comes from ${this.#fed.get(name)!.label}`).join(", ")}`,
    };
  }

  /** `? is 5 where 3 is needed` */
  #finding({ lhs, relation, rhs }: Condition, l: number, r: number): string {
    const shown = (d: Dim, value: number) => (isKnown(d) ? `${value}` : `${showDim(d)} is ${value}`);
    switch (relation) {
      case "=":
        if (isKnown(lhs)) return `${shown(rhs, r)} where ${l} is needed`;
        return isKnown(rhs) ? `${shown(lhs, l)} where ${r} is needed` : `${shown(lhs, l)}, but ${shown(rhs, r)}`;
      case ">=":
        return `${shown(lhs, l)}, where at least ${isKnown(rhs) ? r : `${showDim(rhs)} = ${r}`} is needed`;
      case "divides":
        return `${shown(rhs, r)}, which is not a multiple of ${isKnown(lhs) ? l : `${showDim(lhs)} = ${l}`}`;
    }
  }

  /** The number that a dim is, if the fed data tell. */
  value(d: Dim): number | undefined {
    if (isKnown(d)) return d;
    const value = substitute(d, (s) => this.#values.get(s.key)?.size);
    return isKnown(value) ? value : undefined;
  }

  /** The symbols of a dim that nothing tells. */
  unknown(d: Dim): DimSymbol[] {
    return [...symbolsOf(d).values()].filter((s) => !this.#values.has(s.key));
  }
}

/** A tensor's declared shape; literals speak for themselves. */
const operandLabel = ({ span, value }: Site["operands"][number]): Label[] =>
  value.kind === "tensor" && !value.node.type.weak ? [{ span, text: `shape ${showShape(value.node.type.shape)}` }] : [];

/** Makes the concrete graph, node by node. */
class Concretizer {
  readonly #graph: Graph;
  readonly #program: Lowered;
  readonly #sizes: Sizes;
  readonly #fed: ReadonlyMap<string, FedShape>;
  readonly #made = new Map<Node, Node>();
  readonly #from = new Map<Node, Node>();
  readonly #numbers = new Map<string, number>();

  constructor(program: Lowered, sizes: Sizes, fed: ReadonlyMap<string, FedShape>) {
    this.#program = program;
    this.#sizes = sizes;
    this.#fed = fed;
    this.#graph = new Graph({ defaultFloat: program.graph.defaultFloat, fold: foldWeak });
  }

  concretize(outputs: readonly NamedTensor[], inputs: readonly InputTensor[]): Bound {
    const defaults = new Map(
      this.#program.inputs.flatMap((i) => (i.default && !this.#fed.has(i.name) ? [[i.node, i.default] as const] : [])),
    );
    this.#follow(
      outputs.map((o) => o.node),
      defaults,
    );
    return {
      inputs: inputs.flatMap(({ name, node }) => (this.#made.has(node) ? [{ name, node: this.#made.get(node)! }] : [])),
      outputs: outputs.map(({ name, node }) => ({ name, node: this.#made.get(node)! })),
      siteOf: (node) => {
        const symbolic = this.#from.get(node);
        return symbolic && this.#program.sites.get(symbolic);
      },
    };
  }

  /** Concrete nodes for `roots` and all they need; an unfed input is what its default is. */
  #follow(roots: readonly Node[], defaults: ReadonlyMap<Node, Node>): void {
    for (const node of ancestors(roots)) {
      if (this.#made.has(node)) continue;
      const stand = defaults.get(node);
      if (stand) this.#follow([stand], defaults);
      const concrete = stand ? this.#made.get(stand)! : this.#rebuild(node);
      this.#made.set(node, concrete);
      if (!this.#from.has(concrete)) this.#from.set(concrete, node);
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
    return this.#graph.apply(op, args, this.#concreteAttrs(attrs, node));
  }

  #concreteAttrs(attrs: Node["attrs"], node: Node): Node["attrs"] {
    return Object.fromEntries(Object.entries(attrs).map(([k, v]) => [k, this.#concreteAttr(v, node)]));
  }
  #concreteAttr(value: unknown, node: Node): unknown {
    if (Array.isArray(value) && value.some((v) => isSymbolic(v))) return value.map((v) => this.#number(v as Dim, node));
    return isSymbolic(value) ? this.#number(value, node) : value;
  }
  #numbersOf(dims: unknown, node: Node): number[] {
    return (dims as Dim[]).map((d) => this.#number(d, node));
  }

  #number(d: Dim, node: Node): number {
    if (isKnown(d)) return d;
    const known = this.#numbers.get(d.key);
    if (known !== undefined) return known;
    const value = this.#sizes.value(d);
    if (value === undefined) this.#reportUnknown(d, node);
    this.#numbers.set(d.key, value!);
    return value!;
  }

  #reportUnknown(d: Dim, node: Node): never {
    const [symbol] = this.#sizes.unknown(d);
    const declared = this.#program.inputs.find((i) => i.node.type.shape.some((s) => asSymbol(s)?.key === symbol?.key));
    const site = this.#program.sites.get(node);
    return fail("missing-input", `the size ${symbol?.label} is not known`, {
      labels: [
        ...(site ? [{ span: site.span, text: "" }] : []),
        ...(declared ? [{ span: declared.span, text: "declared here, but not fed" }] : []),
      ],
      help: declared ? `feed \`${declared.name}\`: --feed ${declared.name}=FILE` : "no input declares it alone",
    });
  }
}

const showFed = (shape: FedShape["shape"]): string => `(${shape.map((d) => d ?? "?").join(", ")})`;

const isSymbolic = (value: unknown): value is Exclude<Dim, number> =>
  typeof value === "object" && value !== null && "terms" in value && "key" in value;
