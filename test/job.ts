/** Programs with data, run on our engines and held against each other. */
import { setTimeout } from "node:timers/promises";
import { bind } from "../src/bind/bind.ts";
import { type ConcreteGraph, type Engine, EvaluationError, type FeedSource } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { wasmEngine } from "../src/engines/wasm/index.ts";
import { optimize } from "../src/optimize/index.ts";
import { allocate, type DType, type FloatDType, type TypedArray } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor } from "../src/tensor/tensor.ts";
import { compile } from "./evaluate.ts";

/** The embedded engine, made to compile everything. */
export const wasm = wasmEngine({ code: 0, threads: 0 });

export interface Job {
  readonly graph: ConcreteGraph;
  readonly feeds: readonly FeedSource[];
}

/** A program with data for its inputs, of these shapes: `fill` gives the i-th element. */
export function jobOf(
  text: string,
  float: FloatDType,
  shapes: Readonly<Record<string, readonly number[]>> = {},
  fill: (dtype: DType, i: number) => number = (_, i) => Math.sin(i * 12.9898) * 3,
): Job {
  const program = compile(text, float);
  const fed = new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape, label: name }]));
  const { inputs, outputs } = bind(program, program.outputs, fed);
  const feeds = inputs.map(({ node }): FeedSource => {
    const { dtype } = node.type;
    const shape = node.type.shape as number[];
    const data: TypedArray = allocate(dtype, sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      const x = fill(dtype, i);
      data[i] = dtype === "int64" ? BigInt(Math.trunc(x) || 0) : dtype === "bool" ? Number(x > 0) : x;
    }
    return { type: { dtype, shape }, readInto: (bytes) => bytes.set(new Uint8Array(data.buffer)) };
  });
  const graph = { inputs: inputs.map((i) => i.node), outputs: optimize(outputs.map((o) => o.node)).outputs };
  return { graph, feeds };
}

/** What a job gives: its outputs, or what was wrong with the data. Run `times` times, so that threads have time to come. */
export async function outcome(
  engine: Engine,
  { graph, feeds }: Job,
  threads = 1,
  times = 1,
): Promise<Tensor[] | string> {
  const program = await engine.compile(graph, { threads });
  try {
    let outputs = await program.run(feeds);
    for (let i = 1; i < times; i++) {
      await setTimeout(100);
      outputs = await program.run(feeds);
    }
    return outputs;
  } catch (error) {
    if (error instanceof EvaluationError) return error.message;
    throw error;
  } finally {
    program.dispose();
  }
}

/** Where the outcomes of a job differ, in any bit but those of NaNs. */
export const differences = async (job: Job, threads?: number, times?: number): Promise<string[]> =>
  differing(await outcome(wasm, job, threads, times), await outcome(referenceEngine, job));

/** Where an outcome is not what is wanted, in any bit but those of NaNs. */
export function differing(found: Tensor[] | string, wanted: Tensor[] | string): string[] {
  if (typeof found === "string" || typeof wanted === "string")
    return found === wanted ? [] : [`${found}, not ${wanted}`];
  return wanted.flatMap(({ dtype, shape, data }, i) => {
    const other = found[i]!;
    if (dtype !== other.dtype || String(shape) !== String(other.shape)) return [`output ${i}: another type`];
    const at = data.findIndex((x: number | bigint, k: number) => !Object.is(x, other.data[k]));
    return at < 0 ? [] : [`output ${i}: ${other.data[at]}, not ${data[at]}, at ${at} of ${shape}`];
  });
}
