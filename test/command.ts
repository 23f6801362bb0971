/** Runs a command in this process, in a world that keeps what is printed; commander's part of the work is not done. */
import { closeSync, openSync } from "node:fs";
import { parseArgs } from "node:util";
import { check } from "../src/commands/check.ts";
import { explain } from "../src/commands/explain.ts";
import { run } from "../src/commands/run.ts";
import type { World } from "../src/commands/world.ts";
import type { EngineName } from "../src/engines/load.ts";
import { renderDiagnostics } from "../src/render.ts";
import { TsymError } from "../src/source.ts";

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const COMMANDS = { check, explain, run };

const FLAGS = {
  eval: { type: "string", short: "e" },
  feed: { type: "string", short: "f", multiple: true },
  out: { type: "string", short: "o", multiple: true },
  carry: { type: "string", multiple: true },
  expect: { type: "string", multiple: true },
  steps: { type: "string" },
  engine: { type: "string", default: "auto" },
  json: { type: "boolean" },
  time: { type: "boolean" },
} as const;

/** `tsym` with these arguments; a last `<` and a file's name are its standard input, as in a shell. */
export async function tsym(...words: readonly string[]): Promise<Ended> {
  const redirected = words.at(-2) === "<";
  const [command, ...args] = redirected ? words.slice(0, -2) : words;
  const {
    values: { steps, ...flags },
    positionals: [file],
  } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  const options = {
    ...flags,
    ...(steps !== undefined && { steps: Number(steps) }),
    engine: flags.engine as EngineName,
    float: "float32",
  } as const;
  let stdout = "";
  let stderr = "";
  const stdin = openSync(redirected ? words.at(-1)! : "/dev/null", "r");
  const world: World = {
    stdin,
    terminal: false,
    interactive: false,
    color: false,
    print: (chunk) => {
      stdout += chunk;
    },
    report: (text) => {
      stderr += text;
    },
  };
  try {
    const status = await COMMANDS[command as keyof typeof COMMANDS](file, options, world);
    return { status, stdout, stderr };
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    return { status: error.exit, stdout, stderr: stderr + renderDiagnostics(error.diagnostics, { color: false }) };
  } finally {
    closeSync(stdin);
  }
}
