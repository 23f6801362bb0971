/** `--time`: how long each phase took. */

/** Milliseconds since the process began. (`performance` takes as many to load.) */
const now = (): number => process.uptime() * 1000;

export class Stopwatch {
  readonly #laps = new Map<string, number>();
  #last = now();

  /** Ends a phase; phases of one name add up. */
  lap(phase: string): void {
    const end = now();
    this.#laps.set(phase, (this.#laps.get(phase) ?? 0) + end - this.#last);
    this.#last = end;
  }

  /** A line a phase, in milliseconds; `start` is what came before the first. */
  report(): string {
    const total = now();
    const counted = [...this.#laps.values()].reduce((a, b) => a + b, 0);
    const rows = [["start", total - counted] as const, ...this.#laps, ["total", total] as const];
    return rows.map(([phase, ms]) => `${phase.padEnd(8)} ${ms.toFixed(1).padStart(9)} ms\n`).join("");
  }
}
