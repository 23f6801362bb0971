/**
 * What to write instead: near misses, and other libraries' spellings. Exports nothing but functions: the command loads this file
 * when there is a mistake.
 */
import { DTYPES } from "../tensor/dtype.ts";
import { ELSEWHERE } from "./elsewhere.ts";

/** Names that a later version will use. */
const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set([
  "vmap",
  "conv1d",
  "conv2d",
  "max_pool",
  "avg_pool",
  "qr",
  "svd",
  "eigh",
  "lu",
  "scan",
]);
export const isReservedFunction = (name: string): boolean => RESERVED_FUNCTIONS.has(name) || name.startsWith("random_");

/** What other libraries' spelling of a function is here, in backquotes where it is code. */
export function spelledHere(name: string): string | undefined {
  if (!Object.hasOwn(ELSEWHERE, name)) return undefined;
  const here = ELSEWHERE[name]!;
  return /`|^(an?|the) /.test(here) ? here : `\`${here}\``;
}

/** Values and words of other languages, where a value should stand. */
const VALUES: Readonly<Record<string, string>> = {
  True: "write `true`",
  False: "write `false`",
  None: "leave the argument out",
  null: "leave the argument out",
  nil: "leave the argument out",
  undefined: "leave the argument out",
  pass: "leave it out: nothing needs to stand here",
  e: "write `exp(1)`",
  NaN: "write `nan`",
  Infinity: "write `inf`",
  zscore: "(x - mean(x)) / std(x)",
  π: "write `pi`",
  double: "write `float64`",
  float: "write `float32`",
  half: "write `float32`",
  int: "write `int32` or `int64`",
  long: "write `int64`",
};
/** Dtypes of other libraries. */
const FOREIGN_DTYPE = /^(u?int|b?float|complex)\d+$/;
const POWER = /^(.*[^⁰¹²³⁴-⁹])([⁰¹²³⁴-⁹]+)$/u;

/** What to do about a name of other languages that stands for no value here. */
export function valueHere(name: string): string | undefined {
  if (Object.hasOwn(VALUES, name)) return VALUES[name];
  if (FOREIGN_DTYPE.test(name)) return `the dtypes are ${DTYPES.join(", ")}`;
  const [, base, exponent] = POWER.exec(name) ?? [];
  return base && `write \`${base} ** ${exponent!.normalize("NFKC")}\``;
}

/** Strings that stand for numbers elsewhere. */
const STRINGS: Readonly<Record<string, string>> = {
  fro: "leave it out: the norm over all axes is Frobenius'",
  inf: "write `inf` without quotes",
};
export const stringHere = (text: string): string | undefined =>
  Object.hasOwn(STRINGS, text) ? STRINGS[text] : undefined;

/**
 * What is meant by a call in another library's manner, by the parameter that its arguments do not fit; "" is none: there are too
 * many.
 */
const REARRANGED: Readonly<Record<string, (args: readonly string[]) => string | false>> = {
  "max.axis": (args) => args.reduce((x, y) => `maximum(${x}, ${y})`),
  "max.": (args) => args.reduce((x, y) => `maximum(${x}, ${y})`),
  "min.axis": (args) => args.reduce((x, y) => `minimum(${x}, ${y})`),
  "min.": (args) => args.reduce((x, y) => `minimum(${x}, ${y})`),
  "zeros.dtype": listed("zeros"),
  "zeros.": listed("zeros"),
  "ones.dtype": listed("ones"),
  "ones.": listed("ones"),
  "full.dtype": (args) => args.length > 2 && `full([${args.slice(0, -1).join(", ")}], ${args.at(-1)})`,
  "full.": (args) => `full([${args.slice(0, -1).join(", ")}], ${args.at(-1)})`,
  "concat.xs": listed("concat"),
  "concat.axis": listed("concat"),
  "concat.": listed("concat"),
  "stack.xs": listed("stack"),
  "stack.axis": listed("stack"),
  "stack.": listed("stack"),
  "norm.axis": ([x, ord]) => (ord === '"fro"' ? `norm(${x})` : /^-?(\d+|inf)$/.test(ord!) && `norm(${x}, ord=${ord})`),
  "pad.widths": ([x, widths, ...value]) => {
    const pair = /^\w+$/.test(widths!) ? `[${widths}, ${widths}]` : /^\[[^[,]+,[^[,]+\]$/.exec(widths!);
    return pair ? `pad(${[x, `[${pair}]`, ...value].join(", ")})` : false;
  },
  "roll.shift": ([x, n, axis = "0"]) => /^\w+$/.test(n!) && axis === "0" && `concat([${x}[-${n}:], ${x}[:-${n}]])`,
  "kron.a": productOfVectors,
};

/** A call with its arguments in a list. */
function listed(name: string): (args: readonly string[]) => string | false {
  return (args) => args.length > 1 && `${name}([${args.join(", ")}])`;
}

function productOfVectors([x, y]: readonly string[]): string {
  return `of two vectors write \`reshape(outer(${x}, ${y}), [-1])\``;
}

/** The help where the arguments of a call, all by place, look like those of other libraries; `param` is the one that does not fit. */
export function rearranged(callee: string, param: string, args: readonly string[]): string | undefined {
  const key = `${callee}.${param}`;
  const call = Object.hasOwn(REARRANGED, key) && args.length > 1 && REARRANGED[key]!(args);
  if (!call) return undefined;
  return call.includes("`") ? call : `write \`${call}\``;
}

/** The functions of other libraries that `spelledHere` knows. */
export const foreignFunctions = (): readonly string[] => Object.keys(ELSEWHERE);

/** The candidate that was most likely meant, if one is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const limit = name.length < 3 ? 0.5 : Math.max(1, Math.floor(name.length / 3)); // 0.5: another case
  const lower = name.toLowerCase();
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const other = candidate.toLowerCase();
    // who mistypes a name gets one end of it right; a program may have thousands of names
    if (other[0] !== lower[0] && other.at(-1) !== lower.at(-1)) continue;
    const distance = other === lower ? 0.5 : editDistance(name, candidate, limit);
    if (distance <= limit && (!best || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Damerau–Levenshtein distance with adjacent transpositions (Damerau 1964, restricted); Infinity above a limit. */
function editDistance(a: string, b: string, limit: number): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last![j]! + 1,
        row[j - 1]! + 1,
        last![j - 1]! + cost,
        swapped ? beforeLast![j - 2]! + 1 : Infinity,
      );
    }
    if (Math.min(...last!, ...row) > limit) return Number.POSITIVE_INFINITY;
    [beforeLast, last] = [last, row];
  }
  return last!.at(-1)!;
}
