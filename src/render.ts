/** Diagnostics as text in rustc's layout, or as JSON; knows places in texts, not what the messages are about. */
import type { Diagnostic, Label, Severity, SourceText } from "./source.ts";

/** Longer lines are cut to about so many columns around what they are shown for. */
const MAX_WIDTH = 160;
/** How much of a cut line stands before that. */
const LEAD = 60;

const STYLE = { error: "1;31", warning: "1;33", frame: "1;34", help: "1;36", bold: "1" } as const;
type Style = keyof typeof STYLE;
type Paint = (style: Style, text: string) => string;

/** All diagnostics, a blank line between two; each ends in a newline. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], { color }: { color: boolean }): string {
  const paint: Paint = (style, text) => (color && text !== "" ? `\x1b[${STYLE[style]}m${text}\x1b[0m` : text);
  return diagnostics.map((diagnostic) => `${renderOne(diagnostic, paint).join("\n")}\n`).join("\n");
}

/** A place as `check --json` gives it: lines and columns (in code points) from 1, the offset in UTF-16 code units from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface JsonDiagnostic extends Omit<Diagnostic, "labels" | "help"> {
  readonly help: string | null;
  readonly labels: readonly {
    readonly file: string;
    readonly start: Position;
    readonly end: Position;
    readonly text: string;
  }[];
}

/** A diagnostic as plain JSON. */
export function diagnosticToJson({ severity, code, message, help, labels }: Diagnostic): JsonDiagnostic {
  const places = labels.map(({ span: { source, start, end }, text }) => ({
    file: source.name,
    start: positionOf(source, start),
    end: positionOf(source, end),
    text,
  }));
  return { severity, code, message, help: help ?? null, labels: places };
}

const lineStartsOf = new WeakMap<SourceText, readonly number[]>();

/** The offset at which each line begins; a byte order mark is no part of the first. */
function lineStarts(source: SourceText): readonly number[] {
  const known = lineStartsOf.get(source);
  if (known) return known;
  const starts = [source.text.startsWith("\uFEFF") ? 1 : 0];
  for (const { index, 0: newline } of source.text.matchAll(/\r\n?|\n/g)) starts.push(index + newline.length);
  lineStartsOf.set(source, starts);
  return starts;
}

/** The index of the first of some ascending numbers that is not below `bound`. */
function firstAtLeast(ascending: readonly number[], bound: number): number {
  let low = 0;
  for (let high = ascending.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The line, counted from 0, in which an offset lies. */
const lineOf = (source: SourceText, offset: number): number =>
  Math.max(0, firstAtLeast(lineStarts(source), offset + 1) - 1);

/** Where an offset lies. */
export function positionOf(source: SourceText, offset: number): Position {
  const line = lineOf(source, offset);
  const { first, characters } = lineAt(source, line);
  return { line: line + 1, column: characters[Math.max(0, offset - first)]! + 1, offset };
}

/** What cannot be seen, or would speak to the terminal: control and format characters, line separators, half pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** East Asian wide and emoji blocks (Unicode Standard Annex 11), in the large. */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

/** One character as it is printed. */
function visible(char: string): string {
  if (char === "\t") return "    ";
  return UNSEEN.test(char) ? `\\u{${char.codePointAt(0)!.toString(16)}}` : char;
}
const visibleText = (text: string): string => Array.from(text, visible).join("");

/** The columns that a printed character takes on a terminal. */
const widthOf = (printed: string): number => (WIDE.test(printed) ? 2 : /^\p{M}$/u.test(printed) ? 0 : printed.length);

/** A line, laid out once for all that is said of it. */
interface Line {
  /** The offset at which it begins. */
  readonly first: number;
  /** Its length in code units, without what ends it. */
  readonly length: number;
  /** Its characters as they are printed. */
  readonly printed: readonly string[];
  /** Of each code unit, what ends the line included, and of the place after all: how many characters stand before. */
  readonly characters: readonly number[];
  /** Of each character, and of the line's end: the column on the terminal, from 0. */
  readonly columns: readonly number[];
}

const linesOf = new WeakMap<SourceText, Map<number, Line>>();

/** The line with a number, from 0. */
function lineAt(source: SourceText, number: number): Line {
  const lines = linesOf.get(source) ?? new Map<number, Line>();
  linesOf.set(source, lines);
  const line = lines.get(number) ?? measure(source, number);
  lines.set(number, line);
  return line;
}

function measure(source: SourceText, number: number): Line {
  const starts = lineStarts(source);
  const first = starts[number]!;
  const whole = source.text.slice(first, starts[number + 1]);
  const { length } = whole.replace(/\r?\n$|\r$/, "");
  const printed = Array.from(whole.slice(0, length), visible);
  const all = Array.from(whole);
  const characters = [...all.flatMap((char, i) => Array.from({ length: char.length }, () => i)), all.length];
  const columns = [0];
  for (const char of printed) columns.push(columns.at(-1)! + widthOf(char));
  return { first, length, printed, characters, columns };
}

function renderOne({ severity, code, message, labels, help }: Diagnostic, paint: Paint): string[] {
  const lines = [`${paint(severity, `${severity}[${code}]`)}${paint("bold", `: ${visibleText(message)}`)}`];
  const sources = [...new Set(labels.map(({ span }) => span.source))];
  const last = Math.max(...labels.map(({ span }) => lineOf(span.source, span.start) + 1));
  const margin = " ".repeat(String(last).length);
  sources.forEach((source, i) => {
    const here = labels.filter(({ span }) => span.source === source);
    const { line, column } = positionOf(source, here[0]!.span.start);
    const arrow = paint("frame", `${margin}${i === 0 ? "-->" : ":::"}`);
    lines.push(`${arrow} ${visibleText(source.name)}:${line}:${column}`);
    lines.push(...renderSource(source, here, labels[0]!, severity, margin, paint));
  });
  if (help !== undefined) lines.push(`${paint("help", "help")}: ${visibleText(help)}`);
  return lines;
}

/** The lines of one text that have labels, in order. */
function renderSource(
  source: SourceText,
  labels: readonly Label[],
  primary: Label,
  severity: Severity,
  margin: string,
  paint: Paint,
): string[] {
  const lines = [paint("frame", `${margin} |`)];
  const lineOfLabel = ({ span }: Label) => lineOf(source, span.start);
  const numbers = [...new Set(labels.map(lineOfLabel))].sort((a, b) => a - b);
  numbers.forEach((number, i) => {
    if (i > 0 && number > numbers[i - 1]! + 1) lines.push(paint("frame", "..."));
    const here = labels.filter((label) => lineOfLabel(label) === number);
    const { text, marks } = layOut(source, number, here, primary, severity);
    lines.push(`${paint("frame", `${String(number + 1).padStart(margin.length)} |`)} ${text}`.trimEnd());
    lines.push(...markRows(marks).map((row) => `${paint("frame", `${margin} |`)} ${rowText(row, paint)}`));
  });
  return lines;
}

/** A label on its line: columns on the terminal, from 0, `end` exclusive. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly underline: string;
  readonly text: string;
  readonly style: Style;
}

/** A line as it is printed, cut where it is too long, and where its labels lie below it. */
function layOut(
  source: SourceText,
  number: number,
  labels: readonly Label[],
  primary: Label,
  severity: Severity,
): { text: string; marks: Mark[] } {
  const { first, length, printed, characters, columns } = lineAt(source, number);
  const width = columns.at(-1)!;
  const columnOf = (offset: number) => columns[characters[Math.max(0, Math.min(offset - first, length))]!]!;

  const anchor = columnOf((labels.includes(primary) ? primary : labels[0]!).span.start);
  const from = width > MAX_WIDTH ? Math.max(0, anchor - LEAD) : 0;
  const to = width > MAX_WIDTH ? from + MAX_WIDTH : width;
  const head = from > 0 ? "…" : "";
  const kept = printed.slice(firstAtLeast(columns, from), firstAtLeast(columns, to + 1) - 1);
  const text = `${head}${kept.join("")}${to < width ? "…" : ""}`;
  const place = (offset: number) => Math.min(Math.max(columnOf(offset), from - 1), to) - from + head.length;

  const marks = labels.map(({ span, text }, i): Mark => {
    const isPrimary = labels[i] === primary;
    const start = place(span.start);
    const end = Math.max(place(span.end), start + 1);
    const more = span.end > first + length + 1 ? "..." : "";
    return {
      start,
      end: end + more.length,
      underline: (isPrimary ? "^" : "-").repeat(end - start) + more,
      text: visibleText(text),
      style: isPrimary ? severity : "frame",
    };
  });
  return { text, marks };
}

/** A line of single characters, each with its style. */
type Row = [char: string, style: Style | undefined][];

function write(row: Row, column: number, text: string, style: Style): void {
  while (row.length < column) row.push([" ", undefined]);
  [...text].forEach((char, i) => {
    row[column + i] = [char, style];
  });
}

function rowText(row: Row, paint: Paint): string {
  let text = "";
  for (let i = 0; i < row.length; ) {
    const style = row[i]![1];
    const start = i;
    while (i < row.length && row[i]![1] === style) i++;
    const run = row
      .slice(start, i)
      .map(([char]) => char)
      .join("");
    text += style ? paint(style, run) : run;
  }
  return text;
}

/**
 * The rows below a line. What overlaps cannot share a row of underlines: the primary comes in the first, others in the
 * first that has room for them.
 */
function markRows(marks: readonly Mark[]): Row[] {
  const layers: Mark[][] = [];
  const primaryFirst = [...marks].sort((a, b) => Number(a.style === "frame") - Number(b.style === "frame"));
  for (const mark of primaryFirst) {
    const layer = layers.find((others) => others.every((m) => m.end <= mark.start || mark.end <= m.start));
    if (layer) layer.push(mark);
    else layers.push([mark]);
  }
  return layers.flatMap(layerRows);
}

/** The underlines, with the words of the rightmost beside it; then, hanging from `|`s, those of the others from right to left. */
function layerRows(marks: readonly Mark[]): Row[] {
  const underlines: Row = [];
  const bars = (row: Row, hanging: readonly Mark[]) => {
    for (const { start, style } of hanging) write(row, start, "|", style);
    return row;
  };
  const inOrder = [...marks].sort((a, b) => a.start - b.start);
  for (const { start, underline, style } of inOrder) write(underlines, start, underline, style);
  const rightmost = inOrder.at(-1)!;
  if (rightmost.text !== "") write(underlines, rightmost.end + 1, rightmost.text, rightmost.style);

  const hanging = inOrder.slice(0, -1).filter((mark) => mark.text !== "");
  if (hanging.length === 0) return [underlines];
  const words = hanging.map((mark, i) => {
    const row = bars([], hanging.slice(0, i));
    write(row, mark.start, mark.text, mark.style);
    return row;
  });
  return [underlines, bars([], hanging), ...words.reverse()];
}
