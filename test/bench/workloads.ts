/**
 * How long the workloads of table.ts take beside NumPy, JAX and, where it is installed, TensorFlow: warmed up, then whole
 * processes from cold, all contestants in turns, after their results were found to agree. Prints medians, and ratios to NumPy.
 * Options: `--only W3,W5`, `--float float64`, `--engines wasm`, `--rounds N`, `--threads N`, `--scale 0.01` (smaller data, to try it).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ENGINES, type EngineName, loadEngine } from "../../src/engines/load.ts";
import { compare } from "../../src/io/compare.ts";
import { writeNpy } from "../../src/io/npy.ts";
import { tensorSource } from "../../src/io/source.ts";
import { TsymError } from "../../src/source.ts";
import type { FloatDType } from "../../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import {
  type Contestant,
  commandContestant,
  engineContestant,
  Launcher,
  peerContestant,
  scriptContestant,
  type Task,
} from "./contestants.ts";
import { environment, findPython, LIBRARIES, type Library, Peer, titleOf } from "./python.ts";
import { type InputData, WORKLOADS, type Workload } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(WORKLOADS).join() },
    float: { type: "string", default: "float32,float64" },
    engines: { type: "string", default: ENGINES.filter((name) => name !== "auto").join() },
    rounds: { type: "string", default: "9" },
    threads: { type: "string", default: `${availableParallelism()}` },
    scale: { type: "string", default: "1" },
  },
});
const threads = Number(options.threads);
const scale = Number(options.scale);

/** Started while this process has little memory. */
const launcher = new Launcher();

/** The choices in an option's list. */
function chosen<T extends string>(list: string, choices: readonly T[]): T[] {
  const names = list.split(",");
  const unknown = names.find((name) => !choices.includes(name as T));
  if (unknown === undefined) return choices.filter((name) => names.includes(name));
  console.error(`${unknown} is none of ${choices.join(", ")}`);
  return process.exit(2);
}
const workloads = chosen(options.only, Object.keys(WORKLOADS));
const floats = chosen<FloatDType>(options.float, ["float32", "float64"]);
const engines: EngineName[] = [];
for (const name of chosen<EngineName>(options.engines, ENGINES)) {
  try {
    await loadEngine({ engine: name });
    engines.push(name);
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    console.log(`without the engine ${name}: ${error.message}`);
  }
}

/** Rounding differs by the order of summation; `atol` is this times the mean size of what is expected. */
const RTOL: Readonly<Record<FloatDType, number>> = { float32: 1e-4, float64: 1e-9 };
/** A contestant that has taken this long on one workload sits out the rounds that are left, but the first. */
const PATIENCE_MS = 15_000;
/** Threads of pools spin for some 30 ms after their work; the next contestant must not pay for that. */
const PAUSE_MS = 50;
/** Linux looks every 4 ms or so whether threads that share a core should part. */
const WAKING_MS = 20;

/** Fills the shapes with the minimal standard generator of Park and Miller (1988), the same for every contestant. */
function dataOf({ dims, inputs }: Workload, float: FloatDType): Map<string, Tensor> {
  let state = 1;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const made = ({ shape, spread = 1, classes, dtype }: InputData): Tensor => {
    const sizes = shape.map((d) => (typeof d === "number" ? d : scaled(dims[d]!)));
    const values = function* () {
      for (let i = 0; i < sizeOf(sizes); i++)
        yield classes ? Math.floor(classes * uniform()) : spread * (2 * uniform() - 1);
    };
    return tensorOf(dtype ?? float, sizes, values());
  };
  return new Map(Object.entries(inputs).map(([name, input]) => [name, made(input)]));
}

const scaled = (size: number): number => Math.max(1, Math.round(size * scale));

/** A line for each result that is not the first contestant's. */
async function disagreement([first, ...others]: readonly Contestant[], { workload, float }: Task): Promise<string[]> {
  if (!first) return [];
  const expected = await first.results();
  const wrong: string[] = [];
  for (const other of others) {
    const actual = await other.results();
    for (const [i, output] of workload.outputs.entries()) {
      const data = expected[i]!.data as Float64Array;
      const mean = data.reduce((sum, value) => sum + Math.abs(value), 0) / data.length;
      const source = tensorSource(first.name, expected[i]!);
      const difference = compare(actual[i]!, source, { rtol: RTOL[float], atol: RTOL[float] * mean });
      if (difference) wrong.push(`${other.name}, ${output}: ${difference.message}`);
    }
  }
  return wrong;
}

/**
 * Each contestant's median milliseconds, by name.
 * @param isSteady - each turn begins with runs that are not timed: threads that slept during the others' turns are awake then, and
 *   the system has spread them over the cores
 */
async function measured(contestants: readonly Contestant[], isSteady: boolean): Promise<Map<string, number>> {
  const times = new Map(contestants.map((c) => [c.name, [] as number[]]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const { name, time } of contestants) {
      const taken = times.get(name)!;
      if (taken.reduce((a, b) => a + b, 0) > PATIENCE_MS) continue;
      await sleep(PAUSE_MS);
      for (let awake = 0; isSteady && awake < WAKING_MS; ) awake += await time();
      taken.push(await time());
    }
  return new Map([...times].map(([name, of]) => [name, median(of)]));
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

const found = findPython();
const python = "python" in found ? found.python : undefined;
const env = environment(threads);
const peerEnv = { float32: env, float64: { ...env, JAX_ENABLE_X64: "1" } };

interface Table {
  readonly title: string;
  readonly libraries: readonly Library[];
  /** Libraries first, so that results are held to NumPy's. */
  readonly contestants: (task: Task, peers: ReadonlyMap<Library, Peer>) => Promise<(Contestant | undefined)[]>;
  readonly goals: (workload: Workload, float: FloatDType) => Workload["cold"];
  /** What runs again and again: GFLOP/s say something. */
  readonly isSteady: boolean;
}

const TABLES: readonly Table[] = [
  {
    title: "steady state",
    libraries: LIBRARIES,
    contestants: (task, peers) =>
      Promise.all([
        ...[...peers].map(([name, peer]) => peerContestant(name, peer, task)),
        ...engines.map((name) => engineContestant(name, task)),
      ]),
    goals: ({ steady }, float) => (steady[float] === undefined ? {} : { numpy: steady[float] }),
    isSteady: true,
  },
  {
    title: "whole process from cold",
    libraries: ["numpy", "jax"],
    contestants: async (task, peers) => [
      ...[...peers.keys()].map((name) => scriptContestant(name, python!, peerEnv[task.float], task)),
      ...(await Promise.all(engines.map((name) => commandContestant(name, task)))),
    ],
    goals: ({ cold }) => cold,
    isSteady: false,
  },
];

const WIDTH = 18;
const RATIO = 9;

/** `1.23 x numpy (goal 0.80)` for each goal, of the first of our engines. */
function goalsReached(goals: Workload["cold"], times: ReadonlyMap<string, number>): string {
  const ours = times.get(engines[0]!);
  return Object.entries(goals)
    .filter(([peer]) => ours !== undefined && times.has(peer))
    .map(([peer, goal]) => `${(ours! / times.get(peer)!).toFixed(2)} x ${peer} (goal ${goal.toFixed(2)})`)
    .join(", ");
}

/** A line of the table; `-` where a contestant has no figure. */
function row(
  title: string,
  columns: readonly string[],
  times: ReadonlyMap<string, number>,
  cell: (ms: number) => string,
): string {
  const cells = columns.map((column) => (times.has(column) ? cell(times.get(column)!) : "-".padEnd(RATIO)));
  return title.padEnd(30) + cells.map((text) => text.padStart(WIDTH)).join("");
}

/** Milliseconds and, where there is a unit, their ratio to it. */
const timeCell = (unit: number | undefined) => (ms: number) =>
  ms.toFixed(ms < 100 ? 2 : 0) + (unit === undefined ? "" : `${(ms / unit).toFixed(2)} x`).padStart(RATIO);

const rateCell = (operations: number) => (ms: number) => (operations / ms / 1e6).toFixed(1) + " ".repeat(RATIO);

/** One workload: its data made, results compared, times taken and printed, all of it freed. */
async function entered(
  name: string,
  float: FloatDType,
  { contestants: enter, goals, isSteady }: Table,
  peers: ReadonlyMap<Library, Peer>,
): Promise<void> {
  const workload = WORKLOADS[name]!;
  const folder = mkdtempSync(join(tmpdir(), "tsym-bench-"));
  try {
    const task = { workload, data: dataOf(workload, float), folder, float, threads, launcher };
    for (const [input, tensor] of task.data)
      writeFileSync(join(folder, `${input}.npy`), Buffer.concat(writeNpy(tensor)));
    const contestants = (await enter(task, peers)).filter((c) => c !== undefined);
    const wrong = await disagreement(contestants, task);
    if (wrong.length > 0) process.exitCode = 1;
    for (const line of wrong) console.log(`${name} DISAGREES: ${line}`);
    const times = await measured(contestants, isSteady);
    const columns = [...[...peers.keys()].map(titleOf), ...engines];
    const line = row(`${name} ${workload.title}`, columns, times, timeCell(times.get("numpy")));
    console.log(`${line}  ${goalsReached(goals(workload, float), times)}`);
    const sizes = Object.fromEntries(Object.entries(workload.dims).map(([dim, size]) => [dim, scaled(size)]));
    if (isSteady && workload.flops) console.log(row("   GFLOP/s", columns, times, rateCell(workload.flops(sizes))));
    for (const contestant of contestants) contestant.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both tables for one float; what stays loaded is started anew for each, as JAX decides on float64 when it starts. */
async function printed(float: FloatDType): Promise<void> {
  const peers = new Map<Library, Peer>();
  try {
    for (const library of python === undefined ? [] : LIBRARIES) {
      const started = await Peer.start(python!, library, peerEnv[float]);
      if (!started) continue;
      peers.set(library, started.peer);
      console.log(`${library} ${started.version}`);
    }
    for (const table of TABLES) {
      console.log(`\n${table.title}, ${float}: milliseconds, and ratios to NumPy`);
      const present = new Map([...peers].filter(([name]) => table.libraries.includes(name)));
      console.log(
        "".padEnd(30) +
          [...[...present.keys()].map(titleOf), ...engines].map((column) => column.padStart(WIDTH)).join(""),
      );
      for (const name of workloads) await entered(name, float, table, present);
    }
  } finally {
    for (const peer of peers.values()) peer.stop();
  }
}

console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${threads} threads, Node ${process.version}, scale ${scale}`);
if ("missing" in found) console.log(`only our own figures, as there is no Python with NumPy and JAX: ${found.missing}`);
for (const float of floats) await printed(float);
launcher.stop();
