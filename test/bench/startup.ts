/** What starting costs: whole processes beside a bare `node -e 0`, taken in turns so that a busy machine slows all alike. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROUNDS = Number(process.argv[2] ?? 31);
const folder = mkdtempSync(join(tmpdir(), "tsym-startup-"));
const long = join(folder, "long.tsym");
writeFileSync(
  long,
  ["input x0[n, 3]", ...Array.from({ length: 9_999 }, (_, i) => `x${i + 1} = x${i} + ${i}`)].join("\n"),
);

const SEED = [
  "run",
  "-e",
  "input a[?,3]; b = a @ a; c = exp(b); grad sum(c) wrt a",
  "-f",
  "a=[[1,0,0],[0,1,0],[0,0,1]]",
];
const NO_CACHE = { ...process.env, HOME: "", XDG_CACHE_HOME: "" };
/** The command without the code that the build keeps. */
const BARE = join(folder, "bin", "tsym.js");
for (const file of ["bin/package.json", "bin/tsym.js", "dist/tsym.cjs"]) cpSync(file, join(folder, file));
const CACHE = { ...NO_CACHE, XDG_CACHE_HOME: folder };

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly goal: string;
  readonly times: number[];
}
const case_ = (name: string, args: readonly string[], env: NodeJS.ProcessEnv, goal: string): Case => ({
  name,
  args,
  env,
  goal,
  times: [],
});
const bare = case_("node -e 0", ["-e", "0"], NO_CACHE, "");
const cases = [
  bare,
  case_("seed program, as built", ["bin/tsym.js", ...SEED], NO_CACHE, "1.45 x"),
  case_("seed program, user's code cache", [BARE, ...SEED], CACHE, "1.45 x"),
  case_("seed program, no code kept", [BARE, ...SEED], NO_CACHE, "1.60 x"),
  case_("check of 10,000 statements", ["bin/tsym.js", "check", long], NO_CACHE, "1500 ms"),
];

/** Milliseconds that the whole process takes. */
function timed({ name, args, env }: Case): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
  return performance.now() - start;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

try {
  for (const each of cases) timed(each);
  for (let round = 0; round < ROUNDS; round++) for (const each of cases) each.times.push(timed(each));
  for (const { name, times, goal } of cases) {
    const ratio = (median(times) / median(bare.times)).toFixed(2);
    console.log(
      `${name.padEnd(32)} ${median(times).toFixed(1).padStart(8)} ms ${ratio.padStart(7)} x  ${goal && `(goal ${goal})`}`,
    );
  }
  console.log(
    `${"dist/tsym.cjs".padEnd(32)} ${(statSync("dist/tsym.cjs").size / 1000).toFixed(0).padStart(8)} KB            (goal 600 KB)`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
