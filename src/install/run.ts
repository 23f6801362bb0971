/** Other programs' commands, and what they say. */
import { spawn } from "node:child_process";

export interface Ran {
  /** 127 where there is no such program. */
  readonly status: number;
  readonly stdout: string;
  /** Both streams, in the order in which they came. */
  readonly output: string;
}

/** Runs a program to its end; nothing of it reaches the terminal. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...(cwd !== undefined && { cwd }) });
    let [stdout, output] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (error) => resolve({ status: 127, stdout, output: error.message }));
    child.on("close", (status) => resolve({ status: status ?? 1, stdout, output }));
  });
}

/** The last line of what a program said that is about an error, or its last one. */
export function lastWord({ output }: Ran): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.findLast((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? "it said nothing";
}
