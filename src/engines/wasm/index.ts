/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import type { Engine } from "../engine.ts";
import { referenceEngine } from "../reference/index.ts";
import { costOf, planOf } from "./plan.ts";
import { programOf } from "./program.ts";

/** From which costs on something pays, in nanoseconds, about, of the reference engine's loops. */
export interface Thresholds {
  /** To make code. */
  readonly code: number;
  /** To start threads, which takes 50 ms. */
  readonly threads: number;
}

/** Tests have everything done at any cost. */
export const wasmEngine = ({ code, threads }: Thresholds = { code: 5e6, threads: 1e8 }): Engine => ({
  name: "wasm",
  supports: () => [],
  compile: async (graph, options = {}) => {
    const cost = costOf(graph);
    if (options.trap || cost < code) return referenceEngine.compile(graph, options);
    const program = programOf(planOf(graph), cost < threads ? 1 : options.threads);
    // Where 32-bit addresses do not reach, the host's own arrays may.
    return program ?? referenceEngine.compile(graph, options);
  },
});
