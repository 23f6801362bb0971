/** From a file name to a checked program: reads it and what it imports, parses, lowers. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Program } from "../../grammar/ast.ts";
import { parse } from "../../grammar/parser.ts";
import { descriptorChunks } from "../io/bytes.ts";
import { fileError } from "../io/file.ts";
import type { LowerOptions } from "../lower/context.ts";
import { type Lowered, lower, type Sources } from "../lower/program.ts";
import { type Diagnostic, TsymError } from "../source.ts";
import type { World } from "./world.ts";

export interface Loaded {
  readonly sources: Sources;
  /** What does not parse, and imports that cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses the program in `file` (`-`: standard input) or `text`, and every file it imports. */
export function load(file: string | undefined, text: string | undefined, world: World): Loaded {
  const diagnostics: Diagnostic[] = [];
  const parseText = (name: string, content: string): Program => {
    const { program, diagnostics: wrong } = parse({ name, text: content });
    diagnostics.push(...wrong);
    return program;
  };
  const main =
    text !== undefined ? parseText("-e", text) : parseText(file!, file === "-" ? readAll(world) : readText(file!));
  const folders = new Map([[main, file === undefined || file === "-" ? "." : dirname(file)]]);
  const read = new Map<string, Program | undefined>(file === undefined || file === "-" ? [] : [[resolve(file), main]]);
  for (const [program, folder] of folders) // grows while files that are imported import others
    for (const s of program.statements) {
      if (s.kind !== "import") continue;
      const path = resolve(folder, s.path);
      if (read.has(path)) continue;
      const name = folder === "." ? s.path : `${folder}/${s.path}`;
      const content = readImported(path, name, s.pathSpan, diagnostics);
      const imported = content === undefined ? undefined : parseText(name, content);
      read.set(path, imported);
      if (imported) folders.set(imported, dirname(name));
    }
  return { sources: { main, imported: (from, path) => read.get(resolve(folders.get(from)!, path)) }, diagnostics };
}

/** Lowers a loaded program; its diagnostics come after those of parsing. */
export function check(loaded: Loaded, options: LowerOptions): Lowered {
  const lowered = lower(loaded.sources, options);
  return { ...lowered, diagnostics: [...loaded.diagnostics, ...lowered.diagnostics] };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return fileError("read", file, error);
  }
}

const readAll = (world: World): string => Buffer.concat([...descriptorChunks(world.stdin)]).toString("utf8");

function readImported(
  path: string,
  name: string,
  span: Diagnostic["labels"][number]["span"],
  diagnostics: Diagnostic[],
): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason =
      error instanceof Error && "code" in error && error.code === "ENOENT"
        ? "there is no such file"
        : "it cannot be read";
    diagnostics.push({
      severity: "error",
      code: "import",
      message: `cannot import ${name}: ${reason}`,
      labels: [{ span, text: "" }],
      help: "the path is relative to the file that imports",
    });
    return undefined;
  }
}

/** Throws where some diagnostic is an error. */
export function failOnErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some((d) => d.severity === "error")) throw new TsymError(diagnostics);
}
