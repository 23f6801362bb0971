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

/** What tells why something failed: a compiler's lines, node-gyp's, pip's, npm's but for its codes. The first that is there counts. */
const REASONS = [
  /^.*: (?:fatal )?error: .*$/m,
  /^gyp ERR! (?:stack )?Error: (.*)$/m,
  /^ERROR: (.*)$/m,
  /^npm error (?!code |errno |syscall |A complete log)(\S.*)$/m,
  /^.*\berror\b.*$/im,
];

/** Why a program failed, as far as one line of what it said tells it: its last, if none does. */
export function reasonOf({ output }: Ran): string {
  for (const reason of REASONS) {
    const [line, told = line] = reason.exec(output) ?? [];
    if (told !== undefined) return told.trim();
  }
  return output.trim().split("\n").at(-1) || "it said nothing";
}
