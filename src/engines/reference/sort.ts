/** Sorting along an axis: stable, NaN last in both directions, -0 equal to 0; descending, too, keeps equals in their order. */
import type { Node } from "../../graph/node.ts";
import type { OrderOp } from "../../ops/define.ts";
import type { TypedArray } from "../../tensor/dtype.ts";
import { elementsOf } from "./copy.ts";
import { permuted, type View, zerosView } from "./view.ts";

type Sort = Extract<OrderOp["order"], "sort" | "argsort">;

/** sort: the elements; argsort: their positions, int32. */
export function sort(node: Node, name: Sort, [x]: readonly View[]): View {
  const { axis, descending } = node.attrs as { readonly axis: number; readonly descending: boolean };
  const rank = x!.shape.length;
  const axisLast = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const from = permuted(x!, axisLast);
  const elements = elementsOf(from);
  const out = zerosView(node.type.dtype, from.shape);
  const n = x!.shape[axis]!;
  for (let start = 0; start < out.data.length; start += n) {
    const row = elements.subarray(start, start + n);
    const order = sortedPositions(row, descending);
    for (let i = 0; i < n; i++) out.data[start + i] = name === "sort" ? row[order[i]!]! : order[i]!;
  }
  return permuted(
    out,
    axisLast.map((_, i) => axisLast.indexOf(i)),
  );
}

function sortedPositions(row: TypedArray, descending: boolean): Int32Array {
  const direction = descending ? -1 : 1;
  return Int32Array.from(row.keys()).sort((p, q) => {
    const [a, b] = [row[p]!, row[q]!];
    if (a === b) return p - q;
    if (a < b) return -direction;
    if (a > b) return direction;
    return isNaNValue(a) - isNaNValue(b) || p - q;
  });
}
const isNaNValue = (x: number | bigint): number => (Number.isNaN(x) ? 1 : 0);
