/** Programs large in one way or another, for the tests and the bench: what is quadratic somewhere shows here. */
import type { Feeds } from "../src/index.ts";

export interface LargeProgram {
  readonly text: string;
  readonly feeds: Feeds;
  /** The first element of some outputs. */
  readonly expected: Readonly<Record<string, number>>;
}

const times = (n: number, line: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => line(i));
const program = (lines: readonly string[], feeds: Feeds, expected: LargeProgram["expected"]): LargeProgram => ({
  text: lines.join("\n"),
  feeds,
  expected,
});

export const LARGE: Readonly<Record<string, LargeProgram>> = {
  "10,000 statements": program(
    ["input x0[n]", ...times(9_999, (i) => `x${i + 1} = x${i} + ${i}`)],
    { x0: [1] },
    { x9999: 1 + (9_999 * 9_998) / 2 },
  ),
  "a sum of 5,000 terms and its gradient": program(
    ["input x[n]", `s = ${times(5_000, (i) => `x * ${i}`).join(" + ")}`, "output s", "output g = grad sum(s) wrt x"],
    { x: [2] },
    { s: 4_999 * 5_000, g: (4_999 * 5_000) / 2 },
  ),
  "the gradient of a chain of 3,000 bindings": program(
    [
      "input x0[n]",
      ...times(3_000, (i) => `x${i + 1} = x${i} * 1.0 + sin(x${i})`),
      "output g = grad sum(x3000) wrt x0",
    ],
    { x0: [0] },
    { g: Number.POSITIVE_INFINITY },
  ),
  "200 doublings of shared nodes and their gradient": program(
    [
      "input x0[n]",
      ...times(200, (i) => `x${i + 1} = x${i} + x${i}`),
      "output x200",
      "output g = grad sum(x200) wrt x0",
    ],
    { x0: [3] },
    { x200: 3 * 2 ** 200, g: 2 ** 200 },
  ),
  "a thousand sizes that must be equal": program(
    [
      `input ${times(1_000, (i) => `a${i}[n${i}] = ${i}`).join(", ")}, z[m]`,
      `output s = z + ${times(1_000, (i) => `a${i}`).join(" + ")}`,
    ],
    { z: [0], ...Object.fromEntries(times(1_000, String).map((i) => [`a${i}`, [1]])) },
    { s: 1_000 },
  ),
  "3,000 inputs": program(
    [
      `input ${times(3_000, (i) => `a${i}[n] = ${i}`).join(", ")}, z[n]`,
      `output s = z + ${times(3_000, (i) => `a${i}`).join(" + ")}`,
    ],
    { z: [0] },
    { s: (2_999 * 3_000) / 2 },
  ),
  "16,384 calls that double": program(
    [
      "fn f0(x) = x + x",
      ...times(13, (i) => `fn f${i + 1}(x) = f${i}(x) + f${i}(x)`),
      "input x[n]",
      "output y = f13(x)",
    ],
    { x: [1] },
    { y: 2 ** 14 },
  ),
  "300 gradients": program(
    [
      "input x0[n]",
      ...times(300, (i) => `x${i + 1} = x${i} * 1.0`),
      ...times(300, (i) => `output g${i} = grad sum(x300) wrt x${i}`),
    ],
    { x0: [1] },
    { g0: 1, g299: 1 },
  ),
  "a list of 50,000 numbers": program(
    ["input x[n]", `output s = sum([${times(50_000, String).join(", ")}]) + x`],
    { x: [1] },
    {
      s: 1 + (49_999 * 50_000) / 2,
    },
  ),
};
