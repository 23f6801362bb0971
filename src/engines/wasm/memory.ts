/** Where buffers lie: those that are not needed at the same time share memory. Knows steps by the buffers that they touch. */

import type { Chain } from "./chains.ts";
import type { Address } from "./items.ts";
import { callsRoutine, type Kernel, type Operand } from "./kernel.ts";
import type { Plan } from "./plan.ts";
import { buffersOf } from "./steps.ts";

/** Bytes of a page of memory. */
export const PAGE = 65_536;
/** All that 32-bit addresses reach. */
export const MOST_PAGES = 65_536;

/** Memory for all threads, or undefined where there is none: it takes addresses for 4 GiB and more, and `ulimit -v` may leave fewer. */
export function sharedMemory(pages: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Cache lines are not shared between buffers. */
const ALIGNMENT = 64;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export interface Layout {
  /** Of each buffer. */
  readonly addresses: readonly Address[];
  /** What each thread has for itself. */
  readonly threadBytes: number;
  /** The end of what all threads share. */
  readonly end: number;
}

interface Life {
  readonly buffer: number;
  bytes: number;
  start: number;
  end: number;
}

/**
 * Lays a plan's buffers out: a thread's own after `scratch` bytes of its memory, all others from `base` on, which is given the bytes that
 * a thread takes. Inputs are there from the beginning, outputs to the end.
 * @param keepsInputs - inputs are there to the end too
 */
export function layOut(
  plan: Plan,
  scratch: number,
  base: (threadBytes: number) => number,
  keepsInputs: boolean,
): Layout {
  const { chains, buffers, inputs, outputs } = plan;
  const { offsets, threadBytes } = localOffsets(plan, scratch);
  const start = base(threadBytes);
  const lives: Life[] = buffers.map((bytes, buffer) => ({ buffer, bytes, start: Infinity, end: -1 }));
  const touch = (buffer: number, time: number) => {
    const life = lives[buffer]!;
    life.start = Math.min(life.start, time);
    life.end = Math.max(life.end, time);
  };
  for (const { buffer } of inputs) touch(buffer, -1);
  for (const [time, { steps }] of chains.entries()) {
    const touched = steps.map(buffersOf).flatMap(({ reads, writes }) => [...reads, ...writes]);
    for (const buffer of touched) touch(buffer, time);
  }
  for (const { buffer } of keepsInputs ? [...outputs, ...inputs] : outputs) touch(buffer, chains.length);
  const ownerOf = inPlace(chains, lives);
  const laidOut = lives.filter(({ buffer }) => ownerOf[buffer] === buffer && !offsets.has(buffer));
  const placed = assign(laidOut, start);
  const addresses = ownerOf.map((owner, buffer): Address => {
    const offset = offsets.get(buffer);
    return offset === undefined ? { base: placed[owner]!, isLocal: false } : { base: offset, isLocal: true };
  });
  const ends = laidOut.map(({ buffer, bytes }) => placed[buffer]! + bytes);
  return { addresses, threadBytes, end: Math.max(start, ...ends) };
}

/**
 * Where in a thread's memory the buffers of chains lie, a block of each. Chains follow each other, so that they share it, but for
 * what is read from files, maybe for several of them.
 */
function localOffsets({ chains, buffers }: Plan, scratch: number) {
  const offsets = new Map<number, number>();
  // Loops may go past the end of a block as of a whole.
  const room = (buffer: number, share: number) => aligned(Math.ceil(buffers[buffer]! * share)) + ALIGNMENT;
  const fetched = new Set(chains.flatMap(({ fetches }) => fetches.map((fetch) => fetch.buffer)));
  let start = scratch;
  for (const buffer of fetched) {
    offsets.set(buffer, start);
    start += room(buffer, Math.max(...chains.map(({ locals, share }) => (locals.has(buffer) ? share : 0))));
  }
  let threadBytes = start;
  for (const { locals, share } of chains) {
    let end = start;
    for (const buffer of locals) {
      if (fetched.has(buffer)) continue;
      offsets.set(buffer, end);
      end += room(buffer, share);
    }
    threadBytes = Math.max(threadBytes, end);
  }
  return { offsets, threadBytes };
}

const sameElements = (a: Operand, b: Operand): boolean =>
  a.dtype === b.dtype && a.offset === b.offset && a.strides.every((stride, axis) => stride === b.strides[axis]);

/** Whether blocks of rows lie at the same places. */
const sameBlocks = (a: Operand, b: Operand): boolean =>
  a.dtype === b.dtype &&
  a.strides[0] === b.strides[0] &&
  [a, b].every(({ offset, strides }) => offset === 0 && strides.every((stride) => stride >= 0));

/** For each buffer the one whose memory it takes over: a loop's result may lie where what it reads for the last time lay. */
function inPlace(chains: readonly Chain[], lives: readonly Life[]): number[] {
  const ownerOf = lives.map((_, i) => i);
  for (const [time, chain] of chains.entries()) {
    if (chain.steps.some((step) => step.kind === "kernel" && callsRoutine(step.kernel))) continue;
    for (const [i, step] of chain.steps.entries()) {
      if (step.kind !== "kernel") continue;
      const before = chain.steps.slice(0, i);
      // What is written in several parts would lie over what is read for a later one.
      const begun = new Set(before.flatMap((s) => buffersOf(s).writes));
      if (step.kernel.stores.some(({ to }) => begun.has(to.buffer))) continue;
      const later = new Set(chain.steps.slice(i + 1).flatMap((s) => buffersOf(s).reads));
      const earlier = before.flatMap((s) => (s.kind === "kernel" ? s.kernel.loads : []));
      const taken = takenOver(
        step.kernel,
        earlier,
        time,
        lives,
        ownerOf,
        (buffer) => !chain.crossing.has(buffer) && !chain.locals.has(buffer) && !later.has(buffer),
      );
      if (!taken) continue;
      const [from, to] = taken;
      ownerOf[to] = ownerOf[from]!;
      const life = lives[ownerOf[from]!]!;
      life.end = Math.max(life.end, lives[to]!.end);
      life.bytes = Math.max(life.bytes, lives[to]!.bytes);
    }
  }
  return ownerOf;
}

function takenOver(
  { loads, stores, reduction }: Kernel,
  earlier: readonly Operand[],
  time: number,
  lives: readonly Life[],
  ownerOf: readonly number[],
  isFree: (buffer: number) => boolean,
): [from: number, to: number] | undefined {
  const [store, another] = stores;
  if (!store || another || reduction || lives[store.to.buffer]!.start !== time) return undefined;
  const { to } = store;
  if (!isFree(to.buffer)) return undefined;
  // What the chain has read of a block before may be overwritten by the same block of the result.
  const found = [...loads, ...earlier.filter((load) => sameBlocks(load, to))].find(
    (load) =>
      lives[ownerOf[load.buffer]!]!.end === time &&
      ownerOf.every((owner, buffer) => owner !== ownerOf[load.buffer] || isFree(buffer)) &&
      loads.every((other) => ownerOf[other.buffer] !== ownerOf[load.buffer] || sameElements(other, to)),
  );
  return found && [found.buffer, to.buffer];
}

/** First fit, largest first, among the buffers that live at the same time. */
function assign(lives: readonly Life[], base: number): Record<number, number> {
  const addresses: Record<number, number> = {};
  const placed: Life[] = [];
  for (const life of lives.toSorted((a, b) => b.bytes - a.bytes)) {
    const others = placed
      .filter((other) => other.start <= life.end && life.start <= other.end)
      .map((other) => ({ from: addresses[other.buffer]!, to: addresses[other.buffer]! + aligned(other.bytes) }))
      .sort((a, b) => a.from - b.from);
    let address = base;
    for (const { from, to } of others) {
      if (address + life.bytes <= from) break;
      address = Math.max(address, to);
    }
    addresses[life.buffer] = address;
    placed.push(life);
  }
  return addresses;
}
