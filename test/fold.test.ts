/** Constants are computed once, with the bits that a run would give them; what fails or is large is left to the run. */
import { expect, test } from "vitest";
import { bind } from "../src/bind/bind.ts";
import { evaluate } from "../src/engines/reference/index.ts";
import { ancestors, isConstant, type Node } from "../src/graph/node.ts";
import { optimize } from "../src/optimize/index.ts";
import { compile } from "./evaluate.ts";

/** The concrete nodes of a program's outputs; inputs are vectors of three. */
function outputsOf(text: string): Node[] {
  const program = compile(text, "float32");
  const fed = new Map(program.inputs.map(({ name }) => [name, { shape: [3], label: name }]));
  return bind(program, program.outputs, fed).outputs.map((o) => o.node);
}

const opsIn = (outputs: readonly Node[]): string[] =>
  ancestors(outputs)
    .filter((node) => node.args.length > 0)
    .map((node) => node.op.name);

test.each([
  "exp(arange(5) / 3)",
  "eye(3, 4) * -0.0",
  "cumsum(linspace(0, 1, 7)) > 0.5",
  "tril(ones([4, 4])) @ arange(4.0)",
  "sum(arange(1000), axis=0)",
  "astype(arange(4), int64) * 4_000_000_000",
  "concat([zeros([2]), ones([3])])",
  "1 / zeros([2])",
])("%s is computed once, to the same bits", (text) => {
  const outputs = outputsOf(text);
  const folded = optimize(outputs).outputs;
  expect(folded.every(isConstant)).toBe(true);
  expect(evaluate(folded, new Map())).toEqual(evaluate(outputs, new Map()));
});

test.each([
  ["what a view shows of a number", "zeros([3, 4])"],
  ["large results", "arange(1025) + 1"],
  ["what needs large results on the way", "sum(arange(1025))"],
  ["linear algebra, in which engines may differ by rounding", "inv(eye(2))"],
  ["what has no value", "7 // (arange(3) - 1)"],
  ["a new nan, which --trap must find", "where(isnan(log(zeros([2]) - 1)), 0, 1)"],
])("%s: left to the run", (_, text) => {
  const outputs = outputsOf(text);
  expect(optimize(outputs).outputs.some(isConstant)).toBe(false);
});

test("only what hangs on no input is folded, and where it meets an input", () => {
  const steps: string[] = [];
  const { outputs } = optimize(outputsOf("input x[n]; x * exp(arange(3)) + 2 * x"), {
    trace: ({ rule }) => steps.push(rule),
  });
  expect(opsIn(outputs)).toEqual(["mul", "mul", "add"]);
  expect(steps).toEqual(["fold"]);
});
