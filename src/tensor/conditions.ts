/** What sizes must satisfy: recorded while shapes are inferred, shown by check, tested when data is fed. */
import {
  addDims,
  type Dim,
  type DimSymbol,
  dimKey,
  divideExactly,
  isKnown,
  lowerBound,
  mulDims,
  neverZero,
  sameDim,
  showDim,
  showOperand,
  solveFor,
  subDims,
  substitute,
  symbolDim,
  symbolsOf,
  upperBound,
} from "./dim.ts";

/** lhs = rhs, lhs ≥ rhs, or lhs divides rhs. */
export type Relation = "=" | ">=" | "divides";

export interface Condition<Site = unknown> {
  readonly lhs: Dim;
  readonly relation: Relation;
  readonly rhs: Dim;
  /** What must hold, in words that finish "… differ" or "… needs": e.g. "the inner sizes of `@`". */
  readonly what: string;
  /** Sizes that are broadcast: of these, a 1 that is known before there is data would stretch. */
  readonly broadcasts?: boolean | undefined;
  /** What else may have been meant, `…` being the operand `arg` of the place. */
  readonly help?: string | undefined;
  readonly arg?: number | string | undefined;
  /** Where it arose; opaque here, a place in the source to whoever set it. */
  readonly site: Site;
}

export type Verdict =
  | { readonly holds: boolean }
  | { readonly impossible: true; readonly because: readonly Condition[] };

/** Whether a relation between known sizes holds. */
export function holds(lhs: number, relation: Relation, rhs: number): boolean {
  switch (relation) {
    case "=":
      return lhs === rhs;
    case ">=":
      return lhs >= rhs;
    case "divides":
      return lhs === 0 ? rhs === 0 : rhs % lhs === 0;
  }
}

/** Whether it holds for all sizes (true), for none (false), or that depends (undefined). */
function decide(lhs: Dim, relation: Relation, rhs: Dim): boolean | undefined {
  if (isKnown(lhs) && isKnown(rhs)) return holds(lhs, relation, rhs);
  const difference = subDims(lhs, rhs);
  switch (relation) {
    case "=":
      return sameDim(lhs, rhs) ? true : neverZero(difference) ? false : undefined;
    case ">=":
      return lowerBound(difference) >= 0 ? true : upperBound(difference) < 0 ? false : undefined;
    case "divides":
      return divideExactly(rhs, lhs) === undefined ? undefined : true;
  }
}

/** Among more conditions no chain of them is searched for. */
const MOST_SEARCHED = 200;

export class Conditions {
  readonly list: Condition[] = [];
  readonly #recorded = new Set<string>();
  /** Those that what the others force does not settle. */
  #open: Condition[] = [];
  /** Symbols that the equalities so far determine, each in terms of symbols that are free or were determined later. */
  #solved = new Map<string, Dim>();

  /** d with everything put in that the conditions force. */
  reduce(d: Dim): Dim {
    if (this.#solved.size === 0 || isKnown(d)) return d;
    return substitute(d, (s) => this.#valueOf(s.key));
  }

  /** What a determined symbol is in terms of free ones; remembered, so that long chains are followed once. */
  #valueOf(key: string): Dim | undefined {
    let value = this.#solved.get(key);
    for (let next = value; next !== undefined; ) {
      value = next;
      next = substitute(value, (s) => this.#solved.get(s.key));
      if (sameDim(next, value)) break;
    }
    if (value !== undefined) this.#solved.set(key, value);
    return value;
  }

  /** Records the condition if sizes decide it; tells when nothing can meet it, and which earlier conditions are in the way. */
  require(condition: Condition): Verdict {
    const { lhs, relation, rhs } = condition;
    const direct = decide(lhs, relation, rhs);
    if (direct !== undefined) return direct ? { holds: true } : { impossible: true, because: [] };
    const known = this.#recorded.has(conditionKey(condition)) || this.#decideReduced(condition);
    if (known === true) return { holds: true };
    if (known === undefined && this.#add(condition)) return { holds: false };
    return { impossible: true, because: this.#conflict(condition) };
  }

  /** The same conditions, to which others may be added apart. */
  fork(): Conditions {
    const fork = new Conditions();
    for (const condition of this.list) fork.#add(condition);
    return fork;
  }

  /** Forgets all but the first `count` conditions: those of an expression that turned out wrong. */
  keep(count: number): void {
    if (count === this.list.length) return;
    const kept = this.list.splice(0).slice(0, count);
    this.#solved = new Map();
    this.#open = [];
    this.#recorded.clear();
    for (const condition of kept) this.#add(condition);
  }

  /** Conditions that cannot be met together with `condition`, none of which can be left out. */
  #conflict(condition: Condition): readonly Condition[] {
    const single = this.list.find((earlier) => !new Conditions().#addAll([earlier, condition]));
    if (single) return [single];
    return this.list.length > MOST_SEARCHED
      ? []
      : this.list.reduce((needed, earlier) => {
          const rest = needed.filter((c) => c !== earlier);
          return new Conditions().#addAll([...rest, condition]) ? needed : rest;
        }, this.list);
  }

  /** Whether a condition holds, given what the others force. */
  #decideReduced({ lhs, relation, rhs }: Condition): boolean | undefined {
    return decide(this.reduce(lhs), relation, this.reduce(rhs));
  }

  /** Adds a condition, unless none of the sizes that meet it meet the others too. */
  #add(condition: Condition): boolean {
    const { relation, lhs, rhs } = condition;
    const solution = relation === "=" ? solveFor(subDims(this.reduce(lhs), this.reduce(rhs))) : undefined;
    if (solution) {
      const before = this.#open.length > 0 ? new Map(this.#solved) : this.#solved;
      this.#solved.set(solution.symbol.key, solution.value);
      if (this.#open.some((c) => this.#decideReduced(c) === false)) {
        this.#solved = before;
        return false;
      }
    } else if (relation === ">=" && this.#opposed(condition)) return false;
    else this.#open.push(condition);
    this.list.push(condition);
    this.#recorded.add(conditionKey(condition));
    return true;
  }

  /** Whether another lower bound leaves no size: m > n where n > m is known. */
  #opposed(condition: Condition): boolean {
    if (this.#open.length > MOST_SEARCHED) return false;
    const excess = ({ lhs, rhs }: Condition) => subDims(this.reduce(lhs), this.reduce(rhs));
    const own = excess(condition);
    return this.#open.some((c) => c.relation === ">=" && upperBound(addDims(own, excess(c))) < 0);
  }

  #addAll(conditions: readonly Condition[]): boolean {
    return conditions.every((c) => this.#decideReduced(c) !== false && this.#add(c));
  }
}

/** Two dims as messages show them together: where they hold several `?`, each goes by its place, `axis 0 of a`. */
export function toldApart(a: Dim, b: Dim): [Dim, Dim] {
  const unnamed = [...symbolsOf(a, symbolsOf(b)).values()].filter((s) => s.label === "?");
  if (unnamed.length < 2) return [a, b];
  const placed = (d: Dim) =>
    substitute(d, ({ key, place }) => (place === undefined ? undefined : symbolDim(place, key)));
  return [placed(a), placed(b)];
}

/** `n = 3`, `n >= 4`, `n % 2 == 0`. */
export function describeCondition({ lhs, relation, rhs }: Pick<Condition, "lhs" | "relation" | "rhs">): string {
  const sides = toldApart(lhs, rhs);
  if (relation === "divides") return `${showOperand(sides[1])} % ${showOperand(sides[0])} == 0`;
  const [l, r] = sides.map(showDim);
  return relation === "=" && isKnown(lhs) ? `${r} = ${l}` : `${l} ${relation} ${r}`;
}

/** The sizes of the symbols in a condition, for a message: `n is 5, m is 3`. */
export const conditionSymbols = (c: Condition): DimSymbol[] => [...symbolsOf(c.lhs, symbolsOf(c.rhs)).values()];

/** The same for conditions that say the same of all sizes, such as n >= 1 and n - 1 >= 0. */
function conditionKey({ lhs, relation, rhs }: Condition): string {
  if (relation === "divides") return `${dimKey(lhs)} divides ${dimKey(rhs)}`;
  const difference = subDims(lhs, rhs);
  if (relation === ">=") return `${dimKey(difference)} >= 0`;
  return [difference, mulDims(-1, difference)].map(dimKey).sort().join(" = 0 = ");
}
