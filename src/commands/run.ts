/** `tsym run`: evaluates a program on data. */
import type { FloatDType } from "../tensor/dtype.ts";
import type { World } from "./world.ts";

/** The flags of `tsym run`, as cli.ts has checked them. */
export interface RunOptions {
  /** The program's text, given in place of a file. */
  readonly eval?: string;
  readonly feed?: readonly string[];
  readonly out?: readonly string[];
  readonly format?: "pretty" | "json" | "ndjson" | "npy" | "npz";
  readonly engine: string;
  readonly device?: "cpu" | "gpu";
  readonly threads?: number;
  readonly float: FloatDType;
  readonly raw?: boolean;
  readonly expect?: readonly string[];
  readonly rtol?: number;
  readonly atol?: number;
  readonly carry?: readonly string[];
  readonly steps?: number;
  readonly trap?: "nan";
  readonly precision?: number;
  readonly time?: boolean;
}

/** Runs the program in `file` (or `options.eval`; exactly one is given) and gives the exit status. Throws TsymError. */
export async function run(_file: string | undefined, _options: RunOptions, _world: World): Promise<number> {
  throw new Error("`tsym run` is not written yet");
}
