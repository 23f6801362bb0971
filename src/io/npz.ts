/** .npz archives: zip files of .npy files, read by their directory as PKWARE's APPNOTE lays it out, written as np.savez does. */
import { fail } from "../source.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Bytes, memoryBytes, section, slice } from "./bytes.ts";
import { openNpy, writeNpy } from "./npy.ts";
import type { Group, Source } from "./source.ts";

/** Loaded only when an archive is there to be read or written: it costs milliseconds. */
const zlib = () => process.getBuiltinModule("node:zlib");

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
const LONGEST_COMMENT = 65_535;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const UTF8_NAME = 0x0800;
/** Stands for a number that does not fit into 32 bits, in an archive of the zip64 kind. */
const ELSEWHERE = 0xffffffff;
/** A deflated byte stands for no more than 1,032 bytes (a length code of one bit and a distance code of one bit give 258). */
const MOST_DEFLATED = 1032;
/** 1 January 1980, so that the same tensors give the same file. */
const DATE = 0x0021;

export interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly offset: number;
}

/** Whether the bytes begin as a zip file does. */
export const isZip = (start: Buffer): boolean => start.length >= 4 && start.readUInt32LE(0) === LOCAL;

/**
 * Reads the directory of a .npz archive: keys are the entries' names without `.npy`; an entry is checked when it is
 * opened, and then held in memory if it is compressed. Throws TsymError where the archive is damaged, or needs more than tsym reads.
 */
export function openNpz(bytes: Bytes, label: string): Group {
  const tensors = new Map<string, () => Source>();
  for (const entry of readDirectory(bytes, label)) {
    if (!entry.name.endsWith(".npy")) continue;
    const key = entry.name.slice(0, -".npy".length);
    if (tensors.has(key)) fail("npz", `${label}: the archive holds ${entry.name} twice`);
    const place = `${label}:${key}`;
    tensors.set(key, () => openNpy(entryBytes(bytes, entry, place), place));
  }
  return tensors;
}

/** The entries of a zip file, by the directory at its end. Throws TsymError. */
export function readDirectory(bytes: Bytes, label: string): Entry[] {
  const tail = slice(bytes, Math.max(0, bytes.length - END_SIZE - LONGEST_COMMENT));
  let end = tail.length - END_SIZE;
  const isEnd = () => tail.readUInt32LE(end) === END && tail.readUInt16LE(end + 20) === tail.length - END_SIZE - end;
  while (end >= 0 && !isEnd()) end--;
  if (end < 0) fail("npz", `${label}: this is no .npz archive, or a truncated one: it has no zip directory at its end`);
  const count = tail.readUInt16LE(end + 10);
  const length = tail.readUInt32LE(end + 12);
  const start = tail.readUInt32LE(end + 16);
  if (count === 0xffff || length === ELSEWHERE || start === ELSEWHERE) tooLarge(label);
  const damaged = (): never => fail("npz", `${label}: the archive's directory is damaged`);
  if (start + length > bytes.length) damaged();
  const directory = slice(bytes, start, length);
  const entries: Entry[] = [];
  for (let at = 0, n = 0; n < count; n++) {
    if (at + CENTRAL_SIZE > length || directory.readUInt32LE(at) !== CENTRAL) damaged();
    const flags = directory.readUInt16LE(at + 8);
    const nameEnd = at + CENTRAL_SIZE + directory.readUInt16LE(at + 28);
    if (nameEnd > length) damaged();
    entries.push({
      name: directory.toString(flags & UTF8_NAME ? "utf8" : "latin1", at + CENTRAL_SIZE, nameEnd),
      flags,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

const tooLarge = (label: string): never =>
  fail("npz", `${label}: this is a zip64 archive, which tsym does not read`, {
    help: "save arrays of 4 GiB or more with np.save, each in a file of its own",
  });

/** What an entry holds: a section of the archive, or a copy where it is compressed. */
function entryBytes(archive: Bytes, entry: Entry, label: string): Bytes {
  const damaged = (): never => fail("npz", `${label}: the archive is truncated or damaged here`);
  const { method, packed, size, offset } = entry;
  if (entry.flags & ENCRYPTED) fail("npz", `${label}: the entry is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    fail("npz", `${label}: compression method ${method} is unknown`, {
      help: "write it with np.savez or np.savez_compressed",
    });
  }
  if (packed === ELSEWHERE || size === ELSEWHERE || offset === ELSEWHERE) tooLarge(label);
  if (offset + LOCAL_SIZE > archive.length) damaged();
  const header = slice(archive, offset, LOCAL_SIZE);
  const start = offset + LOCAL_SIZE + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (header.readUInt32LE(0) !== LOCAL || start + packed > archive.length) damaged();
  const isWhole = (content: Bytes) => content.length === size && crcOf(content) === entry.crc;
  if (method === STORED) {
    const content = section(archive, start, packed);
    return isWhole(content) ? content : damaged();
  }
  if (size > packed * MOST_DEFLATED) damaged();
  try {
    const { inflateRawSync } = zlib();
    const content = memoryBytes(inflateRawSync(slice(archive, start, packed), { maxOutputLength: size + 1 }));
    return isWhole(content) ? content : damaged();
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error;
    return damaged();
  }
}

/** Bytes that are checked at a time. */
const CHECKED = 2 ** 20;

function crcOf(bytes: Bytes): number {
  const { crc32 } = zlib();
  const piece = Buffer.alloc(Math.min(CHECKED, bytes.length));
  let crc = 0;
  for (let at = 0; at < bytes.length; at += CHECKED) {
    const part = piece.subarray(0, bytes.length - at);
    bytes.read(at, part);
    crc = crc32(part, crc);
  }
  return crc;
}

/** The tensors as a .npz archive, stored without compression; pieces to be written one after another. Names are keys. */
export function* writeNpz(
  tensors: Iterable<{ readonly name: string; readonly tensor: Tensor }>,
): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, tensor } of tensors) {
    // An empty piece is left out, as crc32 forgets what came before one.
    const content = writeNpy(tensor).filter((piece) => piece.length > 0);
    const size = content.reduce((sum, piece) => sum + piece.length, 0);
    const fileName = Buffer.from(`${name}.npy`);
    if (offset + size >= ELSEWHERE) {
      fail("npz", `a .npz archive of 4 GiB or more is not written`, { help: "write each output to a .npy file" });
    }
    const crc = content.reduce((sum, piece) => zlib().crc32(piece, sum), 0);
    // What the local and the central header share, from the version needed to the length of the extra field.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(UTF8_NAME, 2);
    shared.writeUInt16LE(STORED, 4);
    shared.writeUInt16LE(DATE, 8);
    shared.writeUInt32LE(crc, 10);
    shared.writeUInt32LE(size, 14);
    shared.writeUInt32LE(size, 18);
    shared.writeUInt16LE(fileName.length, 22);
    const local = Buffer.concat([uint32(LOCAL), shared, fileName]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([uint32(CENTRAL), Buffer.from([20, 0]), shared, place, fileName]));
    offset += local.length + size;
    yield local;
    yield* content;
  }
  yield* directory;
  const length = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(offset, 16);
  yield end;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
