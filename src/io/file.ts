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

/** A file that is complete beside the place that it is for. */
interface Staged {
  readonly path: string;
  /** Puts it there. */
  finish(): void;
  discard(): void;
}

/**
 * Writes each file beside its path, and puts all in place, with the permissions of what was there, only when all are
 * complete and on disk; a symbolic link stays one. What is no regular file, such as /dev/null or a pipe, is written to
 * before that. Throws TsymError.
 */
export async function writeWhole(files: readonly FileContent[]): Promise<void> {
  const isStream = ({ path }: FileContent) =>
    within(path, () => statSync(path, { throwIfNoEntry: false })?.isFile() === false);
  const streams = new Set(files.filter(isStream));
  for (const { path, pieces } of streams) within(path, () => writeTo(openSync(path, "w"), pieces));
  await holdingSignals(() => {
    const staged: Staged[] = [];
    try {
      for (const file of files) if (!streams.has(file)) staged.push(within(file.path, () => stage(file)));
      for (const { path, finish } of staged) within(path, finish);
    } catch (error) {
      for (const { discard } of staged) discard();
      throw error;
    }
  });
}

function within<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return fileError("write", path, error);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Signals that would end the process in the middle of `work` wait for its end. What waits for others would make them wait too long. */
async function holdingSignals(work: () => void): Promise<void> {
  const held = SIGNALS.filter((signal) => process.listenerCount(signal) === 0);
  const end = (signal: NodeJS.Signals) => {
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of held) process.off(signal, end);
  };
  for (const signal of held) process.on(signal, end);
  try {
    work();
  } finally {
    await new Promise(setImmediate); // signals that came meanwhile are told of
    release();
  }
}

function stage({ path, pieces }: FileContent): Staged {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status) accessSync(path, constants.W_OK);
  const target = destination(path);
  const partial = join(dirname(target), `.tsym-${process.pid}-${process.hrtime.bigint()}`);
  const descriptor = openSync(partial, "wx");
  const discard = () => rmSync(partial, { force: true });
  try {
    if (status) fchmodSync(descriptor, status.mode);
    writeTo(descriptor, pieces);
  } catch (error) {
    discard();
    throw error;
  }
  return { path, finish: () => renameSync(partial, target), discard };
}

function writeTo(descriptor: number, pieces: Iterable<string | Uint8Array>): void {
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
}
