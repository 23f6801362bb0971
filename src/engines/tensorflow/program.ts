/** A plan at work: its calls made one after another, each tensor let go as soon as the plan is done with it. */
import type { Node } from "../../graph/node.ts";
import { allocate, itemSize, OutOfMemory, type TypedArray, viewOf } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { type CompileOptions, type Description, EvaluationError, type FeedSource, type Program } from "../engine.ts";
import { copied } from "../reference/copy.ts";
import { nodeValue } from "../reference/evaluate.ts";
import { refuseNewNaN } from "../reference/trap.ts";
import { viewOfTensor } from "../reference/view.ts";
import type { Addon } from "./addon.ts";
import { type Register, TYPE_NUMBER } from "./builder.ts";
import type { Plan, Step } from "./plan.ts";
import { settledValues } from "./settled.ts";

/** The addon's tensors by register. */
class Tensors {
  readonly #addon: Addon;
  readonly #ids = new Map<Register, number>();

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  /** Makes a tensor of elements, whose memory it keeps. */
  put(register: Register, data: TypedArray): void {
    const { dtype, shape } = register;
    this.release(register);
    this.#ids.set(register, this.#addon.createTensor(shape, TYPE_NUMBER[dtype], data as Float32Array));
  }

  hold(register: Register, id: number): void {
    this.#ids.set(register, id);
  }

  id(register: Register): number {
    return this.#ids.get(register)!;
  }

  /** A copy of the elements. */
  read(register: Register): Tensor {
    const { dtype, shape } = register;
    return { dtype, shape, data: this.#addon.tensorDataSync(this.id(register)) };
  }

  release(register: Register): void {
    const id = this.#ids.get(register);
    if (id === undefined) return;
    this.#addon.deleteTensor(id);
    this.#ids.delete(register);
  }

  /** Lets go of all but some. */
  releaseOthers(kept: ReadonlySet<Register>): void {
    for (const register of [...this.#ids.keys()]) if (!kept.has(register)) this.release(register);
  }
}

/** What TF_Status calls the lack of memory (tf_status.h). */
const RESOURCE_EXHAUSTED = 8;

/** TensorFlow's own error, by its number. */
const statusOf = (error: unknown): number =>
  Number(/Invalid TF_Status: (\d+)/.exec(error instanceof Error ? error.message : "")?.[1]);

/** The plan's program on an addon; constants are made at the first run and stay. */
export function programOf(
  plan: Plan,
  addon: Addon,
  description: Description,
  { trap, timed, keepsFeeds }: CompileOptions = {},
): Program {
  const tensors = new Tensors(addon);
  const constants = new Set([...plan.constants, ...plan.settled].map(({ register }) => register));
  const isRead = new Set(plan.steps.flatMap(({ args, calls }) => [...args, ...calls.flatMap((call) => call.inputs)]));
  const timing = { runs: 0, milliseconds: plan.steps.map(() => 0) };
  /** What stays from run to run. */
  const kept = new Set([...constants, ...(keepsFeeds ? plan.inputs : [])]);
  /** What was read last for each input that stays. */
  const fed: FeedSource[] = [];
  /** Of constants that are outputs, what they are. */
  let settled: ReadonlyMap<Register, Tensor> | undefined;

  const prepare = (): ReadonlyMap<Register, Tensor> => {
    const values = settledValues([...plan.settled.map(({ node }) => node), ...plan.unread], { trap });
    for (const [i, { register }] of plan.settled.entries())
      if (isRead.has(register)) tensors.put(register, values[i]!.data);
    for (const { register, tensor } of plan.constants) tensors.put(register, tensor.data);
    return new Map(plan.settled.map(({ register }, i) => [register, values[i]!]));
  };
  const output = (register: Register, i: number): Tensor => {
    const known = settled?.get(register);
    if (known) return { ...known, data: known.data.slice() };
    const tensor = tensors.read(register);
    if (!kept.has(register) && !plan.outputs.includes(register, i + 1)) tensors.release(register);
    return tensor;
  };

  const perform = (step: Step): void => {
    const { node, args, calls, result, wrong, refuses, frees } = step;
    try {
      for (const { op, attributes, inputs, outputs, frees } of calls) {
        const made = addon.executeOp(
          op,
          attributes,
          inputs.map((input) => tensors.id(input)),
          outputs.length,
        );
        for (const [i, output] of outputs.entries()) tensors.hold(output, made[i]!.id);
        for (const register of frees) tensors.release(register);
      }
      if (wrong && tensors.read(wrong).data[0] === 1) byReference(node, args, result);
    } catch (error) {
      if (statusOf(error) === RESOURCE_EXHAUSTED) throw new OutOfMemory(result.dtype, sizeOf(result.shape));
      if (!refuses || error instanceof EvaluationError) throw error;
      byReference(node, args, result);
    }
    if (trap) refuseNewNaN(node, () => args.map(viewAt), viewAt(result));
    for (const register of frees) if (!kept.has(register)) tensors.release(register);
  };
  const viewAt = (register: Register) => viewOfTensor(tensors.read(register));

  /** The reference engine says what is wrong with the data, or computes what TensorFlow cannot. */
  const byReference = (node: Node, args: readonly Register[], result: Register): void => {
    tensors.put(result, copied(nodeValue(node, args.map(viewAt))).data);
  };

  const measured = (step: Step, i: number): void => {
    const start = process.hrtime.bigint();
    perform(step);
    timing.milliseconds[i]! += Number(process.hrtime.bigint() - start) / 1e6;
  };

  return {
    timing: () => (timed ? timing : undefined),
    run: async (feeds) => {
      try {
        settled ??= prepare();
        for (const [i, register] of plan.inputs.entries()) {
          const isWanted = !constants.has(register) && (isRead.has(register) || plan.outputs.includes(register));
          if (!isWanted || fed[i] === feeds[i]) continue;
          tensors.put(register, read(feeds[i]!));
          if (keepsFeeds) fed[i] = feeds[i]!;
        }
        timing.runs++;
        plan.steps.forEach(timed ? measured : perform);
        return plan.outputs.map(output);
      } finally {
        tensors.releaseOthers(kept);
      }
    },
    describe: () => description,
    dispose: () => tensors.releaseOthers(new Set()),
  };
}

/**
 * TensorFlow takes an array's memory for its own where it is aligned to 64 bytes, and copies the elements otherwise. The memory of
 * large arrays starts 16 bytes after a page's start where the GNU C library gives it, at a page's start elsewhere.
 */
const BYTES_BEFORE = process.platform === "linux" ? 48 : 0;

function read({ type: { dtype, shape }, readInto }: FeedSource): TypedArray {
  const bytes = allocate("bool", BYTES_BEFORE + sizeOf(shape) * itemSize(dtype)).subarray(BYTES_BEFORE);
  readInto(bytes);
  return viewOf(dtype, bytes);
}
