/** From text to a checked program: parses it and what it imports, lowers. Reads no file: whoever calls says what is in them. */
import type { Program } from "../grammar/ast.ts";
import { parse } from "../grammar/parser.ts";
import type { LowerOptions } from "./lower/context.ts";
import type { Sources } from "./lower/fns.ts";
import { type Lowered, lower } from "./lower/program.ts";
import { type Diagnostic, type SourceText, TsymError } from "./source.ts";

/** A file that an `import` statement means. */
export interface ImportedFile {
  /** What messages call it. */
  readonly name: string;
  /** The same for two paths to one file. */
  readonly identity: string;
  /** Its text, or why there is none: "there is no such file". */
  readonly content: () => { readonly text: string } | { readonly missing: string };
}

/** The file that `path`, written in the file called `from`, means. */
export type FindImport = (path: string, from: string) => ImportedFile;

export interface Loaded {
  readonly sources: Sources;
  /** What does not parse, and imports that cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a program and every file it imports; `identity` is the main file's own, where an import may mean it. */
export function loadProgram(main: SourceText, find: FindImport, identity?: string): Loaded {
  const diagnostics: Diagnostic[] = [];
  const parsed = (source: SourceText): Program => {
    const { program, diagnostics: wrong } = parse(source);
    diagnostics.push(...wrong);
    return program;
  };
  const first = parsed(main);
  const read = new Map<string | undefined, Program | undefined>([[identity, first]]);
  for (const program of read.values()) // grows while files that are imported import others
    for (const s of program?.statements ?? []) {
      if (s.kind !== "import") continue;
      const { name, identity, content } = find(s.path, program!.source.name);
      if (read.has(identity)) continue;
      const found = content();
      if ("missing" in found) diagnostics.push(cannotImport(name, found.missing, s.pathSpan));
      read.set(identity, "text" in found ? parsed({ name, text: found.text }) : undefined);
    }
  const imported: Sources["imported"] = (from, path) => read.get(find(path, from.source.name).identity);
  return { sources: { main: first, imported }, diagnostics };
}

const cannotImport = (name: string, reason: string, span: Diagnostic["labels"][number]["span"]): Diagnostic => ({
  severity: "error",
  code: "import",
  message: `cannot import ${name}: ${reason}`,
  labels: [{ span, text: "" }],
  help: name.includes("\0") ? "no path holds `\\u0000`: leave it out" : "the path is relative to the file that imports",
});

/** Lowers a loaded program; all diagnostics come in the order of the text, the main file's first. */
export function checkProgram({ sources, diagnostics }: Loaded, options: LowerOptions): Lowered {
  const lowered = lower(sources, options);
  const offset = ({ labels: [place] }: Diagnostic): number =>
    place?.span.source === sources.main.source ? place.span.start : Number.MAX_SAFE_INTEGER;
  const inOrder = [...diagnostics, ...lowered.diagnostics].sort((a, b) => offset(a) - offset(b));
  return { ...lowered, diagnostics: inOrder };
}

/** Throws where some diagnostic is an error. */
export function failOnErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some((d) => d.severity === "error")) throw new TsymError(diagnostics);
}
