/**
 * Loops as source text, compiled once for each op and dtype: a loop in TypeScript would be shared by all typed arrays, and
 * slow for all of them. Knows forms and how elements are stored; no op.
 */
import { type Form, fround, parameter, type ScalarType } from "../../numeric/form.ts";
import { emit, scope } from "../../numeric/javascript.ts";
import { scalarType } from "../../ops/cast.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";

const compiled = new Map<string, unknown>();

/** What `source`, a function's text that may use the names of `scope()`, evaluates to. `key` tells sources apart. */
export function kernel<F>(key: string, source: () => string): F {
  let found = compiled.get(key);
  if (!found) {
    found = new Function(...Object.keys(scope()), `"use strict";\n${source()}`)(...Object.values(scope()));
    compiled.set(key, found);
  }
  return found as F;
}

/** `const name = (x0, x1 …) => …;`, a step of an accumulator of `dtype`. */
export function scalarFunction(name: string, dtype: DType, arity: number, define: (...xs: Form[]) => Form): string {
  const names = Array.from({ length: arity }, (_, i) => `x${i}`);
  const { statements, result } = emit(define(...names.map((_, i) => parameter(i, accumulatorType(dtype)))), names);
  return `const ${name} = (${names.join(", ")}) => {\n${statements}\nreturn ${result};\n};\n`;
}

/** Bytes 0 and 1 are small ints where they are counted or compared. */
const accumulatorType = (dtype: DType): ScalarType => (dtype === "bool" ? "i32" : scalarType(dtype));

/** A step's value as an accumulator of `dtype` holds it: float32 rounds after each. */
export const rounded = (dtype: DType, form: Form): Form => (dtype === "float32" ? fround(form) : form);

/**
 * Computes `n` elements. Element i of operand k lies at data[k][at[k] + i · steps[k]]; operand 0 is the result. Gives the
 * place in the result of the first element that the guard refuses, -1 if there is none.
 */
export type RowKernel = (
  n: number,
  data: readonly TypedArray[],
  at: readonly number[],
  steps: readonly number[],
) => number;

export interface RowDefinition {
  readonly result: DType;
  readonly args: readonly DType[];
  readonly scalar: (xs: readonly Form[]) => Form;
  /** Where it is true of the arguments, there is no result. */
  readonly guard?: ((xs: readonly Form[]) => Form) | undefined;
}

/** The source of a RowKernel. */
export function rowSource({ result, args, scalar, guard }: RowDefinition): string {
  const names = args.map((_, k) => `x${k + 1}`);
  const parameters = args.map((dtype, k) => parameter(k, scalarType(dtype)));
  const each = (text: (k: number) => string) => args.map((_, k) => text(k + 1)).join("");
  const value = emit(scalar(parameters), names);
  const refused = guard && emit(guard(parameters), names, "g");
  return `return (n, data, at, steps) => {
    const d0 = data[0], s0 = steps[0]; let i0 = at[0];
    ${each((k) => `const d${k} = data[${k}], s${k} = steps[${k}]; let i${k} = at[${k}];`)}
    for (let i = 0; i < n; i++, i0 += s0${each((k) => `, i${k} += s${k}`)}) {
      ${each((k) => `const x${k} = d${k}[i${k}];`)}
      ${refused ? `${refused.statements} if (${refused.result}) return i0;` : ""}
      ${value.statements}
      d0[i0] = ${result === "bool" ? `${value.result} ? 1 : 0` : value.result};
    }
    return -1;
  };`;
}
