/** Text, places in it, and what is wrong there. Plain data: knows nothing of terminals (render.ts) or of graphs. */

export interface SourceText {
  /** As the user named it: a path, `-e` or `-`. */
  readonly name: string;
  readonly text: string;
}

/** Two UTF-16 offsets into a text; lines and columns are worked out when one is printed. */
export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/** Whether `text` is written as a name of the language is. (Unicode's classes take a millisecond to compile: few names need them.) */
export const isName = (text: string): boolean =>
  /^[a-zA-Z_]\w*$/.test(text) || (/[^\0-\x7f]/.test(text) && /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(text));

/** What is written at a place. */
export const textOf = ({ source, start, end }: Span): string => source.text.slice(start, end);

export interface Label {
  readonly span: Span;
  /** What stands at that place, e.g. "shape (5, 3)"; "" underlines without words. */
  readonly text: string;
}

export type Severity = "error" | "warning";

/** One mistake. The first label is where it is; the others show what it conflicts with. */
export interface Diagnostic {
  readonly severity: Severity;
  /** A short kebab-case class, shown as `error[code]`. */
  readonly code: string;
  readonly message: string;
  readonly labels: readonly Label[];
  /** What to write or do instead. */
  readonly help?: string | undefined;
}

/** Whose fault it is, as an exit status: the program or its data, the command line, the engine. */
export type ExitStatus = 1 | 2 | 3;

/** The one error that tsym throws for a user's mistake: everything found in one go. */
export class TsymError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  readonly exit: ExitStatus;
  constructor(diagnostics: readonly Diagnostic[], exit: ExitStatus = 1) {
    super(diagnostics.map((d) => d.message).join("\n"));
    this.name = "TsymError";
    this.diagnostics = diagnostics;
    this.exit = exit;
  }
}

/** A TsymError of one diagnostic, for mistakes that end the work at once. */
export function fail(
  code: string,
  message: string,
  more: {
    labels?: readonly Label[];
    help?: string | undefined;
    exit?: ExitStatus;
  } = {},
): never {
  throw new TsymError(
    [
      {
        severity: "error",
        code,
        message,
        labels: more.labels ?? [],
        help: more.help,
      },
    ],
    more.exit ?? 1,
  );
}
