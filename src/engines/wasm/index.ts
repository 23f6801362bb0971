/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import { ancestors } from "../../graph/node.ts";
import type { CompileOptions, ConcreteGraph, Description, Engine, Program } from "../engine.ts";
import { referenceEngine } from "../reference/index.ts";
import { costOf } from "./cost.ts";
import type { PlanLimits } from "./plan.ts";

/** From which costs on something pays, in nanoseconds, about, of the reference engine's loops. */
export interface Thresholds {
  /** To make code. */
  readonly code: number;
  /** To start threads, which takes 30 ms: the cost of a run, or of all runs of a program so far. */
  readonly threads: number;
  /** To go by blocks; the plan's own where absent. */
  readonly plan?: PlanLimits;
}

/** Each thread has memory of its own. */
const MOST_THREADS = 64;

/** Tests have everything done at any cost. */
export const wasmEngine = (thresholds: Thresholds = { code: 5e6, threads: 4e8 }): Engine => ({
  name: "wasm",
  supports: () => [],
  isSlow: (graph) => costOf(graph) >= thresholds.code,
  compile: async (graph, options = {}) => {
    const choice = choose(graph, options, thresholds);
    const program = "threads" in choice ? await compiled(graph, options, choice, thresholds) : undefined;
    if (program) return program;
    const loops = await referenceEngine.compile(graph, options);
    if ("threads" in choice) return { ...loops, describe: () => onReference(TOO_LARGE) };
    return growing({ ...loops, describe: () => onReference(choice.reason) }, choice.codeFrom, () =>
      compiled(graph, options, choice.often(), thresholds),
    );
  },
  describe: async (graph, options = {}) => {
    const choice = choose(graph, options, thresholds);
    if (!("threads" in choice)) return onReference(choice.reason);
    const { layout, describe } = await laidOut(graph, options, choice, thresholds);
    return layout ? describe(choice.threadsFrom <= 1 ? choice.threads : 1) : onReference(TOO_LARGE);
  },
});

/** The program in WebAssembly; undefined where there is no memory for it. */
async function compiled(graph: ConcreteGraph, options: CompileOptions, choice: Threaded, thresholds: Thresholds) {
  const { programOf, threads } = await import("./compiler.ts");
  if (choice.threadsFrom <= 1) threads.grow(choice.threads);
  const { layout, describe } = await laidOut(graph, options, choice, thresholds);
  return layout && programOf(layout, { ...choice, timed: options.timed, describe });
}

/** A program that runs as it is until the run `from`, and is from then on what `compile` makes of it: with the same bits. */
function growing(loops: Program, from: number, compile: () => Promise<Program | undefined>): Program {
  let program = loops;
  let runs = 0;
  return {
    ...loops,
    timing: () => program.timing?.(),
    run: async (...run) => {
      if (++runs === from) program = (await compile()) ?? loops;
      return program.run(...run);
    },
    describe: () => program.describe!(),
    dispose: () => program.dispose(),
  };
}

/** The host's own arrays may be larger. */
const TOO_LARGE = "the program needs more than 4 GiB, all that WebAssembly reaches, or than the process gets";

const onReference = (reason: string): Description => ({ engine: "reference", reason, threads: 1 });

/** Why the reference engine's loops serve as well, and until which run; or why they do not, on how many threads, and from which run on. */
type Choice = { readonly reason: string; readonly codeFrom: number; readonly often: () => Threaded } | Threaded;
interface Threaded {
  readonly reason: string;
  readonly threads: number;
  readonly threadsFrom: number;
}

function choose(graph: ConcreteGraph, options: CompileOptions, thresholds: Thresholds): Choice {
  const { trap, runs = 1, threads: most } = options;
  const { code, threads } = thresholds;
  const cost = costOf(graph);
  const threaded = (reason: string): Threaded => ({
    reason,
    threads: Math.min(most ?? process.getBuiltinModule("node:os").availableParallelism(), MOST_THREADS),
    threadsFrom: Math.ceil(threads / Math.max(cost, 1)),
  });
  const obstacle = trap
    ? `compiled loops trap no ${trap}`
    : typeof WebAssembly === "undefined" && "this Node has no WebAssembly";
  if (obstacle) return { reason: obstacle, codeFrom: Infinity, often: () => threaded(obstacle) };
  const estimate = `the reference engine's loops would take ${inWords(cost)}`;
  const nodes = ancestors(graph.outputs).length;
  const codeFrom = 1 + Math.ceil((MAKING.all + MAKING.node * nodes) / (cost + CALL * nodes));
  if (cost < code && runs <= 2 * codeFrom)
    return {
      reason: `${estimate}; code pays from ${inWords(code)} on`,
      codeFrom,
      often: () => threaded(`${estimate}, ${codeFrom} times and more`),
    };
  const reason = cost < code ? `${estimate}, ${runs} times` : estimate;
  return threaded(cost < threads ? `${reason}; threads pay from ${inWords(threads)} on` : reason);
}

/** What it takes to make code, and what a node takes the reference engine before its loop begins, in nanoseconds, about. */
const MAKING = { all: 2e7, node: 5e4 };
const CALL = 3e3;

/** The graph's plan with room for its buffers, if there can be such, and what it is in words. */
async function laidOut(
  graph: ConcreteGraph,
  options: CompileOptions,
  { reason, threads }: Threaded,
  { plan: limits }: Thresholds,
) {
  const { describeMemory, describeStages, planLayout, planOf } = await import("./compiler.ts");
  const { fastMath, keepsFeeds, inFiles, toFiles } = options;
  // What is kept for the next run is in memory as a whole.
  const plan = planOf(graph, { fastMath, inFiles: keepsFeeds ? undefined : inFiles, toFiles, limits });
  const layout = planLayout(plan, threads, keepsFeeds);
  const describe = (count: number): Description => ({
    engine: "wasm",
    reason,
    threads: count,
    plan: { stages: describeStages(graph, plan), memory: describeMemory(layout!) },
  });
  return { layout, describe };
}

const inWords = (nanoseconds: number): string =>
  nanoseconds < 1e4 ? "less than 0.01 ms" : `about ${Number((nanoseconds / 1e6).toPrecision(2))} ms`;
