/** What loops read from files and write to them, block by block: which parts of a plan that is, and the files while a run lasts. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { FilePart, FileTarget } from "../../tensor/file.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { FeedSource } from "../engine.ts";
import { WIDTH } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import type { Place } from "./steps.ts";
import { FailedMove, type Stream, threads } from "./threads.ts";

/** A chain's reading of an input, or its writing of an output; its place in the list of all is the number that loops know it by. */
export interface Moving {
  readonly kind: "read" | "write";
  /** The place among inputs, or outputs. */
  readonly of: number;
  readonly bytes: number;
  readonly blockBytes: number;
}

/** In the order in which `chained` (program.ts) numbers them: of each chain what it reads, then what it writes. */
export const movingsOf = ({ chains, inputs, outputs }: Plan): Moving[] => {
  const moving = (kind: Moving["kind"], places: readonly Place[], buffer: number, perBlock: number): Moving => {
    const of = places.findIndex((place) => place.buffer === buffer);
    const { dtype, shape } = places[of]!;
    return { kind, of, bytes: sizeOf(shape) * WIDTH[dtype], blockBytes: perBlock * WIDTH[dtype] };
  };
  return chains.flatMap(({ fetches, deliveries }) => [
    ...fetches.map(({ buffer, perBlock }) => moving("read", inputs, buffer, perBlock)),
    ...deliveries.map(({ buffer, perBlock }) => moving("write", outputs, buffer, perBlock)),
  ]);
};

/** A file of a run: its place, and what is said where it fails. */
type Opened =
  | { readonly kind: "read"; readonly part: FilePart }
  | { readonly kind: "write"; readonly target: FileTarget };

/** The files of a run. */
export class Files {
  readonly #movings: readonly Moving[];
  readonly #bytes: Uint8Array;
  #files: readonly Opened[] = [];

  constructor(movings: readonly Moving[], memory: WebAssembly.Memory) {
    this.#movings = movings;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /**
   * Does `work` while the files are open. Throws what has to be said of a file that cannot be read or written.
   * @param targets - by the places of outputs
   */
  async withOpen(
    feeds: readonly FeedSource[],
    targets: ReadonlyMap<number, FileTarget>,
    work: () => Promise<void>,
  ): Promise<void> {
    this.#files = this.#movings.map(({ kind, of }) =>
      kind === "read" ? { kind, part: feeds[of]!.file! } : { kind, target: targets.get(of)! },
    );
    const own: number[] = [];
    try {
      const streams = this.#movings.map(({ bytes, blockBytes }, i): Stream => {
        const file = this.#files[i]!;
        if (file.kind === "write") {
          const { descriptor, position } = file.target;
          return { descriptor, start: position, end: position + bytes, blockBytes };
        }
        const { path, position } = file.part;
        const descriptor = this.#reporting(i, () => openSync(path, "r"));
        own.push(descriptor);
        return { descriptor, start: position, end: position + bytes, blockBytes };
      });
      threads.streams = streams;
      await work();
    } catch (error) {
      if (!(error instanceof FailedMove)) throw error;
      // The same again, for what the system says of it; should it say nothing now, something was wrong all the same.
      this.#move(error.stream, error.block, 0);
      this.#fail(error.stream, { code: "EIO" });
    } finally {
      for (const descriptor of own) closeSync(descriptor);
    }
  }

  /** What the main thread's loops call: these read a block to an address, and write one from there. */
  readonly imports = {
    fetch: (stream: number, block: number, address: number) => this.#move(stream, block, address),
    deliver: (stream: number, block: number, address: number) => this.#move(stream, block, address),
  };

  #move(stream: number, block: number, address: number): void {
    const move = this.#files[stream]!.kind === "read" ? readSync : writeSync;
    const isWhole = this.#reporting(stream, () => threads.moveBlock(move, this.#bytes, stream, block, address));
    if (!isWhole) this.#fail(stream);
  }

  #reporting<T>(stream: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#fail(stream, error);
    }
  }

  #fail(stream: number, error?: unknown): never {
    const file = this.#files[stream]!;
    return file.kind === "read" ? file.part.unreadable(error) : file.target.unwritable(error ?? { code: "EIO" });
  }
}
