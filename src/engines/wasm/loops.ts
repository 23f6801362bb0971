/** Kernels as WebAssembly functions: loops that store what they compute; `reductions.ts` has those that fold. Knows no graph. */
import { sizeOf } from "../../tensor/tensor.ts";
import { type AddressOf, Items, type Loop, stepped } from "./items.ts";
import type { Kernel, Operand } from "./kernel.ts";
import { GROUP } from "./lanes.ts";
import { columnReduction, rowReduction } from "./reductions.ts";
import { Vectorizer } from "./vectorize.ts";

/** The most elements that one item goes through along the innermost axis, so that a long axis is work for many threads. */
const TILE = 4096;

/** The loop that a kernel is. @throws Unvectorizable */
export function loopOf(kernel: Kernel, addressOf: AddressOf): Loop {
  const { reduction, shape } = kernel;
  if (!reduction) return mapLoop(kernel, addressOf);
  return reduction.axis === shape.length - 1
    ? rowReduction(kernel, reduction, addressOf)
    : columnReduction(kernel, reduction, addressOf);
}

function mapLoop({ shape, loads, stores }: Kernel, addressOf: AddressOf): Loop {
  const inner = shape.at(-1) ?? 1;
  const tile = inner > 2 * TILE ? TILE : inner;
  const sizes = [...shape.slice(0, -1), Math.ceil(inner / tile)];
  const items = new Items(sizes);
  const lane = (operand: Operand) => items.lane(operand, addressOf(operand.buffer), tile);
  const [from, to] = [loads.map(lane), stores.map((s) => lane(s.to))];
  const count = items.countOf(sizes.length - 1, tile, inner);
  const vectors = new Vectorizer(items.fn, from);
  vectors.storeAll(stores, to);
  const single = vectors.single();
  single.storeAll(stores, to);
  const body = stepped(items.fn, count, GROUP, [...from, ...to], vectors.body, single.body);
  return {
    code: items.finish(vectors.constants, vectors.invariant, ...body),
    items: sizeOf(sizes),
    perItem: tile,
  };
}
