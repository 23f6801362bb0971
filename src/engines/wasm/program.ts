/** A plan made ready to run: code, memory and threads. */
import { availableParallelism } from "node:os";
import type { Node } from "../../graph/node.ts";
import { ROUTINES } from "../../numeric/routines.ts";
import { viewOf } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { FeedSource, Program } from "../engine.ts";
import { copyInto } from "../reference/copy.ts";
import { nodeValue } from "../reference/evaluate.ts";
import type { View } from "../reference/view.ts";
import { call, FunctionCode, forBelow, get, i32Const, moduleOf, op } from "./assembler.ts";
import type { Chain } from "./chains.ts";
import { type AddressOf, combineBlocks, type Loop, loopOf, SCRATCH } from "./loops.ts";
import { PACKED_BLOCK, productOf } from "./matmul.ts";
import { layOut } from "./memory.ts";
import type { Place, Plan, Step } from "./plan.ts";
import { IMPORTS, STAND_INS } from "./routines.ts";
import { CONTROL_BYTES, MOST_THREADS, Threads } from "./threads.ts";
import { WIDTH } from "./vectorize.ts";

const PAGE = 65_536;
/** All that 32-bit addresses reach. */
const MOST_PAGES = 65_536;
/** What a loop may use of its thread's memory. */
const SCRATCH_BYTES = Math.max(SCRATCH, PACKED_BLOCK);
/** Elements that a thread takes at a time. */
const GRAIN = 32_768;

/** What remains to be done with data: loops by number, or a node for the reference engine. */
type Task =
  | {
      readonly kind: "loop";
      readonly index: number;
      readonly items: number;
      readonly grain: number;
      readonly node: Node;
    }
  | { readonly kind: "host"; readonly node: Node; readonly args: readonly Place[]; readonly to: Place };

/** Makes a plan's program, or gives undefined where it needs more memory than there is. */
export function programOf(plan: Plan, threads = availableParallelism()): Program | undefined {
  const count = Math.min(threads, MOST_THREADS);
  const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE);
  const layout = layOut(plan, SCRATCH_BYTES, (threadBytes) => pagesOf(CONTROL_BYTES + count * threadBytes) * PAGE);
  const pages = pagesOf(layout.end) + 1;
  if (pages > MOST_PAGES) return undefined;
  const { tasks, functions } = assemble(plan, (buffer) => layout.addresses[buffer]!);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  const module = new WebAssembly.Module(moduleOf(functions, IMPORTS, MOST_PAGES));
  const { exports } = new WebAssembly.Instance(module, { env: { ...ROUTINES, memory } });
  const pool = new Threads(
    memory,
    exports as Record<string, (from: number, to: number, scratch: number) => void>,
    (thread) => CONTROL_BYTES + thread * layout.threadBytes,
  );
  pool.start(count, memory, module, STAND_INS);
  const { buffer } = memory;
  const view = ({ dtype, buffer: of, shape, strides, offset }: Place): View => {
    const address = layout.addresses[of]!.base;
    const bytes = new Uint8Array(buffer, address, Math.floor(plan.buffers[of]! / WIDTH[dtype]) * WIDTH[dtype]);
    return { dtype, data: viewOf(dtype, bytes), shape, strides, offset };
  };

  return {
    run: async (feeds) => {
      for (const [i, place] of plan.inputs.entries()) read(feeds[i]!, view(place));
      for (const task of tasks) {
        if (task.kind === "loop") pool.run(task.index, task.items, task.grain);
        else copyInto(view(task.to), nodeValue(task.node, task.args.map(view)));
      }
      return plan.outputs.map((place) => tensorOf(view(place)));
    },
    dispose: () => pool.dispose(),
  };
}

/** The functions of all loops, and the tasks in order. */
function assemble(plan: Plan, addressOf: AddressOf) {
  const functions: FunctionCode[] = [];
  const tasks: Task[] = [];
  const addTask = ({ code, items, perItem }: Loop, node: Node) => {
    functions.push(code);
    const grain = Math.max(1, Math.min(Math.ceil(GRAIN / perItem), Math.ceil(items / 2)));
    tasks.push({ kind: "loop", index: functions.length - 1, items, grain, node });
  };
  for (const chain of plan.chains) {
    const [step] = chain.steps as [Step];
    if (step.kind === "host") tasks.push(step);
    else if (chain.steps.length > 1) addTask(chained(chain, functions, addressOf), step.node);
    else for (const loop of loopsOf(step, functions, addressOf)) addTask(loop, step.node);
  }
  return { functions, tasks };
}

/** The loops of a step, one after the other; functions that they call are added to `functions`. */
function loopsOf(
  step: Exclude<Step, { kind: "host" }>,
  functions: FunctionCode[],
  addressOf: AddressOf,
): readonly Loop[] {
  switch (step.kind) {
    case "kernel":
      return [loopOf(step.kernel, addressOf)];
    case "combine":
      return [combineBlocks(step, addressOf)];
    case "product": {
      const { helpers, loops } = productOf(step.product, addressOf, IMPORTS.length + functions.length);
      functions.push(...helpers);
      return loops;
    }
  }
}

/** A chain as one loop, whose items are its blocks. */
function chained({ blocks, steps }: Chain, functions: FunctionCode[], addressOf: AddressOf): Loop {
  const code = new FunctionCode(["i32", "i32", "i32"]);
  const [from, to, scratch] = [0, 1, 2];
  const parts = steps.flatMap((step) => (step.kind === "host" ? [] : loopsOf(step, functions, addressOf)));
  const calls = parts.map(({ code: part, items }) => {
    functions.push(part);
    const first = op("i32.mul", get(from), i32Const(items / blocks));
    return call(
      IMPORTS.length + functions.length - 1,
      first,
      op("i32.add", first, i32Const(items / blocks)),
      get(scratch),
    );
  });
  code.emit(forBelow(from, get(to), 1, ...calls));
  const perItem = parts.reduce((sum, { items, perItem }) => sum + items * perItem, 0) / blocks;
  return { code, items: blocks, perItem };
}

function read({ readInto }: FeedSource, { data, shape }: View): void {
  const length = sizeOf(shape) * data.BYTES_PER_ELEMENT;
  readInto(new Uint8Array(data.buffer, data.byteOffset, length));
}

/** A view of what lies in C order. */
const tensorOf = ({ dtype, data, shape, offset }: View): Tensor => ({
  dtype,
  shape,
  data: data.subarray(offset, offset + sizeOf(shape)),
});
