/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import type { CompileOptions, ConcreteGraph, Engine } from "../engine.ts";
import { referenceEngine } from "../reference/index.ts";
import { costOf } from "./cost.ts";
import type { PlanOptions } from "./plan.ts";

/** From which costs on something pays, in nanoseconds, about, of the reference engine's loops. */
export interface Thresholds {
  /** To make code. */
  readonly code: number;
  /** To start threads, which takes 30 ms; a program that is run again has them in any case. */
  readonly threads: number;
}

/** Each thread has memory of its own. */
const MOST_THREADS = 64;

/** Tests have everything done at any cost. */
export const wasmEngine = (thresholds: Thresholds = { code: 5e6, threads: 4e8 }): Engine => ({
  name: "wasm",
  supports: () => [],
  compile: async (graph, options = {}) => {
    const { threads, atOnce } = choose(graph, options, thresholds);
    if (threads > 0) {
      const { planLayout, planOf, programOf, Threads } = await import("./compiler.ts");
      const pool = new Threads(atOnce);
      const layout = planLayout(planOf(graph, planOptions(options)), threads, options.keepsFeeds);
      const program = layout && programOf(layout, pool, options.timed);
      if (program) return program;
      pool.dispose();
    }
    return referenceEngine.compile(graph, options);
  },
  describe: async (graph, options = {}) => {
    const { reason, threads, atOnce } = choose(graph, options, thresholds);
    if (threads === 0) return { engine: "reference", reason, threads: 1 };
    const { describeMemory, describeStages, planLayout, planOf } = await import("./compiler.ts");
    const plan = planOf(graph, planOptions(options));
    const layout = planLayout(plan, threads, options.keepsFeeds);
    // The host's own arrays may be larger.
    if (!layout)
      return {
        engine: "reference",
        reason: "the program needs more than 4 GiB, all that WebAssembly reaches",
        threads: 1,
      };
    return {
      engine: "wasm",
      reason,
      threads: atOnce,
      plan: { stages: describeStages(graph, plan), memory: describeMemory(layout) },
    };
  },
});

/** What is kept for the next run is in memory as a whole. */
const planOptions = ({ fastMath, keepsFeeds, inFiles }: CompileOptions): PlanOptions => ({
  fastMath,
  inFiles: keepsFeeds ? undefined : inFiles,
});

/**
 * How many threads a graph may have, none where the reference engine's loops serve as well; how many it has from the beginning;
 * and the reason in words.
 */
function choose(
  graph: ConcreteGraph,
  { trap, threads: most }: CompileOptions,
  { code, threads }: Thresholds,
): { readonly reason: string; readonly threads: number; readonly atOnce: number } {
  const reference = { threads: 0, atOnce: 0 };
  if (trap) return { reason: `which alone can trap ${trap}`, ...reference };
  const cost = costOf(graph);
  const estimate = `the reference engine's loops would take ${inWords(cost)}`;
  if (cost < code) return { reason: `${estimate}; code pays from ${inWords(code)} on`, ...reference };
  const all = Math.min(most ?? process.getBuiltinModule("node:os").availableParallelism(), MOST_THREADS);
  if (cost < threads)
    return { reason: `${estimate}; threads pay from ${inWords(threads)} on`, threads: all, atOnce: 1 };
  return { reason: estimate, threads: all, atOnce: all };
}

const inWords = (nanoseconds: number): string =>
  nanoseconds < 1e4 ? "less than 0.01 ms" : `about ${Number((nanoseconds / 1e6).toPrecision(2))} ms`;
