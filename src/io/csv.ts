/** CSV files (RFC 4180) of numbers or bools: read as a matrix, written without a header. */
import { fail } from "../source.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { elementText } from "./digits.ts";
import { Numbers } from "./numbers.ts";
import type { Source } from "./source.ts";

/** A cell, quoted or not, and what ends it: a comma, a line's end, or nothing at the end of the text. */
const CELL = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** As JSON, NumPy and pandas write them. */
const NOT_FINITE = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;
const BOOL = /^(true)$|^false$/i;

interface Cell {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Reads CSV text of shape (rows, columns); a first line that holds a non-number is a header. Throws TsymError. */
export function openCsv(text: string, label: string): Source {
  const bad = ({ line, column }: Omit<Cell, "text">, message: string, help?: string): never =>
    fail("csv", `${label}:${line}, column ${column}: ${message}`, { help });
  const numbers = new Numbers();
  let rows = 0;
  let width: number | undefined;
  for (const row of readRows(text, bad)) {
    width ??= row.length;
    if (row.length !== width) {
      bad(row.at(-1)!, `expected ${width} cells, as in the first line, found ${row.length}`);
    }
    if (row[0]!.line === 1 && row.some(({ text }) => text !== "" && !isElement(text))) continue;
    for (const cell of row) readCell(cell, numbers, bad);
    rows++;
  }
  if (width === undefined) return fail("csv", `${label}: the file is empty`);
  const columns = width;
  const vector = rows === 1 || columns === 1 ? { alternativeShape: [rows * columns] } : {};
  const place = (i: number) => `${label}: row ${Math.floor(i / columns) + 1}, column ${(i % columns) + 1}`;
  return numbers.source({ label, shape: [rows, columns], ...vector }, place);
}

/** The rows of cells, up to line breaks and white space at the end. */
function* readRows(text: string, bad: (place: Omit<Cell, "text">, message: string) => never): Generator<Cell[]> {
  const end = text.trimEnd().length;
  let line = 1;
  let row: Cell[] = [];
  CELL.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  while (CELL.lastIndex < end) {
    const place = { line, column: row.length + 1 };
    const [all, quoted, bare, ending] =
      CELL.exec(text) ?? bad(place, "a quote that does not close, or text beside quotes");
    row.push({ ...place, text: (quoted?.replaceAll('""', '"') ?? bare!).trim() });
    line += all.match(/\r?\n|\r/g)?.length ?? 0;
    if (ending === ",") continue;
    yield row;
    row = [];
  }
  if (row.length > 0) yield [...row, { text: "", line, column: row.length + 1 }];
}

const isElement = (text: string): boolean => NUMBER.test(text) || NOT_FINITE.test(text) || BOOL.test(text);

function readCell(cell: Cell, numbers: Numbers, bad: (place: Cell, message: string, help?: string) => never): void {
  const { text } = cell;
  if (text === "") bad(cell, "the cell is empty", "write nan for a number that is missing");
  const bool = BOOL.exec(text);
  const notFinite = NOT_FINITE.exec(text);
  if (!isElement(text)) bad(cell, `expected a number, found ${JSON.stringify(text)}`, "cells are separated by commas");
  if (numbers.length === 0) numbers.bools = bool !== null;
  if (numbers.bools !== (bool !== null)) {
    bad(cell, `expected ${numbers.bools ? "true or false" : "a number"}, as before, found ${text}`);
  }
  if (bool) numbers.push(bool[1] ? 1 : 0);
  else if (notFinite) numbers.push(notFinite[2] ? Number.NaN : notFinite[1] === "-" ? -Infinity : Infinity);
  else numbers.pushText(text);
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
