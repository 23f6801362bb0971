/**
 * Loops that go through the same rows one after the other are chained: a block of rows goes through all of them while it is in
 * the cache. Knows loops by the arrays that they touch.
 */
import { sizeOf } from "../../tensor/tensor.ts";
import { type Part, partOf, staying } from "./blocks.ts";
import { BLOCK, type Operand } from "./kernel.ts";
import { blockRows, evenly, type Matrices, type Product } from "./matmul.ts";
import { buffersOf, type Step } from "./steps.ts";

/** Steps that are done block by block, each block in all of them; or one step, done as a whole. */
export interface Chain {
  /** Done as a whole. */
  readonly isWhole: boolean;
  readonly blocks: number;
  readonly steps: readonly Step[];
  /** The same steps for the rows that are left, one block more; none where no row is left. */
  readonly tail: readonly Step[];
  /** What part of all rows a block is. */
  readonly share: number;
  /** The buffers that more than their own block's rows are read of. */
  readonly crossing: ReadonlySet<number>;
  /** The buffers that a block fills and no one else reads: each thread has room for one block of them. */
  readonly locals: ReadonlySet<number>;
  /** Those of them that are filled from files, as a block begins. */
  readonly fetches: readonly Moved[];
  /** Those of them that are written to files, as a block ends. */
  readonly deliveries: readonly Moved[];
}

/** A buffer whose rows come from a file or go to one, block by block. */
export interface Moved {
  readonly buffer: number;
  /** Elements of a block; the last may have fewer. */
  readonly perBlock: number;
}

/** When chains are worth it, and how large their blocks are. */
export interface ChainLimits {
  /** Of rows: fewer are not worth a chain. */
  readonly leastRows: number;
  /** Of a block, about: several arrays of so many elements fit the cache of a core. */
  readonly blockElements: number;
  /** Where rows are reduced, in blocks of 256 or more: how many blocks threads must find. */
  readonly leastBlocks: number;
}
export const CHAIN_LIMITS: ChainLimits = { leastRows: 16, blockElements: 16_384, leastBlocks: 8 };

/** Longer rows are in no cache, and each thread would have some of its own. */
const LONGEST_ROW = 262_144;
/** How many times `blockElements` a block may be where rows are reduced. */
const LARGEST_BLOCK = 4;
/**
 * And where blocks are read from files or written to them: the system keeps a file in pages as large as what is written at once, so
 * that 16 MB take 18 ms in pieces of 64 KB and 14 ms in pieces of 256 KB (ext4, with the renaming).
 */
const MOVED_BLOCK = 4;
/** What more chains read than these is not read anew for each. */
export const MOST_READINGS = 4;

/** What a step reads or writes of a buffer as its first axis goes through `rows`. */
interface Touch {
  readonly buffer: number;
  readonly writes: boolean;
  /** From row to row (NaN: not row by row), and what lies between the first and the last element of a row, in elements. */
  readonly stride: number;
  readonly from: number;
  readonly to: number;
}

/** Steps that will be a chain, by rows that they all go through. */
interface Open {
  readonly rows: number;
  readonly steps: readonly Step[];
  readonly touches: readonly Touch[];
}

/** With one step more, by rows that are maybe longer; undefined where these steps cannot go by such rows. */
function withStep(open: Open, step: Step, rows: number, limits: ChainLimits): Open | undefined {
  if (rows < limits.leastRows || (open.steps.length > 0 && !mayJoin(step, { ...open, rows }))) return undefined;
  const before = rows === open.rows ? open.touches : touchesByRows(open, rows, limits);
  const more = touchesOf(step, rows, limits);
  if (!before || !more?.every((touch) => before.every((other) => apart(other, touch)))) return undefined;
  return { rows, steps: [...open.steps, step], touches: [...before, ...more] };
}

/** The touches of the same steps by longer rows, if these fit the cache. */
function touchesByRows({ rows: before, steps }: Open, rows: number, limits: ChainLimits): Touch[] | undefined {
  const largest = LARGEST_BLOCK * limits.blockElements;
  const isLong = (step: Step) => step.kind === "product" || elementsPerRow(step, rows) > largest;
  if (before % rows !== 0 || steps.some(isLong)) return undefined;
  const each = steps.map((step) => touchesOf(step, rows, limits));
  return each.every((touches) => touches !== undefined) ? each.flat() : undefined;
}

/** The buffers of inputs and outputs. */
export interface Kept {
  readonly kept: ReadonlySet<number>;
  /** The elements of those that may be read from files, block by block. */
  readonly filed: ReadonlyMap<number, number>;
  /** The elements of those that may be written to files so. */
  readonly toFiles: ReadonlyMap<number, number>;
}

export function chainsOf(steps: readonly Step[], { kept, filed, toFiles }: Kept, limits: ChainLimits): Chain[] {
  const chains: Chain[] = [];
  let open: Open | undefined;
  const close = () => {
    if (open) {
      const { rows, steps, touches } = open;
      const fetched = transferable(rows, touches, filed);
      const delivered = transferable(rows, touches, toFiles);
      const isWorth = steps.length > 1 || fetched.length + delivered.length > 0;
      chains.push(isWorth ? closed(rows, steps, touches, fetched, delivered, limits) : alone(steps[0]!));
    }
    open = undefined;
  };
  for (const step of combinesLast(steps)) {
    const rows = step.kind === "combine" ? 0 : leadingSize(step);
    const joined =
      open &&
      (withStep(open, step, open.rows, limits) ??
        (rows === open.rows ? undefined : withStep(open, step, rows, limits)));
    if (!joined) close();
    open = joined ?? withStep({ rows, steps: [], touches: [] }, step, rows, limits);
    if (!open) chains.push(alone(step));
  }
  close();
  return localized(chains, kept);
}

/**
 * The steps with those that combine blocks as late as can be: the loops before and after them then lie together. Where a chain
 * has the blocks of a row, they are combined at once.
 */
function combinesLast(steps: readonly Step[]): Step[] {
  const ordered: Step[] = [];
  const waiting = new Map<number, Step>();
  const take = (buffer: number) => {
    const step = waiting.get(buffer);
    if (step) ordered.push(step);
    waiting.delete(buffer);
  };
  for (const step of steps) {
    const { reads, writes } = buffersOf(step);
    const isOfRows = step.kind === "combine" && reducesRows(ordered.at(-1)!);
    for (const buffer of [...reads, ...writes]) if (!isOfRows) take(buffer);
    if (isOfRows) waiting.set(writes[0]!, step);
    else ordered.push(step);
  }
  for (const buffer of waiting.keys()) take(buffer);
  return ordered;
}

/** Whether a step folds the axis that it goes through outermost. */
const reducesRows = (step: Step): boolean => step.kind === "kernel" && step.kernel.reduction?.axis === 0;

const alone = (step: Step): Chain => ({
  isWhole: true,
  blocks: 1,
  steps: [step],
  tail: [],
  share: 1,
  crossing: new Set(),
  locals: new Set(),
  fetches: [],
  deliveries: [],
});

/** The size of the axis that a step goes through outermost, or 0. */
function leadingSize(step: Step): number {
  switch (step.kind) {
    case "kernel":
      return step.kernel.shape[0] ?? 0;
    case "combine":
      return step.outer[0]!;
    case "product": {
      const { tile, sizes } = step.product;
      return tile.way === "blocks" && sizes.batch === 1 ? sizes.m : 0;
    }
    case "host":
      return 0;
  }
}

/**
 * A product has blocks of its own, so that it is the first of its chain, and none follows it that wants others. What combines
 * blocks in place goes with the loop that makes them: a chain may be done a second time, from its beginning.
 */
function mayJoin(step: Step, { rows, steps }: { readonly rows: number; readonly steps: readonly Step[] }): boolean {
  if (step.kind === "product" || (steps[0]!.kind === "product" && unitOf(step, rows) > 1)) return false;
  return step.kind !== "combine" || steps.some((s) => buffersOf(s).writes.includes(step.reduction.to.buffer));
}

/** The rows of a step that go together: blocks of a reduction over them must not be cut. */
function unitOf(step: Step, rows: number): number {
  if (!reducesRows(step)) return 1;
  let unit = BLOCK;
  for (let perRow = leadingSize(step) / rows; unit > 1 && perRow % 2 === 0; perRow /= 2) unit /= 2;
  return unit;
}

const elementsPerRow = (step: Step, rows: number): number =>
  step.kind === "kernel" ? sizeOf(step.kernel.shape) / rows : step.kind === "product" ? step.product.tile.pitch : 1;

/** Undefined where a step's outermost axis is not made of so many rows, or the blocks that it wants are too large or too few. */
function touchesOf(step: Step, rows: number, limits: ChainLimits): Touch[] | undefined {
  const leading = leadingSize(step);
  if (leading === 0 || leading % rows !== 0) return undefined;
  if (step.kind === "product") return productTouches(step.product);
  if (step.kind === "combine") {
    const { strides, reduction } = step;
    const stride = (leading / rows) * strides[0]!;
    return [{ buffer: reduction.to.buffer, writes: true, stride, from: 0, to: stride - 1 }];
  }
  if (step.kind !== "kernel") return undefined;
  const { shape, loads, stores, reduction } = step.kernel;
  const unit = unitOf(step, rows);
  if (elementsPerRow(step, rows) > LONGEST_ROW) return undefined;
  const largest = LARGEST_BLOCK * limits.blockElements;
  if (unit > 1 && (unit * elementsPerRow(step, rows) > largest || unit * limits.leastBlocks > rows)) return undefined;
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
    ...(reduction
      ? [reduction.axis === 0 ? notByRows(reduction.to.buffer, true) : touch(true, folded)(reduction.to)]
      : []),
  ];
}

const notByRows = (buffer: number, writes: boolean): Touch => ({ buffer, writes, stride: Number.NaN, from: 0, to: 0 });

function productTouches({ sizes: { n, k }, a, b, c, packed, tile }: Product): Touch[] {
  const rowsOf = ({ buffer, offset, row, column }: Matrices): Touch => {
    const ends = [offset, offset + (k - 1) * column];
    return { buffer, writes: false, stride: row, from: Math.min(...ends), to: Math.max(...ends) };
  };
  const result = { buffer: c, writes: true, stride: tile.pitch, from: 0, to: n - 1 };
  return [rowsOf(a), notByRows(b.buffer, false), notByRows(packed, true), result];
}

/** Whether no row of one step touches what the other writes in another row. */
function apart(a: Touch, b: Touch): boolean {
  if (a.buffer !== b.buffer || !(a.writes || b.writes)) return true;
  return a.stride === b.stride && Math.max(a.to, b.to) - Math.min(a.from, b.from) < a.stride;
}

/** Buffers whose rows follow each other in a file as they do here, and the elements of a row. */
function transferable(
  rows: number,
  touches: readonly Touch[],
  elementsOf: ReadonlyMap<number, number>,
): { readonly buffer: number; readonly perRow: number }[] {
  const inRows = ({ buffer, stride, from, to }: Touch) =>
    from >= 0 && to < stride && stride * rows === elementsOf.get(buffer);
  return [...elementsOf].flatMap(([buffer, elements]) => {
    const own = touches.filter((touch) => touch.buffer === buffer);
    return own.length > 0 && own.every(inRows) ? [{ buffer, perRow: elements / rows }] : [];
  });
}

function closed(
  rows: number,
  steps: readonly Step[],
  touches: readonly Touch[],
  fetched: ReturnType<typeof transferable>,
  delivered: ReturnType<typeof transferable>,
  limits: ChainLimits,
): Chain {
  const whole = (touch: Touch) => ({ ...touch, writes: true });
  const strays = touches.filter((a) => !touches.every((b) => apart(whole(a), whole(b))));
  const isMoved = fetched.length + delivered.length > 0;
  const size = Math.min(blockSize(rows, steps, limits.blockElements * (isMoved ? MOVED_BLOCK : 1)), rows);
  const blocks = Math.floor(rows / size);
  const left = rows - blocks * size;
  const parts = (part: Pick<Part, "from" | "blocks" | "height">) =>
    steps.map((step) => partOf(step, { rows, size, ...part }));
  const moved = ({ buffer, perRow }: (typeof fetched)[number]): Moved => ({ buffer, perBlock: perRow * size });
  return {
    isWhole: false,
    blocks,
    steps: parts({ from: 0, blocks, height: size }),
    tail: left > 0 ? parts({ from: blocks * size, blocks: 1, height: left }) : [],
    share: size / rows,
    crossing: new Set(strays.map((touch) => touch.buffer)),
    locals: new Set(),
    fetches: fetched.map(moved),
    deliveries: delivered.map(moved),
  };
}

/** The rows of a block of about so many elements. */
function blockSize(rows: number, steps: readonly Step[], elements: number): number {
  const [first] = steps as [Step];
  if (first.kind === "product") return blockRows(first.product);
  const unit = Math.max(...steps.map((step) => unitOf(step, rows)));
  const most = elements / Math.max(...steps.map((step) => elementsPerRow(step, rows)));
  return evenly(rows, unit * Math.max(1, Math.floor(most / unit)), unit);
}

/** The chains with buffers of their own: from block to block these stay where they are. */
function localized(chains: readonly Chain[], kept: ReadonlySet<number>): Chain[] {
  const users = new Map<number, Set<Chain>>();
  for (const chain of chains)
    for (const { reads, writes } of chain.steps.map(buffersOf))
      for (const buffer of [...reads, ...writes]) users.set(buffer, (users.get(buffer) ?? new Set()).add(chain));
  const isFetched = (buffer: number) => {
    const by = [...users.get(buffer)!];
    return by.length <= MOST_READINGS && by.every(({ fetches }) => fetches.some((fetch) => fetch.buffer === buffer));
  };
  return chains.map((chain) => {
    const fetches = chain.fetches.filter(({ buffer }) => isFetched(buffer));
    const isOwn = (buffer: number) => users.get(buffer)!.size === 1 && !chain.crossing.has(buffer);
    const deliveries = chain.deliveries.filter(({ buffer }) => isOwn(buffer));
    const touched = [...users].flatMap(([buffer, by]) => (by.has(chain) && !kept.has(buffer) ? [buffer] : []));
    const made = chain.isWhole ? [] : touched.filter(isOwn);
    const locals = new Set([...made, ...[...fetches, ...deliveries].map(({ buffer }) => buffer)]);
    return {
      ...chain,
      locals,
      fetches,
      deliveries,
      steps: chain.steps.map((step) => staying(step, locals, 0)),
      tail: chain.tail.map((step) => staying(step, locals, chain.blocks)),
    };
  });
}
