/** Which engine a run takes. The only code that knows them all; each is loaded when it is chosen. */
import { fail } from "../source.ts";
import type { Engine } from "./engine.ts";

/** "auto" is the best there is for each program. */
export const ENGINES = ["auto", "wasm", "tensorflow", "reference"] as const;
export type EngineName = (typeof ENGINES)[number];

/** The engine of that name. Throws TsymError (exit 3) where it is not there, or lacks the device. */
export async function loadEngine({
  engine,
  device,
}: {
  engine: EngineName;
  device?: "cpu" | "gpu" | undefined;
}): Promise<Engine> {
  if (engine === "tensorflow" || (engine === "auto" && device === "gpu")) {
    const { findEngine } = await import("./tensorflow/index.ts");
    return findEngine(device) ?? failAbsent(device);
  }
  if (device === "gpu")
    fail("engine", `engine ${engine} has no GPU`, { exit: 3, help: "--engine tensorflow may have one" });
  if (engine === "reference") {
    const { referenceEngine } = await import("./reference/index.ts");
    return referenceEngine;
  }
  if (engine === "wasm") {
    const { wasmEngine } = await import("./wasm/index.ts");
    return wasmEngine();
  }
  const { autoEngine } = await import("./auto.ts");
  return autoEngine(device);
}

const failAbsent = (device: "cpu" | "gpu" | undefined): never =>
  fail("engine", "engine tensorflow is not installed", {
    exit: 3,
    help: `\`tsym engines install tensorflow${device === "gpu" ? " --gpu" : ""}\` installs it; without --engine${device === "gpu" ? " and --device" : ""} the default engine computes`,
  });
