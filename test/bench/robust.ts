/** How long large programs take, the whole command from text to numbers: prints seconds beside the goal. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LARGE } from "../large.ts";

const GOAL = 5;
const folder = mkdtempSync(join(tmpdir(), "tsym-robust-"));
const [file, data] = [join(folder, "program.tsym"), join(folder, "feeds.json")];

try {
  for (const [name, { text, feeds }] of Object.entries(LARGE)) {
    writeFileSync(file, text);
    writeFileSync(data, JSON.stringify(feeds));
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ["bin/tsym.js", "run", file, "-f", data], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
    console.log(`${name.padEnd(52)} ${((performance.now() - start) / 1000).toFixed(2)} s  (goal ${GOAL} s)`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
