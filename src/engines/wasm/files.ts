/** What loops read from files and write to them, block by block: which parts of a plan that is, and the files while a run lasts. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { FilePart, FileTarget } from "../../tensor/file.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { FeedSource } from "../engine.ts";
import type { Moved } from "./chains.ts";
import { WIDTH } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import type { Place } from "./steps.ts";
import { FailedMove, type Stream, threads } from "./threads.ts";

/** A chain's reading of an input, or its writing of an output; its place in the list of all is the number that loops know it by. */
export interface Transfer {
  readonly kind: "read" | "write";
  readonly chain: number;
  /** Of the input among inputs, of the output among outputs. */
  readonly index: number;
  readonly bytes: number;
  readonly blockBytes: number;
}

/** In the order in which `chained` (program.ts) numbers them: of each chain what it reads, then what it writes. */
export const transfersOf = ({ chains, inputs, outputs }: Plan): Transfer[] =>
  chains.flatMap(({ fetches, deliveries }, chain) => {
    const transfer =
      (kind: Transfer["kind"], places: readonly Place[]) =>
      ({ buffer, perBlock }: Moved): Transfer => {
        const index = places.findIndex((place) => place.buffer === buffer);
        const { dtype, shape } = places[index]!;
        return { kind, chain, index, bytes: sizeOf(shape) * WIDTH[dtype], blockBytes: perBlock * WIDTH[dtype] };
      };
    return [...fetches.map(transfer("read", inputs)), ...deliveries.map(transfer("write", outputs))];
  });

/** Gives the file for an output, by its place. */
export type OpenTarget = (output: number) => FileTarget;

/** The files of a run. */
export class Files {
  readonly #transfers: readonly Transfer[];
  readonly #bytes: Uint8Array;
  #parts: (FilePart | undefined)[] = [];
  #targets: (FileTarget | undefined)[] = [];
  /** As threads want it; what is not open yet has no descriptor. */
  #streams: Stream[] = [];

  constructor(transfers: readonly Transfer[], memory: WebAssembly.Memory) {
    this.#transfers = transfers;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  get streams(): readonly Stream[] {
    return this.#streams;
  }

  /** Whether some output's file is open. */
  get isWriting(): boolean {
    return this.#targets.some((target) => target !== undefined);
  }

  /** Does `work` while what is read is open. Throws what has to be said of a file that cannot be read or written. */
  async withOpen(feeds: readonly FeedSource[], work: () => Promise<void>): Promise<void> {
    this.#parts = this.#transfers.map(({ kind, index }) => (kind === "read" ? feeds[index]!.file! : undefined));
    this.#targets = this.#transfers.map(() => undefined);
    this.#streams = this.#transfers.map(({ blockBytes }) => ({ descriptor: -1, start: 0, end: 0, blockBytes }));
    const own: number[] = [];
    try {
      for (const [i, part] of this.#parts.entries()) {
        if (!part) continue;
        const descriptor = this.#reporting(i, () => openSync(part.path, "r"));
        own.push(descriptor);
        this.#begin(i, descriptor, part.position);
      }
      await work();
    } catch (error) {
      if (!(error instanceof FailedMove)) throw error;
      // The same again, for what the system says of it; should it say nothing now, something was wrong all the same.
      this.move(error.stream, error.block, 0);
      this.#fail(error.stream, { code: "EIO" });
    } finally {
      for (const descriptor of own) closeSync(descriptor);
    }
  }

  /** Opens what a chain writes to, and not before: until then no one has to take it away. */
  openTargets(chain: number, open: OpenTarget): void {
    for (const [i, transfer] of this.#transfers.entries()) {
      // A chain may be several tasks: what is packed for a product, and its blocks.
      if (transfer.kind !== "write" || transfer.chain !== chain || this.#targets[i]) continue;
      const target = open(transfer.index);
      this.#targets[i] = target;
      this.#begin(i, target.descriptor, target.position);
    }
  }

  /** What the main thread's loops call: reads a block to an address, or writes one from there. */
  readonly move = (stream: number, block: number, address: number): void => {
    const move = this.#parts[stream] ? readSync : writeSync;
    const isWhole = this.#reporting(stream, () => threads.moveBlock(move, this.#bytes, stream, block, address));
    if (!isWhole) this.#fail(stream);
  };

  #begin(i: number, descriptor: number, start: number): void {
    this.#streams[i] = { ...this.#streams[i]!, descriptor, start, end: start + this.#transfers[i]!.bytes };
  }

  #reporting<T>(stream: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#fail(stream, error);
    }
  }

  #fail(stream: number, error?: unknown): never {
    const part = this.#parts[stream];
    return part ? part.unreadable(error) : this.#targets[stream]!.unwritable(error ?? { code: "EIO" });
  }
}
