/** Every engine computes what the reference engine does: ours its bits, on any number of threads, TensorFlow within what is stated. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Engine, FeedSource } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { showKernel } from "../src/engines/wasm/kernel.ts";
import { planOf } from "../src/engines/wasm/plan.ts";
import { functionNames } from "../src/ops/registry.ts";
import { TsymError } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { tsym } from "./command.ts";
import { CASES, type Candidate, differenceWithin, judge, Tally } from "./conformance.ts";
import { differences, type Job, jobOf, outcome, wasm } from "./job.ts";
import { gather } from "./meeting.ts";
import { tensorflow } from "./tensorflow.ts";

const FLOATS = ["float32", "float64"] as const;

// What runs on two threads does so from its first run on.
beforeAll(gather);

/** The engines that are held to the reference engine: ours bit by bit. */
const CANDIDATES: readonly Candidate[] = [{ name: "wasm", engine: wasm }, tensorflow];
/** What tells of derivatives is no op: gradients are among the cases of all others. */
const DERIVATIVES = ["grad", "vjp", "jvp", "jacobian", "hessian"];
const ops = new Set(CASES.map(({ op }) => op));
const byOp = new Map([...ops].map((op) => [op, CASES.filter((c) => c.op === op)]));

describe.each(CANDIDATES)("engine $name computes what the reference engine does:", (candidate) => {
  const tally = new Tally();
  afterAll(() => console.log(`engine ${candidate.name}: ${tally}`));

  test.for([...byOp])("%s", async ([, cases], { skip }) => {
    if (!candidate.engine) tally.absent += cases.length;
    skip(!candidate.engine, "it is not installed");
    const wrong: string[] = [];
    for (const each of cases) wrong.push(...(await judge(candidate, each, tally)));
    expect(wrong).toEqual([]);
  });

  test("every op is among them", () => {
    const wanted = functionNames().filter((name) => !DERIVATIVES.includes(name));
    expect(wanted.filter((name) => !ops.has(name))).toEqual([]);
  });
});

const SAMPLES = readdirSync("samples").filter((file) => file.endsWith(".tsym"));
const root = process.cwd();

describe.each(CANDIDATES)("engine $name gives the samples' results:", ({ name, engine, tolerance }) => {
  const tally = new Tally();
  beforeAll(() => process.chdir("samples"));
  afterAll(() => {
    process.chdir(root);
    console.log(`engine ${name}, samples: ${tally}`);
  });

  test.for(SAMPLES)("%s", async (file, { skip }) => {
    if (!engine) tally.absent++;
    skip(!engine, "it is not installed");
    const [, flags = ""] = /^#! run (.*)\n/.exec(readFileSync(file, "utf8")) ?? [];
    const { status, stdout, stderr } = await tsym("run", file, "--engine", name, ...flags.split(/\s+/).filter(Boolean));
    if (status === 3) {
      expect(stderr).toMatch(/^error\[engine\]: engine tensorflow cannot run .*: it has no (float64|int64)\n/);
      tally.refuse(stderr.match(/it has no \w+/)![0]);
      return;
    }
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const wanted = readFileSync(file.replace(".tsym", ".json"), "utf8");
    if (!tolerance) expect(stdout).toBe(wanted);
    else expectNear(stdout, wanted);
    tally.passed++;
  });
});

/** Lines of JSON whose numbers differ by no more than 1e-4 of the largest in each. */
function expectNear(found: string, wanted: string): void {
  const number = /-?\d+(\.\d+)?(e[-+]?\d+)?/g;
  const numbersIn = (line: string) => Array.from(line.match(number) ?? [], Number);
  expect(found.replaceAll(number, "#")).toBe(wanted.replaceAll(number, "#"));
  for (const [i, line] of wanted.split("\n").entries()) {
    const [mine, theirs] = [numbersIn(found.split("\n")[i]!), numbersIn(line)];
    const largest = Math.max(1, ...theirs.map(Math.abs));
    const wrong = theirs.findIndex((x, k) => Math.abs(x - mine[k]!) > 1e-4 * largest);
    expect(wrong < 0 ? [] : [mine[wrong], theirs[wrong], line]).toEqual([]);
  }
}

/** Sizes around those that loops go by: vectors of 4, 16 lanes, blocks of 256, tiles of 64 columns and 96 rows. */
const SIZE: fc.Arbitrary<number> = fc.constantFrom(
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  15,
  16,
  17,
  31,
  64,
  67,
  96,
  97,
  255,
  256,
  257,
  300,
  513,
);
const PROGRAMS: Readonly<Record<string, string>> = {
  chain: "input x[m, n]; input y[m, n]; tanh(x * y + 1) * exp(-x * x) / (1 + y * y)",
  "rows and columns": `input x[m, n]
    a = sum(x, axis=0); b = sum(x * x, axis=1); c = sum(exp(x)); d = prod(x, axis=1); e = mean(x.T, axis=0)`,
  extremes: `input x[m, n]; input i[m, n]:int32; input j[m, n]:int64
    a = logsumexp(x, axis=0); b = logsumexp(x, axis=1); c = softmax(x); d = sum(i, axis=0); e = sum(j * j, axis=1)`,
  broadcasting:
    "input x[m, n]; input y[n]; input z[m, 1]; a = x * y + z; b = where(x > y, x, z); c = exp(y) * x - sqrt(abs(z))",
  layouts: `input x[m, n]
    a = x.T * 2; b = exp(x).T + 1; c = x[:, ::-1] * 3; d = concat([x, -x, x], axis=1); e = pad(x, [[1, 2], [0, 3]])
    f = reshape(x * 2, [-1]) + 1; g = reshape(x.T, [-1]); h = stack([x, x + 1], axis=1); i = cumsum(x, axis=0)`,
  bools:
    "input x[m, n]:bool; input y[m, n]; a = not x; b = x and y > 0; c = where(x, y, -y); d = a == b; e = astype(x, float32)",
  ints: `input i[m, n]:int32; input j[m, n]:int64
    a = i * 3 - 7; b = j * 3 - 7; c = abs(i) + minimum(i, 2); d = maximum(j, -1); e = astype(i, float32) / 3
    f = astype(j, float64) / 3; g = astype(astype(i, float64) * 1.5, int64); h = i ** 3; k = i > 1; l = astype(j, int32)`,
  products: "input x[m, k]; input y[k, n]; a = x @ y; b = exp(x @ y + 1); c = y.T @ x.T; d = sum(x @ y, axis=0)",
  gram: "input x[m, n]; a = x.T @ x; b = x @ x.T; c = x @ x[0]; d = x.T @ x[:, 0]; e = x[0] @ x[0]",
  batches: "input x[b, m, k]; input y[b, k, n]; a = x @ y; b2 = sum(a, axis=0); c = x @ y[0]",
  "layer norm": `input x[m, n]; input g[n]; input s[n]
    y = layer_norm(x) * g + s; output y; grad sum(y * y) wrt x, g, s`,
  regression: "input x[m, n]; input w[n]; input y[m]; grad mean((sigmoid(x @ w) - y) ** 2) wrt w",
  angles: "input x[m, n]; a = sin(x * 1e7); b = cos(x); c = tan(x); d = x % 0.3; e = x // 0.7",
  statistics: "input x[m, n]; a = var(x, axis=0); b = std(x, axis=1); c = mean(x); d = sum(x, axis=[0, 1])",
};

/** Where TensorFlow, if it is there, is off by more than roundings of thousands of terms of up to 9, which cancel. */
async function tensorflowDifferences(job: Job): Promise<string[]> {
  const { engine } = tensorflow;
  if (!engine || engine.supports(job.graph).length > 0) return [];
  return differenceWithin(await outcome(engine, job), await outcome(referenceEngine, job), () => ({ sum: 2 ** 14 }));
}

describe.each(FLOATS)("sizes, in %s:", (float) => {
  test.each(Object.keys(PROGRAMS))("%s", async (name) => {
    const text = PROGRAMS[name]!;
    const declared = [...text.matchAll(/input (\w+)\[(.*?)\]/g)].map(([, input, dims]) => ({
      input: input!,
      dims: dims!.split(", "),
    }));
    const symbols = [...new Set(declared.flatMap((d) => d.dims))].filter((dim) => !/\d/.test(dim));
    const sizes = fc.record(Object.fromEntries(symbols.map((symbol) => [symbol, SIZE])));
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        fc.pre(Object.values(size).reduce((a, b) => a * b, 1) < 60_000);
        const shapes = Object.fromEntries(
          declared.map(({ input, dims }) => [input, dims.map((dim) => size[dim] ?? Number(dim))]),
        );
        let job: Job;
        try {
          job = jobOf(text, float, shapes);
        } catch (error) {
          // The first row of none, the mean of none.
          if (error instanceof TsymError) return;
          throw error;
        }
        expect(await differences(job)).toEqual([]);
        expect(await tensorflowDifferences(job)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});

/** Where blocks of rows go through several loops, and rows are left over. */
const CHAINS: Readonly<Record<string, string>> = {
  "a regression": "input x[m, n]; input w[n]; input y[m]; output dw = grad sum((sigmoid(x @ w) - y) ** 2) wrt w",
  "layer norm": `input x[m, n]; input g[n]; input s[n]
    y = layer_norm(x) * g + s; output y; grad sum(y * y) wrt g, s, x`,
  statistics:
    "input x[m, n]; a = sum(x); b = sum(x * x); c = max(x); d = sum(exp(x), axis=0); e = exp(x) / 2; f = prod(x[0])",
  "a vector":
    "input x[m]; y = exp(x); output y; a = sum(y); output b = sum(y * x) / a; output c = min(x); output d = y / a",
  views: "input x[m, n]; y = exp(x)[::-1]; output a = sum(y * x, axis=0); output b = y + x; output c = sum(x.T @ y)",
  "a layer": `input x[m, n]; input w[n, 33]; input b[33]
    h = relu(x @ w + b); output h; output s = softmax(h); output t = sum(h, axis=1); output u = sum(h, axis=0)`,
  "a product of its own":
    "input x[m, n]; output y = exp(x @ x.T[:, :40] * 0.1); output z = sum(tanh(x @ x.T[:, :7]), axis=1)",
};

describe.each(FLOATS)("chains, in %s:", (float) => {
  test.each(Object.keys(CHAINS))("%s", async (name) => {
    const text = CHAINS[name]!;
    for (const m of [40, 97, 256, 2047, 2048, 2049, 2304, 4100])
      for (const n of [1, 6, 19]) {
        const size: Record<string, number> = { m, n };
        const declared = [...text.matchAll(/input (\w+)\[(.*?)\]/g)];
        const shapes = declared.map(([, input, dims]) => [
          input!,
          dims!.split(", ").map((dim) => size[dim] ?? Number(dim)),
        ]);
        const job = jobOf(text, float, Object.fromEntries(shapes));
        expect(await differences(job, 2), `m = ${m}, n = ${n}`).toEqual([]);
      }
  });
});

describe("special values", () => {
  const SPECIAL = [
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    Number.NaN,
    1e-310,
    1e-40,
    3e38,
    1e300,
    0.5,
    -2.5,
    88.8,
    -104,
    710,
  ];
  test.each(FLOATS)("in %s", async (float) => {
    const text = `input x[n]; input y[n]
      a = exp(x); b = tanh(x) * y; c = minimum(x, y); d = maximum(x, y); e = x < y; f = x == y; g = relu(x); h = sign(x)
      i = copysign(x, where(isnan(y), 1.0, y)); j = sigmoid(x); k = clip(x, -2, 3); l = floor(x) + ceil(y); m = sqrt(abs(x)); o = x / y
      p = round(x); q = log1p(x); r = astype(x, int32); s = astype(x, int64); t = max(x); u = min(y); v = sum(x * 0 + 1); w = erf(x); z = x ** y`;
    const n = SPECIAL.length ** 2 + 3;
    const fill = (_: DType, i: number) => SPECIAL[i % SPECIAL.length]!;
    const crossed = jobOf(text, float, { x: [n], y: [n] }, fill);
    const rotated = jobOf(
      text,
      float,
      { x: [n], y: [n] },
      (_, i) => SPECIAL[Math.floor(i / SPECIAL.length) % SPECIAL.length]!,
    );
    const job = { graph: crossed.graph, feeds: [crossed.feeds[0]!, rotated.feeds[1]!] };
    expect(await differences(job)).toEqual([]);
  });
});

describe("threads", () => {
  const text = `input x[m, n]; input y[n, k]
    a = softmax(x); b = exp(x @ y); c = sum(sin(x * 1e6), axis=0); d = sum(x * x); e = x[0] @ y; f = layer_norm(x)`;
  test.each([1, 2, 3, 8])("%i give the same bits", async (threads) => {
    const job = jobOf(text, "float32", { x: [301, 403], y: [403, 130] });
    expect(await differences(job, threads, 4)).toEqual([]);
  });
  test("blocks whose sums are combined, and whose loop is done again, are combined once", async () => {
    const text = "input x[m, n]; output s = sum(sin(x)); output t = sum(sin(x.T), axis=0)";
    const fill = (_: DType, i: number) => (i % 1_001 ? (i % 7) - 3 : 1e8 + i);
    expect(await differences(jobOf(text, "float32", { x: [1_100, 1_000] }, fill), 2, 3)).toEqual([]);
  });
});

describe("linear algebra goes by panels", () => {
  const job = (n: number, columns: number) =>
    jobOf(
      `input a[2, n, n]; input b[2, n, m]; c = a @ a.mT + eye(n); p, q = slogdet(a); l = tril(a) + 9 * eye(n)
       output i = inv(a); output s = solve(a, b); output d = det(a / 4); output q; output r = cholesky(c)
       output t = solve_triangular(l, b); output u = solve_triangular(l.mT, b, lower=false)
       output g = grad sum(det(a / 4)) wrt a
       output w = [max(abs(a @ i - eye(n))), max(abs(a @ s - b)), max(abs(r @ r.mT - c)), max(abs(l @ t - b)), max(abs(l.mT @ u - b))]
       output z = max(abs(log(abs(d)) + n * log(4.0) - q))`,
      "float64",
      { a: [2, n, n], b: [2, n, columns] },
      (_, i) => Math.sin(i * i * 12.9898) * 3,
    );
  test.each([
    [33, 5, 1],
    [128, 1_030, 1],
    [131, 9, 3],
    [301, 2, 2],
  ])("of %i rows, with %i columns, on %i threads", async (n, columns, threads) => {
    const outputs = await outcome(wasm, job(n, columns), threads, 2);
    if (typeof outputs === "string") throw new Error(outputs);
    for (const residual of outputs.slice(-2).flatMap(({ data }) => Array.from(data, Number)))
      expect(residual).toBeLessThan(1e-7);
    expect(await differences(job(n, columns), threads, 2)).toEqual([]);
  });
  test("of singular matrices", async () => {
    const text = "input a[n, n]; output z = det(a) == 0";
    const zeros = jobOf(text, "float64", { a: [130, 130] }, (_, i) => (i % 130 === 40 ? 0 : Math.sin(i * i)));
    for (const engine of [wasm, referenceEngine])
      expect(await outcome(engine, zeros)).toEqual([{ dtype: "bool", shape: [], data: Uint8Array.of(1) }]);
    const twice = jobOf("input a[n, n]; inv(concat([a[:129], a[:1]]))", "float64", { a: [130, 130] });
    for (const engine of [wasm, referenceEngine]) expect(await outcome(engine, twice)).toContain("is singular");
  });
  test.each([2, 130])("of what is no number, %i rows", async (n) => {
    const identity = (i: number) => (i % (n + 1) === 0 || i === 1 ? 1 : 0);
    const text = "input a[n, n]; output z = isnan(det(a))";
    const job = jobOf(text, "float64", { a: [n, n] }, (_, i) => (i === 0 ? Number.NaN : identity(i)));
    for (const engine of [wasm, referenceEngine])
      expect(await outcome(engine, job)).toEqual([{ dtype: "bool", shape: [], data: Uint8Array.of(1) }]);
  });
});

describe("in the memory of what is read for the last time", () => {
  test.each([
    [
      "a result in parts leaves what its last part reads",
      "concat([x[:, 19::-1] * y[:20], x[:, 20:] * y[20:]], axis=1)",
    ],
  ])("%s", async (_, body) => {
    const job = jobOf(`input x[m, n]; input y[n]; ${body}`, "float32", { x: [32, 40], y: [40] });
    expect(await differences(job)).toEqual([]);
  });
});

test.each([wasm, referenceEngine])("$name reads what stays the same once, where feeds are kept", async (engine) => {
  const { graph, feeds } = jobOf("input x[n]; input y[n]; exp(x) * y", "float32", { x: [300], y: [300] });
  let reads = 0;
  const counted = feeds.map(({ type, readInto }) => ({
    type,
    readInto: (bytes: Uint8Array) => {
      reads++;
      readInto(bytes);
    },
  }));
  const [x, y] = counted as [FeedSource, FeedSource];
  const program = await engine.compile(graph, { keepsFeeds: true });
  const results = async (...feeds: FeedSource[]) => (await program.run(feeds))[0]!.data.slice();
  const [first, swapped] = [await results(x, y), await results(y, x)];
  expect(await results(y, x)).toEqual(swapped);
  expect(await results({ ...x }, y)).toEqual(first);
  program.dispose();
  expect(reads).toBe(engine === wasm ? 6 : 3);
});

test("with fast math, products are as accurate, and others have the same bits", async () => {
  const job = jobOf("input x[m, n]; output a = x @ x.T, b = exp(x)", "float64", { x: [133, 211] });
  const run = async (engine: Engine, fastMath: boolean) =>
    (await engine.compile(job.graph, { fastMath })).run(job.feeds);
  const [[product, other], [wantedProduct, wantedOther]] = await Promise.all([
    run(wasm, true),
    run(referenceEngine, false),
  ]);
  expect(other!.data).toEqual(wantedOther!.data);
  const errors = Array.from(product!.data as Float64Array, (x, i) => Math.abs(x - Number(wantedProduct!.data[i])));
  expect(Math.max(...errors)).toBeLessThan(1e-11);
});

test("where the process gets no shared memory, the reference engine computes", async () => {
  class NoMemory {
    constructor() {
      throw new RangeError("could not allocate memory");
    }
  }
  vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Memory: { value: NoMemory } }));
  try {
    expect(await differences(jobOf("input x[n]; exp(x) + 1", "float32", { x: [1000] }))).toEqual([]);
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("plans", () => {
  const kernels = (text: string, shapes: Record<string, readonly number[]>) =>
    planOf(jobOf(text, "float32", shapes).graph).chains.map(({ blocks, steps }) => ({
      blocks,
      steps: steps.map((step) => (step.kind === "kernel" ? showKernel(step.kernel) : step.kind)),
    }));

  test("a chain of elementwise operations is one loop", () => {
    expect(kernels("input x[n]; y = x * x + 1; output z = y / x", { x: [1000] })).toMatchSnapshot();
  });
  test("softmax goes through a block of rows in the cache", () => {
    expect(kernels("input x[m, n]; softmax(x)", { x: [512, 1000] })).toMatchSnapshot();
  });
  test("a transpose is packed with the product that it is for", () => {
    expect(kernels("input x[m, n]; output y = x.T @ x", { x: [40, 30] })).toMatchSnapshot();
  });
});
