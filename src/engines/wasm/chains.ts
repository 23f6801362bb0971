/**
 * Loops that go through the same rows one after the other are chained: a block of rows goes through all of them while it is in
 * the cache. Knows loops by the arrays that they touch.
 */
import { sizeOf } from "../../tensor/tensor.ts";
import { collapse } from "../reference/view.ts";
import { BLOCK, type Kernel, type Operand } from "./kernel.ts";
import { buffersOf } from "./memory.ts";
import type { Step } from "./plan.ts";

/** Steps that are done block by block, each block in all of them; or one step, done as a whole. */
export interface Chain {
  readonly blocks: number;
  readonly steps: readonly Step[];
  /** The buffers that more than their own block's rows are read of. */
  readonly shared: ReadonlySet<number>;
  /** The buffers that a block fills and no one else reads: each thread has room for one block of them. */
  readonly locals: ReadonlySet<number>;
}

/** Fewer rows are not worth a chain. */
const LEAST_ROWS = 16;
/** Elements of a block, about: several arrays of such fit the cache of a core. */
const BLOCK_ELEMENTS = 16_384;

/** What a step reads or writes of a buffer as its first axis goes through `rows`. */
interface Touch {
  readonly buffer: number;
  readonly writes: boolean;
  /** From row to row, and what lies between the first and the last element of a row, in elements. */
  readonly stride: number;
  readonly from: number;
  readonly to: number;
}

/** @param kept - the buffers of inputs and outputs */
export function chainsOf(steps: readonly Step[], kept: ReadonlySet<number>): Chain[] {
  const chains: Chain[] = [];
  const alone = (step: Step): Chain => ({ blocks: 1, steps: [step], shared: new Set(), locals: new Set() });
  let open: { rows: number; steps: Step[]; touches: Touch[] } | undefined;
  const close = () => {
    if (open) chains.push(open.steps.length > 1 ? closed(open.rows, open.steps, open.touches) : alone(open.steps[0]!));
    open = undefined;
  };
  for (const step of steps) {
    const joining = open && touchesOf(step, open.rows);
    const before = open?.touches ?? [];
    if (open && joining?.every((touch) => before.every((other) => apart(other, touch)))) {
      open.steps.push(step);
      open.touches.push(...joining);
      continue;
    }
    close();
    const rows = leadingSize(step);
    const touches = rows >= LEAST_ROWS ? touchesOf(step, rows) : undefined;
    if (touches) open = { rows, steps: [step], touches };
    else chains.push(alone(step));
  }
  close();
  return localized(chains, kept);
}

/** The size of the axis that a step goes through outermost, if it has others within; else 0. */
function leadingSize(step: Step): number {
  if (step.kind === "combine") return step.outer[0]!;
  return step.kind === "kernel" && step.kernel.shape.length > 1 && step.kernel.reduction?.axis !== 0
    ? step.kernel.shape[0]!
    : 0;
}

/** Undefined where a step's outermost axis is not made of so many rows. */
function touchesOf(step: Step, rows: number): Touch[] | undefined {
  if (step.kind === "combine") {
    const { outer, strides, reduction } = step;
    if (outer[0]! % rows !== 0) return undefined;
    const stride = (outer[0]! / rows) * strides[0]!;
    return [{ buffer: reduction.to.buffer, writes: true, stride, from: 0, to: stride - 1 }];
  }
  if (step.kind !== "kernel") return undefined;
  const { shape, loads, stores, reduction } = step.kernel;
  if (shape.length === 0 || shape[0]! % rows !== 0 || reduction?.axis === 0) return undefined;
  const touch =
    (writes: boolean, sizes: readonly number[]) =>
    ({ buffer, offset, strides }: Operand): Touch => {
      const within = [sizes[0]! / rows, ...sizes.slice(1)].map((size, axis) => (size - 1) * (strides[axis] ?? 0));
      const sum = (parts: readonly number[]) => parts.reduce((a, b) => a + b, offset);
      return {
        buffer,
        writes,
        stride: (strides[0]! * sizes[0]!) / rows,
        from: sum(within.filter((part) => part < 0)),
        to: sum(within.filter((part) => part > 0)),
      };
    };
  const folded = shape.map((size, axis) => (axis === reduction?.axis ? Math.ceil(size / BLOCK) : size));
  return [
    ...loads.map(touch(false, shape)),
    ...stores.map((store) => touch(true, shape)(store.to)),
    ...(reduction ? [touch(true, folded)(reduction.to)] : []),
  ];
}

/** Whether no row of one step touches what the other writes in another row. */
function apart(a: Touch, b: Touch): boolean {
  if (a.buffer !== b.buffer || !(a.writes || b.writes)) return true;
  return a.stride === b.stride && Math.max(a.to, b.to) - Math.min(a.from, b.from) < a.stride;
}

function closed(rows: number, steps: readonly Step[], touches: readonly Touch[]): Chain {
  const whole = (touch: Touch) => ({ ...touch, writes: true });
  const astray = touches.filter((a) => !touches.every((b) => apart(whole(a), whole(b))));
  const shared = new Set(astray.map((touch) => touch.buffer));
  const perRow = Math.max(...steps.map((step) => (step.kind === "kernel" ? sizeOf(step.kernel.shape) / rows : 1)));
  let size = Math.min(Math.max(1, Math.floor(BLOCK_ELEMENTS / perRow)), rows);
  while (rows % size !== 0) size--;
  const blocks = rows / size;
  return { blocks, steps: steps.map((step) => blocked(step, blocks)), shared, locals: new Set() };
}

/** `strides` with the first axis in two: blocks, and what is within a block. */
const split = (strides: readonly number[], size: number, blocks: number): number[] => [
  (strides[0]! * size) / blocks,
  ...strides,
];

/** The step with an axis more, of blocks. */
function blocked(step: Step, blocks: number): Step {
  if (step.kind === "combine") {
    const { outer, strides } = step;
    return {
      ...step,
      outer: [blocks, outer[0]! / blocks, ...outer.slice(1)],
      strides: split(strides, outer[0]!, blocks),
    };
  }
  return step.kind === "kernel" ? { ...step, kernel: blockedKernel(step.kernel, blocks) } : step;
}

function blockedKernel({ shape, loads, stores, reduction }: Kernel, blocks: number): Kernel {
  const [first = 1, ...rest] = shape;
  const strided = (operand: Operand): Operand => ({ ...operand, strides: split(operand.strides, first, blocks) });
  const kernel = {
    shape: [blocks, first / blocks, ...rest],
    loads: loads.map(strided),
    stores: stores.map((store) => ({ ...store, to: strided(store.to) })),
  };
  if (reduction) return { ...kernel, reduction: { ...reduction, axis: reduction.axis + 1, to: strided(reduction.to) } };
  // What is within a block goes in as few axes as can be.
  const operands = [...kernel.loads, ...kernel.stores.map((store) => store.to)];
  const collapsed = collapse(
    kernel.shape.slice(1),
    operands.map((o) => o.strides.slice(1)),
  );
  const within = collapsed.length > 0 ? collapsed : [{ size: 1, steps: operands.map(() => 0) }];
  const fewer = (operand: Operand, i: number): Operand => ({
    ...operand,
    strides: [operand.strides[0]!, ...within.map((axis) => axis.steps[i]!)],
  });
  return {
    shape: [blocks, ...within.map((axis) => axis.size)],
    loads: kernel.loads.map(fewer),
    stores: kernel.stores.map((store, i) => ({ ...store, to: fewer(store.to, loads.length + i) })),
  };
}

/** The chains with buffers of their own: from block to block these stay where they are. */
function localized(chains: readonly Chain[], kept: ReadonlySet<number>): Chain[] {
  const users = new Map<number, Set<Chain>>();
  for (const chain of chains)
    for (const { reads, writes } of chain.steps.map(buffersOf))
      for (const buffer of [...reads, ...writes]) users.set(buffer, (users.get(buffer) ?? new Set()).add(chain));
  return chains.map((chain) => {
    if (chain.steps.length === 1) return chain;
    const own = [...users].filter(([buffer, by]) => by.has(chain) && by.size === 1 && !kept.has(buffer));
    const locals = new Set(own.map(([buffer]) => buffer).filter((buffer) => !chain.shared.has(buffer)));
    return { ...chain, locals, steps: chain.steps.map((step) => staying(step, locals)) };
  });
}

function staying(step: Step, locals: ReadonlySet<number>): Step {
  const still = (strides: readonly number[]) => [0, ...strides.slice(1)];
  const operand = (o: Operand): Operand => (locals.has(o.buffer) ? { ...o, strides: still(o.strides) } : o);
  if (step.kind === "combine")
    return locals.has(step.reduction.to.buffer) ? { ...step, strides: still(step.strides) } : step;
  if (step.kind !== "kernel") return step;
  const { kernel } = step;
  const { loads, stores, reduction } = kernel;
  return {
    ...step,
    kernel: {
      ...kernel,
      loads: loads.map(operand),
      stores: stores.map((store) => ({ ...store, to: operand(store.to) })),
      reduction: reduction && { ...reduction, to: operand(reduction.to) },
    },
  };
}
