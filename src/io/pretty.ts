/** Tensors for reading: the text of NumPy's array2string (numpy/_core/arrayprint.py of 2.4), bools in lower case. */
import { type DType, isFloat } from "../tensor/dtype.ts";
import { showSizes, sizeOf, stridesOf, type Tensor } from "../tensor/tensor.ts";
import { shortestFloat32 } from "./digits.ts";

const LINE_WIDTH = 75;
/** Above this many elements, long axes show their first and last items only. */
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;

export interface PrettyOptions {
  /** Digits after the point, at most. */
  readonly precision?: number | undefined;
}

/** The tensor under a line of its name, shape and dtype: `c: (3, 3) float32`. */
export const pretty = (name: string, tensor: Tensor, options: PrettyOptions = {}): string =>
  `${name}: ${showSizes(tensor.shape)} ${tensor.dtype}\n${prettyValues(tensor, options)}`;

/** The tensor's values as NumPy prints them. */
export function prettyValues(tensor: Tensor, options: PrettyOptions = {}): string {
  const { dtype, shape, data } = tensor;
  if (sizeOf(shape) === 0) return "[]";
  if (shape.length === 0 && isFloat(dtype) && options.precision === undefined)
    return floatScalar(Number(data[0]), dtype);
  const { precision = 8 } = options;
  const summarized = sizeOf(shape) > THRESHOLD;
  const strides = stridesOf(shape);
  /** The indices shown of each axis; "gap" stands for those left out. */
  const shown = shape.map((size) =>
    summarized && size > 2 * EDGE_ITEMS
      ? [0, 1, 2, "gap" as const, size - 3, size - 2, size - 1]
      : Array.from({ length: size }, (_, i) => i),
  );
  const visible = shown.reduce<number[]>(
    (offsets, axisShown, axis) =>
      offsets.flatMap((offset) => axisShown.flatMap((i) => (i === "gap" ? [] : [offset + i * strides[axis]!]))),
    [0],
  );
  const values = visible.map((offset) => data[offset]!);
  const format = formatter(dtype, values, shape.length === 0, precision);

  /** The text of the part at `offset`, whose lines after the first begin with `indent`. */
  const print = (axis: number, offset: number, indent: string, width: number): string => {
    if (axis === shape.length) return format(data[offset]!);
    const items = shown[axis]!.map((i) =>
      i === "gap" ? "..." : print(axis + 1, offset + i * strides[axis]!, `${indent} `, width - 1),
    );
    const last = axis === shape.length - 1;
    return `[${last ? wrap(items, indent, width - 1) : items.join("\n".repeat(shape.length - 1 - axis) + indent)}]`;
  };
  return print(0, 0, " ", LINE_WIDTH);
}

/** Joins words with spaces, over as many lines as it takes; all but the first begin with `indent`. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.slice(0, -1)].join("\n").slice(indent.length);
}

type Format = (value: number | bigint) => string;

/** What prints one element so that all `values` are aligned. */
function formatter(dtype: DType, values: readonly (number | bigint)[], scalar: boolean, precision: number): Format {
  if (isFloat(dtype)) return floatFormat(dtype, values.map(Number), precision);
  const text: Format = dtype === "bool" ? (value) => (value ? "True" : "False") : String;
  const width = dtype === "bool" ? (scalar ? 0 : "False".length) : longest(values.map(text));
  return (value) => text(value).padStart(width);
}

const longest = (texts: readonly string[]): number => texts.reduce((width, { length }) => Math.max(width, length), 0);

/** A number's text in its parts; the exponent of a positional one is "". */
interface Decimal {
  readonly whole: string;
  readonly fraction: string;
  readonly exponent: string;
}

/** NumPy's FloatingFormat, of floatmode "maxprec": the fewest digits that are unique, but no more than `precision`. */
function floatFormat(dtype: DType, values: readonly number[], precision: number): Format {
  const finite = values.filter(Number.isFinite);
  const scientific = needsExponent(dtype, finite);
  const parts = finite.map((x) => decimal(x, dtype, scientific, 0, precision));
  const fractionWidth = longest(parts.map(({ fraction }) => fraction));
  const exponentWidth = longest(parts.map(({ exponent }) => exponent));
  const right = fractionWidth + (scientific ? 1 + exponentWidth : 0);
  const words = values.filter((x) => !Number.isFinite(x)).map(notFinite);
  const left = Math.max(longest(parts.map(({ whole }) => whole)), longest(words) - right - 1);
  return (value) => {
    const x = Number(value);
    if (!Number.isFinite(x)) return notFinite(x).padStart(left + 1 + right);
    const { whole, fraction, exponent } = decimal(x, dtype, scientific, scientific ? fractionWidth : 0, precision);
    const start = `${whole.padStart(left)}.`;
    if (!scientific) return start + fraction.padEnd(fractionWidth);
    const power = exponent.slice(1).padStart(exponentWidth - 1, "0");
    return `${start}${fraction.padEnd(fractionWidth, "0")}e${exponent.charAt(0)}${power}`;
  };
}

/** A float alone, as NumPy writes it: the shortest digits, with an exponent below 1e-4 and from 1e16 (of float32: 1e6) on. */
function floatScalar(x: number, dtype: DType): string {
  if (!Number.isFinite(x)) return notFinite(x);
  const [significand, power] = (dtype === "float32" ? shortestFloat32(x) : x).toExponential().split("e") as [
    string,
    string,
  ];
  const exponent = Number(power);
  const sign = Object.is(x, -0) ? "-" : "";
  const size = Math.abs(x);
  if (x !== 0 && (size < 1e-4 || size >= (dtype === "float32" ? 1e6 : 1e16)))
    return `${significand}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const places = Math.max(1, significand.replace(/[-.]/g, "").length - 1 - exponent);
  return sign + Number(`${significand}e${power}`).toFixed(places);
}

const notFinite = (x: number): string => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");

/** Whether the numbers are too large, too small or too far apart for the positional form; told in their own dtype. */
function needsExponent(dtype: DType, finite: readonly number[]): boolean {
  const sizes = finite.filter((x) => x !== 0).map(Math.abs);
  if (sizes.length === 0) return false;
  const [round, limit] = dtype === "float32" ? [Math.fround, 1e6] : [(x: number) => x, 1e8];
  const largest = sizes.reduce((a, b) => Math.max(a, b));
  const smallest = sizes.reduce((a, b) => Math.min(a, b));
  return largest >= limit || smallest < round(1e-4) || round(largest / smallest) > 1000;
}

/**
 * The shortest digits that are unique in `dtype`; where these are less than `fewest` places or more than `most`, the
 * exact value rounded to so many.
 */
function decimal(x: number, dtype: DType, scientific: boolean, fewest: number, most: number): Decimal {
  const size = Math.abs(x);
  const short = dtype === "float32" ? shortestFloat32(size) : size;
  const [significand, power] = short.toExponential().split("e") as [string, string];
  const digits = Math.max(0, significand.length - "2.".length);
  const places = scientific ? digits : Math.max(0, digits - Number(power));
  const print = (value: number, n: number) => (scientific ? value.toExponential(n) : value.toFixed(n));
  const wanted = Math.min(Math.max(places, fewest), most);
  const text = wanted === places ? print(short, places) : roundHalfEven((n) => print(size, n), wanted);
  const [mantissa, exponent = ""] = text.split("e") as [string, string?];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  return {
    whole: x < 0 || Object.is(x, -0) ? `-${whole}` : whole,
    fraction: fraction.replace(/0+$/, ""),
    exponent: exponent && exponent.charAt(0) + exponent.slice(1).padStart(2, "0"),
  };
}

/** The places that JavaScript can print; a number halfway between two of fewer digits ends well before. */
const ALL_PLACES = 100;

/** Prints to `places`, a tie to the even digit, as NumPy does; toFixed and toExponential would round it up. */
function roundHalfEven(print: (places: number) => string, places: number): string {
  const [exact, exponent] = print(ALL_PLACES).split("e") as [string, string?];
  const cut = exact.length - ALL_PLACES + places;
  const down = exact.slice(0, cut);
  const tie = /^50*$/.test(exact.slice(cut)) && /[02468]\.?$/.test(down);
  return tie ? down + (exponent ? `e${exponent}` : "") : print(places);
}
