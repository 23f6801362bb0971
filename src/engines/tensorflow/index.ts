/** The TensorFlow engine: whole graphs as operations of TensorFlow's C library, by way of @tensorflow/tfjs-node's addon. */
import { availableParallelism } from "node:os";
import { TsymError } from "../../source.ts";
import type { CompileOptions, ConcreteGraph, Description, Engine } from "../engine.ts";
import { type AddonOptions, loadAddon } from "./addon.ts";
import { describePlan } from "./describe.ts";
import { findInstallation, type Installation } from "./find.ts";
import { planOf, unsupportedNodes } from "./plan.ts";
import { programOf } from "./program.ts";

/** The engine on an addon that is there; it is loaded when the first program is compiled. */
export function tensorflowEngine(installation: Installation, device?: AddonOptions["device"]): Engine {
  const prepared = (graph: ConcreteGraph, { threads }: CompileOptions) => {
    const addon = loadAddon(installation, { device, threads });
    const plan = planOf(graph);
    const description: Description = {
      engine: "tensorflow",
      threads: threads ?? availableParallelism(),
      reason: `TensorFlow ${addon.TF_Version} on ${addon.isUsingGpuDevice() ? "a GPU" : "the CPU"}`,
      plan: describePlan(plan),
    };
    return { addon, plan, description };
  };
  return {
    name: "tensorflow",
    supports: unsupportedNodes,
    compile: async (graph, options = {}) => {
      const { addon, plan, description } = prepared(graph, options);
      return programOf(plan, addon, description, options);
    },
    describe: async (graph, options = {}) => prepared(graph, options).description,
  };
}

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
