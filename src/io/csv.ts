/** CSV files (RFC 4180) of numbers or bools: read as a matrix, written without a header. */
import { fail } from "../source.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { elementText } from "./digits.ts";
import { Numbers } from "./numbers.ts";
import type { Source } from "./source.ts";

const byte = (character: string): number => character.charCodeAt(0);
const [SPACE, TAB, LINE_FEED, RETURN, COMMA, QUOTE] = Array.from(' \t\n\r,"', byte) as [
  number,
  number,
  number,
  number,
  number,
  number,
];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** As JSON, NumPy and pandas write them. */
const NOT_FINITE = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;
const BOOL = /^(true)$|^false$/i;

interface Cell {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

type Bad = (place: Omit<Cell, "text">, message: string, help?: string) => never;

/** Reads CSV text of shape (rows, columns); a first line that holds a non-number is a header. Throws TsymError. */
export function openCsv(text: Uint8Array, label: string): Source {
  const bad: Bad = ({ line, column }, message, help) =>
    fail("csv", `${label}:${line}, column ${column}: ${message}`, { help });
  const reader = new Reader(text, bad);
  const first = reader.row();
  if (!first) return fail("csv", `${label}: the file is empty`);
  const columns = first.length;
  if (columns === 1 && first[0]!.text === "")
    bad(first[0]!, "the first line is empty", "leave it out, or write nan for a number that is missing");
  const numbers = new Numbers();
  let rows = 0;
  const word = first.find(({ text }) => text !== "" && !isElement(text));
  if (!word) {
    for (const cell of first) readCell(cell, numbers, bad);
    rows++;
  }
  for (; !reader.isAtEnd; rows++) {
    if (reader.plainRow(columns, numbers)) continue;
    const row = reader.row()!;
    if (columns > 1 && row.length === 1 && row[0]!.text === "") bad(row[0]!, "the line is empty");
    if (row.length !== columns)
      bad(
        row.at(-1)!,
        `expected ${columns === 1 ? "one cell" : `${columns} cells`}, as in the first line, found ${row.length}`,
      );
    for (const cell of row) readCell(cell, numbers, bad);
  }
  const cells = rows * columns;
  const vector = rows === 1 || columns === 1 ? { alternativeShapes: cells === 1 ? [[1], []] : [[cells]] } : {};
  const doubt =
    word && rows === 0
      ? {
          doubt: [
            `${label}: its only line is taken for a header, as ${JSON.stringify(word.text)} is no number`,
            helpFor(word.text),
          ]
            .filter(Boolean)
            .join("; "),
        }
      : {};
  const place = (i: number) => `${label}: row ${Math.floor(i / columns) + 1}, column ${(i % columns) + 1}`;
  return numbers.source({ label, shape: [rows, columns], ...vector, ...doubt }, place);
}

/** Goes through CSV row by row, up to line breaks and white space at the end. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #bad: Bad;
  #at = 0;
  #line = 1;

  constructor(text: Uint8Array, bad: Bad) {
    this.#bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    this.#bad = bad;
    if (this.#bytes.subarray(0, 3).toString("latin1") === "\xef\xbb\xbf") this.#at = 3;
    let end = this.#bytes.length;
    while (end > this.#at && (this.#isSpace(end - 1, true) || this.#isNoBreakSpace(end - 2)))
      end -= this.#isNoBreakSpace(end - 2) ? 2 : 1;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next row's numbers, if it is `columns` of them without quotes; else nothing is read. */
  plainRow(columns: number, numbers: Numbers): boolean {
    const { length } = numbers;
    if (numbers.bools && length > 0) return false;
    let at = this.#at;
    for (let column = 1; column <= columns; column++) {
      while (this.#isSpace(at)) at++;
      at = numbers.pushDecimal(this.#bytes, at, false);
      if (at < 0) break;
      while (this.#isSpace(at)) at++;
      if (column < columns && this.#bytes[at++] !== COMMA) at = this.#bytes.length + 1;
    }
    const next = at < 0 || at > this.#end ? -1 : this.#afterBreak(at);
    if (next < 0) {
      numbers.truncate(length);
      return false;
    }
    this.#at = next;
    this.#line++;
    return true;
  }

  /** The cells of the next row, undefined where there is none. */
  row(): Cell[] | undefined {
    if (this.isAtEnd) return undefined;
    const row: Cell[] = [];
    for (;;) {
      const place = { line: this.#line, column: row.length + 1 };
      row.push({ ...place, text: this.#bytes[this.#at] === QUOTE ? this.#quoted(place) : this.#bare(place) });
      if (this.#bytes[this.#at] === COMMA && this.#at < this.#bytes.length) {
        this.#at++;
        continue;
      }
      this.#at = this.#afterBreak(this.#at);
      this.#line++;
      return row;
    }
  }

  #isSpace(at: number, orBreak = false): boolean {
    const code = this.#bytes[at];
    return code === SPACE || code === TAB || (orBreak && (code === LINE_FEED || code === RETURN));
  }

  #isNoBreakSpace(at: number): boolean {
    return this.#bytes[at] === 0xc2 && this.#bytes[at + 1] === 0xa0;
  }

  /** The place after the line break at a place, or that of the end; -1 where there is neither. */
  #afterBreak(at: number): number {
    const code = this.#bytes[at];
    if (code === LINE_FEED) return at + 1;
    if (code === RETURN) return this.#bytes[at + 1] === LINE_FEED ? at + 2 : at + 1;
    return at >= this.#end ? this.#bytes.length : -1;
  }

  #isEndOfCell(at: number): boolean {
    return this.#bytes[at] === COMMA || this.#afterBreak(at) >= 0;
  }

  #bare(place: Omit<Cell, "text">): string {
    const start = this.#at;
    while (!this.#isEndOfCell(this.#at)) if (this.#bytes[this.#at++] === QUOTE) this.#misquoted(place);
    return this.#bytes.toString("utf8", start, this.#at).trim();
  }

  #quoted(place: Omit<Cell, "text">): string {
    const start = this.#at;
    for (;;) {
      const close = this.#bytes.indexOf(QUOTE, this.#at + 1);
      if (close < 0) this.#misquoted(place);
      this.#at = close + 1;
      if (this.#bytes[this.#at] !== QUOTE) break;
    }
    if (!this.#isEndOfCell(this.#at)) this.#misquoted(place);
    const text = this.#bytes.toString("utf8", start + 1, this.#at - 1);
    this.#line += text.match(/\r?\n|\r/g)?.length ?? 0;
    return text.replaceAll('""', '"').trim();
  }

  #misquoted(place: Omit<Cell, "text">): never {
    return this.#bad(place, "a quote that does not close, or text beside quotes");
  }
}

const isElement = (text: string): boolean => NUMBER.test(text) || NOT_FINITE.test(text) || BOOL.test(text);

function readCell(cell: Cell, numbers: Numbers, bad: Bad): void {
  const { text } = cell;
  if (text === "") bad(cell, "the cell is empty", "write nan for a number that is missing");
  const bool = BOOL.exec(text);
  const notFinite = NOT_FINITE.exec(text);
  if (!isElement(text)) bad(cell, `expected a number, found ${JSON.stringify(text)}`, helpFor(text));
  if (numbers.length === 0) numbers.bools = bool !== null;
  if (numbers.bools !== (bool !== null)) {
    bad(cell, `expected ${numbers.bools ? "true or false" : "a number"}, as before, found ${text}`);
  }
  if (bool) numbers.push(bool[1] ? 1 : 0);
  else if (notFinite) numbers.push(notFinite[2] ? Number.NaN : notFinite[1] === "-" ? -Infinity : Infinity);
  else numbers.pushText(text);
}

/** What to write for a number that is missing, or between numbers. */
function helpFor(text: string): string | undefined {
  if (/^(n\/?a|null|none|-+|\?)$/i.test(text)) return "write nan for a number that is missing";
  return /[;\t| ]/.test(text) ? "cells are separated by commas" : undefined;
}

/** Cells and separators in each piece of a long text. */
const PIECE = 8192;

/** The tensor as CSV, a line a row: rank 2 at most, a vector as a column. Not-finite numbers as NumPy writes them. */
export function* writeCsv({ dtype, shape, data }: Tensor): Generator<string> {
  const text = elementText(dtype, { nan: "nan", infinity: "inf", negativeInfinity: "-inf" });
  const [rows = 1, columns = 1] = shape;
  let parts: string[] = [];
  for (let i = 0; i < rows * columns; i++) {
    parts.push(text(data[i]!), (i + 1) % columns === 0 ? "\n" : ",");
    if (parts.length > PIECE) {
      yield parts.join("");
      parts = [];
    }
  }
  yield parts.join("");
}
