/**
 * The threads that do a loop's items together: one pool for all programs, which share nothing but it. Knows functions by number,
 * and nothing of what they do.
 */
import type { Worker } from "node:worker_threads";

/** The words of the control block, by what they hold. Workers get these numbers as text: names do not outlive a minifier. */
const WORDS = {
  /** The next item, the function that does items, how many there are, and how many a thread takes at a time. */
  next: 0,
  function: 1,
  items: 2,
  grain: 3,
  /** The number of the job that is under way, or was the last. */
  job: 4,
  /** That number times 256, and how many workers are at it; below 0, none may begin. */
  gate: 5,
  /** The machine that it is for, and the threads that have memory there. */
  machine: 6,
  threads: 7,
  /** Set by a worker that met a value which only the main thread can compute. */
  redo: 8,
  /** By a worker that could not read or write: the number of the stream, and one, and the block. */
  failed: 9,
  failedBlock: 10,
} as const;
const WORD_COUNT = 16;
const SHUT = -(2 ** 30);

/** Of a stream: a descriptor, where its data begin and end in the file, and the bytes of a block. */
const NUMBERS_PER_STREAM = 4;
export const MOST_STREAMS = 96;

/** Tries before a thread sleeps: jobs follow each other in microseconds. */
const SPINS = 20_000;
/** Milliseconds until a worker looks again for a machine that it has been told of. */
const PATIENCE = 1;

type Exports = Readonly<Record<string, (from: number, to: number, scratch: number) => void>>;

/** Does items until none is left. (A worker has only this text of it.) */
function take(control: Int32Array, words: typeof WORDS, exports: Exports, scratch: number): void {
  const items = control[words.items]!;
  const grain = control[words.grain]!;
  const run = exports[control[words.function]!]!;
  for (;;) {
    const from = Atomics.add(control, words.next, grain);
    if (from >= items) return;
    run(from, Math.min(from + grain, items), scratch);
  }
}

/** `readSync` or `writeSync` of Node: moves bytes between a file and memory, and gives how many. */
type Move = (descriptor: number, bytes: Uint8Array, place: number, count: number, position: number) => number;

/** Reads a block of a stream to an address, or writes it from there: false where the file has ended. (A worker has only this text of it.) */
function moveBlock(
  move: Move,
  streams: Float64Array,
  bytes: Uint8Array,
  stream: number,
  block: number,
  address: number,
): boolean {
  const [descriptor, start, end, size] = streams.subarray(4 * stream) as unknown as [number, number, number, number];
  const stop = Math.min(start + (block + 1) * size, end);
  let place = address >>> 0;
  for (let at = start + block * size; at < stop; ) {
    const count = move(descriptor, bytes, place, stop - at, at);
    if (count === 0) return false;
    at += count;
    place += count;
  }
  return true;
}

/** What a worker runs. It may be there before any machine is, and joins in whatever job it finds. */
const WORKER = `const { parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const { readSync, writeSync } = require("node:fs");
const { control, streams, thread } = workerData;
const words = ${JSON.stringify(WORDS)};
const take = ${take};
const moveBlock = ${moveBlock};
const redo = () => Atomics.store(control, words.redo, 1);
const machines = new Map();
function instantiate({ memory, module, routines, scratch }) {
  const bytes = new Uint8Array(memory.buffer);
  const env = Object.fromEntries(routines.map(({ name, zero }) => [name, () => (redo(), zero)]));
  env.memory = memory;
  const moving = (move) => (stream, block, address) => {
    let done = false;
    try { done = moveBlock(move, streams, bytes, stream, block, address); } catch {}
    if (done) return;
    Atomics.store(control, words.failedBlock, block);
    Atomics.store(control, words.failed, stream + 1);
  };
  env.fetch = moving(readSync);
  env.deliver = moving(writeSync);
  return { scratch: scratch[thread], exports: new WebAssembly.Instance(module, { env }).exports };
}
function machineFor(job) {
  const id = Atomics.load(control, words.machine);
  while (!machines.has(id) && Atomics.load(control, words.job) === job) {
    const { message } = receiveMessageOnPort(parentPort) ?? {};
    if (!message) Atomics.wait(control, words.job, job, ${PATIENCE});
    else if (message.module) machines.set(message.id, instantiate(message));
    else machines.delete(message.id);
  }
  return machines.get(id);
}
function enter(job) {
  for (;;) {
    const gate = Atomics.load(control, words.gate);
    if (gate >> 8 !== job) return false;
    if (Atomics.compareExchange(control, words.gate, gate, gate + 1) === gate) return true;
  }
}
for (let job = 0; ; ) {
  for (let spins = 0; Atomics.load(control, words.job) === job; spins++)
    if (spins > ${SPINS}) Atomics.wait(control, words.job, job);
  job = Atomics.load(control, words.job);
  if (thread >= Atomics.load(control, words.threads)) continue;
  const machine = machineFor(job);
  if (!machine || !enter(job)) continue;
  try { take(control, words, machine.exports, machine.scratch); } catch { redo(); }
  if (Atomics.sub(control, words.gate, 1) === job * 256 + 1) Atomics.notify(control, words.gate);
}`;

/** A program's code and memory. */
export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /**
   * The main thread's instance. Workers make their own, in which each of `routines` asks for the job to be done again: where there
   * are any, items may be done twice.
   */
  readonly exports: Exports;
  readonly routines: readonly { readonly name: string; readonly zero: number | bigint }[];
  /** Where the memory of each thread begins. */
  readonly scratch: readonly number[];
}

/** A part of a file that is read or written block by block. */
export interface Stream {
  readonly descriptor: number;
  readonly start: number;
  readonly end: number;
  readonly blockBytes: number;
}

/** A worker could not read or write a block. */
export class FailedMove extends Error {
  readonly stream: number;
  readonly block: number;
  constructor(stream: number, block: number) {
    super(`block ${block} of stream ${stream} cannot be read or written`);
    this.stream = stream;
    this.block = block;
  }
}

/** Numbers of jobs begin anew after so many. */
const MOST_JOBS = 1_000_000;

class Threads {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * WORD_COUNT));
  readonly #streams = new Float64Array(new SharedArrayBuffer(8 * NUMBERS_PER_STREAM * MOST_STREAMS));
  readonly #workers = new Set<Worker>();
  readonly #machines = new Map<number, Machine>();
  #added = 0;
  #started = 1;
  #job = 0;

  constructor() {
    this.#control[WORDS.gate] = SHUT;
  }

  /** How many there are, or are coming, the caller's own among them. */
  get count(): number {
    return this.#workers.size + 1;
  }

  /** Has more come, so that there are `count`, as far as the system allows; they take some 30 ms. */
  grow(count: number): void {
    while (this.#started < count) {
      const worker = this.#start(this.#started++);
      if (!worker) return;
      for (const [id, machine] of this.#machines) send(worker, id, machine);
    }
  }

  #start(thread: number): Worker | undefined {
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const workerData = { control: this.#control, streams: this.#streams, thread };
    try {
      // With streams of its own it does not wake the process's, which takes 2 ms.
      const worker = new Worker(WORKER, { eval: true, workerData, stdout: true, stderr: true });
      worker.unref();
      this.#workers.add(worker);
      worker.once("error", () => this.#workers.delete(worker));
      return worker;
    } catch {
      return undefined;
    }
  }

  /** Makes a machine known, and gives what `run` and `remove` know it by. */
  add(machine: Machine): number {
    const id = ++this.#added;
    this.#machines.set(id, machine);
    for (const worker of this.#workers) send(worker, id, machine);
    return id;
  }

  remove(id: number): void {
    this.#machines.delete(id);
    for (const worker of this.#workers) worker.postMessage({ id });
  }

  /** What the loops of the next jobs read and write block by block. */
  set streams(streams: readonly Stream[]) {
    this.#streams.set(
      streams.flatMap(({ descriptor, start, end, blockBytes }) => [descriptor, start, end, blockBytes]),
    );
  }

  /** Reads or writes a block of a stream, as loops do, at an address: false where the file has ended. Throws system errors. */
  moveBlock(move: Move, bytes: Uint8Array, ...block: [stream: number, block: number, address: number]): boolean {
    return moveBlock(move, this.#streams, bytes, ...block);
  }

  /**
   * Runs function `index` of a machine over the items from `first` to before `items`, `grain` at a time, and comes back when all
   * are done. Throws FailedMove, and what the machine's own imports throw.
   */
  run(id: number, index: number, items: number, grain: number, first = 0): void {
    const control = this.#control;
    const { exports, scratch } = this.#machines.get(id)!;
    const alone = {
      next: first,
      function: index,
      items,
      grain,
      redo: 0,
      failed: 0,
      machine: id,
      threads: scratch.length,
    };
    for (const [word, value] of Object.entries(alone)) control[WORDS[word as keyof typeof WORDS]] = value;
    const isShared = this.#workers.size > 0 && scratch.length > 1 && items - first > grain;
    if (isShared) {
      this.#job = (this.#job % MOST_JOBS) + 1;
      Atomics.store(control, WORDS.gate, this.#job * 256);
      Atomics.store(control, WORDS.job, this.#job);
      Atomics.notify(control, WORDS.job);
    }
    try {
      take(control, WORDS, exports, scratch[0]!);
    } finally {
      if (isShared) this.#shut();
    }
    const failed = Atomics.load(control, WORDS.failed);
    if (failed > 0) throw new FailedMove(failed - 1, control[WORDS.failedBlock]!);
    if (Atomics.load(control, WORDS.redo) === 0) return;
    if (this.#machines.get(id)!.routines.length === 0) throw new Error("a worker failed");
    control[WORDS.next] = first;
    take(control, WORDS, exports, scratch[0]!);
  }

  /** Waits until no worker is at the job, and lets none begin. */
  #shut(): void {
    for (let spins = 0; ; spins++) {
      const gate = Atomics.compareExchange(this.#control, WORDS.gate, this.#job * 256, SHUT);
      if (gate === this.#job * 256) return;
      if (spins > SPINS) Atomics.wait(this.#control, WORDS.gate, gate);
    }
  }
}

function send(worker: Worker, id: number, { memory, module, routines, scratch }: Machine): void {
  worker.postMessage({ id, memory, module, routines, scratch });
}

/** The process's. */
export const threads = new Threads();
