/**
 * Every program in samples/errors is wrong, and NAME.txt beside it holds exactly what tsym says of it. A program's first line
 * may say how it is run: `#! run FEEDS` in a shell's words, or `#! tsym …`, a whole command line; `tsym check` otherwise; the
 * exit status is 1, or stands behind it: `# exit 2`. UPDATE=1 writes the messages anew.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, tsym } from "./command.ts";

const FOLDER = "samples/errors";
const COMMAND = join(process.cwd(), "bin/tsym.js");
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".tsym"))
  .map((file) => file.slice(0, -".tsym".length));

const root = process.cwd();
beforeAll(() => process.chdir(FOLDER));
afterAll(() => process.chdir(root));

/** How a program is run, and the status with which that ends. */
function commandOf(name: string): { words: readonly [string, ...string[]]; status: number } {
  const program = readFileSync(`${name}.tsym`, "utf8");
  const [, line = "check", status] = /^#! (.*?)(?: # exit (\d))?\n/.exec(program) ?? [];
  const [command, ...flags] = line.split(" ") as [string, ...string[]];
  const words = command === "tsym" ? flags : [`${name}.tsym`, ...flags];
  return { words: [command, ...words], status: Number(status ?? 1) };
}

function run([command, ...args]: readonly [string, ...string[]]): Promise<Ended> | Ended {
  if (command !== "tsym") return tsym(command, ...args);
  // without a home, nothing is installed
  const env = { PATH: process.env["PATH"] };
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8", env });
  return { status: status!, stdout, stderr };
}

describe.each(names)("%s", (name) => {
  test("is answered word for word", async () => {
    const { words, status } = commandOf(name);
    const ended = await run(words);
    if (process.env["UPDATE"]) writeFileSync(`${name}.txt`, ended.stderr);
    expect(ended.stderr).toBe(existsSync(`${name}.txt`) ? readFileSync(`${name}.txt`, "utf8") : "");
    expect(ended.status).toBe(status);
    for (const message of ended.stderr.split("\n\n")) expect(message).toMatch(/^(error|warning)\[[a-z-]+\]: \S/);
    expect(ended.stderr).not.toMatch(/\n\s+at |\bundefined\b|\[object|\bNaN\b/);
  });
});

test("there are no messages without a program", () => {
  const messages = readdirSync(".").filter((file) => file.endsWith(".txt"));
  expect(messages.sort()).toEqual(names.map((name) => `${name}.txt`).sort());
});
