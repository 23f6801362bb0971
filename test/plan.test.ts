/** What `explain` and `--time` tell of an engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { wasmEngine } from "../src/engines/wasm/index.ts";
import { tsym } from "./command.ts";
import { differing, jobOf } from "./job.ts";

/** Enough for code, too little for threads, on any machine. */
const PROGRAM = "input a; x = sin(a + arange(500000)); x / sum(x)";

/** The part that is about the engine. */
const engineOf = (text: string): string => text.slice(text.indexOf("engine "));

test("explain ends with the engine's plan", async () => {
  const { stdout } = await tsym("explain", "-e", PROGRAM);
  expect(engineOf(stdout)).toMatchInlineSnapshot(`
    "engine wasm, 1 thread: the reference engine's loops would take about 36 ms; threads pay from about 400 ms on
    # stage     read  written  operations  buffers     loop
    #     1      0 B     2 MB              → b1        500000        host     ramp
    #   2.1     2 MB     2 MB      20.5 M  b0 b1 → b2  30 × 16384    kernel   x: sin add astype, in 31 blocks
    #   2.2     2 MB  7.82 kB       500 k  b2 → b3     30 × 16384    kernel   sum
    #     3  31.3 kB     16 B      7.81 k  → b3        1 × 1954 × 4  combine  sum
    #     4     2 MB     2 MB         1 M  b2 b3 → b4  500000        kernel   out: div
    # memory: 4.52 MB, for 5 buffers of 6.03 MB in all
    # in one place: b2 b4
    "
  `);
});

test("--time tells what is read from files and written to them, part by part", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tsym-plan-"));
  const [x, y] = [join(folder, "x.npy"), join(folder, "y.npy")];
  await tsym("run", "-e", "reshape(astype(arange(640000), float32), [800, 800])", "-o", `out=${x}`);
  const { stderr } = await tsym(
    "run",
    "-e",
    "input x[n, n]; y = exp(x @ x.T)",
    "-f",
    `x=${x}`,
    "-o",
    `y=${y}`,
    "--time",
  );
  expect(stderr).toMatch(/\d blocks: product .*; kernel y: exp; write y\n/);
  const softmax = await tsym("run", "-e", "input x[n, n]; y = softmax(x)", "-f", `x=${x}`, "-o", `y=${y}`, "--time");
  expect(softmax.stderr).toMatch(/\d blocks: read x; kernel max; .*; write y\n/);
  rmSync(folder, { recursive: true });
});

test("without sizes there is no plan", async () => {
  const { stdout } = await tsym("explain", "-e", "input x[n]; x + 1");
  expect(stdout).not.toContain("engine");
});

test("--time tells how long each part took, and which engine it was", async () => {
  const { stderr } = await tsym("run", "-e", PROGRAM, "-f", "a=1", "--time");
  const sorted = engineOf(stderr)
    .replaceAll(/ *[\d.]+ [kMGT]?(ms|B\/s|op\/s) +/g, "… $1 ")
    .trimEnd()
    .split("\n")
    .slice(1)
    .sort();
  expect(sorted).toMatchInlineSnapshot(`
    [
      "… ms … B/s … op/s 31 blocks: kernel sin add astype; kernel sum",
      "… ms … B/s … op/s combine sum",
      "… ms … B/s … op/s host ramp",
      "… ms … B/s … op/s kernel out: div",
    ]
  `);
});

test("a small program runs on the reference engine, and no part of it is timed", async () => {
  const { stderr } = await tsym("run", "-e", "input a; a + 1", "-f", "a=1", "--time");
  expect(engineOf(stderr)).toMatch(/^engine reference, 1 thread: .*\n$/);
});

test("what is not asked for is not told", async () => {
  expect((await tsym("run", "-e", "input a; a + 1", "-f", "a=1")).stderr).toBe("");
});

test("a small program that runs often becomes code, with the same bits", async () => {
  const { graph, feeds } = jobOf("input x[n]; sum(exp(x) * sin(x)); tanh(x)", "float32", { x: [50] });
  const engine = wasmEngine();
  const program = await engine.compile(graph);
  const copied = async () => (await program.run(feeds)).map((r) => ({ ...r, data: r.data.slice() }));
  const first = await copied();
  expect(program.describe!().engine).toBe("reference");
  for (let run = 0; run < 2_000; run++) await program.run(feeds);
  expect(program.describe!().engine).toBe("wasm");
  expect(differing(await copied(), first)).toEqual([]);
  program.dispose();
  const repeated = await engine.compile(graph, { runs: 10_000 });
  expect(repeated.describe!()).toMatchObject({ engine: "wasm", reason: expect.stringContaining("10000 times") });
  repeated.dispose();
});
