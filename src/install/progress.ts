/** How far an installation is: on a terminal a line that is drawn over, elsewhere a line a part. */

/** Where progress goes. */
export interface Screen {
  /** Whether it is a terminal. */
  readonly interactive: boolean;
  /** Writes text. */
  report(text: string): void;
}

const WIDTH = 24;
/** Milliseconds between two drawings. */
const PAUSE = 100;
const CLEAR = "\r\x1b[K";

export class Progress {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Tells of a part for as long as `work` takes; it is told how many of how many bytes are done. */
  async during<T>(title: string, work: (done: (bytes: number, of: number) => void) => Promise<T>): Promise<T> {
    const { interactive } = this.#screen;
    if (interactive) this.#draw(title);
    const start = process.hrtime.bigint();
    try {
      const result = await work((bytes, of) => {
        const now = Number(process.hrtime.bigint() - start) / 1e6;
        if (!interactive || (now - this.#drawn < PAUSE && bytes < of)) return;
        this.#drawn = now;
        this.#draw(bar(title, bytes, of));
      });
      this.#screen.report(`${interactive ? CLEAR : ""}${title}: done\n`);
      return result;
    } catch (error) {
      if (interactive) this.#screen.report(CLEAR);
      throw error;
    } finally {
      this.#drawn = 0;
    }
  }

  #draw(text: string): void {
    this.#screen.report(`${CLEAR}${text}`);
  }
}

/** `title ######............ 103 of 207 MB` */
function bar(title: string, bytes: number, of: number): string {
  const full = Math.round((WIDTH * bytes) / of);
  const megabytes = (count: number) => (count / 1e6).toFixed(0);
  return `${title} ${"#".repeat(full)}${".".repeat(WIDTH - full)} ${megabytes(bytes)} of ${megabytes(of)} MB`;
}
