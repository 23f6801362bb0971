/** Steps cut into blocks of rows: the loops of some blocks, with an axis more for the blocks. */
import { collapse } from "../reference/view.ts";
import { BLOCK, type Kernel, type Operand } from "./kernel.ts";
import type { Step } from "./steps.ts";

/** Some of the blocks that `rows` are cut into: `blocks` of `height` rows each, from one row on. */
export interface Part {
  readonly rows: number;
  /** Rows from block to block. */
  readonly size: number;
  readonly from: number;
  readonly blocks: number;
  readonly height: number;
}

/** The step with an axis more, of blocks; a product has them already. */
export function partOf(step: Step, part: Part): Step {
  switch (step.kind) {
    case "kernel":
      return { ...step, kernel: partOfKernel(step.kernel, part) };
    case "combine": {
      const [first = 1, ...rest] = step.outer;
      const { offset, strides } = within(0, step.strides, first / part.rows, part);
      const to = { ...step.reduction.to, offset };
      return {
        ...step,
        outer: [part.blocks, (part.height * first) / part.rows, ...rest],
        strides,
        reduction: { ...step.reduction, to },
      };
    }
    default:
      return step;
  }
}

/** Where a part begins, and strides with the first axis in two, blocks and what is in a block. A row is `perRow` steps of that axis. */
function within(
  offset: number,
  [first = 0, ...rest]: readonly number[],
  perRow: number,
  { from, size }: Part,
): { offset: number; strides: number[] } {
  return { offset: offset + from * perRow * first, strides: [size * perRow * first, first, ...rest] };
}

function partOfKernel({ shape, loads, stores, reduction }: Kernel, part: Part): Kernel {
  const [first = 1, ...rest] = shape;
  const perRow = first / part.rows;
  const strided = (operand: Operand): Operand => ({
    ...operand,
    ...within(operand.offset, operand.strides, perRow, part),
  });
  const kernel = {
    shape: [part.blocks, part.height * perRow, ...rest],
    loads: loads.map(strided),
    stores: stores.map((store) => ({ ...store, to: strided(store.to) })),
  };
  if (reduction) {
    const { axis, to } = reduction;
    const folded = axis === 0 ? { ...to, ...within(to.offset, to.strides, perRow / BLOCK, part) } : strided(to);
    return { ...kernel, reduction: { ...reduction, axis: axis + 1, to: folded } };
  }
  // What is within a block goes in as few axes as can be.
  const operands = [...kernel.loads, ...kernel.stores.map((store) => store.to)];
  const collapsed = collapse(
    kernel.shape.slice(1),
    operands.map((o) => o.strides.slice(1)),
  );
  const inner = collapsed.length > 0 ? collapsed : [{ size: 1, steps: operands.map(() => 0) }];
  const fewer = (operand: Operand, i: number): Operand => ({
    ...operand,
    strides: [operand.strides[0]!, ...inner.map((axis) => axis.steps[i]!)],
  });
  return {
    shape: [part.blocks, ...inner.map((axis) => axis.size)],
    loads: kernel.loads.map(fewer),
    stores: kernel.stores.map((store, i) => ({ ...store, to: fewer(store.to, loads.length + i) })),
  };
}

/** The step with each block of `locals` in one place; `first` is the number of its first block. */
export function staying(step: Step, locals: ReadonlySet<number>, first: number): Step {
  const begun = (offset: number, [block = 0]: readonly number[]) => offset - first * block;
  const still = (strides: readonly number[]) => [0, ...strides.slice(1)];
  const operand = (o: Operand): Operand =>
    locals.has(o.buffer) ? { ...o, offset: begun(o.offset, o.strides), strides: still(o.strides) } : o;
  if (step.kind === "combine") {
    const { reduction, strides } = step;
    const { to } = reduction;
    if (!locals.has(to.buffer)) return step;
    const offset = begun(to.offset, strides);
    return { ...step, strides: still(strides), reduction: { ...reduction, to: { ...to, offset } } };
  }
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
