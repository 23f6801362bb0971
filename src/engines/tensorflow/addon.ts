/**
 * The addon of @tensorflow/tfjs-node: TensorFlow's operations, called by name. The package's JavaScript is not loaded: it would take
 * longer than the addon itself, knows fewer operations, and needs functions that Node 23 dropped. Knows no plan.
 */
import { fail } from "../../source.ts";
import type { Attribute } from "./builder.ts";
import type { Installation } from "./find.ts";

/** What of tfjs_binding.node is used. Tensors go by numbers; the memory of those that are made is their array's where that is aligned. */
export interface Addon {
  createTensor(shape: readonly number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): readonly { readonly id: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
}

export interface AddonOptions {
  /** "cpu" hides GPUs, "gpu" needs one; otherwise one is used if it is there. */
  readonly device?: "cpu" | "gpu" | undefined;
  readonly threads?: number | undefined;
}

let loaded: Addon | undefined;

/** The addon, loaded once for a process: the first options hold. Throws TsymError (exit 3) where it does not load, or has no GPU. */
export function loadAddon({ addon, variant, folder, own }: Installation, { device, threads }: AddonOptions): Addon {
  if (!loaded) {
    setEnvironment({
      // TensorFlow would tell of instruction sets and devices on standard error
      TF_CPP_MIN_LOG_LEVEL: process.env["TF_CPP_MIN_LOG_LEVEL"] ?? "3",
      // a run takes the memory that it needs, not all that a GPU has
      TF_FORCE_GPU_ALLOW_GROWTH: process.env["TF_FORCE_GPU_ALLOW_GROWTH"] ?? "true",
      ...(device === "cpu" && { CUDA_VISIBLE_DEVICES: "-1" }),
      ...(threads !== undefined && { TF_NUM_INTRAOP_THREADS: `${threads}`, TF_NUM_INTEROP_THREADS: `${threads}` }),
    });
    try {
      loaded = process.getBuiltinModule("node:module").createRequire(addon)(addon) as Addon;
    } catch (error) {
      fail("engine", `engine tensorflow does not load: ${firstLine(error)}`, {
        exit: 3,
        help: own
          ? "`tsym engines install tensorflow` sets it up anew; `--engine auto` runs without it"
          : `npm has put it into ${folder}, and \`npm rebuild\` there may build it anew; \`--engine auto\` runs without it`,
      });
    }
  }
  if (device === "gpu" && !loaded.isUsingGpuDevice())
    fail("engine", "engine tensorflow finds no GPU", {
      exit: 3,
      help:
        variant === "gpu"
          ? "`nvidia-smi` must show one, with a driver for CUDA 12; with TF_CPP_MIN_LOG_LEVEL=0 TensorFlow says what it misses"
          : "the TensorFlow installed is one for CPUs: `tsym engines install tensorflow --gpu` installs the other; --device cpu computes without",
    });
  return loaded;
}

const setEnvironment = (variables: Readonly<Record<string, string>>): void => {
  Object.assign(process.env, variables);
};

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
