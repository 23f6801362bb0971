/** A plan as plain data for people: what each step reads and writes, and the most memory that tensors take at a time. */
import type { ContractAttrs } from "../../ops/contract.ts";
import { opOf } from "../../ops/define.ts";
import { itemSize } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Description, StepDescription } from "../engine.ts";
import type { Register } from "./builder.ts";
import type { Plan, Step } from "./plan.ts";

const bytesOf = ({ dtype, shape }: Register): number => sizeOf(shape) * itemSize(dtype);
const total = (registers: readonly Register[]): number => registers.reduce((sum, r) => sum + bytesOf(r), 0);

/** A stage for each step, and the memory of all. */
export function describePlan(plan: Plan): NonNullable<Description["plan"]> {
  const owners = ownersIn(plan);
  const ownerOf = (register: Register) => owners.get(register) ?? register;
  const shown = [...constantsOf(plan), ...plan.inputs, ...plan.steps.map((step) => step.result)].map(ownerOf);
  const buffers = [...new Set(shown)];
  const numbers = new Map(buffers.map((register, i) => [register, i]));
  const number = (register: Register) => numbers.get(ownerOf(register))!;
  const stages = plan.steps.map((step) => ({
    blocks: 1,
    steps: [{ ...workOf(step), reads: step.args.map(number), writes: [number(step.result)] }],
  }));
  const memory = { buffers: buffers.map(bytesOf), local: [], shared: [], bytes: peakBytes(plan, ownerOf) };
  return { stages, memory };
}

const constantsOf = ({ constants, settled }: Plan): Register[] => [...constants, ...settled].map((c) => c.register);

function workOf({ node, args, result }: Step): Omit<StepDescription, "reads" | "writes"> {
  const op = opOf(node);
  const sizes = { nodes: [node], read: total(args), written: bytesOf(result) };
  if (op.kind !== "contract")
    return { ...sizes, kind: op.kind === "movement" ? "copy" : "kernel", loop: result.shape, operations: 0 };
  const [x] = args as [Register];
  const depth = sizeOf((node.attrs as unknown as ContractAttrs).summed.map(([axis]) => x.shape[axis]!));
  const operations = 2 * sizeOf(result.shape) * depth;
  return { ...sizes, kind: "product", loop: [...result.shape, depth], operations };
}

/** Whose memory a register's is: reshaped tensors share it. */
function ownersIn({ steps }: Plan): Map<Register, Register> {
  const owners = new Map<Register, Register>();
  for (const { calls } of steps)
    for (const { op, inputs, outputs } of calls)
      if (op === "Reshape") owners.set(outputs[0]!, owners.get(inputs[0]!) ?? inputs[0]!);
  return owners;
}

/** The most bytes that are held at a time, as the plan makes tensors and lets them go. */
function peakBytes(plan: Plan, ownerOf: (register: Register) => Register): number {
  const uses = new Map<Register, number>();
  let [bytes, peak] = [0, 0];
  const hold = (register: Register) => {
    const owner = ownerOf(register);
    const count = uses.get(owner) ?? 0;
    uses.set(owner, count + 1);
    if (count === 0) bytes += bytesOf(owner);
    peak = Math.max(peak, bytes);
  };
  const release = (register: Register) => {
    const owner = ownerOf(register);
    const count = uses.get(owner)! - 1;
    uses.set(owner, count);
    if (count === 0) bytes -= bytesOf(owner);
  };
  for (const register of [...constantsOf(plan), ...plan.inputs]) hold(register);
  for (const { calls, frees } of plan.steps) {
    for (const call of calls) {
      call.outputs.forEach(hold);
      call.frees.forEach(release);
    }
    frees.forEach(release);
  }
  return peak;
}
