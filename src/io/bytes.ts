/** Bytes in a file, in memory or from a pipe, to be read by position. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fail } from "../source.ts";
import type { FilePart } from "../tensor/file.ts";
import { fileError } from "./file.ts";

export interface Bytes {
  readonly length: number;
  /** The file that they are a part of, where that is a regular file. */
  readonly file?: Omit<FilePart, "dtype"> | undefined;
  /** Fills all of `target` from `position` on; the caller stays within `length`. */
  read(position: number, target: Uint8Array): void;
}

/** Bytes that are in memory. */
export const memoryBytes = (bytes: Uint8Array): Bytes => ({
  length: bytes.length,
  read: (position, target) => target.set(bytes.subarray(position, position + target.length)),
});

/** The part of `bytes` that begins at `start`. */
export const section = (bytes: Bytes, start: number, length: number): Bytes => ({
  length,
  read: (position, target) => bytes.read(start + position, target),
  file: bytes.file && { ...bytes.file, position: bytes.file.position + start },
});

/** A copy of a part of `bytes`; the caller has checked that it lies within. */
export function slice(bytes: Bytes, start = 0, length = bytes.length - start): Buffer {
  const copy = Buffer.alloc(length);
  bytes.read(start, copy);
  return copy;
}

/** readSync takes at most 2^31 - 1 bytes at a time. */
const READ_AT_MOST = 2 ** 30;

/** Bytes whose kind can be decided before all of them are read: those of a pipe or a device may have no end. */
export interface Opened {
  /** The first bytes: `START`, or all where there are fewer. */
  start(): Buffer;
  whole(): Bytes;
}

const START = 64;

/** A buffer of Node 20 holds no more: what goes on is taken to have no end. */
const MOST_STREAMED = 2 ** 32;

/** What comes in chunks, read once. Throws TsymError where there are too many. */
export function openChunks(chunks: Iterable<Uint8Array>, label: string): Opened {
  const rest = chunks[Symbol.iterator]();
  const taken: Uint8Array[] = [];
  let length = 0;
  const takeNext = (): boolean => {
    const next = rest.next();
    if (next.done) return false;
    taken.push(next.value);
    length += next.value.length;
    if (length > MOST_STREAMED)
      fail("file", `cannot read ${label}: it has no end within 4 GiB`, {
        help: "a file may be larger, a stream may not",
      });
    return true;
  };
  const start = () => {
    while (length < START && takeNext());
    return Buffer.concat(taken).subarray(0, START);
  };
  const whole = () => {
    while (takeNext());
    return memoryBytes(Buffer.concat(taken));
  };
  return { start, whole };
}

/**
 * The file at `path`: a regular file is read only where asked, and opened for each read so that no descriptor has to be given
 * back; a pipe stays open. Throws TsymError; `help` goes with it where there is no such file.
 */
export function openFile(path: string, help?: string): Opened {
  const unreadable = (error?: unknown): never => {
    if (error === undefined) fail("file", `cannot read ${path}: it became shorter while it was read`);
    return fileError("read", path, error, help);
  };
  const open = (): number => {
    try {
      return openSync(path, "r");
    } catch (error) {
      return unreadable(error);
    }
  };
  const descriptor = open();
  const status = fstatSync(descriptor);
  if (!status.isFile()) return openChunks(descriptorChunks(descriptor, path), path);
  closeSync(descriptor);
  const bytes: Bytes = {
    length: status.size,
    file: { path, position: 0, unreadable },
    read(position, target) {
      const descriptor = open();
      try {
        for (let done = 0; done < target.length; ) {
          const count = readSync(
            descriptor,
            target,
            done,
            Math.min(target.length - done, READ_AT_MOST),
            position + done,
          );
          if (count === 0) unreadable();
          done += count;
        }
      } catch (error) {
        unreadable(error);
      } finally {
        closeSync(descriptor);
      }
    },
  };
  return { start: () => slice(bytes, 0, Math.min(START, bytes.length)), whole: () => bytes };
}

/** Bytes asked of a pipe at a time, and milliseconds until one that has none yet is asked again. */
const PIPE_CHUNK = 65_536;
const PATIENCE = 5;

/** What comes from an open descriptor, such as standard input, as it comes. */
export function* descriptorChunks(descriptor: number, label = "stdin"): Generator<Uint8Array> {
  for (;;) {
    const chunk = Buffer.alloc(PIPE_CHUNK);
    try {
      const count = readSync(descriptor, chunk);
      if (count === 0) return;
      yield chunk.subarray(0, count);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "EOF") return;
      if (code !== "EAGAIN") fileError("read", label, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE);
    }
  }
}
