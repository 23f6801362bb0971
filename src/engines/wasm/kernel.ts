/** The kernel IR: loops over arrays, with scalar forms for bodies. What the planner makes and every emitter reads; knows no target. */
import type { Form } from "../../numeric/form.ts";
import type { DType } from "../../tensor/dtype.ts";

/** How reductions combine: the order is the reference engine's (reference/reduce.ts); for max and min it does not matter. */
export type Combine = "sum" | "prod" | "max" | "min";

/** An array as a loop goes through it, in elements. */
export interface Operand {
  readonly dtype: DType;
  /** Which buffer of the plan. */
  readonly buffer: number;
  readonly offset: number;
  /** One for each axis of the loop; 0 where it stays, negative where it goes backwards. */
  readonly strides: readonly number[];
}

export interface Store {
  readonly to: Operand;
  readonly value: Form;
}

/**
 * Folds one axis of the loop, the last or the one before it, in blocks of 256 whose sums lie in `to`: its strides are those of the kept axes,
 * in the folded axis' place that from block to block.
 */
export interface Reduction {
  readonly combine: Combine;
  readonly axis: number;
  readonly to: Operand;
  readonly value: Form;
}

/** A loop nest over `shape`, the last axis innermost. Parameter i of the forms is the element of loads[i]; float32 values are f64 forms under `fround`. */
export interface Kernel {
  readonly shape: readonly number[];
  readonly loads: readonly Operand[];
  readonly stores: readonly Store[];
  readonly reduction?: Reduction | undefined;
}

/** The forms that a kernel stores or folds. */
export const valuesOf = ({ stores, reduction }: Kernel): Form[] =>
  [...stores, ...(reduction ? [reduction] : [])].map(({ value }) => value);

/** All that must be computed for `values`, each form once. */
export function operationsIn(values: readonly Form[]): Form[] {
  const seen = new Set(values);
  for (const form of seen) for (const arg of form.args) seen.add(arg);
  return [...seen].filter(({ op }) => op !== "parameter" && op !== "constant");
}

/** Whether a kernel may call a routine, and so have to be run a second time: what it reads must then still be there. */
export const callsRoutine = (kernel: Kernel): boolean => operationsIn(valuesOf(kernel)).some(({ op }) => op === "rare");

/** The elements of one block of a reduction, and the lanes that it is folded in. */
export const BLOCK = 256;
export const LANES = 16;

const showOperand = ({ dtype, buffer, offset, strides }: Operand): string => {
  const terms = strides.flatMap((stride, axis) =>
    stride === 0 ? [] : stride === 1 ? `i${axis}` : `${stride} i${axis}`,
  );
  return `${dtype} b${buffer}[${[...(offset === 0 ? [] : [String(offset)]), ...terms].join(" + ") || "0"}]`;
};

/** The kernel as text: loops, loads, one line an operation. */
export function showKernel({ shape, loads, stores, reduction }: Kernel): string {
  const lines = shape.map((size, axis) => `for i${axis} < ${size}`);
  const names = new Map<Form, string>();
  const show = (form: Form): string => {
    if (form.op === "constant") return String(form.value);
    if (form.op === "parameter") return showOperand(loads[form.value as number]!);
    let name = names.get(form);
    if (name === undefined) {
      const args = form.args.map(show);
      name = `t${names.size}`;
      names.set(form, name);
      lines.push(`  ${name} = ${form.value ?? form.op}(${args.join(", ")})`);
    }
    return name;
  };
  for (const { to, value } of stores) lines.push(`  ${showOperand(to)} = ${show(value)}`);
  if (reduction)
    lines.push(
      `  ${showOperand(reduction.to)} = ${reduction.combine} over i${reduction.axis} of ${show(reduction.value)}`,
    );
  return lines.join("\n");
}
