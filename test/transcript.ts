/** Transcripts of a shell: `$ command` and under it what it prints. Knows nothing of what is run. */
import { spawn } from "node:child_process";

/** A command and its output: up to the next command, a blank line before a comment, the end of a Markdown block or of all. */
const COMMAND = /^\$ (.*)\n((?:(?!\$ |\n# |```).*\n)*)/gm;

/** The transcript as it comes out when its commands are run, one after another; equal to `text` if that tells the truth. */
export async function replay(text: string, run: (command: string) => Promise<string>): Promise<string> {
  let replayed = "";
  let end = 0;
  for (const { 0: all, 1: command = "", index } of text.matchAll(COMMAND)) {
    replayed += `${text.slice(end, index)}$ ${command}\n${await run(command)}`;
    end = index + all.length;
  }
  return replayed + text.slice(end);
}

/** What bash prints for a command, errors among it, in whole lines; a status that is not 0 follows as `[status]`. */
export function runInShell(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = spawn("bash", ["-c", `exec 2>&1\n${command}`], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    shell.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    shell.on("error", reject);
    shell.on("close", (status) => {
      const lines = output.replace(/(?<!^|\n)$/, "\n");
      resolve(status === 0 ? lines : `${lines}[${status}]\n`);
    });
  });
}
