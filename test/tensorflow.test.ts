/** The TensorFlow engine: what it says it cannot do and how it holds memory, everywhere; what it computes, where it is installed. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { autoEngine } from "../src/engines/auto.ts";
import { EvaluationError, type FeedSource } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { type Addon, loadAddon } from "../src/engines/tensorflow/addon.ts";
import { describePlan } from "../src/engines/tensorflow/describe.ts";
import { findInstallation } from "../src/engines/tensorflow/find.ts";
import { tensorflowEngine } from "../src/engines/tensorflow/index.ts";
import { planOf } from "../src/engines/tensorflow/plan.ts";
import { programOf } from "../src/engines/tensorflow/program.ts";
import { writeNpy } from "../src/io/npy.ts";
import { renderDiagnostics } from "../src/render.ts";
import { Session } from "../src/session.ts";
import type { TsymError } from "../src/source.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { differenceWithin } from "./conformance.ts";
import { compile } from "./evaluate.ts";
import { jobOf, outcome } from "./job.ts";
import { tensorflow } from "./tensorflow.ts";

/** Plans need no addon. */
const NOWHERE = tensorflowEngine({ folder: "/nowhere", addon: "/nowhere/addon.node", variant: "cpu", own: false });

describe("what TensorFlow cannot do is said before anything runs:", () => {
  const refused = (text: string) =>
    NOWHERE.supports(jobOf(text, "float32", { x: [3] }).graph).map(({ node, reason }) => `${node.op.name}: ${reason}`);
  test.each([
    ["input x[n]: float64; exp(x)", "input: it has no float64"],
    ["input x[n]: int64; x + 1", "input: it has no int64"],
    ["input x[n]; sum(astype(x, float64))", "astype: it has no float64"],
    ["input x[n]; linspace(x[0], 3, 5)", "astype: it has no float64"],
    ["input x[n]; argsort(x) + astype(x, int64)", "astype: it has no int64"],
    ["input x[n]; take(x, astype([0, 2], int64))", "take: it has no int64"],
  ])("%s", (text, wanted) => expect(refused(text)).toContain(wanted));

  test.each([
    "input x[n]; x * linspace(0, 1, 3)",
    "input x[n]; x + astype(sum(astype(arange(5000), float64) / 7), float32)",
  ])("%s is computed beforehand, and not refused", (text) => expect(refused(text)).toEqual([]));

  test("with the place, the reason and a way out", async () => {
    const program = compile("input x[n]\ny = exp(x)\noutput z = sum(astype(y, float64))", "float32");
    const data = { label: "x", dtype: "float32", shape: [2], readInto: () => {} } as const;
    const ended = new Session(program, program.outputs, NOWHERE).evaluate(new Map([["x", data as never]]));
    const error = await ended.catch((error: unknown) => error as TsymError);
    expect(renderDiagnostics((error as TsymError).diagnostics, { color: false })).toBe(
      `error[engine]: engine tensorflow cannot run astype: it has no float64
 --> test.tsym:3:16
  |
3 | output z = sum(astype(y, float64))
  |                ^^^^^^^^^^^^^^^^^^
help: the default engine can: leave --engine out
`,
    );
  });
});

/** Counts the bytes of tensors that are held, and computes nothing: results are zeros. */
class CountingAddon implements Addon {
  readonly TF_Version = "none";
  readonly #held = new Map<number, { readonly owner: object; readonly bytes: number }>();
  #next = 0;
  peak = 0;

  get #bytes(): number {
    const owners = new Map([...this.#held.values()].map(({ owner, bytes }) => [owner, bytes]));
    return [...owners.values()].reduce((a, b) => a + b, 0);
  }
  #hold(owner: object, bytes: number): number {
    this.#held.set(this.#next, { owner, bytes });
    this.peak = Math.max(this.peak, this.#bytes);
    return this.#next++;
  }
  /** What the next results are: the addon's own would know. */
  results: { readonly shape: readonly number[]; readonly bytes: number }[] = [];

  createTensor(_: readonly number[], __: number, data: Float32Array | Int32Array | Uint8Array): number {
    return this.#hold({}, data.byteLength);
  }
  deleteTensor(id: number): void {
    expect(this.#held.delete(id)).toBe(true);
  }
  tensorDataSync(): Uint8Array {
    return new Uint8Array(1);
  }
  executeOp(op: string, _: unknown, inputs: readonly number[], outputs: number) {
    for (const id of inputs) expect(this.#held.has(id)).toBe(true);
    return Array.from({ length: outputs }, () => {
      const { bytes } = this.results.shift()!;
      const shared = op === "Reshape" ? this.#held.get(inputs[0]!) : undefined;
      return { id: shared ? this.#hold(shared.owner, shared.bytes) : this.#hold({}, bytes) };
    });
  }
  getNumOfTensors(): number {
    return this.#held.size;
  }
  isUsingGpuDevice(): boolean {
    return false;
  }
}

const WIDTH = { bool: 1, int32: 4, float32: 4, float64: 8 };

describe("memory", () => {
  test.each([
    ["input x[n]; exp(exp(exp(exp(x)))) + 1", { x: [1000] }],
    ["input x[m, n]; softmax(x)", { x: [40, 30] }],
    ["input x[m, n]; output y = layer_norm(x); output g = grad sum(y * y) wrt x", { x: [40, 30] }],
    ["input x[n]; output y = x, z = sort(x), w = lgamma(x)", { x: [100] }],
    ["input x[n, n], y[n]; solve(x + 9 * eye(20), y) + cumsum(y)", { x: [20, 20], y: [20] }],
  ] as const)("is held as the plan says for %s", async (text, shapes) => {
    const { graph, feeds } = jobOf(text, "float32", shapes);
    const plan = planOf(graph);
    const addon = new CountingAddon();
    addon.results = plan.steps.flatMap(({ calls }) =>
      calls.flatMap(({ outputs }) =>
        outputs.map(({ dtype, shape }) => ({ shape, bytes: sizeOf(shape) * WIDTH[dtype] })),
      ),
    );
    const program = programOf(plan, addon, { engine: "none", reason: "", threads: 1 });
    await program.run(feeds);
    expect(addon.results).toEqual([]);
    expect(addon.peak).toBe(describePlan(plan).memory.bytes);
    expect(addon.getNumOfTensors()).toBe(plan.constants.length + plan.settled.length);
    program.dispose();
    expect(addon.getNumOfTensors()).toBe(0);
  });

  test("of results is let go as they are handed over", async () => {
    const { graph, feeds } = jobOf("input x[n]; output a = x, b = x, c = -x", "float32", { x: [1000] });
    const addon = new CountingAddon();
    addon.results = [{ shape: [1000], bytes: 4000 }];
    const reads: number[] = [];
    addon.tensorDataSync = () => {
      reads.push(addon.getNumOfTensors());
      return new Uint8Array(1);
    };
    await programOf(planOf(graph), addon, { engine: "none", reason: "", threads: 1 }).run(feeds);
    expect(reads).toEqual([2, 2, 1]);
  });

  test("of a chain is that of two of its tensors", () => {
    const text = `input x[n]; ${"exp(".repeat(20)}x${")".repeat(20)}`;
    const { bytes } = describePlan(planOf(jobOf(text, "float32", { x: [1000] }).graph)).memory;
    expect(bytes).toBe(8000);
  });
});

const installation = findInstallation();

describe.skipIf(!installation)("where it is installed, TensorFlow", () => {
  const engine = tensorflow.engine!;
  const held = () => loadAddon(installation!, { device: "cpu" }).getNumOfTensors();

  test("holds nothing after a run, nor after one that the data end", async () => {
    const good = jobOf("input x[m, n]; sort(softmax(x)) @ x.T", "float32", { x: [7, 5] });
    const bad = jobOf("input i[n]: int32; i // (i - i)", "float32", { i: [4] });
    await outcome(engine, good);
    const before = held();
    await outcome(engine, good, 1, 2);
    expect(await outcome(engine, bad)).toBe("integer division by zero at [0]");
    expect(held()).toBe(before);
  });

  test.each([
    ["input i[n]: int32; 7 // i", { i: [5] }],
    ["input i[n]: int32; 7 % (i - i)", { i: [5] }],
    ["input i[n]: int32; i ** (i - 5)", { i: [5] }],
    ["input x[n], i[m]: int32; take(x, i * 100)", { x: [5], i: [4] }],
    ["input x[n], i[m]: int32; take_along_axis(x, i - 9, axis=0)", { x: [5], i: [4] }],
    ["input x[n], i[m]: int32, u[m]; scatter_add(x, i + 5, u)", { x: [5], i: [4], u: [4] }],
    ["input x[m, n], i[k]: int32; (x + 1)[:0, i + 9]", { x: [2, 3], i: [3] }],
    ["input x[m, n]; x[:0, [0, 2, 7]]", { x: [2, 3] }],
    ["input x[n, n]; solve(x * 0, x)", { x: [3, 3] }],
    ["input x[n, n]; inv(x - x)", { x: [3, 3] }],
    ["input x[n, n]; solve_triangular(x * 0, x)", { x: [3, 3] }],
    ["input x[n, n]; cholesky(-(x @ x.T))", { x: [3, 3] }],
  ] as const)("says of %s what the reference engine says", async (text, shapes) => {
    const job = jobOf(text, "float32", shapes);
    const [found, wanted] = [await outcome(engine, job), await outcome(referenceEngine, job)];
    expect(typeof wanted).toBe("string");
    expect(found).toBe(wanted);
  });

  test.each(["det(x)", "p, q = slogdet(x)\noutput p, q", "inv(x)", "solve(x, x)", "cholesky(x)"])(
    "gives of matrices with NaN and infinities what the reference engine gives: %s",
    async (text) => {
      const [infinite, holed] = [Number.POSITIVE_INFINITY, Number.NaN].map((odd) =>
        jobOf(`input x[2, n, n]\n${text}`, "float32", { x: [2, 2, 2] }, (_, i) => [2, 0, 1, 3, odd, 1, 1, 4][i]!),
      );
      for (const job of [infinite!, holed!])
        expect(await outcome(engine, job)).toEqual(await outcome(referenceEngine, job));
    },
  );

  const RANK = 9;
  const sizes = Array.from({ length: RANK }, () => 2);
  const odd = sizes.map((size, axis) => (axis % 2 === 0 ? size : 1));
  const dims = (of: readonly number[]) => of.join(", ");
  test.each([
    "a * b",
    "where(a > b, a, b)",
    "broadcast_to(b, shape)",
    "a[:, 1:, ::-1, :1, 1:, :, ::-1, 0:1, 1:]",
    "pad(a, [[1, 0], [0, 1], [0, 0], [1, 1], [0, 0], [0, 0], [0, 0], [0, 0], [2, 0]])",
    "transpose(a)",
    "sum(a, axis=[0, 3, 8])",
    "argmax(a, axis=4)",
    "cumsum(a, axis=3)",
    "sort(a, axis=5)",
    "concat([a, a], axis=6)",
    "take(a, [1, 0, 1], axis=7)",
    "sum(a * b, axis=2)",
  ])("goes along nine axes: %s", async (body) => {
    const text = `input a[${dims(sizes)}], b[${dims(odd)}]; output out = ${body.replace("shape", `[${dims(sizes)}]`)}`;
    const job = jobOf(text, "float32", { a: sizes, b: odd });
    const [found, wanted] = [await outcome(engine, job), await outcome(referenceEngine, job)];
    expect(differenceWithin(found, wanted, () => ({ sum: 4 }))).toEqual([]);
  });

  test("traps the first nan", async () => {
    const { graph, feeds } = jobOf("input x[n]; exp(sqrt(x - 2)) + 1", "float32", { x: [3] });
    const program = await engine.compile(graph, { trap: "nan" });
    await expect(program.run(feeds)).rejects.toThrow(EvaluationError);
    await expect(program.run(feeds)).rejects.toThrow(/^sqrt makes the first nan at \[0\], of -2/);
  });

  test.each(["mean(x[:0]) + y", "mean(x[:0]) * y[:0]"])("traps one that hangs on no data: %s", async (text) => {
    const { graph, feeds } = jobOf(`input x[n], y[n]; ${text}`, "float32", { x: [3], y: [3] });
    const program = await engine.compile(graph, { trap: "nan" });
    await expect(program.run(feeds)).rejects.toThrow(/^`\/` makes the first nan, of 0 and 0/);
  });

  test("gives what has no elements as such", async () => {
    const { graph, feeds } = jobOf(
      "input x[n], y[n, m]; output a = exp(x)[:0:2], b = (y @ y.T)[:, :0], s = sum(y[:0])",
      "float32",
      { x: [3], y: [3, 2] },
    );
    const [a, b, s] = await (await engine.compile(graph)).run(feeds);
    expect([a, b, s].map((t) => [t!.shape, t!.data.length])).toEqual([
      [[0], 0],
      [[3, 0], 0],
      [[], 1],
    ]);
    expect(s!.data[0]).toBe(0);
  });

  test("takes steps that are beyond all ints, since none is made", async () => {
    const job = jobOf(
      "input x[m, n]; y = x[::2147483648, ::-9007199254740991]; output y, g = grad sum(y * y) wrt x",
      "float32",
      { x: [3, 2] },
    );
    expect(await outcome(engine, job)).toEqual(await outcome(referenceEngine, job));
  });

  test("reads what stays the same once, where feeds are kept", async () => {
    const { graph, feeds } = jobOf("input x[n]; exp(x) * x", "float32", { x: [300] });
    let reads = 0;
    const counted = feeds.map((feed) => ({
      ...feed,
      readInto: (bytes: Uint8Array) => {
        reads++;
        feed.readInto(bytes);
      },
    }));
    const program = await engine.compile(graph, { keepsFeeds: true });
    const first = (await program.run(counted))[0]!.data.slice();
    expect((await program.run(counted))[0]!.data).toEqual(first);
    expect(reads).toBe(1);
    program.dispose();
  });

  test("reads anew what is kept of a run whose feeds could not be read", async () => {
    const { graph, feeds } = jobOf("input x[n], y[n]; x - y", "float32", { x: [3], y: [3] });
    const [x, y] = feeds as [FeedSource, FeedSource];
    const zeros = { ...x, readInto: () => {} };
    const broken = {
      ...y,
      readInto: () => {
        throw new Error("it is gone");
      },
    };
    const program = await engine.compile(graph, { keepsFeeds: true });
    const first = await program.run([x, y]);
    await expect(program.run([zeros, broken])).rejects.toThrow("it is gone");
    expect(await program.run([x, y])).toEqual(first);
    program.dispose();
  });

  /** The command, with the user's own home. */
  function tsym(...args: readonly string[]) {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve("bin/tsym.js"), ...args], {
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, stdout, stderr, milliseconds: performance.now() - start };
  }
  const SEED = ["run", "samples/seed.tsym", "-f", "a=samples/data/a.npy"];

  test("gives the seed's values within 2 units in the last place, and nothing else on any stream", () => {
    const { status, stdout, stderr } = tsym(...SEED, "--engine", "tensorflow");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const values = (text: string) =>
      Object.entries(JSON.parse(text) as Record<string, number[][]>).flatMap(([name, rows]) => [name, ...rows.flat()]);
    const [found, wanted] = [values(stdout), values(readFileSync("samples/seed.json", "utf8"))];
    expect(found).toHaveLength(wanted.length);
    for (const [i, x] of wanted.entries())
      if (typeof x === "string") expect(found[i]).toBe(x);
      else expect(Math.abs(Number(found[i]) - x)).toBeLessThanOrEqual(2 * 2 ** (Math.floor(Math.log2(x)) - 23));
  });

  test.skipIf(process.platform !== "linux")("computes on what was read, and on no copy of it", () => {
    const folder = mkdtempSync(join(tmpdir(), "tsym-memory-"));
    try {
      const count = 16_000_000;
      const paths = [1, count].map((length) => {
        const path = join(folder, `${length}.npy`);
        writeFileSync(
          path,
          Buffer.concat(writeNpy({ dtype: "float32", shape: [length], data: new Float32Array(length) })),
        );
        return path;
      });
      const telling = join(folder, "telling.cjs");
      writeFileSync(telling, "process.on('exit', () => console.error(process.resourceUsage().maxRSS * 1024))");
      const most = paths.map((path) => {
        const args = ["--require", telling, resolve("bin/tsym.js"), "run", "--engine", "tensorflow"];
        return Number(
          spawnSync(process.execPath, [...args, "-e", "input x[n]; max(x)", "-f", `x=${path}`], { encoding: "utf8" })
            .stderr,
        );
      });
      expect(most[1]! - most[0]!).toBeLessThan(1.5 * 4 * count);
      expect(most[1]! - most[0]!).toBeGreaterThan(0.5 * 4 * count);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("lets the process end as soon as it has computed", () => {
    const idle = tsym("run", "-e", "1").milliseconds;
    const { status, milliseconds } = tsym(...SEED, "--engine", "tensorflow", "--threads", "2");
    expect(status).toBe(0);
    expect(milliseconds - idle).toBeLessThan(20_000);
  });

  test("tells of its plan and its times where it is asked to", () => {
    const { stderr } = tsym(...SEED, "--engine", "tensorflow", "--threads", "1", "--time");
    expect(stderr).toMatch(/\nengine tensorflow, 1 thread: TensorFlow 2\.\d+\.\d+ on the CPU\n/);
    expect(stderr).toMatch(/ms .* kernel c: exp\n/);
  });

  test("is ready in the list of engines", () => {
    const [, state] = JSON.parse(tsym("engines", "--json").stdout);
    expect(state).toMatchObject({ name: "tensorflow", ready: true, found: installation!.folder });
    expect(state.devices).toContain("cpu");
  });

  test("without a GPU says so, with 3", () => {
    const { status, stderr, stdout } = tsym("run", "-e", "1", "--engine", "tensorflow", "--device", "gpu");
    const [, state] = JSON.parse(tsym("engines", "--json").stdout);
    if (state.devices.includes("gpu")) return expect(stdout).toBe('{"out": 1}\n');
    expect(status).toBe(3);
    expect(stderr).toMatch(/^error\[engine\]: engine tensorflow finds no GPU\nhelp: /);
  });
});

describe("auto", () => {
  const described = async (text: string, shapes: Record<string, readonly number[]>, options = {}) =>
    (await autoEngine("cpu").describe!(jobOf(text, "float32", shapes).graph, { threads: 2, ...options }))!;
  const SQUARE = { x: [2500, 2500] };

  test("looks for nothing for a small program", async () => {
    expect(await described("input x[n, n]; x @ x", { x: [100, 100] })).toMatchObject({
      engine: "reference",
      reason: expect.not.stringContaining("TensorFlow"),
    });
  });

  test("takes the embedded engine where TensorFlow would be later, and says by how much", async () => {
    const { engine, reason } = await described("input x[n]; tanh(x * x + 1) / (1 + x * x)", { x: [60_000_000] });
    expect(engine).toBe("wasm");
    expect(reason).toMatch(/; about [\d.]+ s, TensorFlow's [\d.]+ s$/);
  });

  test.each([
    ["products", "input x[n, n]; x @ x @ x"],
    ["linear algebra", "input x[n, n]; solve(x, x)"],
  ])("takes TensorFlow for large %s, where it is ready", async (_, text) => {
    const { engine, reason } = await described(text, SQUARE);
    expect(engine).toBe(installation ? "tensorflow" : "wasm");
    expect(reason).toMatch(
      installation
        ? /^TensorFlow 2.* on the CPU; about [\d.]+ s with its start, the embedded engine's [\d.]+ s$/
        : /TensorFlow, which would be sooner done, is not installed$/,
    );
  });

  test.skipIf(!installation)("does not for what TensorFlow has not", async () => {
    const { engine, reason } = await described("input x[n, n]: float64; x @ x @ x", SQUARE);
    expect(engine).toBe("wasm");
    expect(reason).toMatch(/; TensorFlow would be sooner done, but it has no float64$/);
  });

  test("goes on without a TensorFlow that does not load, and says so", () => {
    const data = mkdtempSync(join(tmpdir(), "tsym-broken-"));
    try {
      const lib = join(data, "tsym", "tensorflow", "node_modules", "@tensorflow", "tfjs-node", "lib", "napi-v8");
      mkdirSync(lib, { recursive: true });
      writeFileSync(join(lib, "tfjs_binding.node"), "no library");
      const run = (...args: readonly string[]) =>
        spawnSync(process.execPath, [resolve("bin/tsym.js"), "run", ...args], {
          encoding: "utf8",
          cwd: data,
          env: { PATH: process.env["PATH"], XDG_DATA_HOME: data },
        });
      const large = ["-e", "x = reshape(astype(arange(9000000), float32), [3000, 3000]); output s = sum(x @ x)"];
      const { status, stderr } = run(...large, "--time", "--threads", "2");
      expect(status).toBe(0);
      expect(stderr).toMatch(/\nengine wasm, 2 threads: .*; engine tensorflow does not load: .*tfjs_binding\.node/);
      const asked = run("-e", "1", "--engine", "tensorflow");
      expect(asked.status).toBe(3);
      expect(asked.stderr).toMatch(
        /^error\[engine\]: engine tensorflow does not load: .*\nhelp: `tsym engines install/,
      );
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  test("takes TensorFlow for what would be long trapped by the reference engine", async () => {
    const wanted = { engine: installation ? "tensorflow" : "reference", reason: expect.stringContaining("TensorFlow") };
    expect(await described("input x[n, n]; x @ x", { x: [1500, 1500] }, { trap: "nan" })).toMatchObject(wanted);
    const { reason } = await described("input x[n, n]; x @ x", { x: [500, 500] }, { trap: "nan" });
    expect(reason).toBe("compiled loops trap no nan");
  });

  test("counts the steps that a run has", async () => {
    const sizes = { x: [1000, 1000] };
    expect((await described("input x[n, n]; x @ x", sizes)).reason).not.toMatch(/TensorFlow/);
    expect((await described("input x[n, n]; x @ x", sizes, { runs: 100 })).reason).toMatch(/TensorFlow/);
  });
});
