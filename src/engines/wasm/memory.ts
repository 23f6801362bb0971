/** Where buffers lie: those that are not needed at the same time share memory. Knows steps by the buffers that they touch. */

import type { Chain } from "./chains.ts";
import { callsRoutine, type Kernel, type Operand } from "./kernel.ts";
import type { Plan, Step } from "./plan.ts";

/** Cache lines are not shared between buffers. */
const ALIGNMENT = 64;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export interface Layout {
  /** Of each buffer, in bytes. */
  readonly addresses: readonly number[];
  /** The end of the last. */
  readonly end: number;
}

/** The buffers that a step reads and writes. */
export function buffersOf(step: Step): { reads: number[]; writes: number[] } {
  const buffers = (operands: readonly { readonly buffer: number }[]) => operands.map((o) => o.buffer);
  switch (step.kind) {
    case "kernel": {
      const { loads, stores, reduction } = step.kernel;
      return {
        reads: buffers(loads),
        writes: buffers([...stores.map((s) => s.to), ...(reduction ? [reduction.to] : [])]),
      };
    }
    case "combine":
      return { reads: [], writes: [step.reduction.to.buffer] };
    case "product":
      return { reads: buffers([step.product.a, step.product.b]), writes: [step.product.c, step.product.packed] };
    case "host":
      return { reads: buffers(step.args), writes: [step.to.buffer] };
  }
}

interface Life {
  readonly buffer: number;
  bytes: number;
  start: number;
  end: number;
}

/** Lays a plan's buffers out from `base` on. Inputs are there from the beginning, outputs to the end. */
export function layOut({ chains, buffers, inputs, outputs }: Plan, base: number): Layout {
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
  for (const { buffer } of outputs) touch(buffer, chains.length);
  const shared = inPlace(chains, lives);
  const addresses = assign(
    lives.filter((life) => shared[life.buffer] === life.buffer),
    base,
  );
  const placed = shared.map((buffer) => addresses[buffer] ?? base);
  return { addresses: placed, end: Math.max(base, ...placed.map((address, i) => address + buffers[i]!)) };
}

const sameElements = (a: Operand, b: Operand): boolean =>
  a.dtype === b.dtype && a.offset === b.offset && a.strides.every((stride, axis) => stride === b.strides[axis]);

/** For each buffer the one whose memory it takes over: a loop's result may lie where what it reads for the last time lay. */
function inPlace(chains: readonly Chain[], lives: readonly Life[]): number[] {
  const shared = lives.map((_, i) => i);
  for (const [time, chain] of chains.entries()) {
    if (chain.steps.some((step) => step.kind === "kernel" && callsRoutine(step.kernel))) continue;
    for (const [i, step] of chain.steps.entries()) {
      if (step.kind !== "kernel") continue;
      const later = new Set(chain.steps.slice(i + 1).flatMap((s) => buffersOf(s).reads));
      const taken = takenOver(
        step.kernel,
        time,
        lives,
        shared,
        (buffer) => !chain.shared.has(buffer) && !later.has(buffer),
      );
      if (!taken) continue;
      const [from, to] = taken;
      shared[to] = shared[from]!;
      const life = lives[shared[from]!]!;
      life.end = Math.max(life.end, lives[to]!.end);
      life.bytes = Math.max(life.bytes, lives[to]!.bytes);
    }
  }
  return shared;
}

function takenOver(
  { loads, stores, reduction }: Kernel,
  time: number,
  lives: readonly Life[],
  shared: readonly number[],
  isFree: (buffer: number) => boolean,
): [from: number, to: number] | undefined {
  const [store, another] = stores;
  if (!store || another || reduction || lives[store.to.buffer]!.start !== time) return undefined;
  const { to } = store;
  const found = loads.find(
    (load) =>
      lives[shared[load.buffer]!]!.end === time &&
      shared.every((owner, buffer) => owner !== shared[load.buffer] || isFree(buffer)) &&
      loads.every((other) => shared[other.buffer] !== shared[load.buffer] || sameElements(other, to)),
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
