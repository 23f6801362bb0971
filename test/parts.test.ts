/** Inputs that loops read from files, block by block: the same bits as in memory, and plain words where a file cannot be read. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { planOf } from "../src/engines/wasm/plan.ts";
import { allocate, type FloatDType, viewOf } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor } from "../src/tensor/tensor.ts";
import { tsym } from "./command.ts";
import { differing, type Job, jobOf, wasm } from "./job.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsym-parts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const BEFORE = 100;

/** The job with its feeds in files, each after some other bytes; floats in this dtype. */
const filed = ({ graph, feeds }: Job, float: FloatDType): Job => ({
  graph,
  feeds: feeds.map(({ type }, i) => {
    const data = allocate(float, sizeOf(type.shape)).map((_: number, k: number) => Math.sin(k * 12.9898) * 3);
    const path = join(folder, `${i}.bin`);
    writeFileSync(path, Buffer.concat([Buffer.alloc(BEFORE, 255), new Uint8Array(data.buffer)]));
    const unreadable = (error?: unknown): never => {
      throw new Error(`cannot read: ${error}`);
    };
    return {
      type,
      readInto: (bytes) => viewOf(type.dtype, bytes).set(data as never),
      file: { path, dtype: float, position: BEFORE, unreadable },
    };
  }),
});

const inFiles = ({ graph, feeds }: Job) => new Map(graph.inputs.map((node, i) => [node, feeds[i]!.file!.dtype]));

/** The results, and how many inputs were read in parts. */
async function run(job: Job, threads: number): Promise<{ results: Tensor[]; parts: number }> {
  const options = { threads, inFiles: inFiles(job) };
  const program = await wasm.compile(job.graph, options);
  try {
    const results = await program.run(job.feeds);
    const fetched = planOf(job.graph, options).chains.flatMap((chain) => chain.fetches.map((fetch) => fetch.buffer));
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
    ["an input that is a result", 0, "input x[n]; output x; output y = x + 1", { x: [300_000] }],
  ] as const)("%s: %i in parts", async (_, parts, text, shapes) => {
    const job = filed(jobOf(text, float, shapes), inFile);
    const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
    for (const threads of [1, 3]) {
      const found = await run(job, threads);
      // What must be converted is read so in any case.
      if (float === inFile || parts > 0) expect(found.parts).toBe(parts);
      expect(differing(found.results, wanted)).toEqual([]);
    }
  });
});

test.each([1, 2])("a file that has become shorter is told of, on %i threads", async (threads) => {
  const job = filed(jobOf("input x[n]; exp(x)", "float32", { x: [400_000] }), "float32");
  const program = await wasm.compile(job.graph, { threads, inFiles: inFiles(job) });
  expect((await program.run(job.feeds))[0]!.shape).toEqual([400_000]);
  truncateSync(job.feeds[0]!.file!.path, 1_000_000);
  await expect(program.run(job.feeds)).rejects.toThrow("cannot read: undefined");
  rmSync(job.feeds[0]!.file!.path);
  await expect(program.run(job.feeds)).rejects.toThrow("cannot read: Error: ENOENT");
  program.dispose();
});

test("the command reads .npy files so", async () => {
  const file = join(folder, "x.npy");
  await tsym("run", "-e", "arange(400000.0) / 1000", "-o", `out=${file}`);
  const { stdout } = await tsym("run", "-e", "output s = sum(exp(-x)); output m = max(x)", "-f", `x=${file}`);
  expect(stdout).toBe('{"s": 1000.50006, "m": 399.999}\n');
});
