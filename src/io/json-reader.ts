/** A reader of JSON text (RFC 8259) whose numbers keep their digits, and whose mistakes are named by path: `$.x[1][2]`. */
import { fail, isName } from "../source.ts";
import { Numbers } from "./numbers.ts";
import { type Source, unravel } from "./source.ts";

/** As NumPy: no tensor has more axes. */
const MOST_AXES = 64;

/** The elements that are no digits. */
const WORDS = [
  { text: "true", value: 1, bool: true },
  { text: "false", value: 0, bool: true },
  { text: '"NaN"', value: Number.NaN, bool: false },
  { text: '"Infinity"', value: Infinity, bool: false },
  { text: '"-Infinity"', value: -Infinity, bool: false },
] as const;

/** What other writers put where a number is missing or not finite, and what to write here. */
const MISSING = /^(?:the string ")?[+-]?(?:null|none|nan|inf|infinity)"?$/i;
const MISSING_HELP = 'a number that is missing or not finite is written "NaN", "Infinity" or "-Infinity"';
/** A number as other languages may write it: its sign, the digits before the point without zeros, those after it, its exponent. */
const NUMBER = /^(?:\+|(-))?0*(\d*)(?:\.(\d*))?(e[+-]?\d+)?$/i;
const OTHER_BOOL = /^(?:True|TRUE|False|FALSE)$/;

/** How to write in JSON what other languages spell another way, for a message. */
export function spelledInJson(found: string): string | undefined {
  if (MISSING.test(found)) return MISSING_HELP;
  if (OTHER_BOOL.test(found)) return `write ${found.toLowerCase()}`;
  const [, minus = "", whole, fraction, exponent = ""] = (/\d/.test(found) && NUMBER.exec(found)) || [];
  if (whole === undefined) return undefined;
  const spelled = `${minus}${whole || "0"}${fraction ? `.${fraction}` : ""}${exponent}`;
  if (spelled === found) return undefined;
  return `a JSON number has no plus sign, no zeros before it and digits around its point: write ${spelled}`;
}

const BOOL_WANTED = "true or false, as before";
const NUMBER_WANTED = "a number, as before";

const byte = (character: string): number => character.charCodeAt(0);
const TAB = byte("\t");
const LINE_FEED = byte("\n");
const RETURN = byte("\r");
const SPACE = byte(" ");
const QUOTE = byte('"');
const BACKSLASH = byte("\\");
const COMMA = byte(",");
const COLON = byte(":");
const MINUS = byte("-");
const ZERO = byte("0");
const NINE = byte("9");
const OPEN_ARRAY = byte("[");
const CLOSE_ARRAY = byte("]");
const OPEN_OBJECT = byte("{");
const CLOSE_OBJECT = byte("}");
const END = -1;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** The step to a key in a path: `.x`, or `["odd key"]`. */
const keyStep = (key: string): string => (isName(key) ? `.${key}` : `[${JSON.stringify(key)}]`);

const count = (items: number): string => (items === 1 ? "1 item" : `${items} items`);

/** What was found, short enough for a message. */
const shorten = (text: string): string => (text.length > LONGEST_FINDING ? `${text.slice(0, LONGEST_FINDING)}…` : text);
const LONGEST_FINDING = 40;

const indices = (index: readonly number[]): string => index.map((i) => `[${i}]`).join("");

export class JsonReader {
  readonly #bytes: Buffer;
  readonly #label: string;
  #at = 0;
  #path = "$";

  /** Reads `text` from its start; `label` is what messages call it. */
  constructor(text: Uint8Array, label: string) {
    this.#bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    this.#label = label;
    if (this.#bytes.subarray(0, 3).toString("latin1") === "\xef\xbb\xbf") this.#at = 3;
  }

  /** Whether an object comes next. */
  atObject(): boolean {
    return this.#peek() === OPEN_OBJECT;
  }

  /** Ends the reading: nothing but white space may be left. */
  end(): void {
    const next = this.#peek();
    const isList = next === COMMA && isDigit(this.#bytes[this.#at - 1]!);
    if (next !== END) this.#expected("the end", [], isList ? "a list stands in brackets: [1, 2]" : undefined);
  }

  /** Reads an object; `entry` has to read the value of each key. A key that comes twice is an error. */
  object(entry: (key: string) => void): void {
    const path = this.#path;
    const keys = new Set<string>();
    this.#take(OPEN_OBJECT, "an object");
    if (this.#peek() === CLOSE_OBJECT) {
      this.#at++;
      return;
    }
    for (;;) {
      if (this.#peek() !== QUOTE) this.#expected("a key in double quotes");
      const key = this.string();
      if (keys.has(key)) this.fail(`the key ${JSON.stringify(key)} comes twice`);
      keys.add(key);
      this.#take(COLON, `":" after the key ${JSON.stringify(key)}`);
      this.#path = path + keyStep(key);
      entry(key);
      this.#path = path;
      if (this.#peek() !== COMMA) break;
      this.#at++;
    }
    this.#take(CLOSE_OBJECT, `"," or "}"`);
  }

  /** Reads a string. */
  string(): string {
    this.#take(QUOTE, "a string");
    const start = this.#at - 1;
    for (let code = this.#next(); code !== QUOTE; code = this.#next()) {
      if (code === BACKSLASH) this.#at++;
      if (this.#at >= this.#bytes.length) this.fail("the text ends within a string");
    }
    const text = this.#bytes.toString("utf8", start, this.#at);
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.fail(`${shorten(text)} is no JSON string`);
    }
  }

  /** Reads a number, a bool, or nested arrays of them, all rows of equal length; the shape is found on the way. */
  tensor(): Source {
    const numbers = new Numbers();
    const shape: number[] = [];
    /** Of each array that is open, the index of the item that is being read. */
    const index: number[] = [];
    let rank: number | undefined;
    for (;;) {
      let empty = false;
      if (this.#peek() === OPEN_ARRAY) {
        if (index.length === rank) this.#expected("a number, as elsewhere at this depth", index);
        if (index.length === MOST_AXES) this.fail(`more than ${MOST_AXES} arrays within each other`);
        this.#at++;
        index.push(0);
        empty = this.#peek() === CLOSE_ARRAY;
        if (!empty) continue;
      } else if (rank !== undefined && index.length < rank && this.#peek() !== END) {
        this.#expected("an array, as elsewhere at this depth", index);
      } else {
        this.#element(numbers, index);
      }
      rank ??= index.length;
      // A value ends here, or arrays do.
      for (;;) {
        if (index.length === 0) return this.#source(numbers, shape);
        const code = this.#peek();
        if (code === COMMA && !empty) break;
        if (code !== CLOSE_ARRAY) this.#expected(`"," or "]"`, index);
        const length = empty ? 0 : index.at(-1)! + 1;
        empty = false;
        index.pop();
        const before = shape[index.length];
        if (before !== undefined && before !== length) {
          this.fail(`expected ${count(before)}, as in the array before it, found ${length}`, index);
        }
        shape[index.length] = length;
        this.#at++;
      }
      this.#at++;
      index[index.length - 1]!++;
    }
  }

  #source(numbers: Numbers, shape: readonly number[]): Source {
    const path = this.#path;
    const label = path === "$" ? this.#label : `${this.#label} (${path})`;
    const place = (i: number) => `${this.#label}: ${path}${indices(unravel(i, shape))}`;
    return numbers.source({ label, shape, openShape: numbers.length === 0 }, place);
  }

  #element(numbers: Numbers, index: readonly number[]): void {
    const code = this.#peek();
    const written = code === MINUS || isDigit(code) ? undefined : WORDS.find(({ text }) => this.#startsWith(text));
    const bool = written?.bool ?? false;
    if (numbers.length === 0) numbers.bools = bool;
    if (written) {
      if (bool !== numbers.bools) this.#expected(numbers.bools ? BOOL_WANTED : NUMBER_WANTED, index);
      this.#at += written.text.length;
      numbers.push(written.value);
    } else if (numbers.bools) this.#expected(BOOL_WANTED, index);
    else {
      const end = numbers.pushDecimal(this.#bytes, this.#at, true);
      if (end < 0) this.#expected("a number", index);
      this.#at = end;
    }
  }

  #startsWith(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? END;
  }

  /** Skips white space; the byte there, or END. */
  #peek(): number {
    const bytes = this.#bytes;
    for (;;) {
      const code = bytes[this.#at];
      if (code === SPACE || code === LINE_FEED || code === RETURN || code === TAB) this.#at++;
      else return code ?? END;
    }
  }

  #take(code: number, what: string): void {
    if (this.#peek() !== code) this.#expected(what);
    this.#at++;
  }

  /** What comes next, for a message: a string, a word or one character. */
  #found(): string {
    const code = this.#peek();
    if (code === END) return "the end of the text";
    if (code === QUOTE) return `the string ${JSON.stringify(shorten(this.string()))}`;
    const rest = this.#bytes.toString("utf8", this.#at, this.#at + 2 * LONGEST_FINDING);
    return shorten(/^(?:[\w.+-]+|.)/su.exec(rest)![0]);
  }

  /** Fails at the path of the item `index`. */
  #expected(what: string, index: readonly number[] = [], help?: string): never {
    const found = this.#found();
    this.fail(`expected ${what}, found ${found}`, index, help ?? spelledInJson(found) ?? this.#leftOut(found));
  }

  /** Objects often hold more than tensors. */
  #leftOut(found: string): string | undefined {
    const isField = /^\$\.\w+$/.test(this.#path) && /^(the string|null|\{)/.test(found);
    return isField ? `what feeds no input must be left out: jq -c 'del(${this.#path.slice(1)})'` : undefined;
  }

  /** Throws a TsymError for what is wrong at the path of the item `index`. */
  fail(message: string, index: readonly number[] = [], help?: string): never {
    fail("json", `${this.#label}: ${this.#path}${indices(index)}: ${message}`, { help });
  }
}
