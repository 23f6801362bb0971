/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import type { CompileOptions, ConcreteGraph, Engine } from "../engine.ts";
import { referenceEngine } from "../reference/index.ts";
import { costOf } from "./cost.ts";
import type { PlanLayout } from "./program.ts";

/** From which costs on something pays, in nanoseconds, about, of the reference engine's loops. */
export interface Thresholds {
  /** To make code. */
  readonly code: number;
  /** To start threads, which takes 50 ms. */
  readonly threads: number;
}

/** Tests have everything done at any cost. */
export const wasmEngine = (thresholds: Thresholds = { code: 5e6, threads: 1e8 }): Engine => ({
  name: "wasm",
  supports: () => [],
  compile: async (graph, options = {}) => {
    const { layout } = await choose(graph, options, thresholds);
    if (!layout) return referenceEngine.compile(graph, options);
    const { programOf } = await import("./compiler.ts");
    return programOf(layout, options.timed) ?? referenceEngine.compile(graph, options);
  },
  describe: async (graph, options = {}) => {
    const { reason, layout } = await choose(graph, options, thresholds);
    if (!layout) return { engine: "reference", reason, threads: 1 };
    const { describeMemory, describeStages } = await import("./compiler.ts");
    const { plan, threads } = layout;
    return {
      engine: "wasm",
      reason,
      threads,
      plan: { stages: describeStages(graph, plan), memory: describeMemory(layout) },
    };
  },
});

/** A plan laid out, if the graph is worth one, and the reason in words. */
async function choose(
  graph: ConcreteGraph,
  { trap, threads: most, fastMath }: CompileOptions,
  { code, threads }: Thresholds,
): Promise<{ readonly reason: string; readonly layout?: PlanLayout | undefined }> {
  if (trap) return { reason: `which alone can trap ${trap}` };
  const cost = costOf(graph);
  const estimate = `the reference engine's loops would take ${inWords(cost)}`;
  if (cost < code) return { reason: `${estimate}; code pays from ${inWords(code)} on` };
  const { planLayout, planOf } = await import("./compiler.ts");
  const layout = planLayout(planOf(graph, fastMath), cost < threads ? 1 : most);
  // Where 32-bit addresses do not reach, the host's own arrays may.
  if (!layout) return { reason: "the program needs more than 4 GiB, all that WebAssembly reaches" };
  const pay = cost < threads ? `threads pay from ${inWords(threads)} on` : "";
  return { layout, reason: [estimate, pay].filter(Boolean).join("; ") };
}

const inWords = (nanoseconds: number): string =>
  nanoseconds < 1e4 ? "less than 0.01 ms" : `about ${Number((nanoseconds / 1e6).toPrecision(2))} ms`;
