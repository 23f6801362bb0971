/** `--time`: how long each phase took. */

export class Stopwatch {
  readonly #laps = new Map<string, number>();
  #last = performance.now();

  /** Ends a phase; phases of one name add up. */
  lap(phase: string): void {
    const now = performance.now();
    this.#laps.set(phase, (this.#laps.get(phase) ?? 0) + now - this.#last);
    this.#last = now;
  }

  /** A line a phase, in milliseconds; `start` is what came before the first. */
  report(): string {
    const total = performance.now();
    const counted = [...this.#laps.values()].reduce((a, b) => a + b, 0);
    const rows = [["start", total - counted] as const, ...this.#laps, ["total", total] as const];
    return rows.map(([phase, ms]) => `${phase.padEnd(8)} ${ms.toFixed(1).padStart(9)} ms\n`).join("");
  }
}
