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
});

test("there are no results without a sample", () => {
  const results = readdirSync(".").filter((file) => /\.(json|check)$/.test(file));
  expect(results.sort()).toEqual(names.flatMap((name) => [`${name}.check`, `${name}.json`]).sort());
});
