/** Graphs as text: the gradient of every function can be read, and where it is plain language it means the gradient. */
import { describe, expect, test } from "vitest";
import { parseExpression } from "../grammar/parser.ts";
import { describe as describeFunction } from "../src/commands/ops-report.ts";
import { functionNames } from "../src/ops/registry.ts";
import { printGraph } from "../src/print/graph.ts";
import { type Dim, showShape, substitute } from "../src/tensor/dim.ts";
import { type DType, isFloat } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../src/tensor/tensor.ts";
import { compile, run } from "./evaluate.ts";
import { CALLS, OPERATORS } from "./operations.ts";

/** What the language cannot say: names of ops, attributes that no function takes, a step that is a symbol. */
const UNSPELLED =
  /\b(embed|recurrence|scatter_along_axis|cofactor|(log_abs|sign)_det|constant)\(|\b(reverse|exclusive)=|::n /;

const SIZES: Readonly<Record<string, number>> = { n: 3, m: 2, k: 2, d: 2, e: 4, p: 2, q: 3 };
const concrete = (shape: readonly Dim[]): number[] =>
  shape.map((d) => substitute(d, ({ label }) => SIZES[label]!) as number);

/** Numbers in (0.3, 1.5), no two alike, and 4 more on a diagonal; indices 0 and 1. */
function sample(dtype: DType, shape: readonly number[], seed: number): Tensor {
  const [rows, columns] = shape;
  const onDiagonal = (i: number) => (rows === columns && columns && i % (columns + 1) === 0 ? 4 : 0);
  const values = Array.from(
    { length: sizeOf(shape) },
    (_, i) => 0.3 + ((i * 0.618 + seed * 0.37) % 1.2) + onDiagonal(i),
  );
  return tensorOf(dtype, shape, isFloat(dtype) ? values : values.map((_, i) => i % 2));
}

const functions = functionNames().map(describeFunction);

describe.each(functions)("$name", ({ call, dtypes, gradient }) => {
  if ("none" in gradient) {
    test("says why it has no gradient", () => expect(gradient.none).not.toBe(""));
    return;
  }
  const { inputs, cotangent, bindings, parts } = gradient;
  const texts = [...bindings, ...parts].map(({ value }) => value);

  test("has a gradient in the language's notation", () => {
    expect(dtypes.map((d) => d.takes)).toContain("float32");
    for (const text of texts) expect(() => parseExpression({ name: "gradient", text }), text).not.toThrow();
  });

  test.skipIf(UNSPELLED.test(texts.join("\n")))("whose text means its gradient", () => {
    const [expression, ...statements] = call.split(" where ");
    const program = compile(
      [
        `input ${[...inputs, cotangent].join(", ")}`,
        ...statements,
        ...bindings.map(({ name, value }) => `${name} = ${value}`),
        `y_value = ${expression}`,
        ...parts.map(({ of, value }) => `output text_${of} = ${value}; output vjp_${of} = vjp(y_value, ${of}, g)`),
      ].join("\n"),
      "float32",
    );
    const feeds = program.inputs.map(({ name, node: { type } }, i) => [
      name,
      sample(type.dtype, concrete(type.shape), i),
    ]);
    const results = run(program, Object.fromEntries(feeds));
    for (const { of, value } of parts) {
      const [text, vjp] = [results[`text_${of}`]!, results[`vjp_${of}`]!];
      if (value !== "0") expect(text.shape, of).toEqual(vjp.shape);
      for (const [i, x] of Array.from(vjp.data as Float32Array).entries()) {
        const y = (text.data as Float32Array)[value === "0" ? 0 : i]!;
        expect(Object.is(x, y) || Math.abs(x - y) < 1e-4, `${of} at ${i}: ${y} for ${x}`).toBe(true);
      }
    }
  });
});

describe("text that is read and printed again is the same", () => {
  const calls = [...Object.values(CALLS).flat(), ...OPERATORS];
  test.each(calls)("%s", (text) => {
    const [inputs, body] = text.split(" | ") as [string, string];
    const declared = inputs.replaceAll(/ in [-.\d]+ [-.\d]+/g, "").replaceAll(";", ",");
    const at = body.lastIndexOf("; ") + 1;
    const printed = print(`input ${declared}\n${body.slice(0, at)} output result = ${body.slice(at)}`);
    // cholesky makes its argument symmetric, each time it is read
    if (UNSPELLED.test(printed) || printed.includes("cholesky")) return;
    expect(print(printed)).toBe(printed);
  });
});

function print(text: string): string {
  const { inputs, outputs } = compile(text, "float32");
  const { bindings, results } = printGraph(outputs.map((o) => o.node));
  const declared = inputs.map(
    ({ name, node: { type } }) => `${name}${showShape(type.shape).replace("(", "[").replace(")", "]")}: ${type.dtype}`,
  );
  return [
    `input ${declared.join(", ")}`,
    ...bindings.map((b) => `${b.name} = ${b.text}`),
    `output result = ${results[0]}`,
  ].join("\n");
}

test("what the language cannot say is in few gradients", () => {
  const unspelled = functions.filter(({ gradient }) => UNSPELLED.test(JSON.stringify(gradient)));
  expect(unspelled.map((f) => f.name).sort()).toMatchInlineSnapshot(`
    [
      "cumprod",
      "cumsum",
      "det",
      "diag",
      "diagonal",
      "prod",
      "sort",
      "take_along_axis",
      "top_k",
      "trace",
    ]
  `);
});
