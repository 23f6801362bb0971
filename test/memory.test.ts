/** What a large run needs at its peak: room for its data, once. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { writingWhole } from "../src/io/file.ts";
import { writeOutputFiles } from "../src/io/output.ts";

const MB = 1e6;
const ELEMENTS = 10_000_000;
const THREADS = 2;

const STATUS = "/proc/self/status";
/** Prints the largest resident size at the end. (`maxRSS` would begin with that of the process which started this one.) */
const PEAK = `import { readFileSync } from "node:fs";
process.on("exit", () => console.error(/VmHWM:\\s*(\\d+) kB/.exec(readFileSync("${STATUS}", "latin1"))[1]));`;

/** Bytes that Node takes at most with these arguments. */
function peakOf(...args: readonly string[]): number {
  const code = `${process.execPath} --import 'data:text/javascript,${encodeURIComponent(PEAK)}' "$@" 2>&1 >&-`;
  return Number(execFileSync("sh", ["-c", code, "sh", ...args], { encoding: "utf8" })) * 1024;
}

test.skipIf(!existsSync(STATUS))("a large run holds what must be in memory and little more", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tsym-memory-"));
  try {
    const [input, output, archive] = ["x.npy", "z.npy", "z.npz"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const data = Float32Array.from({ length: ELEMENTS }, (_, i) => (i % 1000) / 500 - 1);
    const tensor = { dtype: "float32", shape: [ELEMENTS], data } as const;
    await writingWhole((files) => writeOutputFiles(files, [[input, [{ name: "x", tensor }]]]));
    const idle = peakOf(
      "-e",
      `new (require("node:worker_threads").Worker)("setTimeout(() => {}, 50)", { eval: true })`,
    );
    const takes = (program: string, to: string, ...more: readonly string[]) => {
      const feeds = ["-f", `x=${input}`, "-f", `y=${input}`, "-o", `out=${to}`];
      const threads = ["--threads", String(THREADS)];
      return (peakOf(resolve("bin/tsym.js"), "run", "-e", program, ...feeds, ...threads, ...more) - idle) / MB;
    };
    const array = (4 * ELEMENTS) / MB;
    const program = "tanh(x*y + 1) * exp(-x*x) / (1 + y*y)";
    // The command itself and its caches take 20 MB; one array more would be 40.
    expect(takes(program, output)).toBeLessThan(35);
    expect(statSync(output).size).toBeGreaterThan(4 * ELEMENTS);
    expect(takes(program, archive)).toBeLessThan(array + 35);
    expect(takes(`sum(${program})`, output)).toBeLessThan(35);
    // Inputs that are kept for another run, the result, and a copy of it for each step.
    expect(takes(program, output, "--carry", "y=out", "--steps", "2")).toBeLessThan(5 * array + 35);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
