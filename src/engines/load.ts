/** Which engine a run takes. The only code that knows them all; each is loaded when it is chosen. */
import { fail } from "../source.ts";
import type { Engine } from "./engine.ts";

/** "auto" is the best there is. */
export const ENGINES = ["auto", "wasm", "reference"] as const;
export type EngineName = (typeof ENGINES)[number];

/** The engine of that name. Throws TsymError (exit 3) where it lacks the device. */
export async function loadEngine({
  engine,
  device,
}: {
  engine: EngineName;
  device?: "cpu" | "gpu" | undefined;
}): Promise<Engine> {
  if (device === "gpu")
    fail("engine", `engine ${engine === "auto" ? "wasm" : engine} has no GPU`, {
      exit: 3,
      help: "leave --device out, or write --device cpu",
    });
  if (engine === "reference") {
    const { referenceEngine } = await import("./reference/index.ts");
    return referenceEngine;
  }
  const { wasmEngine } = await import("./wasm/index.ts");
  return wasmEngine();
}
