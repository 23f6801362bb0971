/**
 * Starts the commands it is told of, and answers how each ended and how many milliseconds it took. A process of its own, with
 * little memory: to start another process copies the tables of one's pages, which takes some 30 ms a gigabyte.
 */
import { spawnSync } from "node:child_process";

process.on("message", ({ command: [program, ...args], cwd, env }) => {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  process.send?.({ milliseconds: performance.now() - start, status, stderr });
});
