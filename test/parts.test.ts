/**
 * Inputs that loops read from files and outputs that they write there, block by block: the same bits as in memory, and plain words
 * where a file cannot be read or written.
 */
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { planOf } from "../src/engines/wasm/plan.ts";
import { type FloatDType, viewOf } from "../src/tensor/dtype.ts";
import type { FileTarget } from "../src/tensor/file.ts";
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

/** Bytes of a file before the elements. */
const BEFORE = 100;
const unwritable = (error: unknown): never => {
  throw new Error(`cannot write: ${error}`);
};

/** The results of a run that writes to files what it can, those read back, and how many they are. */
async function runInto(engine: Engine, { graph, feeds, inFiles }: Job & Partial<Filed>, threads: number) {
  const program = await engine.compile(graph, { threads, inFiles, toFiles: new Set(graph.outputs) });
  const written = program.written ?? [];
  const path = (output: number) => join(folder, `${output}.bin`);
  const descriptors: number[] = [];
  const opened: number[] = [];
  const open = (output: number): FileTarget => {
    opened.push(output);
    const descriptor = openSync(path(output), "w");
    descriptors.push(descriptor);
    return { descriptor, position: BEFORE, unwritable };
  };
  try {
    const others = (await program.run(feeds, open)).map((r) => ({ ...r, data: r.data.slice() }));
    expect(opened.sort((a, b) => a - b)).toEqual([...written].sort((a, b) => a - b));
    const results = graph.outputs.map(({ type: { dtype, shape } }, i) => {
      if (!written.includes(i)) return others.shift()!;
      const bytes = new Uint8Array(readFileSync(path(i)).subarray(BEFORE));
      return { dtype, shape: shape as number[], data: viewOf(dtype, bytes) };
    });
    return { results, written: written.length };
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    program.dispose();
  }
}

describe.each(["float32", "float64"] as const)("%s, to files", (float) => {
  test.each([
    ["elements", 1, "input x[n], y[n]; tanh(x * y + 1) / (1 + y * y)", { x: [300_017], y: [300_017] }],
    ["other dtypes", 2, "input x[n]; output b = x > 0; output k = astype(x, int64)", { x: [1_100_003] }],
    ["rows", 1, "input x[m, n], b[n]; softmax(x + b)", { x: [1_003, 301], b: [301] }],
    [
      "two outputs",
      2,
      "input x[m, n], g[m, n]; output y = layer_norm(x); output d = grad sum(y * g) wrt x",
      { x: [1_003, 301], g: [1_003, 301] },
    ],
    ["one that a loop uses", 2, "input x[n]; output y = exp(x); output z = y * x", { x: [300_017] }],
    ["one that is needed as a whole", 0, "input x[n]; output y = exp(x); output s = cumsum(y)", { x: [300_017] }],
    ["one that is summed", 1, "input x[m, n]; output y = exp(x); output s = sum(y, axis=1)", { x: [1_003, 301] }],
    ["a product", 1, "input x[m, k], w[k, n]; relu(x @ w + 1)", { x: [1_501, 200], w: [200, 203] }],
    ["a product alone", 1, "input x[m, k], w[k, n]; x @ w", { x: [1_501, 200], w: [200, 203] }],
    ["products of a batch", 0, "input x[b, m, k], w[b, k, n]; x @ w", { x: [9, 170, 90], w: [9, 90, 180] }],
    ["a transpose", 1, "input x[m, n]; output y = x.T", { x: [603, 501] }],
    ["parts side by side", 1, "input x[m, n]; concat([x, x * 2], axis=1)", { x: [603, 301] }],
    ["two names of one", 0, "input x[n]; output y = exp(x); output z = y", { x: [300_017] }],
    ["one before what is sorted", 0, "input x[n]; output y = exp(x); output s = sort(x)", { x: [300_017] }],
    ["one after what is sorted", 1, "input x[n]; output y = exp(sort(x))", { x: [300_017] }],
    ["rare arguments", 1, "input x[n]; sin(x * 1e22)", { x: [260_017] }],
    ["what is small", 0, "input x[n]; exp(x)", { x: [100] }],
  ] as const)("%s: %i", async (_, count, text, shapes) => {
    const job = jobOf(text, float, shapes);
    const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
    for (const threads of [1, 3]) {
      const found = await runInto(wasm, job, threads);
      expect(found.written).toBe(count);
      expect(differing(found.results, wanted)).toEqual([]);
    }
    const filed = inFiles(job, float);
    expect(differing((await runInto(wasm, filed, 2)).results, wanted)).toEqual([]);
    filed.remove();
  });
});

test.each([
  ["rows and a rest", "input x[m, n]; output y = softmax(x); output z = x * 2", { x: [41, 30] }],
  ["sums of columns", "input x[m, n]; output y = exp(x); output s = mean(y, axis=0)", { x: [700, 3] }],
  ["products", "input x[m, k], w[k, n]; output y = x @ w; output z = exp(y)", { x: [41, 30], w: [30, 7] }],
] as const)("outputs in small blocks: %s", async (_, text, shapes) => {
  const job = jobOf(text, "float32", shapes);
  const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
  for (const threads of [1, 2]) {
    const found = await runInto(blockwise, job, threads);
    expect(found.written).toBeGreaterThan(0);
    expect(differing(found.results, wanted)).toEqual([]);
  }
});

test("programs that run at a time write into their own files", async () => {
  const jobs = ["input x[n]; exp(x)", "input x[n]; x * 2"].map((text) => jobOf(text, "float32", { x: [2_000_000] }));
  const run = async ({ graph, feeds }: Job, i: number) => {
    const program = await wasm.compile(graph, { threads: 2, toFiles: new Set(graph.outputs) });
    const path = join(folder, `own-${i}.bin`);
    const descriptor = openSync(path, "w");
    await program.run(feeds, () => ({ descriptor, position: 0, unwritable }));
    closeSync(descriptor);
    program.dispose();
    return viewOf("float32", new Uint8Array(readFileSync(path)));
  };
  const wanted = await Promise.all(
    jobs.map(async ({ graph, feeds }) => (await (await referenceEngine.compile(graph)).run(feeds))[0]!),
  );
  const found = await Promise.all(jobs.map(run));
  expect(
    differing(
      found.map((data, i) => ({ ...wanted[i]!, data })),
      wanted,
    ),
  ).toEqual([]);
});

test("only so many outputs are written so", async () => {
  const outputs = Array.from({ length: 40 }, (_, i) => `output y${i} = x * ${i + 1}`);
  const job = jobOf(`input x[n]; ${outputs.join("; ")}`, "float32", { x: [4_000] });
  const filed = inFiles(job, "float32");
  const wanted = await (await referenceEngine.compile(job.graph)).run(job.feeds);
  const found = await runInto(blockwise, filed, 2);
  expect(found.written).toBe(32);
  expect(differing(found.results, wanted)).toEqual([]);
  filed.remove();
});

test.each([1, 2])("a file that takes no more is told of, on %i threads", async (count) => {
  const { graph, feeds } = jobOf("input x[n]; exp(x)", "float32", { x: [400_000] });
  const program = await wasm.compile(graph, { threads: count, toFiles: new Set(graph.outputs) });
  const descriptor = openSync("/dev/full", "w");
  await expect(program.run(feeds, () => ({ descriptor, position: 0, unwritable }))).rejects.toThrow(
    "cannot write: Error: ENOSPC",
  );
  closeSync(descriptor);
  program.dispose();
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

test("the command writes .npy files so, also over what it reads", async () => {
  const x = join(folder, "x.npy");
  await tsym("run", "-e", "reshape(astype(arange(600000), float32), [1000, 600])", "-o", `out=${x}`);
  expect(await tsym("run", "-e", "x - 1", "-f", `x=${x}`, "-o", `out=${x}`)).toMatchObject({ status: 0, stderr: "" });
  const { stdout } = await tsym("run", "-e", "[x[0, 0], x[-1, -1], sum(x)]", "-f", `x=${x}`);
  expect(stdout).toBe('{"out": [-1, 599998, 179999100000]}\n');
  expect(readdirSync(folder).filter((file) => file.startsWith("."))).toEqual([]);
});
