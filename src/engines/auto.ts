/** The engine that chooses: the embedded one, or TensorFlow where it is there, can do the program, and is done sooner by a model of costs. */
import { ancestors, type Node } from "../graph/node.ts";
import type { ContractAttrs } from "../ops/contract.ts";
import { type OrderOp, opOf } from "../ops/define.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { CompileOptions, ConcreteGraph, Description, Engine } from "./engine.ts";
import { costOf, elementsOf } from "./wasm/cost.ts";
import { wasmEngine } from "./wasm/index.ts";

/** What an engine takes, in nanoseconds, as measured with two threads (`npm run bench` shows the products). */
interface Costs {
  /** Until it computes: the library is loaded, or code is made and threads are started. */
  readonly start: number;
  /** A product and a sum of a contraction, of one thread; the same of linear algebra, of all. */
  readonly product: number;
  readonly linalg: number;
  /** An element of what a node makes, or of what a reduction reads. */
  readonly elementary: number;
  readonly arithmetic: number;
  readonly reduce: number;
  readonly movement: number;
  readonly scan: number;
  readonly index: number;
  readonly sort: number;
  /** An element that is handed over. */
  readonly transfer: number;
}

/** Each operation goes through memory, products run at 75 GFLOP/s a thread. */
const TENSORFLOW: Costs = {
  start: 2.5e8,
  product: 2 / 75,
  linalg: 0.1,
  elementary: 3,
  arithmetic: 1,
  reduce: 1,
  movement: 2,
  scan: 7,
  index: 20,
  sort: 100,
  transfer: 2,
};
/** Loops are fused; the reference engine does what is no loop. */
const EMBEDDED: Costs = {
  start: 5e7,
  product: 2 / 35,
  linalg: 0.2,
  elementary: 3,
  arithmetic: 0.3,
  reduce: 0.5,
  movement: 0.5,
  scan: 7,
  index: 12,
  sort: 110,
  transfer: 0.5,
};

const ORDER: Readonly<Record<OrderOp["order"], "scan" | "index" | "sort">> = {
  cumsum: "scan",
  cumprod: "scan",
  recurrence: "scan",
  take: "index",
  take_along_axis: "index",
  scatter_add: "index",
  scatter_along_axis: "index",
  sort: "sort",
  argsort: "sort",
};

function nodeCost(node: Node, costs: Costs, threads: number): number {
  const op = opOf(node);
  const [x] = node.args;
  switch (op.kind) {
    case "contract": {
      const { summed } = node.attrs as unknown as ContractAttrs;
      const depth = sizeOf(summed.map(([axis]) => x!.type.shape[axis] as number));
      return (elementsOf(node) * depth * costs.product) / threads;
    }
    case "linalg":
      return elementsOf(x!) * (x!.type.shape.at(-1) as number) * costs.linalg;
    case "pointwise":
      return elementsOf(node) * (op.operands === "float" ? costs.elementary : costs.arithmetic);
    case "reduce":
      return elementsOf(x!) * costs.reduce;
    case "movement":
      return op.movement === "reshape" || op.movement === "broadcast" ? 0 : elementsOf(node) * costs.movement;
    case "order":
      return elementsOf(node) * costs[ORDER[op.order]];
    case "leaf":
      return 0;
    default:
      return op satisfies never;
  }
}

/** How long `runs` runs of a graph take, in nanoseconds. */
function timeOf({ inputs, outputs }: ConcreteGraph, costs: Costs, threads: number, runs: number): number {
  const transferred = [...inputs, ...outputs].reduce((sum, node) => sum + elementsOf(node), 0) * costs.transfer;
  const computed = ancestors(outputs).reduce((sum, node) => sum + nodeCost(node, costs, threads), 0);
  return costs.start + runs * (transferred + computed);
}

/** An element in which NaN is looked for, by either engine. */
const LOOK = 10;

/** How long each engine takes. Where NaN is trapped, the embedded one is the reference engine's loops, on one thread. */
function timesOf(graph: ConcreteGraph, { trap, runs = 1, threads }: CompileOptions): { own: number; other: number } {
  const used = threads ?? process.getBuiltinModule("node:os").availableParallelism();
  const [compiled, other] = [EMBEDDED, TENSORFLOW].map((costs) => timeOf(graph, costs, used, runs)) as [number, number];
  if (!trap) return { own: compiled, other };
  const looked = runs * LOOK * ancestors(graph.outputs).reduce((sum, node) => sum + elementsOf(node), 0);
  return { own: looked + Math.max(compiled, runs * costOf(graph)), other: looked + other };
}

/** A model is no measurement: TensorFlow must be sooner by this much. */
const CLEARLY = 0.8;

/** Whether the embedded engine is done before TensorFlow would have started, on one thread even: then no more is asked. */
const isSoonDone = (graph: ConcreteGraph, { trap, runs = 1 }: CompileOptions): boolean =>
  !trap && timeOf(graph, EMBEDDED, 1, runs) * CLEARLY < TENSORFLOW.start;

/** An engine and, where there was a choice, why that one. */
interface Choice {
  readonly engine: Engine;
  readonly reason?: string;
}

const seconds = (nanoseconds: number): string => `${Number((nanoseconds / 1e9).toPrecision(2))} s`;

/** Chooses anew for each graph. Small programs look for nothing and load nothing. */
export function autoEngine(device?: "cpu"): Engine {
  const embedded = wasmEngine();

  const choose = async (graph: ConcreteGraph, options: CompileOptions): Promise<Choice> => {
    if (isSoonDone(graph, options)) return { engine: embedded };
    const { own, other } = timesOf(graph, options);
    if (own * CLEARLY < TENSORFLOW.start) return { engine: embedded };
    if (other > own * CLEARLY)
      return { engine: embedded, reason: `about ${seconds(own)}, TensorFlow's ${seconds(other)}` };
    const { findEngine, problemOf } = await import("./tensorflow/index.ts");
    const found = findEngine(device);
    const [refused] = found?.supports(graph) ?? [];
    if (!found) return { engine: embedded, reason: "TensorFlow, which would be sooner done, is not installed" };
    if (refused) return { engine: embedded, reason: `TensorFlow would be sooner done, but ${refused.reason}` };
    const problem = problemOf({ device, threads: options.threads });
    if (problem) return { engine: embedded, reason: problem };
    return { engine: found, reason: `about ${seconds(other)} with its start, the embedded engine's ${seconds(own)}` };
  };

  return {
    name: "auto",
    supports: () => [],
    isSlow: embedded.isSlow!,
    compile: async (graph, options = {}) => {
      const { engine, reason } = await choose(graph, options);
      const program = await engine.compile(graph, options);
      return { ...program, describe: () => withReason(program.describe!(), reason) };
    },
    describe: async (graph, options = {}) => {
      const { engine, reason } = await choose(graph, options);
      return withReason(await engine.describe!(graph, options), reason);
    },
  };
}

const withReason = (description: Description, reason: string | undefined): Description =>
  reason === undefined ? description : { ...description, reason: `${description.reason}; ${reason}` };
