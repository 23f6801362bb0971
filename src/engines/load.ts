/** Which engine a run takes. The only code that knows them all; each is loaded when it is chosen. */
import { fail } from "../source.ts";
import type { Engine } from "./engine.ts";

/** The engine of that name; "auto" is the best there is. Throws TsymError (exit 3) where it lacks the device. */
export async function loadEngine({ engine, device }: { engine: string; device?: "cpu" | "gpu" }): Promise<Engine> {
  const { referenceEngine } = await import("./reference/index.ts");
  if (device === "gpu")
    fail("engine", `engine ${engine === "auto" ? referenceEngine.name : engine} has no GPU`, {
      exit: 3,
      help: "leave --device out, or write --device cpu",
    });
  return referenceEngine;
}
