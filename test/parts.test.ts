/** Inputs that loops read from files, block by block: the same bits as in memory, and plain words where a file cannot be read. */
import { mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { planOf } from "../src/engines/wasm/plan.ts";
import type { FloatDType } from "../src/tensor/dtype.ts";
import { tsym } from "./command.ts";
import { type Filed, filed } from "./filed.ts";
import { blockwise, differing, type Job, jobOf, wasm } from "./job.ts";
import { gather } from "./meeting.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsym-parts-"));
  gather();
});
afterAll(() => rmSync(folder, { recursive: true }));

const inFiles = (job: Job, float: FloatDType): Job & Filed => ({
  graph: job.graph,
  ...filed(
    job.graph,
    job.feeds,
    job.feeds.map(() => float),
  ),
});

/** The results, and how many inputs were read in parts. */
async function run(engine: Engine, { graph, feeds, inFiles }: Job & Filed, threads: number) {
  const program = await engine.compile(graph, { threads, inFiles });
  try {
    const results = await program.run(feeds);
    const fetched = planOf(graph, { inFiles }).chains.flatMap((chain) => chain.fetches.map((fetch) => fetch.buffer));
    return { results: results.map((r) => ({ ...r, data: r.data.slice() })), parts: new Set(fetched).size };
  } finally {
    program.dispose();
  }
}

describe.each([
  ["float32", "float32"],
  ["float64", "float64"],
  ["float32", "float64"],
  ["float64", "float32"],
] as const)("%s, from files of %s", (float, inFile) => {
  test.each([
    ["elements", 2, "input x[n], y[n]; tanh(x * y + 1) / (1 + y * y)", { x: [300_017], y: [300_017] }],
    ["a sum", 2, "input x[n], y[n]; output s = sum(exp(x) * y); output m = max(y)", { x: [270_000], y: [270_000] }],
    ["rows", 1, "input x[m, n], b[n]; softmax(x + b)", { x: [1_003, 301], b: [301] }],
    ["a pass for each of two sums", 1, "input x[m, n]; (x - mean(x, axis=0)) / std(x, axis=0)", { x: [40_001, 7] }],
    [
      "a regression",
      1,
      "input x[m, n], w[n], y[m]; grad mean((sigmoid(x @ w) - y) ** 2) wrt w",
      { x: [5_000, 60], w: [60], y: [5_000] },
    ],
    ["a layer", 1, "input x[m, k], w[k, n]; relu(x @ w + 1)", { x: [1_500, 200], w: [200, 30] }],
    ["rows backwards", 0, "input x[m, n]; x[::-1] * 2", { x: [600, 500] }],
    ["columns", 0, "input x[m, n]; x.T * 2", { x: [600, 500] }],
    ["an input that is a result", 1, "input x[n]; output x; output y = x + 1", { x: [300_000] }],
  ] as const)("%s: %i in parts", async (_, parts, text, shapes) => {
    const job = inFiles(jobOf(text, float, shapes), inFile);
    const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
    for (const threads of [1, 3]) {
      const found = await run(wasm, job, threads);
      // What must be converted is read so in any case.
      if (float === inFile || parts > 0) expect(found.parts).toBe(parts);
      expect(differing(found.results, wanted)).toEqual([]);
    }
    job.remove();
  });
});

test.each([
  ["a view of one", "input x[n]; output s = sum(exp(-x)); output z = x[10:90]", { x: [200] }],
  ["a view after a pass over it", "input x[m, n]; output y = x * 2; output z = x.T", { x: [40, 30] }],
  [
    "one that others must wait for",
    "input x[n], y[n]; output s = sum(x * y); output t = cumsum(y)",
    { x: [90], y: [90] },
  ],
  ["two of three", "input x[n], y[n], z[n]; x * y + sort(z)", { x: [90], y: [90], z: [90] }],
] as const)("files in small blocks: %s", async (_, text, shapes) => {
  const job = inFiles(jobOf(text, "float32", shapes), "float64");
  const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
  for (const threads of [1, 2]) expect(differing((await run(blockwise, job, threads)).results, wanted)).toEqual([]);
  job.remove();
});

test.each([1, 2])("a file that has become shorter is told of, on %i threads", async (count) => {
  const job = inFiles(jobOf("input x[n]; exp(x)", "float32", { x: [400_000] }), "float32");
  const program = await wasm.compile(job.graph, { threads: count, inFiles: job.inFiles });
  expect((await program.run(job.feeds))[0]!.shape).toEqual([400_000]);
  truncateSync(job.feeds[0]!.file!.path, 1_000_000);
  await expect(program.run(job.feeds)).rejects.toThrow("cannot read: undefined");
  job.remove();
  await expect(program.run(job.feeds)).rejects.toThrow("cannot read: Error: ENOENT");
  program.dispose();
});

test("the command reads .npy files so, and rounds what is in them to the program's floats", async () => {
  const [x, y] = [join(folder, "x.npy"), join(folder, "y.npy")];
  await tsym("run", "-e", "astype(arange(400000), float64) / 1000", "-o", `out=${x}`);
  const { stdout } = await tsym("run", "-e", "output s = sum(exp(-x)); output m = max(x)", "-f", `x=${x}`);
  expect(stdout).toBe('{"s": 1000.50006, "m": 399.999}\n');
  await tsym("run", "-e", "x * -1", "-f", `x=${x}`, "-o", `out=${y}`);
  const written = new Float32Array(readFileSync(y).buffer).slice(-400_000);
  expect(written.findIndex((v, i) => !Object.is(v, Math.fround(-i / 1000)))).toBe(-1);
});
