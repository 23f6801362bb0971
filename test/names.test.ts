/** What is offered for names of other libraries: programs that check, or functions that are there. */
import { expect, test } from "vitest";
import { check } from "../src/index.ts";
import { foreignFunctions, isReservedFunction, spelledHere } from "../src/lower/names.ts";
import { functionNames } from "../src/ops/registry.ts";

const FUNCTIONS = new Set([...functionNames(), "grad"]);
const SETTING = "input x[3, 3], y[3, 3]; axis = 0; n = size(x); i = argmax(x, axis=0); d = x - 1; loss = sum(x)";

/** An expression that holds `code`: an operator needs operands. */
function inExpression(code: string): string {
  if (/^\.\w+$/.test(code)) return `x${code}`;
  if (code === "not") return "not (x > y)";
  if (/^(and|or)$/.test(code)) return `(x > y) ${code} (y > x)`;
  if (/^\w+ = /.test(code)) return code.replace(/^.*? = /, "");
  return /^\W+$/.test(code) ? `x ${code} y` : code;
}

test.each(foreignFunctions())("%s is no function here, and what is offered works", (name) => {
  expect(FUNCTIONS.has(name) || isReservedFunction(name)).toBe(false);
  for (const [, code] of spelledHere(name)!.matchAll(/`(.*?)`/g)) {
    if (FUNCTIONS.has(code!)) continue;
    const { diagnostics } = check(`${SETTING}; out = ${inExpression(code!)}`);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  }
});

test.each([
  "max(x, y)",
  "min(x, y, 0)",
  "zeros(3, k)",
  "ones(3, k, 4)",
  "full(3, k, 7)",
  "concat(x, y)",
  "stack(x, y, x)",
  "norm(v, 1)",
  'norm(x, "fro")',
  "pad(x, 1)",
  "pad(x, k)",
  "pad(x, [1, k], 2)",
  "roll(x, k)",
  "kron(v, v)",
])("%s is no call here, and what is offered works", (call) => {
  const inputs = "input x[k, 3], y[k, 3], v[3]; out = ";
  const [wrong, ...more] = check(inputs + call).diagnostics;
  expect(more).toEqual([]);
  const [, code] = /write `(.*)`$/.exec(wrong!.help!)!;
  const { diagnostics } = check(inputs + code);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});
