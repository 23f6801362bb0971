/** `tsym check`: infers shapes and dtypes without data. */
import { checkProgram } from "../compile.ts";
import type { Lowered } from "../lower/program.ts";
import { renderDiagnostics } from "../render.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { checkJson, checkLines } from "./check-report.ts";
import { load } from "./load.ts";
import type { World } from "./world.ts";

/** The flags of `tsym check`, as cli.ts has checked them. */
export interface CheckOptions {
  /** The program's text, given in place of a file. */
  readonly eval?: string;
  readonly float: FloatDType;
  readonly json?: boolean;
}

/** Checks the program in `file` (or `options.eval`; exactly one is given) and gives the exit status. Throws TsymError. */
export async function check(file: string | undefined, options: CheckOptions, world: World): Promise<number> {
  const program: Lowered = checkProgram(load(file, options.eval, world), { defaultFloat: options.float });
  if (options.json) world.print(`${JSON.stringify(checkJson(program))}\n`);
  else {
    const lines = checkLines(program);
    if (lines.length > 0) world.print(`${lines.join("\n")}\n`);
    if (program.diagnostics.length > 0) world.report(renderDiagnostics(program.diagnostics, { color: world.color }));
  }
  return program.diagnostics.some((d) => d.severity === "error") ? 1 : 0;
}
