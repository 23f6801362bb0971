/** Random choices that a seed and a number repeat, on every machine. */

/** splitmix32 (Steele, Lea and Flood 2014, with the constants of Mulvey's search). */
function mix(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

export class Random {
  #state: number;

  /** Streams of one seed have nothing in common that shows. */
  constructor(seed: number, stream: number) {
    this.#state = mix(mix(seed) + stream);
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return Math.floor((mix(this.#state) / 2 ** 32) * n);
  }

  chance(probability: number): boolean {
    return this.below(2 ** 20) < probability * 2 ** 20;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** `make()`, between `least` and `most` times. */
  times<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }
}
