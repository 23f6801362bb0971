/** Inputs that loops read from files, block by block: which parts of a plan they are, and their files while a run lasts. */
import { closeSync, openSync, readSync } from "node:fs";
import type { FilePart } from "../../tensor/file.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { FeedSource } from "../engine.ts";
import { WIDTH } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import { FailedRead, type Stream, threads } from "./threads.ts";

/** A chain's reading of an input; its place in the list of all is the number that loops know it by. */
export interface Reading {
  readonly input: number;
  readonly bytes: number;
  readonly blockBytes: number;
}

export const readingsOf = ({ chains, inputs }: Plan): Reading[] =>
  chains.flatMap(({ fetches }) =>
    fetches.map(({ buffer, perBlock }) => {
      const input = inputs.findIndex((place) => place.buffer === buffer);
      const { dtype, shape } = inputs[input]!;
      return { input, bytes: sizeOf(shape) * WIDTH[dtype], blockBytes: perBlock * WIDTH[dtype] };
    }),
  );

/** The files of a run. */
export class Files {
  readonly #readings: readonly Reading[];
  readonly #bytes: Uint8Array;
  #parts: readonly FilePart[] = [];

  constructor(readings: readonly Reading[], memory: WebAssembly.Memory) {
    this.#readings = readings;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Does `work` while the files are open. Throws what a part has to say of a file that cannot be read. */
  withOpen(feeds: readonly FeedSource[], work: () => void): void {
    this.#parts = this.#readings.map(({ input }) => feeds[input]!.file!);
    const streams: Stream[] = [];
    try {
      for (const [i, { bytes, blockBytes }] of this.#readings.entries()) {
        const { path, position } = this.#parts[i]!;
        const descriptor = this.#reporting(i, () => openSync(path, "r"));
        streams.push({ descriptor, start: position, end: position + bytes, blockBytes });
      }
      threads.streams = streams;
      work();
    } catch (error) {
      if (!(error instanceof FailedRead)) throw error;
      // The same again, for what the system says of it; should it say nothing now, something was wrong all the same.
      this.fetch(error.stream, error.block, 0);
      this.#parts[error.stream]!.unreadable({ code: "EIO" });
    } finally {
      for (const { descriptor } of streams) closeSync(descriptor);
    }
  }

  /** What the main thread's loops call: reads a block to an address. */
  readonly fetch = (stream: number, block: number, address: number): void => {
    const isWhole = this.#reporting(stream, () => threads.readBlock(readSync, this.#bytes, stream, block, address));
    if (!isWhole) this.#parts[stream]!.unreadable();
  };

  #reporting<T>(stream: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#parts[stream]!.unreadable(error);
    }
  }
}
