/**
 * Every sample prints what lies beside it: `tsym run`'s standard output in NAME.json, `tsym check`'s in NAME.check. A
 * sample's first line, `#! run FEEDS`, says in a shell's words how it is run in samples/, its own name left out. UPDATE=1
 * writes the files anew; test/oracles/samples.py then says whether the results are right.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tsym } from "./command.ts";

const SAMPLES = "samples";
const names = readdirSync(SAMPLES)
  .filter((file) => file.endsWith(".tsym"))
  .map((file) => file.slice(0, -".tsym".length));

const root = process.cwd();
beforeAll(() => process.chdir(SAMPLES));
afterAll(() => process.chdir(root));

/** The flags that follow `#! run` in a program's first line. */
const flagsOf = (program: string): readonly string[] =>
  /^#! run (.*)\n/.exec(readFileSync(program, "utf8"))?.[1]?.split(/\s+/) ?? [];

/** Ops that only derivatives and functions are made of, and sizes without a name where an expression wants one. */
const NO_PROGRAM =
  /\b(zero_\w+|embed|recurrence|scatter_along_axis|cofactor)\(|exclusive=|reverse=|\[\?|, \?.*\)|::q|\[.*(min|max)\(.*:/;

function expectFile(path: string, content: string): void {
  if (process.env["UPDATE"]) writeFileSync(path, content);
  expect(content).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
}

describe.each(names)("%s", (name) => {
  const program = `${name}.tsym`;

  test("gives its result", async () => {
    const ended = await tsym("run", program, ...flagsOf(program));
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expectFile(`${name}.json`, ended.stdout);
  });

  test("is checked without data", async () => {
    const ended = await tsym("check", program);
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expectFile(`${name}.check`, ended.stdout);
  });

  test("gives the same where what is run is its explanation", async ({ skip }) => {
    const { stdout: explained, stderr } = await tsym("explain", program);
    expect(stderr).toBe("");
    skip(NO_PROGRAM.test(explained), "an op has no name in the language");
    const ended = await tsym("run", "-e", explained, ...flagsOf(program));
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(ended.stdout).toBe(readFileSync(`${name}.json`, "utf8"));
  });
});

test("there are no results without a sample", () => {
  const results = readdirSync(".").filter((file) => /\.(json|check)$/.test(file));
  expect(results.sort()).toEqual(names.flatMap((name) => [`${name}.check`, `${name}.json`]).sort());
});
