/** Inputs that loops read from files, block by block: which parts of a plan they are, and their files while a run lasts. */
import { closeSync, openSync, readSync } from "node:fs";
import type { FilePart } from "../../tensor/file.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { FeedSource } from "../engine.ts";
import { WIDTH } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import { fetcher, type Stream } from "./threads.ts";

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
  readonly #fetch: ReturnType<typeof fetcher>;
  #parts: readonly FilePart[] = [];

  constructor(readings: readonly Reading[], memory: WebAssembly.Memory) {
    this.#readings = readings;
    this.#fetch = fetcher(readSync, memory.buffer);
  }

  /** Does `work` with what each reading is of. Throws what a part has to say of a file that cannot be read. */
  during<T>(feeds: readonly FeedSource[], work: (streams: readonly Stream[]) => T): T {
    this.#parts = this.#readings.map(({ input }) => feeds[input]!.file!);
    const streams: Stream[] = [];
    try {
      for (const [i, { bytes, blockBytes }] of this.#readings.entries()) {
        const { path, position } = this.#parts[i]!;
        const descriptor = this.#told(i, () => openSync(path, "r"));
        streams.push({ descriptor, from: position, to: position + bytes, blockBytes });
      }
      return work(streams);
    } finally {
      for (const { descriptor } of streams) closeSync(descriptor);
    }
  }

  /** What the main thread's loops call: reads a block to an address. */
  readonly fetch = (stream: number, block: number, address: number): void => {
    if (!this.#told(stream, () => this.#fetch(stream, block, address))) this.#parts[stream]!.unreadable();
  };

  #told<T>(reading: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#parts[reading]!.unreadable(error);
    }
  }
}
