/** The library: what the commands do, for programs that call tsym. Touches neither files nor the terminal. */
export { parse } from "../grammar/parser.ts";
export { type Diagnostic, type SourceText, TsymError } from "./source.ts";
