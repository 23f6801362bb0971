/** What the strings of `--feed` mean, and what the person who mistyped one is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare } from "../src/io/compare.ts";
import { openExpected, openFeeds, type Readers, requireOneReader } from "../src/io/feed.ts";
import { writingWhole } from "../src/io/file.ts";
import { writeOutputFiles } from "../src/io/output.ts";
import { readTensor, type Source } from "../src/io/source.ts";
import { type ExitStatus, TsymError } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { tensorOf } from "../src/tensor/tensor.ts";

const start = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "tsym-feed-"));
const a = { name: "a", tensor: tensorOf("float32", [2], [1, 2]) };
const b = { name: "b", tensor: tensorOf("int64", [], [7]) };
const both = { a: ["float32", [2], 1, 2], b: ["int64", [], 7n] };

beforeAll(async () => {
  process.chdir(folder);
  mkdirSync("folder.npy");
  await writingWhole((files) => {
    writeOutputFiles(
      files,
      ["a.npy", "5.npy", "a=1.npy"].map((path) => [path, [a]]),
    );
    writeOutputFiles(
      files,
      ["all.npz", "all.safetensors", "all.json"].map((path) => [path, [a, b]]),
    );
  });
  writeFileSync("list.json", "[1, 2]");
  writeFileSync("a.csv", "1\n2\n");
  writeFileSync("a.txt", "1 2");
  writeFileSync("none.json", "{}");
});
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true });
});

const chunks = (text: string): Uint8Array[] => [Buffer.from(text)];

const shown = (feeds: ReadonlyMap<string, Source>) =>
  Object.fromEntries(
    Array.from(feeds, ([name, source]) => {
      const dtype = source.dtype === "number" ? "float64" : source.dtype;
      return [name, [source.dtype, source.shape, ...readTensor(source, dtype, source.shape).data]];
    }),
  );

const feed = (args: string[], stdin = "") => shown(openFeeds(args, chunks(stdin)).feeds);

function mistake(work: () => unknown): { exit: ExitStatus; message: string; help: string | undefined } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    return { exit: error.exit, message: error.message, help: error.diagnostics[0]?.help };
  }
  throw new Error("no mistake found");
}

describe("a feed is", () => {
  test.each<[string, unknown]>([
    ["x=a.npy", { x: ["float32", [2], 1, 2] }],
    ["x=./5.npy", { x: ["float32", [2], 1, 2] }],
    ["x=./a=1.npy", { x: ["float32", [2], 1, 2] }],
    ["x=list.json", { x: ["number", [2], 1, 2] }],
    ["x=a.csv", { x: ["number", [2, 1], 1, 2] }],
    ["x=all.npz:a", { x: ["float32", [2], 1, 2] }],
    ["x=all.safetensors:b", { x: ["int64", [], 7n] }],
    ["b=all.npz", { b: ["int64", [], 7n] }],
    ["b=all.json", { b: ["number", [], 7] }],
    ["all.npz", both],
    ["all.safetensors", { b: both.b, a: both.a }],
    ["all.json", { a: ["number", [2], 1, 2], b: ["number", [], 7] }],
    ["all.npz:b", {}],
    ["none.json", {}],
    ['{"x": [1], "y": 2}', { x: ["number", [1], 1], y: ["number", [], 2] }],
    ["x=[[1, 2]]", { x: ["number", [1, 2], 1, 2] }],
    ["größe=-1.5", { größe: ["number", [], -1.5] }],
    ["x=true", { x: ["bool", [], 1] }],
    ["x=NaN", { x: ["number", [], Number.NaN] }],
    ['x="NaN"', { x: ["number", [], Number.NaN] }],
    ["x=-Infinity", { x: ["number", [], -Infinity] }],
    ["x=+Infinity", { x: ["number", [], Infinity] }],
    ["x=[]", { x: ["number", [0]] }],
  ])("%s", (arg, expected) => {
    if (arg === "all.npz:b") expect(mistake(() => feed([arg])).exit).toBe(2);
    else expect(feed([arg])).toEqual(expected);
  });

  test("standard input, of a name", () => {
    expect(feed(["x=-"], "[1, 2]")).toEqual({ x: ["number", [2], 1, 2] });
  });
});

test("standard input without a name is a stream of objects", () => {
  const { feeds, stream } = openFeeds(["y=1", "-"], chunks('{"x": 1}\n{"x": [2]}'));
  const records = Array.from({ [Symbol.iterator]: () => stream! }, ({ number, tensors }) => [number, shown(tensors)]);
  expect(shown(feeds)).toEqual({ y: ["number", [], 1] });
  expect(records).toEqual([
    [1, { x: ["number", [], 1] }],
    [2, { x: ["number", [1], 2] }],
  ]);
});

test("a stream that has no end is read no further than 4 GiB", () => {
  const chunk = Buffer.alloc(2 ** 24, "1, ");
  function* endless(): Generator<Uint8Array> {
    for (;;) yield chunk;
  }
  expect(mistake(() => openFeeds(["x=-"], endless()))).toMatchObject({
    message: "input `x`: cannot read stdin: it has no end within 4 GiB",
  });
});

describe("mistakes", () => {
  test.each<[string[], ExitStatus, string, string?]>([
    [["x=1", "x=2"], 2, "the input `x` is fed twice"],
    [["all.npz", "b=2"], 2, "the input `b` is fed twice"],
    [["x="], 2, "-f x= says nothing after =", "write -f x=FILE or -f x=VALUE"],
    [["[1, 2]"], 2, "-f [1, 2] does not say which input it is for", "write -f NAME=[1, 2]"],
    [["a.npy"], 2, "-f a.npy does not say which input it is for", "write -f NAME=a.npy"],
    [["x=5.npy"], 2, "input `x`: 5.npy begins as a number does, so it is no path", "write ./5.npy"],
    [["x"], 1, "cannot read x: there is no such file", "to feed the input `x`, write -f x=FILE or -f x=VALUE"],
    [["x=no.npy"], 1, "input `x`: cannot read no.npy: there is no such file"],
    [["x=no.npz:a"], 1, "input `x`: cannot read no.npz: there is no such file"],
    [["x=abc"], 1, "input `x`: cannot read abc: there is no such file", "a value is written as JSON: 0.5, [1, 2]"],
    [["x=folder.npy"], 1, "input `x`: cannot read folder.npy: it is a folder, not a file"],
    [["x=a.npy/b"], 1, "input `x`: cannot read a.npy/b: a part of its path is not a folder"],
    [["x=a\0.npy"], 1, "input `x`: cannot read a\0.npy: the name holds a null character"],
    [["x=a.txt"], 1, "input `x`: cannot tell what kind of file a.txt is", "files end in .npy, .npz"],
    [["x=all.npz:no"], 1, "input `x`: all.npz holds no `no`: its keys are a, b"],
    [
      ["x=all.npz"],
      1,
      "input `x`: all.npz holds tensors by key, but none is `x`: its keys are a, b",
      "write -f x=all.npz:a",
    ],
    [["x=all.json"], 1, "input `x`: all.json holds tensors by key, but none is `x`: its keys are a, b", "leave out x="],
    [["x=none.json"], 1, "input `x`: none.json holds tensors by key, but none is `x`: it holds nothing"],
    [["x=[1, null]"], 1, "input `x`: inline JSON: $[1]: expected a number, found null"],
    [["x=-"], 1, "input `x`: stdin: $: expected a number, found the end of the text"],
    [["=1"], 2, "-f =1 names no input before =", "write -f NAME=1"],
    [["x = 1"], 2, "-f x = 1 has a space beside the name", "write -f x=1"],
    [["x= 1"], 1, "input `x`: cannot read  1: there is no such file", "leave out the space: write 1"],
    [["x=all.npz:"], 1, "input `x`: all.npz: names no key: its keys are a, b"],
    [["x=all.json:a"], 1, "input `x`: cannot read all.json:a: there is no such file", "by key: write all.json"],
    [["x=.5"], 1, "input `x`: cannot read .5: there is no such file", "digits around its point: write 0.5"],
    [["x=-.5e3"], 1, "input `x`: cannot read -.5e3: there is no such file", ": write -0.5e3"],
    [["x=+5"], 1, "input `x`: cannot read +5: there is no such file", "no plus sign"],
    [["x=05."], 1, "input `x`: inline JSON: $: expected a number, found 05.", ": write 5"],
    [["x=[1, +.5]"], 1, "input `x`: inline JSON: $[1]: expected a number, found +.5", ": write 0.5"],
    [["x=-inf"], 1, "input `x`: cannot read -inf: there is no such file", '"NaN", "Infinity" or "-Infinity"'],
    [["x=True"], 1, "input `x`: cannot read True: there is no such file", "write true"],
    [["x=1,2"], 1, "input `x`: inline JSON: $: expected the end, found ,", "a list stands in brackets: [1, 2]"],
  ])("%j", (args, exit, message, help) => {
    const found = mistake(() => feed(args));
    expect({ ...found, help: help && found.help }).toEqual({
      exit,
      message,
      help: help && expect.stringContaining(help),
    });
  });

  test("in values name the input too", () => {
    const { feeds } = openFeeds(["x=[1.5]"], []);
    expect(mistake(() => readTensor(feeds.get("x")!, "int32", [1])).message).toBe(
      "input `x`: inline JSON: $[0] is 1.5, which is no int32",
    );
  });

  test("in a stream name the record", () => {
    const { stream } = openFeeds(["-", "x=1"], chunks('{"x": 1}'));
    expect(mistake(() => stream!.next())).toMatchObject({
      exit: 1,
      message: "stdin, record 1 ($.x): the input `x` is fed for all records already",
    });
  });

  test.each<[Readers, string?]>([
    [{ file: "-", feed: ["x=1"], expect: ["y=1"] }],
    [{ file: "a.tsym", feed: ["x=-", 'y="=-"'] }],
    [{ file: "-", feed: ["x=-"] }, "the program and -f x=-"],
    [{ file: "-", feed: ["-"] }, "the program and -f -"],
    [{ file: undefined, feed: ["-", "x=1", "-"] }, "-f - and -f -"],
    [{ file: undefined, feed: ["x=-", "y=-"] }, "-f x=- and -f y=-"],
    [{ file: undefined, feed: ["x=-"], expect: ["out=-"] }, "-f x=- and --expect out=-"],
  ])("%j reads standard input twice: %s", (readers, which) => {
    if (which === undefined) requireOneReader(readers);
    else
      expect(mistake(() => requireOneReader(readers))).toMatchObject({
        exit: 2,
        message: `standard input can be read once only, but both ${which} read it`,
      });
  });
});

describe("--expect", () => {
  const check = (arg: string, dtype: DType, values: number[], tolerance = {}) => {
    const expected = openExpected([arg], []).get("x")!;
    return compare(tensorOf(dtype, [values.length], values), expected, tolerance)?.message;
  };

  test.each<[string, DType, number[]]>([
    ["x=[1, 2]", "float32", [1, 2.000001]],
    ["x=a.npy", "float64", [1, 2.0000001]],
    ["x=[1, 2]", "int32", [1, 2]],
    ["x=[1.0, 2e0]", "int64", [1, 2]],
    ["x=[true, false]", "bool", [1, 0]],
    ['x=["NaN", "Infinity", "-Infinity"]', "float32", [Number.NaN, Infinity, -Infinity]],
    ["x=[0]", "float32", [-0]],
    ["x=[]", "float32", []],
  ])("%s agrees", (arg, dtype, values) => expect(check(arg, dtype, values)).toBeUndefined());

  test.each<[string, DType, number[], string]>([
    [
      "x=[1, 2, 3]",
      "float32",
      [1, 2.5, 2],
      "2 of 3 elements differ from inline JSON by more than rtol 0.0000013, atol 0.00001, most at [2]: expected 3, got 2",
    ],
    ["x=[1, 2]", "int32", [1, 3], "1 of 2 elements differ from inline JSON, most at [1]: expected 2, got 3"],
    ["x=[1, 1.5]", "int32", [1, 1], "1 of 2 elements differ from inline JSON, most at [1]: expected 1.5, got 1"],
    [
      "x=[true, true]",
      "bool",
      [1, 0],
      "1 of 2 elements differ from inline JSON, most at [1]: expected true, got false",
    ],
    [
      'x=["NaN", 9]',
      "float64",
      [1, 1],
      "2 of 2 elements differ from inline JSON by more than rtol 1e-7, atol 1e-7, most at [0]: expected nan, got 1",
    ],
    [
      'x=["Infinity"]',
      "float64",
      [1e300],
      "1 of 1 elements differ from inline JSON by more than rtol 1e-7, atol 1e-7, most at [0]: expected inf, got 1e+300",
    ],
    ["x=[1]", "float32", [1, 1], "expected shape (1), as in inline JSON, got (2)"],
  ])("%s differs from %s %j", (arg, dtype, values, message) => expect(check(arg, dtype, values)).toBe(message));

  test("tolerances are the caller's to choose", () => {
    expect(check("x=[100]", "float32", [101], { rtol: 0.01 })).toBeUndefined();
    expect(check("x=[100]", "int32", [102], { atol: 2 })).toBeUndefined();
    expect(check("x=[100]", "float32", [100.00001], { rtol: 0, atol: 0 })).toMatch(/^1 of 1 elements/);
  });

  test("an int64 is compared by all its digits", () => {
    const expected = openExpected(["x=9007199254740993"], []).get("x")!;
    const actual = tensorOf("int64", [], [2n ** 53n]);
    expect(compare(actual, expected)?.message).toMatch(/expected 9007199254740993, got 9007199254740992$/);
  });

  test("an output expected twice", () => {
    expect(mistake(() => openExpected(["x=1", "x=2"], []))).toMatchObject({
      exit: 2,
      message: "the output `x` is expected twice",
    });
  });
});
