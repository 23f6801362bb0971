/** What is taken out of archives: parts of wheels, which are zip files, and tar files as a whole. */
import { closeSync, createReadStream, createWriteStream, mkdirSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { openFile } from "../io/bytes.ts";
import { readDirectory } from "../io/npz.ts";
import { fail } from "../source.ts";
import type { Wheel } from "./parts.ts";
import { reasonOf, run } from "./run.ts";

const LOCAL_SIZE = 30;
const STORED = 0;

/** Takes out of a wheel, whose hash is known, what it says, into `folder`; tells how many bytes of how many are written. */
export async function unpackWheel(
  path: string,
  { take, file }: Wheel,
  folder: string,
  onBytes: (bytes: number, of: number) => void,
): Promise<void> {
  const entries = readDirectory(openFile(path).whole(), file).flatMap((entry) => {
    const place = take.find(([from]) => entry.name.startsWith(from));
    return place && !entry.name.endsWith("/") ? [{ ...entry, to: join(folder, entry.name.replace(...place)) }] : [];
  });
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  const descriptor = openSync(path, "r");
  let written = 0;
  try {
    for (const { to, offset, packed, method, size } of entries) {
      const header = Buffer.alloc(LOCAL_SIZE);
      readSync(descriptor, header, 0, LOCAL_SIZE, offset);
      const start = offset + LOCAL_SIZE + header.readUInt16LE(26) + header.readUInt16LE(28);
      mkdirSync(dirname(to), { recursive: true });
      // what NVIDIA has in `bin` is run
      const target = createWriteStream(to, { mode: to.includes("/bin/") ? 0o755 : 0o644 });
      const content = packed > 0 ? createReadStream(path, { start, end: start + packed - 1 }) : [];
      if (method === STORED) await pipeline(content, target);
      else await pipeline(content, createInflateRaw(), target);
      written += size;
      onBytes(written, total);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Unpacks a gzipped tar file into `folder`, its first `strip` folders left out. */
export async function unpackTar(path: string, folder: string, strip: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const ran = await run("tar", ["-xzf", path, "-C", folder, `--strip-components=${strip}`]);
  if (ran.status !== 0) fail("install", `${path} cannot be unpacked: ${reasonOf(ran)}`);
}
