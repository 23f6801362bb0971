/** Large, deep, strange and random programs: a result or a message, never a crash. How long they take is test/bench/robust.ts. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokenize } from "../grammar/tokens.ts";
import { check, compile, type Feeds, renderDiagnostics, run, TsymError } from "../src/index.ts";
import { LARGE } from "./large.ts";

describe("large programs", () => {
  // The second run of such a program is done by code.
  test.each(Object.entries(LARGE))("%s, twice", { timeout: 60_000 }, async (_, { text, feeds, expected }) => {
    const program = compile(text, { float: "float64" });
    for (const results of [await program.run(feeds), await program.run(feeds)])
      for (const [name, value] of Object.entries(expected)) expect(results[name]!.get(0)).toBe(value);
  });

  test.each([
    ["on lines of their own", "\n"],
    ["on one line", ";"],
  ])("thousands of mistakes %s are all told", (_, end) => {
    const text = Array.from({ length: 10_000 }, (_, i) => `b${i} = 2 * y${i}`).join(end);
    const { diagnostics } = check(text);
    expect(diagnostics).toHaveLength(10_000);
    expect(renderDiagnostics(diagnostics, { color: false })).toContain("`y9999` is not defined");
  });
});

/** Programs that hold something n times within itself; their value at x = 1 is 1. */
const NESTED: Readonly<Record<string, (n: number) => string>> = {
  parentheses: (n) => `${"(".repeat(n)}x${")".repeat(n)}`,
  lists: (n) => `sum(${"[".repeat(n)}x${"]".repeat(n)})`,
  calls: (n) => `${"abs(".repeat(n)}x${")".repeat(n)}`,
  indices: (n) => `x${"[newaxis]".repeat(n)}${"[0]".repeat(n)}`,
  transposes: (n) => `x${".T".repeat(n)}`,
  signs: (n) => `+${"- -".repeat(n)}x`,
  negations: (n) => `astype(${"not not ".repeat(n)}(x == 1), float32)`,
  powers: (n) => `x${" ** x".repeat(n)}`,
  sums: (n) => `x${" - x + x".repeat(n)}`,
  gradients: (n) => `${"grad ".repeat(n)}exp(x - 1)${" wrt x".repeat(n)}`,
  fns: (n) =>
    `f${n}(x)${Array.from({ length: n }, (_, i) => `\nfn f${i + 1}(y) = f${i}(y) * 1.0`).join("")}\nfn f0(y) = y`,
};

describe.each(Object.entries(NESTED))("nested %s", (kind, make) => {
  test(`work ${kind === "gradients" ? 10 : 100} deep`, async () => {
    const [only] = Object.values(await run(make(kind === "gradients" ? 10 : 100), { x: 1 }));
    expect(only!.get()).toBe(1);
  });

  test("give a value or one plain error at any depth", async () => {
    const depths = [150, 256, 257, 400, 1000, 3000, 20_000].filter((n) => kind !== "gradients" || n > 256);
    for (const n of kind === "fns" ? depths.slice(0, -1) : depths) {
      const { diagnostics } = check(`input x;${make(n)}`);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(errors.map(({ code }) => code)).toEqual(errors.length > 0 ? ["nesting"] : []);
      expect(errors.every(({ labels, help }) => labels.length > 0 && help)).toBe(true);
    }
  });
});

test.each([
  ["fn f(x) = f(x); f(1)", "fn f calls itself"],
  ["fn f(x) = g(x); fn g(x) = f(x); f(1)", "fn f calls itself"],
  ["fn f(x, y = f(1)) = x; f(1)", "fn f calls itself"],
])("%s is told", (text, message) => {
  expect(check(text).diagnostics.map((d) => d.message)).toEqual([message]);
});

test("files that import each other are read once", () => {
  const imports = { a: 'import "b"; fn f(x) = g(x) + 1', b: 'import "a"; fn g(x) = x; fn h(x) = f(x)' };
  expect(check('import "a"; import "b"; h(1)', { imports }).diagnostics).toEqual([]);
});

/** Names that every JavaScript object knows. */
const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), "prototype", "name", "length", "then"];

test.each(INHERITED)("%s can name anything", async (name) => {
  const feeds = Object.fromEntries([[name, 2]]) as Feeds;
  const value = async (text: string) => Object.values(await run(text, feeds)).map((result) => result.get());
  expect(await value(`input ${name}; output y = ${name} + 1`)).toEqual([3]);
  expect(await value(`${name} + 1`)).toEqual([3]);
  expect(await value(`fn ${name}(${name}) = ${name} + 1; output z = ${name}(${name}=${name})`)).toEqual([3]);
  const sizes = compile(`input a[${name}]; output z = ${name} * sum(a)`);
  expect((await sizes.run({ a: [1, 2] }))["z"]!.get()).toBe(6);
});

const doubling = (body: (f: string) => string): string =>
  ["fn f0(x) = x", ...Array.from({ length: 40 }, (_, i) => `fn f${i + 1}(x) = ${body(`f${i}`)}`), "f40(1)"].join("\n");

test.each([
  [doubling((f) => `${f}(${f}(x))`), "called more than 200000 times"],
  [doubling((f) => `${f}(x) + ${f}(x + 1)`), "called more than 200000 times"],
  ["one_hot(1, 2147483648)", "a tensor of shape (2147483648) would hold more than 2147483647 elements"],
  ["zeros([100000, 100000])", "a tensor of shape (100000, 100000) would hold more than 2147483647 elements"],
  ["arange(inf)", "arange from 0 to inf by 1 has no end"],
  ["arange(0, nan, -1)", "arange from 0 to nan by -1 has no end"],
  ["arange(9007199254740993)", "9007199254740993 is too large for a size"],
  ["input x[n]; n * 9007199254740993", "9007199254740993 is too large for a size"],
  ["input x[n]; (n + 9007199254740991) * 3", "what the sizes make is too large for a size"],
  ["input x[3] = x + 1; y = x + 2", "`x` is not defined"],
  ["input x[399999999999]; x", "a tensor of shape (399999999999) would hold more than 2147483647 elements"],
  ["input x[n]; x[9007199254740993]", "9007199254740993 is too large for a size"],
  ["input x[n]; x[:9007199254740993]", "9007199254740993 is too large for a size"],
  ["input x[n]; sum(x, axis=9007199254740993)", "9007199254740993 is too large for a size"],
  ["[9223372036854775807, 1] @ [2, 1]", "18446744073709551615 does not fit int64"],
])("%# is refused before there is data", (text, message) => {
  const [only, more] = check(text).diagnostics.filter(({ severity }) => severity === "error");
  expect(only?.message).toContain(message);
  expect(only?.labels).not.toEqual([]);
  expect(more).toBeUndefined();
});

test.each([
  ["input x[n]; sum(zeros([n ** 8, n ** 8]))", [...Array(20).keys()], "would hold more than 2147483647 elements"],
  ["input x[n]; n ** 8 * n ** 8", [...Array(100).keys()], "1e+32 is too large for a size"],
  ["input x[n]: int32; x // (n - 2)", [1, 2], "integer division by zero"],
  ["input x[n]: int32; x % size(x[2:])", [1, 2], "integer division by zero"],
])("%s is refused once sizes are known", async (text, x, message) => {
  const refused = run(text, { x }).catch((error: unknown) => error);
  expect(await refused).toBeInstanceOf(TsymError);
  expect((await refused) as TsymError).toMatchObject({
    message: expect.stringContaining(`for the sizes of these data, `),
  });
  expect(((await refused) as TsymError).message).toContain(message);
});

test.each([
  ["[2147483647] @ [2]", 4294967294],
  ['einsum("ij,jk->", [[1, 2], [3, 4]], [[5, 6], [7, 8]])', 134],
  ["sum([[2147483647, 1]].T)", 2147483648],
  ["sum([2147483647, 1, 5][:2])", 2147483648],
  ["sum(broadcast_to(2147483647, [3]))", 6442450941],
  ["prod(tile([65536], [2]))", 4294967296],
  ["max([2147483648, 1])", 2147483648],
  ["[4294967296, 1][0]", 4294967296],
  ["sum(concat([[[4294967296]], [[1]]], axis=1).mT)", 4294967297],
  ["([[65536]].T * 65536)[0, 0]", 4294967296],
  ["-(sum(true))", -1],
  ["-(sum([true, true]))", -2],
])("%s is exact among literals", async (text, expected) => {
  expect(Number(Object.values(await run(text))[0]!.get())).toBe(expected);
});

/** Bits of programs, in any order. */
const samples = readdirSync("samples")
  .filter((file) => file.endsWith(".tsym"))
  .map((file) => readFileSync(`samples/${file}`, "utf8"));
const words = [...new Set(samples.flatMap((text) => tokenize(text).map((token) => token.image)))];

/** Whatever goes wrong is a TsymError with something to show. */
async function survives(text: string): Promise<void> {
  try {
    const { diagnostics } = check(text);
    renderDiagnostics(diagnostics, { color: true });
    await compile(text).run({});
  } catch (error) {
    if (!(error instanceof TsymError)) throw new Error(`not told: ${String(error)}`, { cause: error });
    expect(renderDiagnostics(error.diagnostics, { color: false })).toMatch(/^error\[[a-z-]+\]: /);
  }
}

test("words in any order are told", async () => {
  const soups = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((soup) => soup.join(" "));
  await fc.assert(fc.asyncProperty(soups, survives), { numRuns: 300 });
});

test("programs with some words replaced, left out or put in are told", async () => {
  const edits = fc.array(fc.record({ at: fc.nat(), out: fc.nat(2), put: fc.option(fc.constantFrom(...words)) }), {
    minLength: 1,
    maxLength: 4,
  });
  const damaged = fc.tuple(fc.constantFrom(...samples), edits).map(([text, edits]) => {
    const tokens = tokenize(text).map((token) => token.image);
    for (const { at, out, put } of edits) tokens.splice(at % tokens.length, out, ...(put === null ? [] : [put]));
    return tokens.join(" ");
  });
  await fc.assert(fc.asyncProperty(damaged, survives), { numRuns: 300 });
});
