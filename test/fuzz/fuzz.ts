/**
 * Fuzzing: `npm run fuzz -- [--cases N] [--seed S] [--case I]` tries N cases of a seed, or case I alone. A case fails where
 * something other than a TsymError is thrown, or it computes for more than 5 s, or the process comes to hold more than 3 GiB.
 * A thread of its own tries them, so that one that never ends can be told and ended; each kind of failure is shown once,
 * made small.
 */
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Case, caseOf } from "./cases.ts";
import { judge } from "./judge.ts";
import { smallerBytes, smallerText } from "./shrink.ts";

/** Milliseconds. */
const LONGEST = 5_000;
const PATIENCE = 30_000;
const MOST_MEMORY = 3 * 2 ** 30;
const HEAP_MB = 1_024;
/** Failures of a kind are one; after so many kinds nothing more is tried. */
const MOST_KINDS = 20;
/** How long one failure is made smaller, at most. */
const SHRINKING = 60_000;

interface Failure {
  readonly number: number;
  readonly reason: string;
}
/** What a thread is to try: numbers of a seed, whose progress it shows, or cases that are sent. */
interface Task {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly progress: Int32Array;
}

async function tryAll({ seed, from, to, progress }: Task): Promise<void> {
  for (let number = from; number < to; number++) {
    Atomics.store(progress, 0, number);
    const reason = await judge(caseOf(seed, number));
    if (reason !== undefined) parentPort!.postMessage({ number, reason } satisfies Failure);
  }
  Atomics.store(progress, 0, to);
}

const tryWhatIsSent = (): void => {
  parentPort!.on("message", async (sent: Case) => parentPort!.postMessage({ reason: await judge(sent) }));
};

const thread = (data: Task | undefined): Worker =>
  new Worker(new URL(import.meta.url), { workerData: data, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });

interface Time {
  /** Milliseconds of computing: a busy machine makes no case slow. */
  readonly computed: number;
  readonly passed: number;
}
const now = (): Time => {
  const { user, system } = process.cpuUsage();
  return { computed: (user + system) / 1000, passed: performance.now() };
};

/** Why a thread is to be ended: what it has done since `since`. */
function excess(since: Time): string | undefined {
  if (process.memoryUsage.rss() > MOST_MEMORY) return "it takes more than 3 GiB";
  const { computed, passed } = now();
  if (computed - since.computed > LONGEST) return "it computes for more than 5 s";
  return passed - since.passed > PATIENCE ? "it waits for nothing" : undefined;
}

/** Tries a task's cases; gives the one that had to be given up, if it came to that. */
async function attempt(task: Task, onFailure: (failure: Failure) => void): Promise<Failure | undefined> {
  const worker = thread(task);
  const current = () => Atomics.load(task.progress, 0);
  let timer: NodeJS.Timeout | undefined;
  const reason = await new Promise<string | undefined>((resolve) => {
    let [seen, since] = [-1, now()];
    timer = setInterval(() => {
      if (current() !== seen) [seen, since] = [current(), now()];
      else if (excess(since)) resolve(excess(since));
    }, 100);
    worker.on("message", onFailure);
    worker.on("error", (error) => resolve(`it ends the thread: ${error}`));
    worker.on("exit", () => resolve(current() < task.to ? "it waits for nothing" : undefined));
  });
  clearInterval(timer);
  const number = current();
  await worker.terminate();
  return reason === undefined ? undefined : { number, reason };
}

/** What is wrong with a case, found in a thread that is ended where it takes too long. */
class Judge {
  #worker: Worker | undefined;

  async reasonFor(tried: Case): Promise<string | undefined> {
    this.#worker ??= thread(undefined);
    const worker = this.#worker;
    const since = now();
    let timer: NodeJS.Timeout | undefined;
    const reason = await new Promise<string | undefined>((resolve) => {
      timer = setInterval(() => excess(since) && resolve(excess(since)), 100);
      worker.once("message", (sent: { reason?: string }) => resolve(sent.reason));
      worker.once("error", (error) => resolve(`it ends the thread: ${error}`));
      worker.postMessage(tried);
    });
    clearInterval(timer);
    worker.removeAllListeners();
    if (reason?.startsWith("it ")) await this.end();
    return reason;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Failures with one of these are one kind: an error's first line and the place that threw it, without numbers. */
const kindOf = (reason: string): string => reason.split("\n", 2).join().replaceAll(/\d+/g, "0").slice(0, 200);

/** The case made as small as it may be while it fails in the same way. */
async function shrunk(failing: Case, kind: string): Promise<Case["input"]> {
  const judge = new Judge();
  const end = performance.now() + SHRINKING;
  const fails = async (input: Case["input"]): Promise<boolean> => {
    if (performance.now() > end) return false;
    const reason = await judge.reasonFor({ ...failing, input });
    return reason !== undefined && kindOf(reason) === kind;
  };
  const { input } = failing;
  const smaller: Case["input"] =
    input.kind === "program"
      ? { kind: "program", text: await smallerText(input.text, (text) => fails({ kind: "program", text })) }
      : { kind: input.kind, bytes: await smallerBytes(input.bytes, (bytes) => fails({ kind: input.kind, bytes })) };
  await judge.end();
  return smaller;
}

const shown = (input: Case["input"]): string =>
  input.kind === "program"
    ? `${input.text}\n${JSON.stringify(input.text)}`
    : `${input.kind}: ${JSON.stringify(Buffer.from(input.bytes).toString("latin1"))}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      case: { type: "string" },
    },
  });
  const seed = Number(values.seed);
  const only = values.case === undefined ? undefined : Number(values.case);
  const [first, to] = only === undefined ? [0, Number(values.cases)] : [only, only + 1];
  const kinds = new Map<string, Failure>();
  let failed = 0;
  const note = (failure: Failure): void => {
    failed++;
    const kind = kindOf(failure.reason);
    if (!kinds.has(kind)) kinds.set(kind, failure);
  };
  const start = performance.now();
  const progress = new Int32Array(new SharedArrayBuffer(4));
  for (let from = first; from < to && kinds.size < MOST_KINDS; ) {
    Atomics.store(progress, 0, from);
    const givenUp = await attempt({ seed, from, to, progress }, note);
    if (givenUp) note(givenUp);
    from = givenUp ? givenUp.number + 1 : to;
  }
  const seconds = (performance.now() - start) / 1000;
  for (const [kind, { number, reason }] of kinds) {
    console.log(`\nseed ${seed}, case ${number}: ${reason}`);
    console.log(shown(await shrunk(caseOf(seed, number), kind)));
  }
  const rate = Math.round((to - first) / seconds);
  console.log(`${to - first} cases of seed ${seed}, ${failed} failed; ${seconds.toFixed(0)} s, ${rate} cases a second`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (isMainThread) await main();
else if (workerData) await tryAll(workerData as Task);
else tryWhatIsSent();
