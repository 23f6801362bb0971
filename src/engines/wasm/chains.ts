/**
 * Loops that go through the same rows one after the other are chained: a block of rows goes through all of them while it is in
 * the cache. Knows loops by the arrays that they touch.
 */
import { collapse } from "../reference/view.ts";
import { BLOCK, type Kernel, type Operand } from "./kernel.ts";
import type { Step } from "./plan.ts";

/** Steps that are done block by block, each block in all of them; or one step, done as a whole. */
export interface Chain {
  readonly blocks: number;
  readonly steps: readonly Step[];
  /** The buffers that more than their own block's rows are read of. */
  readonly shared: ReadonlySet<number>;
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

export function chainsOf(steps: readonly Step[]): Chain[] {
  const chains: Chain[] = [];
  let open: { rows: number; steps: Step[]; touches: Touch[] } | undefined;
  const close = () => {
    if (open) chains.push(closed(open.rows, open.steps, open.touches));
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
    else chains.push({ blocks: 1, steps: [step], shared: new Set() });
  }
  close();
  return chains;
}

/** The size of the axis that a step goes through outermost, if it has others within; else 0. */
function leadingSize(step: Step): number {
  if (step.kind === "combine") return step.outer;
  return step.kind === "kernel" && step.kernel.shape.length > 1 && step.kernel.reduction?.axis !== 0
    ? step.kernel.shape[0]!
    : 0;
}

/** Undefined where a step's outermost axis is not made of so many rows. */
function touchesOf(step: Step, rows: number): Touch[] | undefined {
  if (step.kind === "combine") {
    const { outer, blocks, pitch, reduction } = step;
    if (outer % rows !== 0) return undefined;
    const stride = (outer / rows) * blocks * pitch;
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
  if (steps.length === 1) return { blocks: 1, steps, shared: new Set() };
  const whole = (touch: Touch) => ({ ...touch, writes: true });
  const astray = touches.filter((a) => !touches.every((b) => apart(whole(a), whole(b))));
  const shared = new Set(astray.map((touch) => touch.buffer));
  const perRow = Math.max(...steps.map((step) => (step.kind === "kernel" ? elementsOf(step.kernel) / rows : 1)));
  const wanted = Math.max(1, Math.floor(BLOCK_ELEMENTS / perRow));
  let size = Math.min(wanted, rows);
  while (rows % size !== 0) size--;
  const blocks = rows / size;
  const inBlocks = (step: Step): Step =>
    step.kind === "kernel" ? { ...step, kernel: blocked(step.kernel, blocks) } : step;
  return { blocks, steps: steps.map(inBlocks), shared };
}

const elementsOf = ({ shape }: Kernel): number => shape.reduce((a, b) => a * b, 1);

/** The kernel with an axis more, of blocks; what is within a block is as few axes as can be. */
function blocked(kernel: Kernel, blocks: number): Kernel {
  const { shape, loads, stores, reduction } = kernel;
  if (reduction) return kernel;
  const operands = [...loads, ...stores.map((store) => store.to)];
  const collapsed = collapse(
    [shape[0]! / blocks, ...shape.slice(1)],
    operands.map((o) => o.strides),
  );
  const within = collapsed.length > 0 ? collapsed : [{ size: 1, steps: operands.map(() => 0) }];
  const strided = (operand: Operand, i: number): Operand => ({
    ...operand,
    strides: [(operand.strides[0]! * shape[0]!) / blocks, ...within.map((axis) => axis.steps[i]!)],
  });
  return {
    shape: [blocks, ...within.map((axis) => axis.size)],
    loads: loads.map(strided),
    stores: stores.map((store, i) => ({ ...store, to: strided(store.to, loads.length + i) })),
  };
}
