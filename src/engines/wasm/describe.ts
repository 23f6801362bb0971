/** A plan as plain data for people: what each loop does, reads and writes. Knows no code and no text. */
import { ancestors, type Node } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { ConcreteGraph, MemoryDescription, StageDescription, StepDescription } from "../engine.ts";
import type { Moved } from "./chains.ts";
import { materialized } from "./fusion.ts";
import { BLOCK, type Kernel, type Operand, operationsIn, valuesOf } from "./kernel.ts";
import { WIDTH } from "./lanes.ts";
import { PAGE } from "./memory.ts";
import type { Plan } from "./plan.ts";
import type { PlanLayout } from "./program.ts";
import { buffersOf, type Place, type Step } from "./steps.ts";

/** The stages of a plan of `graph`, in the order in which they run. */
export function describeStages({ inputs, outputs }: ConcreteGraph, plan: Plan): StageDescription[] {
  const kept = materialized(ancestors([...inputs, ...outputs]), new Set(inputs), outputs);
  return plan.chains.map(
    ({ blocks, steps, tail, locals, fetches, deliveries }): StageDescription => ({
      blocks: blocks + (tail.length > 0 ? 1 : 0),
      steps: fetches
        .map((fetch) => moving("read", fetch, blocks, plan.inputs, inputs))
        .concat(
          steps.map((step, i): StepDescription => {
            const { reads, writes } = buffersOf(step);
            // A product is one step of all blocks.
            const parts = [step, ...(step.kind === "product" ? [] : tail.slice(i, i + 1))].map((s) =>
              workOf(s, locals),
            );
            const { loop } = parts[0]!;
            const of = (what: "read" | "written" | "operations") => total(parts.map((part) => part[what]));
            const isCopy = step.kind === "kernel" && of("operations") === 0;
            const fused = isCopy || step.kind !== "kernel" ? [step.node] : fusedInto(step.node, kept);
            return {
              kind: isCopy ? "copy" : step.kind,
              nodes: fused,
              loop,
              reads,
              writes,
              read: of("read"),
              written: of("written"),
              operations: of("operations"),
            };
          }),
          deliveries.map((delivery) => moving("write", delivery, blocks, plan.outputs, outputs)),
        ),
    }),
  );
}

function moving(
  kind: "read" | "write",
  { buffer, perBlock }: Moved,
  blocks: number,
  places: readonly Place[],
  nodes: readonly Node[],
): StepDescription {
  const at = places.findIndex((place) => place.buffer === buffer);
  const { dtype, shape } = places[at]!;
  const bytes = sizeOf(shape) * WIDTH[dtype];
  const isRead = kind === "read";
  return {
    kind,
    nodes: [nodes[at]!],
    loop: [blocks, perBlock],
    reads: isRead ? [] : [buffer],
    writes: isRead ? [buffer] : [],
    read: isRead ? bytes : 0,
    written: isRead ? 0 : bytes,
    operations: 0,
  };
}

/** What is computed where `node` is: itself, and its arguments as far as they have no memory of their own. */
function fusedInto(node: Node, kept: ReadonlySet<Node>): Node[] {
  const found = new Set([node]);
  for (const at of found) for (const arg of at.args) if (!kept.has(arg) && arg.args.length > 0) found.add(arg);
  return [...found];
}

const total = (parts: readonly number[]): number => parts.reduce((a, b) => a + b, 0);

interface Work {
  readonly loop: readonly number[];
  /** Bytes, without what a thread keeps for itself. */
  readonly read: number;
  readonly written: number;
  readonly operations: number;
}

function workOf(step: Step, locals: ReadonlySet<number>): Work {
  const bytes = (dtype: keyof typeof WIDTH, buffer: number, elements: number) =>
    locals.has(buffer) ? 0 : elements * WIDTH[dtype];
  switch (step.kind) {
    case "kernel":
      return kernelWork(step.kernel, ({ dtype, buffer, strides }, shape) =>
        bytes(dtype, buffer, distinct(shape, strides)),
      );
    case "combine": {
      const { outer, blocks, pitch, reduction } = step;
      const { dtype, buffer } = reduction.to;
      const rows = sizeOf(outer) * pitch;
      return {
        loop: [...outer, blocks, pitch],
        read: bytes(dtype, buffer, rows * blocks),
        written: bytes(dtype, buffer, rows),
        operations: rows * (blocks - 1),
      };
    }
    case "product": {
      const { dtype, sizes, a, b, c } = step.product;
      const { batch, m, n, k } = sizes;
      return {
        loop: [batch, m, n, k],
        read: bytes(dtype, a.buffer, batch * m * k) + bytes(dtype, b.buffer, batch * k * n),
        written: bytes(dtype, c, batch * m * n),
        operations: 2 * batch * m * n * k,
      };
    }
    case "host": {
      const size = ({ dtype, buffer, shape, strides }: Place) => bytes(dtype, buffer, distinct(shape, strides));
      return { loop: step.to.shape, read: total(step.args.map(size)), written: size(step.to), operations: 0 };
    }
  }
}

function kernelWork(kernel: Kernel, bytes: (operand: Operand, shape: readonly number[]) => number): Work {
  const { shape, loads, stores, reduction } = kernel;
  const folded = shape.map((size, axis) => (axis === reduction?.axis ? Math.ceil(size / BLOCK) : size));
  const each = operationsIn(valuesOf(kernel)).length;
  return {
    loop: shape,
    read: total(loads.map((load) => bytes(load, shape))),
    written: total([...stores.map(({ to }) => bytes(to, shape)), ...(reduction ? [bytes(reduction.to, folded)] : [])]),
    operations: sizeOf(shape) * (each + (reduction ? 1 : 0)),
  };
}

/** The elements that strides reach: along an axis where they stay it is one. */
const distinct = (shape: readonly number[], strides: readonly number[]): number =>
  sizeOf(shape.filter((_, axis) => strides[axis] !== 0));

/** What the buffers of a plan take. */
export function describeMemory({ plan, addresses, pages }: PlanLayout): MemoryDescription {
  const used = new Set(
    plan.chains.flatMap(({ steps }) => steps.flatMap((step) => Object.values(buffersOf(step)).flat())),
  );
  const [local, common] = [true, false].map((isLocal) => [...used].filter((b) => addresses[b]!.isLocal === isLocal));
  const bases = new Set(common!.map((buffer) => addresses[buffer]!.base));
  const groups = [...bases].map((base) => common!.filter((buffer) => addresses[buffer]!.base === base));
  return {
    buffers: plan.buffers,
    local: local!,
    shared: groups.filter((group) => group.length > 1),
    bytes: pages * PAGE,
  };
}
