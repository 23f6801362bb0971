/** Downloads that go on where they were broken off, and files that are what they should be. */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import type { Part } from "./parts.ts";

/** Milliseconds without a byte after which a connection counts as broken. */
const LONGEST_SILENCE = 30_000;
/** How often a download is tried, and milliseconds between two tries. */
const TRIES = 5;
const PAUSE = 500;

type OnBytes = (bytes: number, of: number) => void;

/** Why a file could not be had. */
export class DownloadError extends Error {}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Whether the file is there and has its hash. */
export async function isWhole(path: string, { hash: [algorithm, digest] }: Part): Promise<boolean> {
  if (sizeOf(path) === 0) return false;
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest(algorithm === "sha512" ? "base64" : "hex") === digest;
}

/**
 * Downloads a part to `path`, unless it is there. What an earlier try left at `path`.part is gone on with. Throws DownloadError
 * where the server is out of reach, or sends something else.
 */
export async function download(url: string, path: string, part: Part, onBytes: OnBytes): Promise<void> {
  if (await isWhole(path, part)) return;
  const partial = `${path}.part`;
  for (let tries = 1; ; tries++) {
    try {
      await fetchRest(url, partial, part, onBytes);
      break;
    } catch (error) {
      if (error instanceof DownloadError || tries === TRIES) throw new DownloadError(reasonOf(error));
      await setTimeout(PAUSE);
    }
  }
  if (!(await isWhole(partial, part))) {
    rmSync(partial);
    throw new DownloadError(`${part.file} is not the file that it should be: its ${part.hash[0]} differs`);
  }
  renameSync(partial, path);
}

/** Appends what is missing of a file, each chunk as it comes, so that a broken connection loses none. */
async function fetchRest(url: string, partial: string, part: Part, onBytes: OnBytes): Promise<void> {
  const start = sizeOf(partial);
  const patience = new Patience();
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
  const response = await patience.during(fetch(url, { headers, signal: patience.signal }));
  if (response.status === 416) return; // all of it is there
  if (!response.ok || !response.body) throw new DownloadError(`the server answers ${response.status}`);
  const goesOn = response.status === 206;
  const descriptor = openSync(partial, goesOn ? "a" : "w");
  try {
    let bytes = goesOn ? start : 0;
    const length = Number(response.headers.get("content-length"));
    const of = length > 0 ? bytes + length : part.size;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await patience.during(reader.read());
      if (done) return;
      writeSync(descriptor, value);
      bytes += value.length;
      onBytes(bytes, Math.max(of, bytes));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Ends a connection that is silent for too long. */
class Patience {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;

  async during<T>(work: Promise<T>): Promise<T> {
    const timer = globalThis.setTimeout(
      () => this.#controller.abort(new Error("the connection is silent")),
      LONGEST_SILENCE,
    );
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What broke a connection: fetch hides it in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Milliseconds after which a place counts as out of reach. */
const PROBE = 10_000;

/** Whether a file can be had, asked without fetching it. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE) })).ok;
  } catch {
    return false;
  }
}
