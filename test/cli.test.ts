/**
 * The command as a shell sees it: the transcripts in test/cli and those in the README come out word for word. The commands of
 * a file run one after another in a folder of its own, which has the samples. UPDATE=1 writes them anew.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replay, runInShell } from "./transcript.ts";

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "tsym-cli-"));
  mkdirSync(join(scratch, "bin"));
  const launch = `#!/bin/sh\nexec "${process.execPath}" "${resolve("bin/tsym.js")}" "$@"\n`;
  writeFileSync(join(scratch, "bin", "tsym"), launch, { mode: 0o755 });
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs commands in a new folder of that name. */
function shellIn(name: string): (command: string) => Promise<string> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  symlinkSync(resolve("samples"), join(folder, "samples"));
  const env = { PATH: `${join(scratch, "bin")}:${process.env["PATH"]}`, XDG_CACHE_HOME: scratch, LC_ALL: "C.UTF-8" };
  return (command) => runInShell(command, folder, env);
}

test.concurrent.each(["README.md", ...readdirSync("test/cli").map((file) => join("test/cli", file))])(
  "%s",
  async (path) => {
    const text = readFileSync(path, "utf8");
    const replayed = await replay(text, shellIn(basename(path)));
    if (process.env["UPDATE"]) writeFileSync(path, replayed);
    else expect(replayed).toBe(text);
  },
);

test("the README shows the language's page as it is", () => {
  const sample = readFileSync("samples/language.tsym", "utf8");
  expect(readFileSync("README.md", "utf8")).toContain(`\`\`\`\n${sample}\`\`\`\n`);
});
