/**
 * Sizes known before data: a number, or a canonical polynomial over symbols and opaque atoms. Two dims are the same size
 * for all data exactly when (up to what the atoms hide) their canonical forms are equal. Knows nothing of tensors.
 *
 * Every atom stands for a size, so it is ≥ 0. The one non-linear primitive besides floor division is `max(p, 0)`:
 * min(a, b) is a - max(a - b, 0), which makes the parts of a split axis add up again: min(n, 5) + max(n - 5, 0) = n.
 */

export type Dim = number | Polynomial;

export interface Polynomial {
  readonly key: string;
  /** Ordered by key; the constant term, if any, comes last. */
  readonly terms: readonly Term[];
}

interface Term {
  readonly coefficient: number;
  /** Ordered by key, repeated for powers; empty for the constant. */
  readonly atoms: readonly Atom[];
  readonly key: string;
}

export type Atom =
  | { readonly kind: "symbol"; readonly key: string; readonly label: string; readonly place?: string | undefined }
  | { readonly kind: "positive"; readonly key: string; readonly of: Polynomial; readonly weight: number }
  | { readonly kind: "quotient"; readonly key: string; readonly of: Dim; readonly by: Dim; readonly weight: number };

export type DimSymbol = Extract<Atom, { kind: "symbol" }>;

/** A fresh symbol's dim. `key` tells symbols apart; `label` is what people see, `place` where one of many `?` stands. */
export const symbolDim = (label: string, key = label, place?: string): Polynomial =>
  ofAtom({ kind: "symbol", key, label, place });

export const isKnown = (d: Dim): d is number => typeof d === "number";
/** Whether any value at all is a dim that is not a number: attributes of nodes hold dims among other things. */
export const isSymbolic = (value: unknown): value is Polynomial =>
  typeof value === "object" && value !== null && "terms" in value;
export const sameDim = (a: Dim, b: Dim): boolean => a === b || (!isKnown(a) && !isKnown(b) && a.key === b.key);
export const dimKey = (d: Dim): string => (isKnown(d) ? String(d) : d.key);

/** Whether its numbers are ones that computing with them has not rounded. */
export const isExact = (d: Dim): boolean =>
  isKnown(d) ? Number.isSafeInteger(d) : d.terms.every((t) => Number.isSafeInteger(t.coefficient));

/** The symbol, where a dim is nothing but one. */
export function asSymbol(d: Dim): DimSymbol | undefined {
  if (isKnown(d) || d.terms.length !== 1) return undefined;
  const { coefficient, atoms } = d.terms[0]!;
  return coefficient === 1 && atoms.length === 1 && atoms[0]!.kind === "symbol" ? atoms[0] : undefined;
}

const ofAtom = (atom: Atom): Polynomial => ({
  key: atom.key,
  terms: [{ coefficient: 1, atoms: [atom], key: atom.key }],
});

/** How many max(p, 0) and quotients a dim holds, those inside others included: what reasoning about it costs. */
const weightOf = (d: Dim): number =>
  isKnown(d)
    ? 0
    : d.terms.reduce((sum, t) => t.atoms.reduce((w, a) => w + (a.kind === "symbol" ? 0 : a.weight), sum), 0);
/** Beyond this weight bounds are not looked for: each max(p, 0) doubles the cases. */
const MOST_SPLIT = 8;

const longKeys = new Map<string, string>();
/** A key that stays short, however much is nested in it. */
function shortKey(text: string): string {
  if (text.length <= 60) return text;
  const known = longKeys.get(text) ?? `@${longKeys.size}`;
  longKeys.set(text, known);
  return known;
}

const termsOf = (d: Dim): readonly Term[] =>
  isKnown(d) ? (d === 0 ? [] : [{ coefficient: d, atoms: [], key: "" }]) : d.terms;

function polynomial(terms: Iterable<Term>): Dim {
  const byKey = new Map<string, Term>();
  for (const t of terms) {
    const known = byKey.get(t.key);
    byKey.set(t.key, known ? { ...known, coefficient: known.coefficient + t.coefficient } : t);
  }
  const kept = [...byKey.values()].filter((t) => t.coefficient !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]!.key === "") return kept[0]!.coefficient;
  kept.sort((a, b) => (a.key === "" ? 1 : b.key === "" ? -1 : a.key < b.key ? -1 : 1));
  return {
    key: kept.map(termKey).join("+"),
    terms: kept,
  };
}

const termKey = ({ coefficient, key }: Term): string =>
  key === "" ? `${coefficient}` : coefficient === 1 ? key : `${coefficient}*${key}`;

const timesTerm = (a: Term, b: Term): Term => {
  const atoms = [...a.atoms, ...b.atoms].sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
  return { coefficient: a.coefficient * b.coefficient, atoms, key: atoms.map((x) => x.key).join("·") };
};

export const addDims = (a: Dim, b: Dim): Dim =>
  isKnown(a) && isKnown(b) ? a + b : polynomial([...termsOf(a), ...termsOf(b)]);
export const mulDims = (a: Dim, b: Dim): Dim =>
  isKnown(a) && isKnown(b) ? a * b : polynomial(termsOf(a).flatMap((s) => termsOf(b).map((t) => timesTerm(s, t))));
export const subDims = (a: Dim, b: Dim): Dim => addDims(a, mulDims(-1, b));

/** max(d, 0). */
export function positivePart(d: Dim): Dim {
  if (isKnown(d)) return Math.max(d, 0);
  if (lowerBound(d) >= 0) return d;
  if (upperBound(d) <= 0) return 0;
  // d is the larger of two parts where it holds +c · max(p, 0): one that is never positive adds nothing
  const split = weightOf(d) > MOST_SPLIT ? undefined : splitPositive(d);
  if (split && split.coefficient > 0) {
    const whole = addDims(split.rest, split.scaled);
    if (upperBound(split.rest) <= 0) return positivePart(whole);
    if (upperBound(whole) <= 0) return positivePart(split.rest);
  }
  // max(-p, 0) is max(p, 0) - p: one orientation only, so that equal sizes look equal
  if (d.terms[0]!.coefficient < 0) return addDims(d, positivePart(mulDims(-1, d)));
  return ofAtom({ kind: "positive", key: shortKey(`max(${d.key},0)`), of: d, weight: 1 + weightOf(d) });
}
export const minDims = (a: Dim, b: Dim): Dim => subDims(a, positivePart(subDims(a, b)));
export const maxDims = (a: Dim, b: Dim): Dim => addDims(b, positivePart(subDims(a, b)));

/** floor(a / b); exact quotients of polynomials are found, the rest is an atom. */
export function floorDivDims(a: Dim, b: Dim): Dim {
  if (isKnown(a) && isKnown(b)) return Math.floor(a / b);
  const exact = divideExactly(a, b);
  if (exact !== undefined) return exact;
  if (isKnown(b) && !isKnown(a)) {
    // floor((k·b + r) / b) = k + floor(r / b): the whole parts come out, so that equal quotients look equal.
    const whole = polynomial(a.terms.map((t) => ({ ...t, coefficient: Math.floor(t.coefficient / b) })));
    if (whole !== 0) return addDims(whole, floorDivDims(subDims(a, mulDims(whole, b)), b));
  }
  const key = shortKey(`(${dimKey(a)})//(${dimKey(b)})`);
  return ofAtom({ kind: "quotient", key, of: a, by: b, weight: 1 + weightOf(a) + weightOf(b) });
}

/** a / b where every term of `a` is a multiple of the one term of `b`. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (sameDim(a, b) && b !== 0) return 1;
  const [divisor, more] = termsOf(b);
  if (!divisor || more) return undefined;
  const quotients: Term[] = [];
  for (const t of termsOf(a)) {
    const rest = [...t.atoms];
    for (const atom of divisor.atoms) {
      const at = rest.findIndex((x) => x.key === atom.key);
      if (at < 0) return undefined;
      rest.splice(at, 1);
    }
    const coefficient = t.coefficient / divisor.coefficient;
    if (!Number.isInteger(coefficient)) return undefined;
    quotients.push({ coefficient, atoms: rest, key: rest.map((x) => x.key).join("·") });
  }
  return polynomial(quotients);
}

/** a and b without the factors of a one-term b that all terms of `a` share: n · d and 2 · n as d and 2. */
export function cancelFactors(a: Dim, b: Dim): [Dim, Dim] {
  const [divisor, more] = termsOf(b);
  if (!divisor || more) return [a, b];
  let cancelled: [Dim, Dim] = [a, b];
  for (const atom of divisor.atoms) {
    const factor = ofAtom(atom);
    const [left, right] = cancelled.map((d) => divideExactly(d, factor));
    if (left !== undefined && right !== undefined) cancelled = [left, right];
  }
  return cancelled;
}

export const productOf = (dims: readonly Dim[]): Dim => dims.reduce(mulDims, 1);
export const sumOf = (dims: readonly Dim[]): Dim => dims.reduce(addDims, 0);

/** The largest number known to be ≤ d for all sizes ≥ 0; -Infinity if there is none. */
export function lowerBound(d: Dim): number {
  if (isKnown(d)) return d;
  const split = weightOf(d) > MOST_SPLIT ? undefined : splitPositive(d);
  if (split) {
    const { rest, scaled, coefficient } = split;
    const [without, withIt] = [lowerBound(rest), lowerBound(addDims(rest, scaled))];
    return coefficient > 0 ? Math.max(without, withIt) : Math.min(without, withIt);
  }
  return d.terms.reduce(
    (bound, t) => (t.key === "" ? bound + t.coefficient : t.coefficient < 0 ? -Infinity : bound),
    0,
  );
}
export const upperBound = (d: Dim): number => -lowerBound(mulDims(-1, d));

/** rest + coefficient · max(p, 0) is the larger (coefficient > 0) or the smaller of `rest` and rest + coefficient · p. */
function splitPositive(d: Polynomial): { rest: Dim; scaled: Dim; coefficient: number; of: Polynomial } | undefined {
  const term = d.terms.find((t) => t.atoms.length === 1 && t.atoms[0]!.kind === "positive");
  if (!term) return undefined;
  const { of } = term.atoms[0] as Extract<Atom, { kind: "positive" }>;
  const rest = polynomial(d.terms.filter((t) => t !== term));
  return { rest, scaled: mulDims(term.coefficient, of), coefficient: term.coefficient, of };
}

/** Whether no sizes make d zero: by its bounds, or because its coefficients share a factor that its constant lacks. */
export function neverZero(d: Dim): boolean {
  if (isKnown(d)) return d !== 0;
  if (lowerBound(d) > 0 || upperBound(d) < 0) return true;
  const constant = d.terms.find((t) => t.key === "")?.coefficient ?? 0;
  const shared = d.terms.filter((t) => t.key !== "").reduce((g, t) => gcd(g, t.coefficient), 0);
  return constant % shared !== 0;
}
const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** d with symbols replaced; `undefined` leaves one as it is. */
export function substitute(d: Dim, replace: (symbol: DimSymbol) => Dim | undefined): Dim {
  const done = new Map<string, Dim>(); // atoms are shared: each is replaced once
  const atomValue = (a: Atom): Dim => {
    const value = done.get(a.key) ?? replaceIn(a);
    done.set(a.key, value);
    return value;
  };
  const replaceIn = (a: Atom): Dim => {
    switch (a.kind) {
      case "symbol":
        return replace(a) ?? ofAtom(a);
      case "positive":
        return positivePart(visit(a.of));
      case "quotient":
        return floorDivDims(visit(a.of), visit(a.by));
    }
  };
  const visit = (dim: Dim): Dim =>
    isKnown(dim)
      ? dim
      : sumOf(dim.terms.map((t) => t.atoms.reduce<Dim>((p, a) => mulDims(p, atomValue(a)), t.coefficient)));
  return visit(d);
}

/** Every symbol in d, also those inside atoms. */
export function symbolsOf(
  d: Dim,
  found = new Map<string, DimSymbol>(),
  seen = new Set<string>(),
): Map<string, DimSymbol> {
  if (isKnown(d)) return found;
  for (const t of d.terms)
    for (const a of t.atoms) {
      if (seen.has(a.key)) continue;
      seen.add(a.key);
      if (a.kind === "symbol") found.set(a.key, a);
      else symbolsOf(a.of, found, seen);
      if (a.kind === "quotient") symbolsOf(a.by, found, seen);
    }
  return found;
}

/** A symbol that occurs in d once, alone and with coefficient ±1, so that `d = 0` can be solved for it. */
export function solveFor(d: Dim): { symbol: DimSymbol; value: Dim } | undefined {
  if (isKnown(d)) return undefined;
  for (const t of d.terms) {
    const [atom, more] = t.atoms;
    if (!atom || more || atom.kind !== "symbol" || Math.abs(t.coefficient) !== 1) continue;
    const rest = polynomial(d.terms.filter((other) => other !== t));
    if (!symbolsOf(rest).has(atom.key)) return { symbol: atom, value: mulDims(-t.coefficient, rest) };
  }
  return undefined;
}

/** Dims that hold more than this are shown as `…`. */
const MOST_SHOWN = 8;

/** As the language writes it: `2 * n + 1`, `min(n, 5)`, `?`. */
export function showDim(d: Dim): string {
  if (isKnown(d)) return String(d);
  if (weightOf(d) > MOST_SHOWN) return "…";
  const split = splitPositive(d);
  if (split && split.coefficient < 0) {
    const minimum = showMinimum(split.of, -split.coefficient);
    const rest = subDims(split.rest, mulDims(-split.coefficient, variablePart(split.of)));
    return rest === 0 ? minimum : `${minimum}${showTerms(termsOf(rest), true)}`;
  }
  return showTerms(d.terms);
}

/** p without its constant term. */
const variablePart = (p: Polynomial): Dim => polynomial(p.terms.filter((t) => t.key !== ""));

/** count · (v - max(p, 0)), where v is p without its constant c, is count · min(v, -c). */
function showMinimum(p: Polynomial, count: number): string {
  const v = variablePart(p);
  const text = `min(${showDim(v)}, ${showDim(subDims(v, p))})`;
  return count === 1 ? text : `${count} * ${text}`;
}

/** Terms with their signs between; `continued` begins with a sign too. */
function showTerms(terms: readonly Term[], continued = false): string {
  const parts = terms.map((t, i) => {
    const size = Math.abs(t.coefficient);
    const isNegated = t.coefficient < 0 && i === 0 && !continued;
    const factors = t.atoms.map((a) => showAtom(a, t.atoms.length > 1 || size !== 1 || isNegated));
    const text = t.key === "" ? `${size}` : [...(size === 1 ? [] : [size]), ...factors].join(" * ");
    if (i > 0 || continued) return (t.coefficient < 0 ? " - " : " + ") + text;
    return t.coefficient < 0 ? `-${text}` : text;
  });
  return parts.join("");
}

function showAtom(a: Atom, inProduct: boolean): string {
  switch (a.kind) {
    case "symbol":
      return a.label;
    case "positive":
      return `max(${showDim(a.of)}, 0)`;
    case "quotient": {
      const text = `${showOperand(a.of)} // ${showOperand(a.by)}`;
      return inProduct ? `(${text})` : text;
    }
  }
}

/** A dim beside `%` or `//`. */
export const showOperand = (d: Dim): string => (isKnown(d) || asSymbol(d) ? showDim(d) : `(${showDim(d)})`);

export const showShape = (shape: readonly Dim[]): string => `(${shape.map(showDim).join(", ")})`;
/** `no axes`, `1 axis`, `3 axes`. */
export const showRank = (rank: number): string => (rank === 1 ? "1 axis" : `${rank === 0 ? "no" : rank} axes`);
