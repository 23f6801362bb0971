/** NumPy's broadcasting over symbolic shapes: only a dim known to be 1 stretches; other dims must be equal. */
import { type Graph, OpError, ParameterError } from "../graph/node.ts";
import { type Dim, isKnown, sameDim } from "../tensor/dim.ts";

/** The shape that `shapes` broadcast to. Conditions are recorded on `graph`; OpError where dims are known to differ. */
export function broadcastShapes(graph: Graph, shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let result: Dim = 1;
    for (const [arg, shape] of shapes.entries()) {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (dim === 1 || sameDim(dim, result)) continue;
      if (result !== 1)
        graph.require(result, "=", dim, rank === 1 ? "the lengths" : `sizes along axis ${axis - rank}`, {
          arg,
          broadcasts: true,
          ...missingAxis(shapes),
        });
      if (result === 1 || isKnown(dim)) result = dim;
    }
    return result;
  });
}

/** Where one of two shapes would stretch to the other had it an axis more that is 1: help with that, and which of them. */
function missingAxis(shapes: readonly (readonly Dim[])[]): { arg: number; help: string } | undefined {
  const arg = shapes[0]!.length < shapes[1]!.length ? 0 : 1;
  const [short, long] = [shapes[arg]!, shapes[1 - arg]!];
  if (shapes.length !== 2 || short.length === 0 || short.length + 1 !== long.length) return undefined;
  const fits = (at: number) => short.every((dim, i) => dim === 1 || sameDim(dim, long[i < at ? i : i + 1]!));
  for (let at = short.length; at > 0; at--)
    if (fits(at))
      return {
        arg,
        help: `to stretch it along axis ${at - long.length}, write \`…[${":, ".repeat(at)}newaxis]\`; \`keepdims=true\` leaves such an axis where one is folded`,
      };
  return undefined;
}

/** Axes as written, from 0 and checked against a rank; "all" is every axis. Sorted ascending. */
export function normalizeAxes(axes: readonly number[] | "all", rank: number): number[] {
  if (axes === "all") return Array.from({ length: rank }, (_, i) => i);
  const found = axes.map((a) => normalizeAxis(a, rank));
  const twice = found.findIndex((a, i) => found.indexOf(a) !== i);
  if (twice >= 0) throw new ParameterError("axis", `names axis ${axes[twice]} twice`, { code: "axis" });
  return found.sort((a, b) => a - b);
}

/** One axis from 0, checked against a rank. */
export function normalizeAxis(axis: number, rank: number, param = "axis"): number {
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  const range =
    rank === 0
      ? "a scalar has no axes"
      : rank === 1
        ? "there is one axis, 0"
        : `axes go from 0 to ${rank - 1}, or from -${rank} to -1`;
  throw new ParameterError(param, `is out of range: ${axis}, where ${range}`, { code: "axis" });
}

/** The axis of functions that take one: x must have one axis where none is named. */
export function oneAxis(axis: number | undefined, rank: number, name: string): number {
  if (axis !== undefined) return normalizeAxis(axis, rank);
  if (rank === 1) return 0;
  throw new OpError(`${name} needs an axis: its argument has ${rank} axes`, {
    code: "axis",
    arg: 0,
    help: rank === 0 ? undefined : `name one: axis=${rank - 1}`,
  });
}
