/** Threads of the embedded engine: who takes part in a job, and when it is done. */
import { expect, test } from "vitest";
import { threads } from "../src/engines/wasm/threads.ts";
import { machine } from "./meeting.ts";

test("a worker that comes while a job is under way joins in, in that job and in others, of any machine", () => {
  const before = machine(2);
  threads.grow(2);
  const after = machine(2);
  for (let job = 0; job < 100; job++)
    for (const { id, marks } of [before, after]) {
      marks.fill(0);
      // Alone, the main thread would wait for ever.
      threads.run(id, 0, 2, 1);
      expect([...marks].sort()).toEqual([1, 2]);
    }
  threads.remove(before.id);
  threads.run(after.id, 0, 2, 1);
});

test("more threads than a machine has memory for stay away", () => {
  threads.grow(4);
  const { id, marks } = machine(2);
  for (let job = 0; job < 1000; job++) {
    marks.fill(0);
    threads.run(id, 0, 2, 1);
    expect([...marks].sort()).toEqual([1, 2]);
  }
});
