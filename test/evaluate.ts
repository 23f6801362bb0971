/** Programs evaluated as `tsym run` would, but without files or a command line: text and tensors in, tensors out. */
import { parse } from "../grammar/parser.ts";
import { bind } from "../src/bind/bind.ts";
import { evaluate as evaluateGraph } from "../src/engines/reference/index.ts";
import { type Lowered, lower } from "../src/lower/program.ts";
import { type Diagnostic, TsymError } from "../src/source.ts";
import type { DType, FloatDType } from "../src/tensor/dtype.ts";
import { type Tensor, tensorOf } from "../src/tensor/tensor.ts";

export interface Nested extends ReadonlyArray<number | bigint | boolean | Nested> {}

/** The program lowered; throws TsymError for its mistakes. */
export function compile(text: string, defaultFloat: FloatDType = "float64"): Lowered {
  const { program, diagnostics } = parse({ name: "test.tsym", text });
  const lowered = lower({ main: program, imported: () => undefined }, { defaultFloat });
  const mistakes = [...diagnostics, ...lowered.diagnostics].filter((d) => d.severity === "error");
  if (mistakes.length > 0) throw new TsymError(mistakes);
  return lowered;
}

/** Runs a compiled program on the reference engine: its outputs, by name. */
export function run(program: Lowered, feeds: Readonly<Record<string, Tensor>> = {}): Record<string, Tensor> {
  const fed = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, { shape, label: name }]));
  const { inputs, outputs } = bind(program, program.outputs, fed);
  const values = evaluateGraph(
    outputs.map((o) => o.node),
    new Map(inputs.map(({ name, node }) => [node, feeds[name]!])),
  );
  return Object.fromEntries(outputs.map(({ name }, i) => [name, values[i]!]));
}

/** A program's outputs, by name; floats are float64 unless said otherwise. */
export const evaluate = (
  text: string,
  feeds: Readonly<Record<string, Tensor>> = {},
  defaultFloat?: FloatDType,
): Record<string, Tensor> => run(compile(text, defaultFloat), feeds);

/** The value of a program's only output, as nested lists. */
export function value(text: string, feeds: Readonly<Record<string, Tensor>> = {}): unknown {
  const [only, more] = Object.values(evaluate(text, feeds));
  if (!only || more) throw new Error(`one output is wanted: ${text}`);
  return nested(only);
}

export const warnings = (text: string): Diagnostic[] =>
  compile(text).diagnostics.filter((d) => d.severity === "warning");

const flat = (values: number | bigint | boolean | Nested): (number | bigint | boolean)[] =>
  typeof values === "object" ? values.flatMap(flat) : [values];

/** A tensor from nested lists. */
export function tensorFrom(values: number | boolean | Nested, dtype: DType = "float64"): Tensor {
  const shape: number[] = [];
  for (let part: unknown = values; Array.isArray(part); part = part[0]) shape.push(part.length);
  return tensorOf(dtype, shape, flat(values));
}

/** A tensor as nested lists; bools as such. */
export function nested({ dtype, shape, data }: Tensor): unknown {
  let items: unknown[] = Array.from(data as Float64Array, (x) => (dtype === "bool" ? x === 1 : x));
  for (const size of shape.slice(1).reverse())
    items = Array.from({ length: items.length / size }, (_, i) => items.slice(i * size, (i + 1) * size));
  return shape.length === 0 ? items[0] : items;
}
