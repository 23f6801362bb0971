/** What `--feed` and `--expect` say: which sources there are and which names they go to. Knows nothing of the program. */
import { extname } from "node:path";
import { fail, isName } from "../source.ts";
import { type Bytes, type Opened, openChunks, openFile, slice } from "./bytes.ts";
import { openCsv } from "./csv.ts";
import { parseJson, readRecords, type StreamRecord } from "./json.ts";
import { spelledInJson } from "./json-reader.ts";
import { isNpy, openNpy } from "./npy.ts";
import { isZip, openNpz } from "./npz.ts";
import { openSafetensors } from "./safetensors.ts";
import { type Group, isGroup, named, type Source, titled } from "./source.ts";

export interface Feeds {
  readonly feeds: Map<string, Source>;
  /** The objects that standard input holds, one run each; none of their keys is in `feeds`. */
  readonly stream?: Iterator<StreamRecord, void>;
}

/** What of a command line may name standard input. */
export interface Readers {
  readonly file: string | undefined;
  readonly feed?: readonly string[];
  readonly expect?: readonly string[];
}

/** Throws TsymError (exit 2) where more than one part of a command line reads standard input, which gives its bytes once. */
export function requireOneReader({ file, feed = [], expect = [] }: Readers): void {
  const reads = (flag: string, args: readonly string[]) =>
    args.filter((arg) => partsOf(arg).src === "-").map((arg) => `${flag} ${arg}`);
  const [first, second] = [
    ...(file === "-" ? ["the program"] : []),
    ...reads(FEED.flag, feed),
    ...reads(EXPECT.flag, expect),
  ];
  if (second === undefined) return;
  fail("usage", `standard input can be read once only, but both ${first} and ${second} read it`, {
    help: "put one of them in a file",
    exit: 2,
  });
}

/** How messages speak of a flag and the names it takes. */
interface Role {
  readonly flag: string;
  readonly noun: string;
  readonly verb: string;
}

const FEED: Role = { flag: "-f", noun: "input", verb: "fed" };
const EXPECT: Role = { flag: "--expect", noun: "output", verb: "expected" };

/**
 * Opens the sources of `--feed`'s arguments, `NAME=SRC` or `SRC`; `stdin` is read only if one of them is `-`. Throws
 * TsymError: exit 2 where the arguments are wrong in themselves, 1 where a file is not what it should be.
 */
export function openFeeds(args: readonly string[], stdin: Iterable<Uint8Array>): Feeds {
  const named = args.filter((arg) => arg !== "-");
  const feeds = openSources(named, stdin, FEED);
  if (named.length === args.length) return { feeds };
  return { feeds, stream: checkedRecords(readRecords(stdin, "stdin"), feeds) };
}

/** A stream whose objects feed nothing that is fed for all of them. */
function* checkedRecords(records: Iterable<StreamRecord>, feeds: Map<string, Source>): Generator<StreamRecord, void> {
  for (const record of records) {
    for (const [name, { label }] of record.tensors)
      if (feeds.has(name))
        fail("feed", `${label}: the input \`${name}\` is fed for all records already`, {
          help: `leave it out of the record, or the flag -f that feeds \`${name}\``,
        });
    const tensors = Array.from(
      record.tensors,
      ([name, source]) => [name, titled(`input \`${name}\``, source)] as const,
    );
    yield { ...record, tensors: new Map(tensors) };
  }
}

/** Opens the sources of `--expect`'s arguments, as `openFeeds` does those of `--feed`. */
export const openExpected = (args: readonly string[], stdin: Iterable<Uint8Array>): Map<string, Source> =>
  openSources(args, stdin, EXPECT);

/** The name and the source of an argument; one without a name is a source alone. */
function partsOf(arg: string): { readonly name?: string; readonly src: string } {
  const name = arg.slice(0, Math.max(0, arg.indexOf("=")));
  return isName(name) ? { name, src: arg.slice(name.length + 1) } : { src: arg };
}

function openSources(args: readonly string[], stdin: Iterable<Uint8Array>, role: Role): Map<string, Source> {
  const { flag, noun } = role;
  const sources = new Map<string, Source>();
  const add = (name: string, open: () => Source): void => {
    if (sources.has(name)) twice(name, role);
    const title = `${noun} \`${name}\``;
    sources.set(name, titled(title, named(title, open)));
  };
  for (const arg of args) {
    const { name, src } = partsOf(arg);
    if (arg === "")
      fail("feed", `${flag} names nothing`, { help: `write ${flag} NAME=FILE or ${flag} NAME=VALUE`, exit: 2 });
    if (src === "")
      fail("feed", `${flag} ${arg} says nothing after =`, {
        help: `write ${flag} ${name}=FILE or ${flag} ${name}=VALUE`,
        exit: 2,
      });
    if (name !== undefined) {
      add(name, () => pick(name, src, open(src, stdin), flag));
      continue;
    }
    const [, before] = /^\s*(.*?)\s*=/s.exec(arg) ?? [];
    if (before === "")
      fail("feed", `${flag} ${arg} names no ${noun} before =`, { help: `write ${flag} NAME${arg.trim()}`, exit: 2 });
    if (before !== undefined && isName(before))
      fail("feed", `${flag} ${arg} has a space beside the name`, {
        help: `write ${flag} ${arg.trim().replace(/\s*=\s*/, "=")}`,
        exit: 2,
      });
    const help = `to ${role === FEED ? "feed" : "compare"} the ${noun} \`${src}\`, write ${flag} ${src}=FILE or ${flag} ${src}=VALUE`;
    const opened = open(src, stdin, isName(src) ? help : undefined);
    if (!isGroup(opened)) {
      return fail("feed", `${flag} ${arg} does not say which ${noun} it is for`, {
        help: `write ${flag} NAME=${arg}`,
        exit: 2,
      });
    }
    for (const [key, open] of opened) add(key, open);
  }
  return sources;
}

const twice = (name: string, { noun, verb }: Role): never =>
  fail("feed", `the ${noun} \`${name}\` is ${verb} twice`, { exit: 2 });

/** The one tensor that `name` can mean: the source itself, or what a group has at that key. */
function pick(name: string, src: string, opened: Source | Group, flag: string): Source {
  if (!isGroup(opened)) return opened;
  const found = opened.get(name);
  if (found) return found();
  const [first = "KEY"] = opened.keys();
  const what = INLINE.test(src) ? "the inline JSON" : src;
  fail("feed", `${what} holds tensors by key, but none is \`${name}\`: ${listKeys(opened)}`, {
    help: KEYED_ENDING.test(src)
      ? `write ${flag} ${name}=${src}:${first}`
      : `leave out ${name}= and each feeds the name that is its key`,
  });
}

const SHOWN_KEYS = 8;

function listKeys(group: Group): string {
  const keys = [...group.keys()];
  if (keys.length === 0) return "it holds nothing";
  return `its keys are ${keys.slice(0, SHOWN_KEYS).join(", ")}${keys.length > SHOWN_KEYS ? ", …" : ""}`;
}

const INLINE = /^(?:[[{"\d]|-\d|(?:true|false|NaN|[+-]?Infinity)$)/;
const NOT_FINITE = /^\+?(NaN|-?Infinity)$/;
const KEYED_ENDING = /\.(?:npz|safetensors)$/i;
const KEYED = /^(.+?\.(?:npz|safetensors)):(.*)$/is;
const NEEDLESS_KEY = /^(.+?\.(?:npy|json|csv)):/is;

/** Opens what stands at SRC; `help` is for a path where there is nothing. */
function open(src: string, stdin: Iterable<Uint8Array>, help?: string): Source | Group {
  if (src === "-") return read(openChunks(stdin, "stdin"), "stdin");
  if (INLINE.test(src)) {
    if (/^[-\d].*\D$/.test(src) && extname(src) in READERS) {
      fail("feed", `${src} begins as a number does, so it is no path`, { help: `write ./${src}`, exit: 2 });
    }
    return parseJson(Buffer.from(src.replace(NOT_FINITE, '"$1"')), "inline JSON");
  }
  const [, path = src, key] = KEYED.exec(src) ?? [];
  const file = openFile(path, help ?? absentHelp(path));
  const opened = read(file, path);
  if (key === undefined || !isGroup(opened)) return opened;
  if (key === "") fail("feed", `${src} names no key: ${listKeys(opened)}`);
  return opened.get(key)?.() ?? fail("feed", `${path} holds no \`${key}\`: ${listKeys(opened)}`);
}

type Reader = (bytes: Bytes, label: string) => Source | Group;

const readJson: Reader = (bytes, label) => parseJson(slice(bytes), label);

/** What reads a file, by its ending. */
const READERS: Readonly<Record<string, Reader>> = {
  ".npy": openNpy,
  ".npz": openNpz,
  ".safetensors": openSafetensors,
  ".json": readJson,
  ".csv": (bytes, label) => openCsv(slice(bytes), label),
};

const VALUE_HELP = `a file ends in ${Object.keys(READERS).join(", ")}; a value is written as JSON: 0.5, [1, 2]`;

/** What to write in place of a path where there is nothing. */
function absentHelp(path: string): string | undefined {
  const [, file] = NEEDLESS_KEY.exec(path) ?? [];
  if (file !== undefined) return `only .npz and .safetensors files are read by key: write ${file}`;
  if (path !== path.trim()) return `leave out the space: write ${path.trim()}`;
  return spelledInJson(path) ?? (extname(path).toLowerCase() in READERS ? undefined : VALUE_HELP);
}

/** Reads a file by its ending, and what has none by its first bytes, before more of it is read. */
function read(opened: Opened, label: string): Source | Group {
  const reader = READERS[extname(label).toLowerCase()] ?? readerOf(opened.start(), label);
  return reader(opened.whole(), label);
}

function readerOf(start: Buffer, label: string): Reader {
  if (isNpy(start)) return openNpy;
  if (isZip(start)) return openNpz;
  const isJson = label === "stdin" ? !start.includes(0) : /^\s*[[{]/.test(start.toString("latin1"));
  if (isJson) return readJson;
  fail("feed", `cannot tell what kind of file ${label} is`, {
    help: `files end in ${Object.keys(READERS).join(", ")}`,
  });
}
