/** Feeds laid into files, from where engines may take them in parts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConcreteGraph, FeedSource } from "../src/engines/engine.ts";
import type { Node } from "../src/graph/node.ts";
import { allocate, type DType, viewOf } from "../src/tensor/dtype.ts";
import { sizeOf } from "../src/tensor/tensor.ts";

export interface Filed {
  readonly feeds: readonly FeedSource[];
  /** What a program is compiled for. */
  readonly inFiles: ReadonlyMap<Node, DType>;
  /** Removes the files. */
  remove(): void;
}

/** Bytes in a file before the elements. */
const BEFORE = 100;

/** `dtypes`: of the elements in the files; a float's may be the other float, which then rounds its values. */
export function filed({ inputs }: ConcreteGraph, feeds: readonly FeedSource[], dtypes: readonly DType[]): Filed {
  const folder = mkdtempSync(join(tmpdir(), "tsym-filed-"));
  const unreadable = (error?: unknown): never => {
    throw new Error(`cannot read: ${error}`);
  };
  const inFiles = new Map(inputs.map((node, i) => [node, dtypes[i]!]));
  return {
    inFiles,
    feeds: feeds.map((feed, i) => {
      const [dtype, size] = [dtypes[i]!, sizeOf(feed.type.shape)];
      const data = allocate(feed.type.dtype, size);
      feed.readInto(new Uint8Array(data.buffer));
      const inFile = allocate(dtype, size);
      inFile.set(data as never);
      const path = join(folder, `${i}.bin`);
      writeFileSync(path, Buffer.concat([Buffer.alloc(BEFORE, 255), new Uint8Array(inFile.buffer)]));
      const readInto = (bytes: Uint8Array) => viewOf(feed.type.dtype, bytes).set(inFile as never);
      return { type: feed.type, readInto, file: { path, dtype, position: BEFORE, unreadable } };
    }),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
