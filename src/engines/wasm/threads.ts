/** Threads that do a loop's items together, on shared memory. Knows functions by number, and nothing of what they do. */
import type { Worker } from "node:worker_threads";

/** Words of the control block at the beginning of the memory. */
const NEXT = 0;
const FUNCTION = 1;
const ITEMS = 2;
const GRAIN = 3;
/** The number of the job that is under way, or was the last. */
const JOB = 4;
/** How many workers are at it; below 0, none may begin. */
const GATE = 5;
/** Set by a worker that met a value which only the main thread can compute. */
const REDO = 6;
const SHUT = -(2 ** 30);
/** After these words, for each stream a descriptor, where its data begin and end in the file, and the bytes of a block. */
const STREAMS_AT = 64;
const STREAM_BYTES = 32;
export const MOST_STREAMS = 64;

export const CONTROL_BYTES = STREAMS_AT + STREAM_BYTES * MOST_STREAMS;

/** Tries before a thread sleeps: jobs follow each other in microseconds. */
const SPINS = 20_000;

/**
 * What a worker runs: it may be there before the module is, and joins in whatever job it finds. `take` is the loop that the
 * main thread runs too.
 */
const WORKER = `const { parentPort, receiveMessageOnPort, workerData: ready } = require("node:worker_threads");
Atomics.wait(ready, 0, 0);
const { memory, module, scratch, routines } = receiveMessageOnPort(parentPort).message;
const control = new Int32Array(memory.buffer);
const redo = (zero) => () => (Atomics.store(control, ${REDO}, 1), zero);
const env = Object.fromEntries(routines.map(({ name, zero }) => [name, redo(zero)]));
const fetchBlock = (${fetcher})(require("node:fs").readSync, memory.buffer);
const attempt = (block) => { try { return fetchBlock(...block); } catch { return false; } };
env.fetch = (...block) => { if (!attempt(block)) redo()(); };
const { exports } = new WebAssembly.Instance(module, { env: { ...env, memory } });
const take = ${take};
for (let job = 0; ; ) {
  for (let spins = 0; Atomics.load(control, ${JOB}) === job; spins++) if (spins > ${SPINS}) Atomics.wait(control, ${JOB}, job);
  job = Atomics.load(control, ${JOB});
  if (Atomics.add(control, ${GATE}, 1) >= 0) take(control, exports, scratch);
  if (Atomics.sub(control, ${GATE}, 1) === 1) Atomics.notify(control, ${GATE});
}`;

type Exports = Readonly<Record<string, (from: number, to: number, scratch: number) => void>>;

/** What threads run on. */
export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** The main thread's instance. Workers make their own, in which each of `routines` asks for the job to be done again. */
  readonly exports: Exports;
  readonly routines: readonly { readonly name: string; readonly zero: number | bigint }[];
  /** Where the memory of a thread begins. */
  readonly scratch: (thread: number) => number;
}

/** Does items until none is left. (A worker has only this text of it.) */
function take(control: Int32Array, exports: Exports, scratch: number): void {
  const [items, grain, run] = [control[2]!, control[3]!, exports[control[1]!]!];
  for (let from = Atomics.add(control, 0, grain); from < items; from = Atomics.add(control, 0, grain))
    run(from, Math.min(from + grain, items), scratch);
}

/** A part of a file that is read block by block. */
export interface Stream {
  readonly descriptor: number;
  readonly from: number;
  readonly to: number;
  readonly blockBytes: number;
}

/** Reads a block of a stream to an address: false where the file has ended. (A worker has only this text of it.) */
export function fetcher(
  readSync: typeof import("node:fs").readSync,
  buffer: ArrayBufferLike,
): (stream: number, block: number, address: number) => boolean {
  const bytes = new Uint8Array(buffer);
  const streams = new Float64Array(buffer, 64, 256);
  return (stream, block, address) => {
    const [descriptor, from, to, size] = streams.subarray(4 * stream) as unknown as [number, number, number, number];
    let [at, target] = [from + block * size, address];
    for (const end = Math.min(at + size, to); at < end; ) {
      const count = readSync(descriptor, bytes, target, end - at, at);
      if (count === 0) return false;
      at += count;
      target += count;
    }
    return true;
  };
}

export class Threads {
  readonly #workers: Worker[] = [];
  /** Set when workers have been sent what they run on. */
  readonly #ready = new Int32Array(new SharedArrayBuffer(4));
  #machine: Machine | undefined;
  #control: Int32Array = new Int32Array();
  #exports: Exports = {};
  #scratch = 0;
  #job = 0;

  /** The caller's thread and `count` - 1 more, which take some 30 ms to come, while the caller does other work. */
  constructor(count: number) {
    this.grow(count);
  }

  /** Has more threads come, so that there are `count`. */
  grow(count: number): void {
    while (this.#workers.length < count - 1) {
      const { Worker } = process.getBuiltinModule("node:worker_threads");
      const worker = new Worker(WORKER, { eval: true, workerData: this.#ready });
      worker.unref();
      this.#workers.push(worker);
      if (this.#machine) this.#send(worker, this.#machine);
    }
  }

  /** To be called once, before `run`. */
  begin(machine: Machine): void {
    this.#machine = machine;
    this.#control = new Int32Array(machine.memory.buffer);
    this.#exports = machine.exports;
    this.#scratch = machine.scratch(0);
    this.#control[GATE] = SHUT;
    for (const worker of this.#workers) this.#send(worker, machine);
    Atomics.store(this.#ready, 0, 1);
    Atomics.notify(this.#ready, 0);
  }

  /** What the loops of the next jobs read block by block. */
  set streams(streams: readonly Stream[]) {
    const table = new Float64Array(this.#control.buffer, STREAMS_AT, (STREAM_BYTES / 8) * MOST_STREAMS);
    table.set(streams.flatMap(({ descriptor, from, to, blockBytes }) => [descriptor, from, to, blockBytes]));
  }

  #send(worker: Worker, { memory, module, routines, scratch }: Machine): void {
    worker.postMessage({ memory, module, routines, scratch: scratch(this.#workers.indexOf(worker) + 1) });
  }

  /** Runs function `index` over `items`, `grain` at a time, and comes back when all are done. */
  run(index: number, items: number, grain: number): void {
    const control = this.#control;
    control[NEXT] = 0;
    control[FUNCTION] = index;
    control[ITEMS] = items;
    control[GRAIN] = grain;
    const isShared = this.#workers.length > 0 && items > grain;
    if (isShared) {
      Atomics.sub(control, GATE, SHUT);
      Atomics.store(control, JOB, ++this.#job);
      Atomics.notify(control, JOB);
    }
    try {
      take(control, this.#exports, this.#scratch);
    } finally {
      if (isShared) this.#shut();
    }
    if (Atomics.exchange(control, REDO, 0) === 0) return;
    control[NEXT] = 0;
    take(control, this.#exports, this.#scratch);
  }

  /** Waits until no worker is at the job, and lets none begin. */
  #shut(): void {
    const control = this.#control;
    for (let spins = 0; ; spins++) {
      const working = Atomics.compareExchange(control, GATE, 0, SHUT);
      if (working === 0) return;
      if (spins > SPINS) Atomics.wait(control, GATE, working);
    }
  }

  dispose(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
