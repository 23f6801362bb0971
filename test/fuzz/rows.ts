/** Random programs of matrices with rows enough for the embedded engine's chains: values made in parts, read in pieces, row by row and column by column. */
import type { Random } from "./random.ts";

const ROWS = [16, 20, 32, 48];
const COLUMNS = [6, 8, 24, 40, 64, 300];

/** Each gives a matrix of the inputs' shape: of two matrices, `a` and `b`, a row `r`, a column `c`, and pieces of half the columns and half the rows. */
const MATRICES = [
  "concat([LEFT, LEFT], axis=1)",
  "concat([UPPER, UPPER], axis=0)",
  "pad(LEFT, [[0, 0], [HALF, 0]])",
  "pad(LEFT, [[0, 0], [0, HALF]])",
  "reshape(stack([LEFT, LEFT], axis=2), [ROWS, COLUMNS])",
  "reshape(a.T, [ROWS, COLUMNS])",
  "a[::-1]",
  "a[:, ::-1]",
  "where(a > b, b, c)",
  "a * b + r",
  "(a + r) * c",
  "a - sum(b, axis=0)",
  "a - max(b, axis=1, keepdims=true)",
  "cumsum(a, axis=0)",
  "a * min(b)",
  "maximum(a, b)",
  "softmax(a)",
  "softmax(a, axis=0)",
  "layer_norm(a) * r",
  "tanh(a) / sum(exp(tanh(b)), axis=1, keepdims=true)",
  "sin(a * 1e10)",
  "a @ (b.T @ a)",
  "grad sum(softmax(a * x) * b) wrt x",
];
/** The same number of columns as HALF. */
const LEFT = ["a[:, :HALF]", "(a * 2)[:, HALF:]", "(a + r)[:, ::2]", "(a - c)[:, 1::2]", "a[:, ::-1][:, HALF:]"];
const UPPER = ["a[:MIDDLE]", "(a * 2)[MIDDLE:]", "(a + r)[::2]", "a[::-1][MIDDLE:]"];

export function randomRows(random: Random): string {
  const [rows, columns] = [random.pick(ROWS), random.pick(COLUMNS)];
  const names = ["x", "y"];
  const fill = (text: string): string =>
    text
      .replaceAll("LEFT", () => random.pick(LEFT))
      .replaceAll("UPPER", () => random.pick(UPPER))
      .replaceAll("HALF", String(columns / 2))
      .replaceAll("MIDDLE", String(rows / 2))
      .replaceAll("COLUMNS", String(columns))
      .replaceAll("ROWS", String(rows))
      .replaceAll(/\b[ab]\b/g, () => random.pick(names.slice(-4)));
  const lines = [`input x[${rows}, ${columns}], y[${rows}, ${columns}], r[${columns}], c[${rows}, 1]`];
  for (const made of random.times(3, 10, () => random.pick(MATRICES))) {
    const name = `t${names.length}`;
    lines.push(`${name} = ${fill(made)}`);
    names.push(name);
  }
  const shown = names.slice(2, -1).filter(() => random.chance(0.3));
  return [...lines, ...[...shown, names.at(-1)!].map((name) => `output ${name}`)].join("\n");
}
