/** The embedded engine: fused loops in WebAssembly SIMD, on all cores. It gives the reference engine's bits. */
import type { Engine } from "../engine.ts";
import { referenceEngine } from "../reference/index.ts";
import { costOf, planOf } from "./plan.ts";
import { programOf } from "./program.ts";

/** Below this cost (about nanoseconds of the reference engine's loops) making code takes longer than it saves. */
const WORTH_CODE = 5_000_000;

/** @param worthCode - the least cost that code is made for; tests set it to 0 */
export const wasmEngine = (worthCode = WORTH_CODE): Engine => ({
  name: "wasm",
  supports: () => [],
  compile: async (graph, options = {}) => {
    const program = options.trap || costOf(graph) < worthCode ? undefined : programOf(planOf(graph), options.threads);
    return program ?? referenceEngine.compile(graph, options);
  },
});
