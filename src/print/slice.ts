/** Slices as one writes them: `x[1:-1]`, where the graph knows the clamped start and the number of elements. */
import type { IndexItem } from "../../grammar/ast.ts";
import { countSteps, type SliceAttrs } from "../ops/movement.ts";
import { NOWHERE } from "../ops/trees.ts";
import {
  addDims,
  type Dim,
  isKnown,
  minDims,
  mulDims,
  type Polynomial,
  positivePart,
  sameDim,
  subDims,
} from "../tensor/dim.ts";
import * as tree from "./tree.ts";

/** What stands in the brackets of a tensor of `shape`; along `places` one int, where a slice would keep the axis. */
export function sliceItems(attrs: SliceAttrs, shape: readonly Dim[], places: readonly number[] = []): IndexItem[] {
  const items = shape.map((size, axis): IndexItem => {
    const [start, count, step] = [attrs.starts[axis]!, attrs.sizes[axis]!, attrs.steps[axis]!];
    if (places.includes(axis)) return { kind: "at", index: tree.dim(fromNearerEnd(start, size)), span: NOWHERE };
    return sliceItem(size, start, count, step);
  });
  const used = items.findLastIndex((item) => item.kind !== "slice" || item.start || item.stop || item.step);
  return items.slice(0, Math.max(used + 1, 1));
}

function sliceItem(size: Dim, start: Dim, count: Dim, step: Dim): IndexItem {
  const forward = !isKnown(step) || step > 0;
  const last = addDims(start, mulDims(subDims(count, 1), step));
  const exact = { start, stop: addDims(last, forward ? 1 : -1) };
  const short = { start: written(start, size), stop: written(exact.stop, size) };
  const bounds = forward && isKnown(step) && reads(short, size, step, { start, count }) ? short : exact;
  const fromEdge = sameDim(start, forward ? 0 : subDims(size, 1));
  const toEdge = sameDim(exact.stop, forward ? size : -1) || reachesEnd(addDims(last, step), size);
  return {
    kind: "slice",
    ...(!fromEdge && { start: tree.dim(bounds.start) }),
    ...(!toEdge && { stop: tree.dim(bounds.stop) }),
    ...(step !== 1 && { step: tree.dim(step) }),
    span: NOWHERE,
  };
}

const reachesEnd = (next: Dim, size: Dim): boolean => isKnown(next) && isKnown(size) && next >= size;

/** A bound without the clamping that slices do by themselves, counted from the end where that is a number. */
const written = (bound: Dim, size: Dim): Dim => fromNearerEnd(unclamped(bound), size);

/** A place as it is, or below 0 where only its distance to the end is known. */
function fromNearerEnd(place: Dim, size: Dim): Dim {
  const fromEnd = subDims(place, size);
  return !isKnown(place) && isKnown(fromEnd) && fromEnd < 0 ? fromEnd : place;
}

/** What a bound is where sizes are large: p for every max(p, 0). */
function unclamped(d: Dim): Dim {
  if (isKnown(d)) return d;
  return d.terms.reduce<Dim>((sum, { coefficient, atoms }) => {
    const factors = atoms.map((a) => (a.kind === "positive" ? unclamped(a.of) : alone(a)));
    return addDims(sum, factors.reduce<Dim>(mulDims, coefficient));
  }, 0);
}
const alone = (atom: Polynomial["terms"][number]["atoms"][number]): Dim => ({
  key: atom.key,
  terms: [{ coefficient: 1, atoms: [atom], key: atom.key }],
});

/** Whether a slice written so, forward, reads `count` elements from `start`. */
function reads(
  written: { readonly start: Dim; readonly stop: Dim },
  size: Dim,
  step: number,
  { start, count }: { readonly start: Dim; readonly count: Dim },
): boolean {
  const clamp = (d: Dim) => minDims(positivePart(isKnown(d) && d < 0 ? addDims(size, d) : d), size);
  const [first, last] = [clamp(written.start), clamp(written.stop)];
  return sameDim(first, start) && sameDim(countSteps(first, last, step), count);
}
