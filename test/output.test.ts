/** What standard output shows, and files that are written whole or not at all. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFeeds } from "../src/io/feed.ts";
import { type FileContent, writingWhole } from "../src/io/file.ts";
import {
  type Format,
  formatOutputs,
  type Output,
  type OutputOptions,
  requireRoom,
  writeOutputFiles,
} from "../src/io/output.ts";
import { readTensor } from "../src/io/source.ts";
import { TsymError } from "../src/source.ts";
import { tensorOf } from "../src/tensor/tensor.ts";

const c = { name: "c", tensor: tensorOf("float32", [2, 2], [Math.E, 1, 1, 54.59815]) };
const n = { name: "größe", tensor: tensorOf("int64", [], [2n ** 62n]) };
const none = { name: "none", tensor: tensorOf("bool", [2, 0, 3], []) };

const writeAll = (outputsAt: Parameters<typeof writeOutputFiles>[1], options?: OutputOptions) =>
  writingWhole((files) => writeOutputFiles(files, outputsAt, options));
const writeOutputFile = (path: string, outputs: readonly Output[], options?: OutputOptions) =>
  writeAll([[path, outputs]], options);
const writeWhole = (contents: readonly FileContent[]) => writingWhole((files) => files.write(contents));

const text = (outputs: (typeof c | typeof n)[], format: Format, options?: OutputOptions) =>
  Buffer.concat(
    Array.from(formatOutputs(outputs, format, options), (piece) => Buffer.from(piece as string)),
  ).toString();

describe("standard output", () => {
  test("json is one line, keys in the program's order", () => {
    expect(text([n, c, none], "json")).toBe(
      '{"größe": 4611686018427387904, "c": [[2.7182817, 1], [1, 54.59815]], "none": [[], []]}\n',
    );
    expect(text([], "json")).toBe("{}\n");
    expect(text([c], "json", { raw: true })).toBe("[[2.7182817, 1], [1, 54.59815]]\n");
  });

  test("ndjson is a line an output", () => {
    expect(text([c, n], "ndjson")).toBe(
      '{"name": "c", "dtype": "float32", "shape": [2, 2], "data": [[2.7182817, 1], [1, 54.59815]]}\n' +
        '{"name": "größe", "dtype": "int64", "shape": [], "data": 4611686018427387904}\n',
    );
    expect(text([n], "ndjson", { raw: true })).toBe("4611686018427387904\n");
  });

  test("pretty has a line of name, shape and dtype, then the values", () => {
    expect(text([c, n], "pretty")).toBe(
      "c: (2, 2) float32\n[[ 2.7182817  1.       ]\n [ 1.        54.59815  ]]\ngröße: () int64\n4611686018427387904\n",
    );
    expect(text([c], "pretty", { raw: true, precision: 2 })).toBe("[[ 2.72  1.  ]\n [ 1.   54.6 ]]\n");
  });

  test.each<[Format, OutputOptions, string]>([
    ["npy", {}, "the format npy takes one output, but there are 2: c, größe"],
    ["json", { raw: true }, "--raw takes one output, but there are 2: c, größe"],
  ])("%s %j of two outputs is a wrong command line", (format, options, message) => {
    expect(() => requireRoom([c.name, n.name], { format, ...options })).toThrow(
      expect.objectContaining({ exit: 2, message }),
    );
    expect(() => requireRoom([c.name], { format, ...options })).not.toThrow();
  });
});

describe("files", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tsym-output-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each(["npy", "json", "csv", "npz", "safetensors"])("a .%s is read back", async (ending) => {
    await writeOutputFile(at(`c.${ending}`), [c]);
    const source = openFeeds([`c=${at(`c.${ending}`)}`], []).feeds.get("c")!;
    expect(readTensor(source, "float32", source.shape)).toEqual(c.tensor);
  });

  test("a .json holds the object that standard output shows, or the value alone", async () => {
    await writeOutputFile(at("c.JSON"), [c, n]);
    expect(readFileSync(at("c.JSON"), "utf8")).toBe(text([c, n], "json"));
    await writeOutputFile(at("c.JSON"), [c], { raw: true });
    expect(readFileSync(at("c.JSON"), "utf8")).toBe(text([c], "json", { raw: true }));
  });

  test("a file that cannot be finished leaves the old one, and nothing else, behind", async () => {
    function* pieces() {
      yield "half";
      throw new Error("no more");
    }
    writeFileSync(at("a"), "old");
    await expect(writeWhole([{ path: at("a"), pieces: pieces() }])).rejects.toThrow("no more");
    await expect(writeWhole([{ path: at("b"), pieces: pieces() }])).rejects.toThrow("no more");
    expect(readdirSync(folder)).toEqual(["a"]);
    expect(readFileSync(at("a"), "utf8")).toBe("old");
  });

  test("of several files all are written or none", async () => {
    writeFileSync(at("a.npy"), "old");
    const files = ["a.npy", "b.json", "no/c.npy"].map((path) => [at(path), [c]] as const);
    await expect(writeAll(files)).rejects.toThrow("its folder does not exist");
    expect(readdirSync(folder)).toEqual(["a.npy"]);
    expect(readFileSync(at("a.npy"), "utf8")).toBe("old");
  });

  test("an interrupt leaves nothing half written behind", async () => {
    const command = spawn(process.execPath, [
      "bin/tsym.js",
      "run",
      "-e",
      "ones([300000])",
      "-o",
      `out=${at("a.json")}`,
    ]);
    const ended = new Promise((resolve) => command.on("exit", resolve));
    while (readdirSync(folder).length === 0 && command.exitCode === null) await setImmediate();
    command.kill("SIGINT");
    await ended;
    expect(readdirSync(folder)).toEqual(["a.json"]);
    expect(JSON.parse(readFileSync(at("a.json"), "utf8")).out).toHaveLength(300_000);
  });

  test.each([
    ["what is written part by part", "output y = exp(sin(astype(arange(100000000), float32) / 7))", []],
    [
      "it in the loops after that too",
      "x = astype(arange(30000000), float32); output y = x + 1; output s = sum(sin(x))",
      ["-o", "s"],
    ],
  ])("an interrupt takes away %s", async (_, program, more) => {
    const flags = ["-o", `y=${at("a.npy")}`, ...more];
    const command = spawn(process.execPath, ["bin/tsym.js", "run", "-e", program, ...flags]);
    const ended = new Promise((resolve) => command.on("exit", (_, signal) => resolve(signal)));
    while (readdirSync(folder).length === 0 && command.exitCode === null) await setImmediate();
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.tsym-/)]);
    command.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["a pipe that nobody reads", ["-o", "out=PIPE"]],
    ["standard output that nobody reads, after a file", ["-o", "out=a.json", "-o", "x"]],
  ])("an interrupt ends what waits for %s", async (_, flags) => {
    spawnSync("mkfifo", [at("pipe.json")]);
    const args = [
      "run",
      "-e",
      "x = arange(300000); output out = 1",
      ...flags.map((f) => f.replace("PIPE", "pipe.json")),
    ];
    const command = spawn(process.execPath, [resolve("bin/tsym.js"), ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise((resolve) => command.on("exit", (_, signal) => resolve(signal)));
    await setTimeout(1000);
    expect(command.exitCode).toBeNull();
    command.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
    expect(readdirSync(folder).filter((file) => file.startsWith("."))).toEqual([]);
  });

  test("a file that is replaced keeps its permissions, a symbolic link its target", async () => {
    writeFileSync(at("a"), "old");
    chmodSync(at("a"), 0o640);
    symlinkSync("a", at("link"));
    await writeWhole([{ path: at("link"), pieces: ["new ", Buffer.from("content")] }]);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("a"), "utf8")).toBe("new content");
    expect(statSync(at("a")).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(["a", "link"]);
  });

  test("a symbolic link whose target is not there yet stays one", async () => {
    mkdirSync(at("folder"));
    symlinkSync("folder/second", at("first"));
    symlinkSync("../file", at("folder/second"));
    await writeWhole([{ path: at("first"), pieces: ["content"] }]);
    expect(lstatSync(at("folder/second")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("file"), "utf8")).toBe("content");
    expect(lstatSync(at("file")).isFile()).toBe(true);
  });

  test("what is no regular file is written to", async () => {
    await writeWhole([{ path: "/dev/null", pieces: ["gone"] }]);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  const mistake = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (error instanceof TsymError) return [error.exit, error.message.replaceAll(folder, "FOLDER")];
    }
    return undefined;
  };

  test("mistakes are said in words", async () => {
    mkdirSync(at("folder.npy"));
    writeFileSync(at("file"), "");
    const deep = { name: "x", tensor: tensorOf("int32", [1, 1, 1], [1]) };
    expect([
      await mistake(() => writeOutputFile(at("folder.npy"), [c])),
      await mistake(() => writeOutputFile(at("no/c.npy"), [c])),
      await mistake(() => writeOutputFile(at("file/c.npy"), [c])),
      await mistake(() => writeOutputFile(at("c.txt"), [c])),
      await mistake(() => writeOutputFile(at("c"), [c])),
      await mistake(() => writeOutputFile(at("c.npy"), [c, n])),
      await mistake(() => writeOutputFile(at("x.csv"), [deep])),
      await mistake(() => writeOutputFile(at("y.csv"), [none])),
      await mistake(() => writeOutputFile(at("z.csv"), [{ name: "z", tensor: tensorOf("float32", [0, 2], []) }])),
    ]).toEqual([
      [1, "cannot write FOLDER/folder.npy: it is a folder, not a file"],
      [1, "cannot write FOLDER/no/c.npy: its folder does not exist"],
      [1, "cannot write FOLDER/file/c.npy: a part of its path is not a folder"],
      [2, "cannot tell from the ending of FOLDER/c.txt what to write"],
      [2, "cannot tell from the ending of FOLDER/c what to write"],
      [2, "FOLDER/c.npy takes one output, but there are 2: c, größe"],
      [1, "FOLDER/x.csv: a CSV file has two axes at most, but x has shape (1, 1, 1)"],
      [1, "FOLDER/y.csv: a CSV file has two axes at most, but none has shape (2, 0, 3)"],
      [1, "FOLDER/z.csv: a CSV file holds no shape without elements, but z has shape (0, 2)"],
    ]);
    expect(readdirSync(folder).sort()).toEqual(["file", "folder.npy"]);
  });
});
