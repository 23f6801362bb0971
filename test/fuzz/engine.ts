/** The engine that fuzzed programs run on: the reference engine, with the embedded one held against it. Knows no program's text. */
import {
  type ConcreteGraph,
  type Engine,
  EvaluationError,
  type FeedSource,
  type Program,
} from "../../src/engines/engine.ts";
import { referenceEngine } from "../../src/engines/reference/index.ts";
import { wasmEngine } from "../../src/engines/wasm/index.ts";
import { ancestors } from "../../src/graph/node.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

/** Elements of all tensors of a program that is still run. */
export const MOST_ELEMENTS = 200_000;

const wasm = wasmEngine({ code: 0, threads: 0 });

const sizeInAll = ({ outputs }: ConcreteGraph): number =>
  ancestors(outputs).reduce((sum, { type }) => sum + sizeOf(type.shape as number[]), 0);

/** The reference engine, for small programs. Throws where the embedded engine gives another bit or another error. */
export const comparingEngine: Engine = {
  name: "reference",
  supports: (graph) =>
    sizeInAll(graph) > MOST_ELEMENTS
      ? [{ node: graph.outputs[0]!, reason: "it is too large to be tried" }]
      : referenceEngine.supports(graph),
  compile: async (graph, options) => {
    const reference = await referenceEngine.compile(graph, options);
    return {
      ...reference,
      run: async (feeds) => {
        const embedded = await wasm.compile(graph, { ...options, threads: 1 });
        const found = await outcome(embedded, feeds);
        embedded.dispose();
        const wanted = await outcome(reference, feeds);
        const wrong = difference(found, wanted);
        if (wrong) throw new Error(`the embedded engine gives ${wrong}`);
        if (wanted instanceof EvaluationError) throw wanted;
        return wanted;
      },
    };
  },
};

async function outcome(program: Program, feeds: readonly FeedSource[]): Promise<Tensor[] | EvaluationError> {
  try {
    return await program.run(feeds);
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

/** Where two outcomes differ, in any bit but those of NaNs. */
function difference(found: Tensor[] | EvaluationError, wanted: Tensor[] | EvaluationError): string | undefined {
  if (found instanceof EvaluationError || wanted instanceof EvaluationError) {
    const [one, other] = [found, wanted].map((error) =>
      error instanceof EvaluationError ? `${error.node.op.name} ${error.arg}: ${error.message}` : "a result",
    );
    const isSame = one === other && (found as EvaluationError).node === (wanted as EvaluationError).node;
    return isSame ? undefined : `${one}, not ${other}`;
  }
  for (const [i, { dtype, shape, data }] of wanted.entries()) {
    const other = found[i]!;
    if (dtype !== other.dtype || String(shape) !== String(other.shape) || data.length !== other.data.length)
      return `${other.dtype} (${other.shape}), not ${dtype} (${shape})`;
    const at = data.findIndex((x: number | bigint, k: number) => !Object.is(x, other.data[k]));
    if (at >= 0) return `${other.data[at]}, not ${data[at]}, at ${at} of (${shape})`;
  }
  return undefined;
}
