/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import type { CompileOptions, ConcreteGraph, Description, Engine } from "../engine.ts";
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
    if ("threads" in choice) {
      const { programOf, threads } = await import("./compiler.ts");
      if (choice.threadsFrom <= 1) threads.grow(choice.threads);
      const { layout, describe } = await laidOut(graph, options, choice, thresholds);
      const program = layout && programOf(layout, { ...choice, timed: options.timed, describe });
      if (program) return program;
    }
    const reason = "threads" in choice ? TOO_LARGE : choice.reason;
    const program = await referenceEngine.compile(graph, options);
    return { ...program, describe: () => onReference(reason) };
  },
  describe: async (graph, options = {}) => {
    const choice = choose(graph, options, thresholds);
    if (!("threads" in choice)) return onReference(choice.reason);
    const { layout, describe } = await laidOut(graph, options, choice, thresholds);
    return layout ? describe(choice.threadsFrom <= 1 ? choice.threads : 1) : onReference(TOO_LARGE);
  },
});

/** The host's own arrays may be larger. */
const TOO_LARGE = "the program needs more than 4 GiB, all that WebAssembly reaches, or than the process gets";

const onReference = (reason: string): Description => ({ engine: "reference", reason, threads: 1 });

/** Why something is done so, and, where the reference engine's loops do not serve as well, on how many threads, and from which run on. */
type Choice = { readonly reason: string } | Threaded;
interface Threaded {
  readonly reason: string;
  readonly threads: number;
  readonly threadsFrom: number;
}

function choose(graph: ConcreteGraph, { trap, threads: most }: CompileOptions, { code, threads }: Thresholds): Choice {
  if (trap) return { reason: `compiled loops trap no ${trap}` };
  const cost = costOf(graph);
  const estimate = `the reference engine's loops would take ${inWords(cost)}`;
  if (cost < code) return { reason: `${estimate}; code pays from ${inWords(code)} on` };
  return {
    reason: cost < threads ? `${estimate}; threads pay from ${inWords(threads)} on` : estimate,
    threads: Math.min(most ?? process.getBuiltinModule("node:os").availableParallelism(), MOST_THREADS),
    threadsFrom: Math.ceil(threads / Math.max(cost, 1)),
  };
}

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
