/** What numbers the symbols of a program stand for, learnt from the fed data; refuses data that do not fit. */
import { type InputTensor, needsOf } from "../lower/inputs.ts";
import type { Lowered } from "../lower/program.ts";
import { aboutOperand, placeLabels, type Site, shapeLabel } from "../lower/site.ts";
import { type Diagnostic, fail, type Label, TsymError } from "../source.ts";
import { type Condition, conditionSymbols, holds, toldApart } from "../tensor/conditions.ts";
import {
  asSymbol,
  type Dim,
  type DimSymbol,
  isKnown,
  showDim,
  showRank,
  showShape,
  solveFor,
  subDims,
  substitute,
  symbolsOf,
} from "../tensor/dim.ts";

/** What is fed to an input, as far as binding must know. */
export interface FedShape {
  /** A size that is undefined is what the declaration makes it: `[]` has as many axes as are wanted. */
  readonly shape: readonly (number | undefined)[];
  /** The shape that messages tell, where the declaration has added to it. */
  readonly written?: readonly number[];
  /** How messages name where it comes from: `a.npy`. */
  readonly label: string;
}

/** What number each symbol stands for, and where that was learnt. */
export class Sizes {
  readonly #program: Lowered;
  readonly #fed: ReadonlyMap<string, FedShape>;
  readonly #values = new Map<string, { readonly size: number; readonly from?: InputTensor | undefined }>();

  constructor(program: Lowered, fed: ReadonlyMap<string, FedShape>) {
    this.#program = program;
    this.#fed = fed;
  }

  /** Learns the symbols that stand alone in an input's declaration. */
  read(declared: InputTensor): void {
    const { shape } = declared.node.type;
    const data = this.#fed.get(declared.name)!;
    if (data.shape.length !== shape.length) {
      const axes = shape.length === 0 ? "is a scalar" : `has ${showRank(shape.length)}`;
      this.#refuse(declared, `input \`${declared.name}\` ${axes}, but ${data.label} has shape ${showFed(data.shape)}`);
    }
    for (const [axis, d] of shape.entries()) {
      const symbol = asSymbol(d);
      const size = data.shape[axis];
      if (symbol && size !== undefined && !this.#values.has(symbol.key))
        this.#values.set(symbol.key, { size, from: declared });
    }
  }

  /** Learns the sizes that equalities between dims force, such as those of inputs whose default stands; of several sources it names one. */
  force(): void {
    const equalities = this.#conditions().filter((c) => c.relation === "=");
    for (let before = -1; before < this.#values.size; ) {
      before = this.#values.size;
      for (const condition of equalities) {
        const solution = solveFor(this.#known(subDims(condition.lhs, condition.rhs)));
        if (solution && isKnown(solution.value) && solution.value >= 0)
          this.#values.set(solution.symbol.key, { size: solution.value, from: this.#sourcesOf(condition)[0] });
      }
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
          : learnt?.from
            ? `; \`${learnt.from.name}\` made ${showDim(d)} = ${size}`
            : `; ${showDim(d)} is ${size}`;
        this.#refuse(
          declared,
          `axis ${axis} of input \`${declared.name}\` must have size ${size}, but ${data.label} has shape ${showFed(data.written ?? data.shape)}${why}`,
          learnt?.from
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
      declared.span.end > declared.span.start ? [{ span: declared.span, text: declaredAs(declared) }, ...more] : more;
    return fail("feed", message, { labels });
  }

  checkConditions(): void {
    const broken = this.#conditions().flatMap((c) => this.#brokenCondition(c) ?? []);
    if (broken.length > 0) throw new TsymError(broken);
  }

  /** Those that hold for what is fed. */
  #conditions(): Condition[] {
    const { graph, inputs } = this.#program;
    return needsOf(graph, inputs).flatMap(({ condition, unlessFed }) =>
      unlessFed !== undefined && this.#fed.has(unlessFed) ? [] : [condition],
    );
  }

  #brokenCondition(c: Condition): Diagnostic | undefined {
    const [lhs, rhs] = [this.value(c.lhs), this.value(c.rhs)];
    if (lhs === undefined || rhs === undefined || holds(lhs, c.relation, rhs)) return undefined;
    const site = c.site as Site;
    const inputs = this.#sourcesOf(c);
    const sources = inputs.map((from): Label => {
      const { label, shape, written } = this.#fed.get(from.name)!;
      return { span: from.span, text: `fed from ${label}, shape ${showFed(written ?? shape)}` };
    });
    return {
      severity: "error",
      code: "size",
      message: `${c.what}: ${this.#finding(c, lhs, rhs)}`,
      labels: placeLabels(site, {
        beside: [
          ...site.operands.flatMap((o) => shapeLabel(o) ?? []),
          ...sources.filter((l) => l.span.end > l.span.start),
        ],
      }),
      help:
        c.broadcasts && c.help !== undefined
          ? aboutOperand(c.help, typeof c.arg === "number" ? site.operands[c.arg] : undefined)
          : c.broadcasts && (lhs === 1 || rhs === 1)
            ? stretchHelp(lhs === 1 ? c.lhs : c.rhs)
            : inputs.length > 0
              ? `feed data whose sizes fit: ${inputs.map(({ name }) => `\`${name}\` comes from ${this.#fed.get(name)!.label}`).join(", ")}`
              : "the defaults of what is not fed do not fit together",
    };
  }

  /** The fed inputs that a condition's sizes were learnt from. */
  #sourcesOf(c: Condition): InputTensor[] {
    return [...new Set(conditionSymbols(c).flatMap((s) => this.#values.get(s.key)?.from ?? []))];
  }

  /** `? is 5 where 3 is needed` */
  #finding({ lhs, relation, rhs }: Condition, l: number, r: number): string {
    const [left, right] = toldApart(lhs, rhs);
    const shown = (d: Dim, value: number) => (isKnown(d) ? `${value}` : `${showDim(d)} is ${value}`);
    switch (relation) {
      case "=":
        if (isKnown(lhs)) return `${shown(rhs, r)} where ${l} is needed`;
        return isKnown(rhs) ? `${shown(lhs, l)} where ${r} is needed` : `${shown(left, l)}, but ${shown(right, r)}`;
      case ">=":
        return `${shown(left, l)}, where at least ${isKnown(rhs) ? r : `${showDim(right)} = ${r}`} is needed`;
      case "divides":
        return `${shown(right, r)}, which is not a multiple of ${isKnown(lhs) ? l : `${showDim(left)} = ${l}`}`;
    }
  }

  /** The number that a dim is, if the fed data tell. */
  value(d: Dim): number | undefined {
    if (isKnown(d)) return d;
    const value = this.#known(d);
    return isKnown(value) ? value : undefined;
  }

  /** The dim with every size put in that is known. */
  #known(d: Dim): Dim {
    return substitute(d, (s) => this.#values.get(s.key)?.size);
  }

  /** The symbols of a dim that nothing tells. */
  unknown(d: Dim): DimSymbol[] {
    return [...symbolsOf(d).values()].filter((s) => !this.#values.has(s.key));
  }
}

/** What to do about a dim that is 1 with this data, and does not stretch. */
const stretchHelp = (d: Dim): string =>
  `only a dim that is 1 before there is data stretches: ${
    asSymbol(d)
      ? "declare it 1"
      : `where ${showDim(d)} is that of a slice, write an int with newaxis: \`x[0, newaxis]\``
  }`;

const declaredAs = ({ node: { type } }: InputTensor): string =>
  type.shape.length === 0 ? "declared without axes" : `declared ${showShape(type.shape)}`;
const showFed = (shape: FedShape["shape"]): string => `(${shape.map((d) => d ?? "?").join(", ")})`;
