/** Random programs, most of them right: over every function of the registry, operators, indices, fns and derivatives. */
import type { Param, ParamKind } from "../../src/ops/define.ts";
import { preludeFunction } from "../../src/ops/prelude.ts";
import { functionNames, functionRow } from "../../src/ops/registry.ts";
import { DTYPES } from "../../src/tensor/dtype.ts";
import type { Random } from "./random.ts";

const BINARY = ["+", "-", "*", "/", "+", "-", "*", "//", "%", "**", "@", "*", "/", "<", "==", "and"];
const SIZES = ["0", "1", "2", "3", "4", "?"];
/** Where n and m are known. */
const NAMED_SIZES = ["n", "m", "n", "m", "2 * n", "n + 1", "n * m"];
const NUMBERS = ["0", "1", "2", "-1", "3", "0.5", "1e-3", "-2.5", "pi", "inf", "nan", "true", "2147483648", "1e300"];
const SUMMATIONS = ["ij,jk->ik", "i,i", "ij->ji", "ii", "...i,i", "ij", "i,j->ij", "ij,ij->", "a b, b"];

/** Prelude fns say nothing of their parameters' kinds but in their names. */
const KIND_BY_NAME: Readonly<Record<string, ParamKind>> = {
  axis: "axes",
  keepdims: "bool",
  ddof: "number",
  approximate: "bool",
};
/** What tells of derivatives is no row: it is written as programs write it. */
const DERIVATIVES = ["grad", "jacobian", "hessian"];

const parametersOf = (name: string): readonly (readonly [name: string, kind: ParamKind, optional: boolean])[] => {
  const row = functionRow(name);
  if (row)
    return Object.entries<Param<unknown>>(row.params).map(([param, p]) => [param, p.kind, p.default !== undefined]);
  return preludeFunction(name)!.params.map((p) => [p.name, KIND_BY_NAME[p.name] ?? "tensor", p.default !== undefined]);
};
const FUNCTIONS = functionNames().map((name) => ({ name, params: parametersOf(name) }));
const ELEMENTWISE = FUNCTIONS.filter(
  ({ name, params }) => functionRow(name)?.family === "elementwise" && params.every(([, kind]) => kind === "tensor"),
);

class Writer {
  readonly #random: Random;
  /** What an expression can name. */
  #names: string[] = [];
  readonly #fns: { readonly name: string; readonly arity: number }[] = [];
  #count = 0;
  readonly #sizes: readonly string[];

  constructor(random: Random) {
    this.#random = random;
    this.#sizes = random.chance(0.6) ? [...SIZES, ...NAMED_SIZES] : SIZES;
  }

  get #isSymbolic(): boolean {
    return this.#sizes !== SIZES;
  }

  program(): string {
    const { below, chance, pick, times } = bound(this.#random);
    const axes = times(1, 3, () => pick(this.#sizes));
    const lines = [...(this.#isSymbolic ? [this.#input(["n", "m"], 2)] : []), ...times(1, 2, () => this.#input(axes))];
    if (chance(0.25)) lines.push(this.#fn());
    lines.push(...times(0, 3, () => this.#statement()), this.#last());
    const text = lines.join(chance(0.5) ? "\n" : "; ");
    return below(20) > 0 ? text : `${text}\n`;
  }

  #new(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }

  /** Its dims are the last of `axes`, or 1: so that most inputs broadcast. */
  #input(axes: readonly string[], rank = this.#random.below(axes.length + 1)): string {
    const { chance, pick } = bound(this.#random);
    const name = this.#new("x");
    this.#names.push(name);
    const isFirst = this.#names.length === 1;
    const dims = axes
      .slice(axes.length - rank)
      .map((d) => (isFirst || chance(0.85) ? d : chance(0.6) ? "1" : pick(this.#sizes)));
    const dtype = chance(0.7) ? "" : `: ${pick(DTYPES)}`;
    return `input ${name}${dims.length > 0 ? `[${dims.join(", ")}]` : ""}${dtype}${chance(0.1) ? ` = ${this.#number()}` : ""}`;
  }

  #fn(): string {
    const { chance, times } = bound(this.#random);
    const outside = this.#names;
    const params = times(1, 3, () => this.#new("p"));
    this.#names = params.slice();
    const name = this.#new("f");
    const body = chance(0.6)
      ? ` = ${this.#expression(2)}`
      : ` {\n${times(1, 2, () => this.#binding()).join("\n")}\n${this.#expression(2)}\n}`;
    this.#names = outside;
    this.#fns.push({ name, arity: params.length });
    return `fn ${name}(${params.join(", ")})${body}`;
  }

  #binding(): string {
    const { chance, pick } = bound(this.#random);
    const value = this.#expression(3);
    const name = this.#new("b");
    this.#names.push(name);
    return `${name}${chance(0.05) ? `[${pick(this.#sizes)}]` : ""}${chance(0.05) ? `: ${pick(DTYPES)}` : ""} = ${value}`;
  }

  #statement(): string {
    const { chance, pick } = bound(this.#random);
    if (chance(0.85)) return this.#binding();
    const names = [this.#new("b"), this.#new("b")];
    const call = pick(["top_k", "slogdet", "grad"]);
    const text =
      call === "grad"
        ? `grad sum(${this.#expression(2)}) wrt ${pick(this.#names)}, ${pick(this.#names)}`
        : this.#call(FUNCTIONS.find((f) => f.name === call)!, 2);
    this.#names.push(...names);
    return `${names.join(", ")} = ${text}`;
  }

  #last(): string {
    const { chance, pick } = bound(this.#random);
    const made = pick(this.#names.slice(-3));
    if (chance(0.4)) return `output ${made}`;
    if (chance(0.6)) return this.#expression(3);
    const op = pick(DERIVATIVES);
    return `${op} ${op === "jacobian" ? made : `sum(${made})`} wrt ${pick(this.#names)}`;
  }

  #number(): string {
    return this.#random.pick(NUMBERS);
  }

  #expression(depth: number): string {
    const { below, chance, pick, times } = bound(this.#random);
    if (depth === 0) return chance(0.8) ? pick(this.#names) : this.#number();
    const inner = () => this.#expression(depth - 1 - below(2) * Number(depth > 1));
    switch (below(16)) {
      case 0:
      case 1:
        return pick(this.#names);
      case 2:
        return this.#call(pick(FUNCTIONS), depth - 1);
      case 3:
      case 4:
        return this.#call(pick(chance(0.5) ? FUNCTIONS : ELEMENTWISE), depth - 1);
      case 5:
        return `${pick(["sum", "mean", "max", "prod", "norm"])}(${inner()}${chance(0.5) ? `, axis=${this.#int()}` : ""})`;
      case 6:
        return `(${inner()})${pick([".T", ".mT"])}`;
      case 7:
        return `(${inner()})[${times(1, 2, () => this.#index(depth)).join(", ")}]`;
      case 8:
        return `[${times(0, 3, inner).join(", ")}]`;
      case 9:
        return `${pick(["-", "-", "+", "not "])}(${inner()})`;
      case 10: {
        const fn = this.#fns[0];
        return fn ? `${fn.name}(${Array.from({ length: fn.arity }, inner).join(", ")})` : inner();
      }
      case 11:
        return this.#derivative(depth);
      default:
        return `(${inner()} ${pick(BINARY)} ${inner()})`;
    }
  }

  #derivative(depth: number): string {
    const { chance, pick } = bound(this.#random);
    const [of, wrt] = [this.#expression(depth - 1), pick(this.#names)];
    if (chance(0.5)) return `(${pick(DERIVATIVES)} ${chance(0.8) ? `sum(${of})` : of} wrt ${wrt})`;
    return chance(0.5) ? `grad(sum(${of}), ${wrt})` : `${pick(["vjp", "jvp"])}(${of}, ${wrt}, ${pick([of, wrt])})`;
  }

  #int(): string {
    const { below, chance, pick } = bound(this.#random);
    return chance(0.9)
      ? String(below(6) - 2)
      : pick([
          "-7",
          "1000000",
          "2147483648",
          "9007199254740993",
          ...(this.#isSymbolic ? ["n", "m - n", "n // m", "m % n"] : []),
        ]);
  }

  #list(make: () => string): string {
    return `[${this.#random.times(0, 3, make).join(", ")}]`;
  }

  #index(depth: number): string {
    const { chance, pick } = bound(this.#random);
    const end = () => (chance(0.5) ? "" : this.#int());
    return pick([
      () => this.#int(),
      () => `${end()}:${end()}`,
      () => `${end()}:${end()}:${end()}`,
      () => "...",
      () => "newaxis",
      () => this.#expression(depth - 1),
      () => this.#list(() => this.#int()),
    ])();
  }

  #call({ name, params }: (typeof FUNCTIONS)[number], depth: number): string {
    const { chance } = bound(this.#random);
    const args = params.flatMap(([param, kind, optional]) => {
      if (optional && chance(0.6)) return [];
      const value = this.#argument(kind, depth);
      return optional || chance(0.1) ? `${param}=${value}` : value;
    });
    return `${name}(${args.join(", ")})`;
  }

  #argument(kind: ParamKind, depth: number): string {
    const { chance, pick } = bound(this.#random);
    const tensor = () => this.#expression(Math.max(0, depth));
    const int = () => this.#int();
    if (chance(0.02)) return tensor();
    switch (kind) {
      case "tensor":
      case "rest":
        return tensor();
      case "tensors":
        return this.#list(tensor);
      case "axes":
      case "ints":
        return chance(0.7) ? int() : this.#list(int);
      case "axis":
      case "int":
      case "dim":
        return int();
      case "shape":
        return this.#list(() => pick(["-1", "100000", ...this.#sizes.filter((size) => size !== "?")]));
      case "widths":
        return this.#list(() => `[${int()}, ${int()}]`);
      case "bool":
        return pick(["true", "false"]);
      case "dtype":
        return pick(DTYPES);
      case "string":
        return `"${pick(SUMMATIONS)}"`;
      case "number":
        return this.#number();
      default:
        return kind satisfies never;
    }
  }
}

const bound = (random: Random) => ({
  below: (n: number) => random.below(n),
  chance: (probability: number) => random.chance(probability),
  pick: <T>(from: readonly T[]) => random.pick(from),
  times: <T>(least: number, most: number, make: () => T) => random.times(least, most, make),
});

export const randomProgram = (random: Random): string => new Writer(random).program();
