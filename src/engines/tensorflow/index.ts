/** The TensorFlow engine: whole graphs as operations of TensorFlow's C library, by way of @tensorflow/tfjs-node's addon. */
import { availableParallelism } from "node:os";
import { TsymError } from "../../source.ts";
import type { Engine } from "../engine.ts";
import { type AddonOptions, loadAddon } from "./addon.ts";
import { describePlan } from "./describe.ts";
import { findInstallation, type Installation } from "./find.ts";
import { planOf, unsupportedNodes } from "./plan.ts";
import { programOf } from "./program.ts";

/** The engine on an addon that is there; it is loaded when the first program is compiled. */
export const tensorflowEngine = (installation: Installation, device?: AddonOptions["device"]): Engine => ({
  name: "tensorflow",
  supports: unsupportedNodes,
  compile: async (graph, options = {}) =>
    programOf(planOf(graph), loadAddon(installation, { device, threads: options.threads }), options),
  describe: async (graph, options = {}) => {
    const addon = loadAddon(installation, { device, threads: options.threads });
    return {
      engine: "tensorflow",
      threads: options.threads ?? availableParallelism(),
      reason: `TensorFlow ${addon.TF_Version} on ${addon.isUsingGpuDevice() ? "a GPU" : "the CPU"}`,
      plan: describePlan(planOf(graph)),
    };
  },
});

/** The engine, where an addon is there. */
export function findEngine(device?: AddonOptions["device"]): Engine | undefined {
  const installation = findInstallation(device);
  return installation && tensorflowEngine(installation, device);
}

/** Why the addon that is there does not load; nothing where it does. */
export function problemOf(options: AddonOptions): string | undefined {
  try {
    loadAddon(findInstallation(options.device)!, options);
    return undefined;
  } catch (error) {
    if (error instanceof TsymError) return error.message;
    throw error;
  }
}
