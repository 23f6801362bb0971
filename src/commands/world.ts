/** What a command may touch of the world outside. cli.ts makes the real one; a test can make another. */
export interface World {
  /** The file descriptor that `-` reads. */
  readonly stdin: number;
  /** Results go to a terminal, so `pretty` is the default format. */
  readonly terminal: boolean;
  /** Diagnostics may be coloured. */
  readonly color: boolean;
  /** Standard error is a terminal: a line of it may be drawn over. */
  readonly interactive: boolean;
  /** Writes results to standard output and returns when they are handed over, so a slow reader slows the writer. */
  print(chunk: string | Uint8Array): void;
  /** Writes messages to standard error. */
  report(text: string): void;
}
