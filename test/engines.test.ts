/** Every engine of ours gives the reference engine's bits. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bind } from "../src/bind/bind.ts";
import type { Engine } from "../src/engines/engine.ts";
import { EvaluationError } from "../src/engines/engine.ts";
import { referenceEngine } from "../src/engines/reference/index.ts";
import { wasmEngine } from "../src/engines/wasm/index.ts";
import { optimize } from "../src/optimize/index.ts";
import { TsymError } from "../src/source.ts";
import type { FloatDType, TypedArray } from "../src/tensor/dtype.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { compile } from "./evaluate.ts";

/** The outputs of a program without inputs. */
async function outputsOf(engine: Engine, text: string, float: FloatDType, threads = 1): Promise<Tensor[] | string> {
  const program = compile(text, float);
  const { outputs } = bind(program, program.outputs, new Map());
  const graph = { inputs: [], outputs: optimize(outputs.map((o) => o.node)).outputs };
  const compiled = await engine.compile(graph, { threads });
  try {
    return await compiled.run([]);
  } catch (error) {
    if (error instanceof EvaluationError) return error.message;
    throw error;
  } finally {
    compiled.dispose();
  }
}

/** Elements as text that tells all bits but those of NaNs. */
const bits = (data: TypedArray): string[] =>
  Array.from<number | bigint, string>(data as Float64Array, (x) => (Object.is(x, -0) ? "-0" : String(x)));
const comparable = (outputs: Tensor[] | string): unknown =>
  typeof outputs === "string" ? outputs : outputs.map(({ dtype, shape, data }) => ({ dtype, shape, data: bits(data) }));

const programs: { program: string }[] = JSON.parse(readFileSync("test/oracles/ops.json", "utf8"));

describe.each(["float32", "float64"] as const)("wasm, in %s, gives the reference engine's bits for", (float) => {
  test.each(programs)("$program", async ({ program }) => {
    let expected: Tensor[] | string;
    try {
      expected = await outputsOf(referenceEngine, program, float);
    } catch (error) {
      if (error instanceof TsymError) return;
      throw error;
    }
    expect(comparable(await outputsOf(wasmEngine(0), program, float))).toEqual(comparable(expected));
  });
});
