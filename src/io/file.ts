/** Files that are written whole or not at all, and what the system's file errors mean in words. */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
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

/**
 * Writes `pieces` to a file beside `path` that takes its place, and its permissions, only when it is complete and on disk;
 * a symbolic link stays one. What is no regular file, such as /dev/null or a pipe, is written to. Throws TsymError.
 */
export function writeWhole(path: string, pieces: Iterable<string | Uint8Array>): void {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status && !status.isFile()) {
      writeTo(openSync(path, "w"), pieces);
      return;
    }
    if (status) accessSync(path, constants.W_OK);
    const target = status ? realpathSync(path) : path;
    const partial = join(dirname(target), `.tsym-${process.pid}-${process.hrtime.bigint()}`);
    const descriptor = openSync(partial, "wx");
    try {
      if (status) fchmodSync(descriptor, status.mode);
      writeTo(descriptor, pieces, true);
      renameSync(partial, target);
    } catch (error) {
      unlinkSync(partial);
      throw error;
    }
  } catch (error) {
    fileError("write", path, error);
  }
}

function writeTo(descriptor: number, pieces: Iterable<string | Uint8Array>, sync = false): void {
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
    if (sync) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
