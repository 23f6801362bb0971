/** Numbers read from text, in a growing array of doubles; the integers that a double does not hold stay exact beside it. */
import { viewOf } from "../tensor/dtype.ts";
import { POWERS_OF_TEN, scaleByTen } from "./digits.ts";
import { convert, type Source } from "./source.ts";

/** As many characters as an int64 takes with its sign; longer ones fit nowhere but in a float. */
const LONGEST_INT = 20;

const byte = (character: string): number => character.charCodeAt(0);
const MINUS = byte("-");
const PLUS = byte("+");
const POINT = byte(".");
const ZERO = byte("0");
const EXPONENT = byte("e");

export class Numbers {
  #values = new Float64Array(16);
  #length = 0;
  readonly #exact = new Map<number, bigint>();
  /** They were written `true` and `false`. */
  bools = false;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** A number as it was written; its grammar has been checked. */
  pushText(text: string): void {
    const value = Number(text);
    if (!Number.isSafeInteger(value) && text.length <= LONGEST_INT && /^[+-]?\d+$/.test(text)) {
      this.#exact.set(this.#length, BigInt(text));
    }
    this.push(value);
  }

  /**
   * A decimal number in bytes: gives the place after it, -1 where there is none. As JSON writes them, or freely: `+1`, `1.`, `.5`,
   * `007` too. Where its digits make an integer of at most 53 bits and its power of ten is exact, one operation rounds
   * correctly (Clinger, "How to read floating point numbers accurately", 1990); else `Number` does.
   */
  pushDecimal(bytes: Buffer, start: number, isJson: boolean): number {
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative || (bytes[at] === PLUS && !isJson)) at++;
    const first = at;
    let significand = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
      significand = significand * 10 + digit;
    const whole = at - first;
    let power = 0;
    let isWritten = whole > 0 && (whole === 1 || !isJson || bytes[first] !== ZERO);
    if (bytes[at] === POINT) {
      const fraction = ++at;
      for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
        significand = significand * 10 + digit;
      power = fraction - at;
      isWritten = isJson ? isWritten && power < 0 : whole > 0 || power < 0;
    }
    if ((bytes[at]! | 32) === EXPONENT) {
      const sign = bytes[++at];
      if (sign === MINUS || sign === PLUS) at++;
      const digits = at;
      let exponent = 0;
      for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
        exponent = exponent * 10 + digit;
      power += sign === MINUS ? -exponent : exponent;
      isWritten &&= at > digits;
    }
    if (!isWritten) return -1;
    if (significand < 2 ** 53 && Math.abs(power) < POWERS_OF_TEN.length) {
      const size = scaleByTen(significand, power);
      this.push(negative ? -size : size);
    } else this.pushText(bytes.toString("latin1", start, at));
    return at;
  }

  /** Takes back all numbers from the `length`-th on. */
  truncate(length: number): void {
    if (this.#exact.size > 0) for (let i = length; i < this.#length; i++) this.#exact.delete(i);
    this.#length = length;
  }

  /** These numbers as a source of `shape`; `place(i)` names the i-th in messages. */
  source(
    of: Pick<Source, "label" | "shape" | "openShape" | "alternativeShapes" | "doubt">,
    place: (index: number) => string,
  ): Source {
    const values = this.#values.subarray(0, this.#length);
    const exact = this.#exact;
    const bools = this.bools;
    return {
      ...of,
      dtype: bools ? "bool" : "number",
      readInto(dtype, target) {
        const ints = dtype === "int32" || dtype === "int64";
        const wanted = ints && exact.size > 0 ? Array.from(values, (value, i) => exact.get(i) ?? value) : values;
        convert(wanted, bools, dtype, viewOf(dtype, target), place);
      },
    };
  }
}
