/** How long a million numbers take as JSON, beside JSON.parse and JSON.stringify in the same process: prints the ratios. */
import { performance } from "node:perf_hooks";
import { parseJson, writeJsonTensor } from "../../src/io/json.ts";
import { isGroup } from "../../src/io/source.ts";
import { tensorOf } from "../../src/tensor/tensor.ts";

const COUNT = 1_000_000;
const ROUNDS = 7;

/** A fixed sequence of numbers in [0, 1): the minimal standard generator of Park and Miller (1988). */
function* uniform(): Generator<number> {
  for (let state = 1; ; ) {
    state = (state * 48271) % 2147483647;
    yield state / 2147483647;
  }
}

const random = uniform();
const numbers = (of: (x: number) => number): number[] => Array.from({ length: COUNT }, () => of(random.next().value));

const CASES = {
  "float64, all digits": { dtype: "float64", values: numbers((x) => x * 10 - 5) },
  "float32, all digits": { dtype: "float32", values: numbers((x) => Math.fround(x * 10 - 5)) },
  "two decimals": { dtype: "float64", values: numbers((x) => Math.round(x * 1e5) / 100) },
  integers: { dtype: "int32", values: numbers((x) => Math.floor(x * 1e6)) },
  bools: { dtype: "bool", values: numbers((x) => Math.round(x)) },
} as const;

/** The best of some rounds, in milliseconds: what else the machine does can only add. */
function best(work: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

for (const [name, { dtype, values }] of Object.entries(CASES)) {
  const tensor = tensorOf(dtype, [COUNT / 10, 10], values);
  const text = writeJsonTensor(tensor);
  const bytes = Buffer.from(text);
  const nested = JSON.parse(text) as unknown;
  const read = best(() => isGroup(parseJson(bytes, "bench"))) / best(() => JSON.parse(bytes.toString()));
  const write = best(() => writeJsonTensor(tensor)) / best(() => JSON.stringify(nested));
  console.log(`${name.padEnd(20)} read ${read.toFixed(2)} x JSON.parse, written ${write.toFixed(2)} x JSON.stringify`);
}
