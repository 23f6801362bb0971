/** Files that are written whole or not at all, and what the system's file errors mean in words. */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fail } from "../source.ts";
import type { FileTarget } from "../tensor/file.ts";

const MEANING: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder, not a file",
  ENOTDIR: "a part of its path is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EFBIG: "the file would be larger than is allowed",
  ENAMETOOLONG: "the name is too long",
  EPIPE: "its reader has left",
  ELOOP: "its symbolic links lead in a circle",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB, which only .npy, .npz and .safetensors files may be",
  ERR_STRING_TOO_LONG: "it is too large for text; .npy, .npz and .safetensors files may be larger",
  ERR_INVALID_ARG_VALUE: "the name holds a null character",
};

/** What a system error says, in words; throws any other error as it is. */
export function meaningOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string") throw error;
  return MEANING[code] ?? code;
}

/** Throws the TsymError for a system error met while reading or writing `path`; any other error as it is. */
export function fileError(doing: "read" | "write", path: string, error: unknown, help?: string): never {
  const meaning = meaningOf(error);
  const isAbsent = meaning === MEANING["ENOENT"];
  fail("file", `cannot ${doing} ${path}: ${isAbsent && doing === "write" ? "its folder does not exist" : meaning}`, {
    help: isAbsent ? help : undefined,
  });
}

/** Where what is written to `path` lies: beyond all symbolic links, also one whose target is not there yet. Throws TsymError. */
export const destinationOf = (path: string): string => within(path, () => destination(path));

function destination(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status) return status.isFile() ? realpathSync(path) : resolve(path);
  const folder = realpathSync(dirname(path));
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return isLink ? destination(resolve(folder, readlinkSync(path))) : join(folder, basename(path));
}

export interface FileContent {
  readonly path: string;
  readonly pieces: Iterable<string | Uint8Array>;
}

/** A file beside the place that it is for. */
interface Staged {
  readonly path: string;
  readonly partial: string;
  readonly target: string;
  readonly descriptor: number;
  isOpen: boolean;
}

/**
 * Does `work`, which writes files beside their places; they are put there, with the permissions of what was there, only when it
 * has ended well and all are complete: all or none. A symbolic link stays one. Throws TsymError.
 */
export async function writingWhole(work: (files: WholeFiles) => Promise<void> | void): Promise<void> {
  const files = new WholeFiles();
  try {
    await work(files);
    files.finish();
  } catch (error) {
    files.discard();
    throw error;
  } finally {
    await files.release();
  }
}

/** Files that are not in place yet. A signal that would end the process takes them away before. */
export class WholeFiles {
  readonly #staged = new Set<Staged>();
  readonly #signals = new Map<NodeJS.Signals, () => void>();

  /** Writes files as wholes. What is no regular file, such as /dev/null or a pipe, is written to at once. */
  write(files: readonly FileContent[]): void {
    const streams = new Set(files.filter(({ path }) => isStream(path)));
    for (const { path, pieces } of streams) within(path, () => writeTo(openSync(path, "w"), pieces));
    for (const file of files) {
      if (streams.has(file)) continue;
      const staged = this.#fill(file);
      within(file.path, () => close(staged));
    }
  }

  /** A file that others write elements to, after `head`. */
  open(path: string, head: Uint8Array): FileTarget {
    const { descriptor } = this.#fill({ path, pieces: [head] });
    return { descriptor, position: head.length, unwritable: (error) => fileError("write", path, error) };
  }

  /** Puts all in place. */
  finish(): void {
    for (const staged of this.#staged) within(staged.path, () => close(staged));
    for (const staged of this.#staged) {
      within(staged.path, () => renameSync(staged.partial, staged.target));
      this.#staged.delete(staged);
    }
  }

  /** Takes away what is not in place. */
  discard(): void {
    for (const staged of this.#staged) {
      try {
        rmSync(staged.partial, { force: true });
        close(staged);
      } catch {
        // What went wrong before is what is told.
      }
    }
    this.#staged.clear();
  }

  /** Leaves signals to others, once those that came meanwhile are heard. */
  async release(): Promise<void> {
    if (this.#signals.size > 0) await new Promise(setImmediate);
    this.#ignore();
  }

  #fill({ path, pieces }: FileContent): Staged {
    return within(path, () => {
      const status = statSync(path, { throwIfNoEntry: false });
      if (status) accessSync(path, constants.W_OK);
      const target = destination(path);
      const partial = join(dirname(target), `.tsym-${process.pid}-${process.hrtime.bigint()}`);
      this.#listen();
      const descriptor = openSync(partial, "wx");
      const staged = { path, partial, target, descriptor, isOpen: true };
      this.#staged.add(staged);
      if (status) fchmodSync(descriptor, status.mode);
      for (const piece of pieces) writeFileSync(descriptor, piece);
      return staged;
    });
  }

  /** Signals that someone else listens to do not end the process. */
  #listen(): void {
    if (this.#signals.size > 0) return;
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      if (process.listenerCount(signal) > 0) continue;
      const end = () => {
        this.discard();
        this.#ignore();
        process.kill(process.pid, signal);
      };
      this.#signals.set(signal, end);
      process.on(signal, end);
    }
  }

  #ignore(): void {
    for (const [signal, end] of this.#signals) process.off(signal, end);
  }
}

/** Whether what is at `path` is no regular file. Throws TsymError. */
export const isStream = (path: string): boolean =>
  within(path, () => statSync(path, { throwIfNoEntry: false })?.isFile() === false);

function within<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return fileError("write", path, error);
  }
}

function close(staged: Staged): void {
  if (!staged.isOpen) return;
  staged.isOpen = false;
  closeSync(staged.descriptor);
}

function writeTo(descriptor: number, pieces: Iterable<string | Uint8Array>): void {
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
}
