/** `tsym check`: infers shapes and dtypes without data. */
import type { FloatDType } from "../tensor/dtype.ts";
import type { World } from "./world.ts";

/** The flags of `tsym check`, as cli.ts has checked them. */
export interface CheckOptions {
  /** The program's text, given in place of a file. */
  readonly eval?: string;
  readonly float: FloatDType;
  readonly json?: boolean;
}

/** Checks the program in `file` (or `options.eval`; exactly one is given) and gives the exit status. Throws TsymError. */
export async function check(_file: string | undefined, _options: CheckOptions, _world: World): Promise<number> {
  throw new Error("`tsym check` is not written yet");
}
