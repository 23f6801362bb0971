/** Threads that do a loop's items together, on shared memory. Knows functions by number, and nothing of what they do. */
import { Worker } from "node:worker_threads";

/** Words of the control block at the beginning of the memory. */
const NEXT = 0;
const LEFT = 1;
const FUNCTION = 2;
const ITEMS = 3;
const GRAIN = 4;
/** Set by a worker that met a value which only the main thread can compute. */
const REDO = 5;
/** One for each worker: -1 until it is there, then the number of the last job it was given. */
const MAILBOX = 16;

export const MOST_THREADS = 64;
export const CONTROL_BYTES = 4 * (MAILBOX + MOST_THREADS);

/** Tries before a worker sleeps: jobs follow each other in microseconds. */
const SPINS = 20_000;

/** What a worker runs; `take` is the loop that the main thread runs too. */
const WORKER = `const { workerData: { memory, module, scratch, mailbox, routines } } = require("node:worker_threads");
const control = new Int32Array(memory.buffer);
const redo = (zero) => () => (Atomics.store(control, ${REDO}, 1), zero);
const env = Object.fromEntries(routines.map(({ name, zero }) => [name, redo(zero)]));
const { exports } = new WebAssembly.Instance(module, { env: { ...env, memory } });
const take = ${take};
Atomics.store(control, mailbox, 0);
for (let job = 0; ; ) {
  for (let spins = 0; Atomics.load(control, mailbox) === job; spins++) if (spins > ${SPINS}) Atomics.wait(control, mailbox, job);
  job = Atomics.load(control, mailbox);
  take(control, exports, scratch);
  if (Atomics.sub(control, ${LEFT}, 1) === 1) Atomics.notify(control, ${LEFT});
}`;

type Exports = Record<string, (from: number, to: number, scratch: number) => void>;

/** Does items until none is left. (A worker has only this text of it.) */
function take(control: Int32Array, exports: Exports, scratch: number): void {
  const [items, grain, run] = [control[3]!, control[4]!, exports[control[2]!]!];
  for (let from = Atomics.add(control, 0, grain); from < items; from = Atomics.add(control, 0, grain))
    run(from, Math.min(from + grain, items), scratch);
}

export class Threads {
  readonly #control: Int32Array;
  readonly #exports: Exports;
  readonly #scratch: (thread: number) => number;
  readonly #workers: Worker[] = [];
  #job = 0;

  /** `scratch` gives each thread's memory. Other threads than the caller's come when `start` is called, and help as soon as they are there. */
  constructor(memory: WebAssembly.Memory, exports: Exports, scratch: (thread: number) => number) {
    this.#control = new Int32Array(memory.buffer);
    this.#exports = exports;
    this.#scratch = scratch;
  }

  /** Workers make their own instances, in which each of `routines` asks for the job to be done again by the main thread. */
  start(
    count: number,
    memory: WebAssembly.Memory,
    module: WebAssembly.Module,
    routines: readonly { readonly name: string; readonly zero: number | bigint }[],
  ): void {
    for (let thread = 1; thread < Math.min(count, MOST_THREADS); thread++) {
      const mailbox = MAILBOX + thread;
      Atomics.store(this.#control, mailbox, -1);
      const workerData = { memory, module, scratch: this.#scratch(thread), mailbox, routines };
      const worker = new Worker(WORKER, { eval: true, workerData });
      worker.unref();
      this.#workers.push(worker);
    }
  }

  /** Runs function `index` over `items`, `grain` at a time, and comes back when all are done. */
  run(index: number, items: number, grain: number): void {
    const control = this.#control;
    control[NEXT] = 0;
    control[FUNCTION] = index;
    control[ITEMS] = items;
    control[GRAIN] = grain;
    const here =
      items > grain ? this.#workers.map((_, i) => MAILBOX + 1 + i).filter((m) => Atomics.load(control, m) >= 0) : [];
    Atomics.store(control, LEFT, here.length);
    this.#job++;
    for (const mailbox of here) {
      Atomics.store(control, mailbox, this.#job);
      Atomics.notify(control, mailbox);
    }
    take(control, this.#exports, this.#scratch(0));
    for (let left = Atomics.load(control, LEFT), spins = 0; left > 0; left = Atomics.load(control, LEFT), spins++)
      if (spins > SPINS) Atomics.wait(control, LEFT, left);
    if (Atomics.exchange(control, REDO, 0) === 0) return;
    control[NEXT] = 0;
    take(control, this.#exports, this.#scratch(0));
  }

  dispose(): void {
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }
}
