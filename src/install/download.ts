/** Downloads that go on where they were broken off, and files that are what they should be. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Part } from "./parts.ts";

/** Milliseconds without a byte after which a connection counts as broken. */
const PATIENCE = 30_000;
/** How often a download goes on after it broke off, as long as each time brought something. */
const TRIES = 5;

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
    const before = sizeOf(partial);
    try {
      await fetchRest(url, partial, part, onBytes);
      break;
    } catch (error) {
      if (error instanceof DownloadError || tries === TRIES || sizeOf(partial) === before)
        throw new DownloadError(reasonOf(error));
    }
  }
  if (!(await isWhole(partial, part))) {
    rmSync(partial);
    throw new DownloadError(`${part.file} is not the file that it should be: its ${part.hash[0]} differs`);
  }
  renameSync(partial, path);
}

/** Appends what is missing of a file. */
async function fetchRest(url: string, partial: string, part: Part, onBytes: OnBytes): Promise<void> {
  const start = sizeOf(partial);
  const aborted = new AbortController();
  let timer = setTimeout(() => aborted.abort(new Error("the connection is silent")), PATIENCE);
  try {
    const response = await fetch(url, {
      headers: start > 0 ? { range: `bytes=${start}-` } : {},
      signal: aborted.signal,
    });
    if (response.status === 416) return; // all of it is there
    if (!response.ok || !response.body) throw new DownloadError(`the server answers ${response.status}`);
    const goesOn = response.status === 206;
    let bytes = goesOn ? start : 0;
    const length = Number(response.headers.get("content-length"));
    const of = length > 0 ? bytes + length : part.size;
    const counted = new Transform({
      transform(chunk: Buffer, _, done) {
        clearTimeout(timer);
        timer = setTimeout(() => aborted.abort(new Error("the connection is silent")), PATIENCE);
        bytes += chunk.length;
        onBytes(bytes, Math.max(of, bytes));
        done(null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(body, counted, createWriteStream(partial, { flags: goesOn ? "a" : "w" }));
  } finally {
    clearTimeout(timer);
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
