/** A plan made ready to run: code, memory and threads. */
import type { Node } from "../../graph/node.ts";
import { ROUTINES } from "../../numeric/routines.ts";
import { opOf } from "../../ops/define.ts";
import { viewOf } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Description, FeedSource, Program } from "../engine.ts";
import { copyInto } from "../reference/copy.ts";
import { nodeValue } from "../reference/evaluate.ts";
import type { View } from "../reference/view.ts";
import { call, type FunctionCode, forBelow, get, i32Const, moduleOf, op, when } from "./assembler.ts";
import type { Chain, Moved } from "./chains.ts";
import { Files, type OpenTarget, transfersOf } from "./files.ts";
import { type AddressOf, FROM, itemFunction, type Loop, SCRATCH_AT, TO } from "./items.ts";
import { WIDTH } from "./lanes.ts";
import { loopOf } from "./loops.ts";
import { PACKED_BLOCK, productOf } from "./matmul.ts";
import { type Layout, layOut, MOST_PAGES, PAGE, sharedMemory } from "./memory.ts";
import type { Plan } from "./plan.ts";
import { combineBlocks, SCRATCH } from "./reductions.ts";
import { IMPORTS, importIndex, STAND_INS } from "./routines.ts";
import type { Place, Step } from "./steps.ts";
import { type Machine, threads } from "./threads.ts";
import { newWorkspace } from "./workspace.ts";

const RELAXED_SIMD = "--experimental-wasm-relaxed-simd";
/** What a loop may use of its thread's memory. */
const SCRATCH_BYTES = Math.max(SCRATCH, PACKED_BLOCK);
/** Linear algebra of fewer rows is sooner done than code for its products is made. */
const LEAST_ROWS = 128;
/** Elements that a thread takes at a time. */
const GRAIN = 32_768;

/** What remains to be done with data for a chain of the plan: loops by number, or a node for the reference engine. */
type Task = { readonly stage: number } & (
  | { readonly kind: "loop"; readonly index: number; readonly items: number; readonly grain: number }
  | { readonly kind: "host"; readonly node: Node; readonly args: readonly Place[]; readonly to: Place }
);

/** A plan with room for its buffers, and for as many threads as may run it. */
export interface PlanLayout extends Layout {
  readonly plan: Plan;
  readonly threads: number;
  readonly pages: number;
  readonly keepsFeeds: boolean;
}

/**
 * Lays a plan out for so many threads at most, or gives undefined where it needs more memory than addresses reach.
 * @param keepsFeeds - what is fed stays where it is
 */
export function planLayout(plan: Plan, threads: number, keepsFeeds = false): PlanLayout | undefined {
  const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE);
  const base = (threadBytes: number) => pagesOf(threads * threadBytes) * PAGE;
  const layout = layOut(plan, SCRATCH_BYTES, base, keepsFeeds);
  const pages = pagesOf(layout.end) + 1;
  return pages > MOST_PAGES ? undefined : { ...layout, plan, threads, pages, keepsFeeds };
}

/** To validate first would read the code twice. */
function compiledModule(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    // Fused products are part of WebAssembly since V8 11.4; Node 20's has them behind a flag.
    process.getBuiltinModule("node:v8").setFlagsFromString(RELAXED_SIMD);
    return new WebAssembly.Module(bytes);
  }
}

export interface ProgramOptions {
  /** The run from which on it is worth to have all threads that the layout has room for. */
  readonly threadsFrom: number;
  /** Whether it measures its stages. */
  readonly timed?: boolean | undefined;
  /** What it is, when it has run on so many threads. */
  readonly describe: (threads: number) => Description;
}

/** Makes a plan's program, or gives undefined where there is no memory for it. */
export function programOf(
  { plan, pages, threads: most, keepsFeeds, ...layout }: PlanLayout,
  { threadsFrom, timed = false, describe }: ProgramOptions,
): Program | undefined {
  const memory = sharedMemory(pages);
  if (!memory) return undefined;
  const { tasks, functions } = assemble(plan, (buffer) => layout.addresses[buffer]!);
  const module = compiledModule(moduleOf(functions, IMPORTS, MOST_PAGES));
  const transfers = transfersOf(plan);
  const files = new Files(transfers, memory);
  const env = { ...ROUTINES, fetch: files.move, deliver: files.move, memory };
  const { exports } = new WebAssembly.Instance(module, { env });
  const id = threads.add({
    memory,
    module,
    exports: exports as Machine["exports"],
    routines: STAND_INS,
    scratch: Array.from({ length: most }, (_, thread) => thread * layout.threadBytes),
  });
  const { buffer } = memory;
  const view = ({ dtype, buffer: of, shape, strides, offset }: Place): View => {
    const address = layout.addresses[of]!.base;
    const bytes = new Uint8Array(buffer, address, Math.floor(plan.buffers[of]! / WIDTH[dtype]) * WIDTH[dtype]);
    return { dtype, data: viewOf(dtype, bytes), shape, strides, offset };
  };

  let work: ReturnType<typeof newWorkspace>;
  const perform = async (task: Task, open: OpenTarget) => {
    if (task.kind === "host") {
      const { node, args, to } = task;
      if (opOf(node).kind === "linalg" && args[0]!.shape.at(-1)! >= LEAST_ROWS) work ??= newWorkspace(most);
      copyInto(view(to), nodeValue(node, args.map(view), work));
      return;
    }
    files.openTargets(task.stage, open);
    const run = (end: number, first = 0) => {
      threads.streams = files.streams;
      threads.run(id, task.index, end, task.grain, first);
    };
    if (files.isWriting) await inSlices(task.items, 2 * task.grain, run);
    else run(task.items);
  };
  const timing = { runs: 0, milliseconds: plan.chains.map(() => 0) };
  const measured = async (task: Task, open: OpenTarget) => {
    const start = process.hrtime.bigint();
    await perform(task, open);
    timing.milliseconds[task.stage]! += Number(process.hrtime.bigint() - start) / 1e6;
  };

  const indicesOf = (kind: "read" | "write") => new Set(transfers.flatMap((t) => (t.kind === kind ? [t.index] : [])));
  const inParts = indicesOf("read");
  const toFiles = indicesOf("write");
  /** What is in memory, of each input. */
  const known: (FeedSource | undefined)[] = [];
  return {
    timing: () => (timed ? timing : undefined),
    written: [...toFiles],
    run: async (feeds, open = noTarget) => {
      for (const [i, place] of plan.inputs.entries()) {
        if (feeds[i] === known[i] || inParts.has(i)) continue;
        known[i] = undefined;
        read(feeds[i]!, view(place));
        if (keepsFeeds) known[i] = feeds[i];
      }
      if (++timing.runs >= threadsFrom) threads.grow(most);
      await files.withOpen(feeds, async () => {
        for (const task of tasks) await (timed ? measured(task, open) : perform(task, open));
      });
      return plan.outputs.flatMap((place, i) => (toFiles.has(i) ? [] : [tensorOf(view(place))]));
    },
    describe: () => describe(Math.min(most, threads.count)),
    dispose: () => {
      threads.remove(id);
      work?.dispose();
    },
  };
}

/** The functions of all loops, and the tasks in order. */
function assemble(plan: Plan, addressOf: AddressOf) {
  const functions: FunctionCode[] = [];
  const tasks: Task[] = [];
  let streams = 0;
  for (const [stage, chain] of plan.chains.entries()) {
    const addTask = ({ code, items, perItem }: Loop) => {
      functions.push(code);
      const grain = Math.max(1, Math.min(Math.ceil(GRAIN / perItem), Math.ceil(items / 2)));
      tasks.push({
        stage,
        kind: "loop",
        index: functions.length - 1,
        items,
        grain,
      });
    };
    const [step] = chain.steps as [Step];
    if (step.kind === "host") tasks.push({ stage, ...step });
    else if (chain.isWhole) loopsOf(step, functions, addressOf).forEach(addTask);
    else chained(chain, streams, functions, addressOf).forEach(addTask);
    streams += chain.fetches.length + chain.deliveries.length;
  }
  return { functions, tasks };
}

type Looping = Exclude<Step, { readonly kind: "host" }>;

/** The loops of a step, one after the other; functions that they call are added to `functions`. */
function loopsOf(step: Looping, functions: FunctionCode[], addressOf: AddressOf): readonly Loop[] {
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

/**
 * A chain: what its product packs, and one loop, whose items are the chain's blocks. Its streams have numbers from
 * `firstStream` on.
 */
function chained(
  { blocks, steps, tail, fetches, deliveries }: Chain,
  firstStream: number,
  functions: FunctionCode[],
  addressOf: AddressOf,
): readonly Loop[] {
  const added = ({ code, items, perItem }: Loop) => {
    functions.push(code);
    return { index: IMPORTS.length + functions.length - 1, items, work: items * perItem };
  };
  const loops = (steps: readonly Step[]) => steps.flatMap((step) => loopsOf(step as Looping, functions, addressOf));
  const [first] = steps as [Step];
  const [packing, making] = first.kind === "product" ? loops([first]) : [];
  const product = making && added(making);
  const [whole, rest] = [steps, tail].map((part) => loops(product ? part.slice(1) : part).map(added)) as [
    ReturnType<typeof added>[],
    ReturnType<typeof added>[],
  ];
  const count = blocks + (tail.length > 0 ? 1 : 0);
  const itemsOfBlock = (index: number, items: number) => {
    const from = op("i32.mul", get(FROM), i32Const(items));
    return call(index, from, op("i32.add", from, i32Const(items)), get(SCRATCH_AT));
  };
  const inWhole = whole.map(({ index, items }) => itemsOfBlock(index, items / blocks));
  const inRest = rest.map(({ index, items }) => call(index, i32Const(0), i32Const(items), get(SCRATCH_AT)));
  const moves = (by: "fetch" | "deliver", moved: readonly Moved[], first: number) =>
    moved.map(({ buffer }, i) => {
      const address = op("i32.add", get(SCRATCH_AT), i32Const(addressOf(buffer).base));
      return call(importIndex(by), i32Const(first + i), get(FROM), address);
    });
  const code = itemFunction();
  code.emit(
    forBelow(
      FROM,
      get(TO),
      1,
      ...moves("fetch", fetches, firstStream),
      ...(product ? [itemsOfBlock(product.index, product.items / count)] : []),
      ...(tail.length > 0
        ? [
            when(op("i32.lt_u", get(FROM), i32Const(blocks)), ...inWhole),
            when(op("i32.eq", get(FROM), i32Const(blocks)), ...inRest),
          ]
        : inWhole),
      ...moves("deliver", deliveries, firstStream + fetches.length),
    ),
  );
  const work = [...(product ? [product] : []), ...whole, ...rest].reduce((sum, loop) => sum + loop.work, 0);
  return [...(packing ? [packing] : []), { code, items: count, perItem: work / count }];
}

const noTarget: OpenTarget = (output) => {
  throw new Error(`no file for output ${output}`);
};

/** Milliseconds of work after which signals are heard: whoever writes a file takes it away should one end the process. */
const SLICE = 50;

/** Does all items, `count` at first, so that the process hears of signals between. */
async function inSlices(items: number, count: number, work: (end: number, first: number) => void): Promise<void> {
  for (let first = 0; first < items; ) {
    const start = process.hrtime.bigint();
    const end = Math.min(first + count, items);
    work(end, first);
    await new Promise(setImmediate);
    const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
    count = Math.ceil(count * Math.min(4, SLICE / milliseconds));
    first = end;
  }
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
