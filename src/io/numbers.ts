/** Numbers read from text, in a growing array of doubles; the integers that a double does not hold stay exact beside it. */
import { viewOf } from "../tensor/dtype.ts";
import { convert, type Source } from "./source.ts";

/** As many characters as an int64 takes with its sign; longer ones fit nowhere but in a float. */
const LONGEST_INT = 20;

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

  /** These numbers as a source of `shape`; `place(i)` names the i-th in messages. */
  source(
    of: Pick<Source, "label" | "shape" | "openShape" | "alternativeShape">,
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
