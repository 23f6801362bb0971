/** Bytes in a file, in memory or from a pipe, to be read by position. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
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

/**
 * The bytes of the file at `path`: a regular file is read only where asked, and opened for each read so that no
 * descriptor has to be given back; a pipe is read at once. Throws TsymError; `help` goes with it where there is no such file.
 */
export function fileBytes(path: string, help?: string): Bytes {
  const unreadable = (error?: unknown): never => {
    if (error === undefined) fail("file", `cannot read ${path}: it became shorter while it was read`);
    return fileError("read", path, error, help);
  };
  const within = <T>(work: (descriptor: number) => T): T => {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, "r");
      return work(descriptor);
    } catch (error) {
      return unreadable(error);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  };
  return within((opened) => {
    const status = fstatSync(opened);
    if (!status.isFile()) return memoryBytes(readFileSync(opened));
    return {
      length: status.size,
      file: { path, position: 0, unreadable },
      read: (position, target) =>
        within((descriptor) => {
          let done = 0;
          while (done < target.length) {
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
        }),
    };
  });
}

/** Bytes asked of a pipe at a time, and milliseconds until one that has none yet is asked again. */
const PIPE_CHUNK = 65_536;
const PATIENCE = 5;

/** What comes from an open descriptor, such as standard input, as it comes. */
export function* descriptorChunks(descriptor: number): Generator<Uint8Array> {
  for (;;) {
    const chunk = Buffer.alloc(PIPE_CHUNK);
    try {
      const count = readSync(descriptor, chunk);
      if (count === 0) return;
      yield chunk.subarray(0, count);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "EOF") return;
      if (code !== "EAGAIN") fileError("read", "stdin", error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE);
    }
  }
}
