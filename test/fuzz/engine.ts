/** The engine that fuzzed programs run on: the reference engine, with the embedded one held against it. Knows no program's text. */
import {
  type CompileOptions,
  type ConcreteGraph,
  type Engine,
  EvaluationError,
  type FeedSource,
  type Program,
} from "../../src/engines/engine.ts";
import { referenceEngine } from "../../src/engines/reference/index.ts";
import { ancestors } from "../../src/graph/node.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { filed } from "../filed.ts";
import { blockwise, wasm } from "../job.ts";

/** Elements of all tensors of a program that is still run. */
export const MOST_ELEMENTS = 200_000;

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
        const found = await (isBlockwise(graph) ? ofBlocks(graph, feeds, options) : ofWholes(graph, feeds, options));
        const wanted = await outcome(reference, feeds);
        const wrong = difference(found, wanted);
        if (wrong) throw new Error(`the embedded engine gives ${wrong}`);
        if (wanted instanceof EvaluationError) throw wanted;
        return wanted;
      },
    };
  },
};

/** Every other graph is computed in small blocks, on threads, its inputs read from files; the same ones each time. */
const isBlockwise = ({ outputs }: ConcreteGraph): boolean => ancestors(outputs).length % 2 === 0;

async function ofWholes(graph: ConcreteGraph, feeds: readonly FeedSource[], options: CompileOptions = {}) {
  const program = await wasm.compile(graph, { ...options, threads: 1 });
  const found = await outcome(program, feeds);
  program.dispose();
  return found;
}

async function ofBlocks(graph: ConcreteGraph, feeds: readonly FeedSource[], options: CompileOptions = {}) {
  const dtypes = feeds.map(({ type: { dtype, shape } }) =>
    dtype === "float32" && sizeOf(shape) % 2 === 0 ? "float64" : dtype,
  );
  const { feeds: inFiles, inFiles: map, remove } = filed(graph, feeds, dtypes);
  try {
    const program = await blockwise.compile(graph, { ...options, threads: 2, inFiles: map });
    const found = await outcome(program, inFiles);
    program.dispose();
    return found;
  } finally {
    remove();
  }
}

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
