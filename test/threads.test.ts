/** Threads of the embedded engine: who takes part in a job, and when it is done. */
import { expect, test } from "vitest";
import { type Code, FunctionCode, forBelow, get, i32Const, moduleOf, op, set } from "../src/engines/wasm/assembler.ts";
import { threads } from "../src/engines/wasm/threads.ts";

const atomic = (code: number, ...operands: readonly Code[]): Code => [operands, [0xfe, code, 2, 0]];
const atomicLoad = (address: Code) => atomic(0x10, address);
const atomicStore = (address: Code, value: Code) => atomic(0x17, address, value);
const [FROM, TO, SCRATCH] = [0, 1, 2];

const MARKS = 1024;
const markOf = (item: Code): Code => op("i32.add", i32Const(MARKS), op("i32.mul", item, i32Const(4)));

/** Marks each item with its thread's number and one, and waits until the item beside it, whose last bit is other, is marked too. */
function meeting(): FunctionCode {
  const fn = new FunctionCode(["i32", "i32", "i32"]);
  const other = fn.local("i32");
  const until = (condition: Code): Code => [0x03, 0x40, condition, 0x45, 0x0d, 0, 0x0b];
  fn.emit(
    forBelow(
      FROM!,
      get(TO!),
      1,
      atomicStore(markOf(get(FROM!)), get(SCRATCH!)),
      set(
        other,
        op(
          "i32.sub",
          op("i32.add", get(FROM!), i32Const(1)),
          op("i32.shl", op("i32.and", get(FROM!), i32Const(1)), i32Const(1)),
        ),
      ),
      until(atomicLoad(markOf(get(other)))),
    ),
  );
  return fn;
}

/** A machine whose function 0 is `meeting`, for so many threads, with the marks that items leave. */
function machine(count: number) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = new WebAssembly.Module(moduleOf([meeting()], [], 1));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const scratch = Array.from({ length: count }, (_, thread) => thread + 1);
  const id = threads.add({ memory, module, exports: exports as never, routines: [], scratch });
  return { id, marks: new Int32Array(memory.buffer, MARKS, 2) };
}

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
