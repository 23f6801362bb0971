/** Composites that must look before they compute: at a dtype, at a literal argument. Rows here only pick a fn of the prelude. */
import { type Node, OpError, ParameterError } from "../graph/node.ts";
import { showShape } from "../tensor/dim.ts";
import { isInt } from "../tensor/dtype.ts";
import { axesParam, boolParam, define, numberParam, optional, tensorParam } from "./define.ts";
import { toFloat } from "./promote.ts";

export const norm = define({
  name: "norm",
  family: "reductions",
  params: {
    x: tensorParam(),
    axis: axesParam("all", "all"),
    keepdims: boolParam("false", false),
    ord: { ...numberParam("2", 2), named: true },
  },
  doc: "The vector norm of the flattened values: (Σ |x|^ord)^(1 / ord), the largest for inf, how many are not 0 for 0.",
  examples: ["norm([3, 4]) == 5", "norm([3, -4], ord=1) == 7", "norm([3, -4], ord=inf) == 4"],
  build: ({ x, axis, keepdims, ord }) => {
    const args = [toFloat(x), axis, keepdims];
    const named = NORMS.get(ord);
    return named ? { fn: named, args } : { fn: "_norm_p", args: [...args, ord] };
  },
});
const NORMS = new Map([
  [0, "_norm_0"],
  [1, "_norm_1"],
  [2, "_norm_2"],
  [Number.POSITIVE_INFINITY, "_norm_inf"],
  [Number.NEGATIVE_INFINITY, "_norm_minus_inf"],
]);

export const gelu = define({
  name: "gelu",
  family: "elementwise",
  params: { x: tensorParam(), approximate: boolParam("false", false) },
  doc: "x · Φ(x), Φ the normal distribution function; approximate: by tanh (Hendrycks and Gimpel 2016).",
  examples: ["gelu(0) == 0"],
  build: ({ x, approximate }) => ({ fn: approximate ? "_gelu_tanh" : "_gelu", args: [x] }),
});

export const softmax_cross_entropy = define({
  name: "softmax_cross_entropy",
  family: "learning",
  params: { logits: tensorParam(), labels: tensorParam() },
  doc: "-log softmax(logits) of the true class, over the last axis: int labels are classes, float ones distributions.",
  examples: ["softmax_cross_entropy([0, -inf], 0) == 0", "softmax_cross_entropy([0, -inf], [1.0, 0]) == 0"],
  build: ({ logits, labels }) => {
    const { dtype } = labels.type;
    if (dtype === "bool")
      throw new ParameterError("labels", "must be ints (classes) or floats (distributions), not bools", {
        code: "dtype",
        help: "write `astype(…, int32)`, or `astype(…, float32)` where they are one-hot",
      });
    requireAxis(logits);
    const [rank, own] = [logits, labels].map((x) => x.type.shape.length) as [number, number];
    if (!isInt(dtype) && own !== rank)
      throw new OpError(
        `float labels are distributions over the classes, of the logits' axes: ${showShape(labels.type.shape)} against ${showShape(logits.type.shape)}`,
        { arg: 1, help: "where they are the numbers of classes, make them ints: `astype(…, int32)`" },
      );
    return { fn: isInt(dtype) ? "_cross_entropy_of_class" : "_cross_entropy_of_distribution", args: [logits, labels] };
  },
});
function requireAxis(logits: Node): void {
  if (logits.type.shape.length === 0)
    throw new OpError("logits need an axis of classes, the last; this is a scalar", { arg: 0 });
}

export const attention = define({
  name: "attention",
  family: "learning",
  params: { q: tensorParam(), k: tensorParam(), v: tensorParam(), mask: optional(tensorParam, "none") },
  doc: "softmax(q @ k.mT / sqrt(head)) @ v over axes (…, length, head); a bool mask keeps what is true, a float one is added.",
  examples: [
    "attention([[1.0]], [[2.0]], [[3.0]]) == [[3]]",
    "attention([[1.0]], [[2.0]], [[3.0]], [[false]]) == [[0]]",
  ],
  specimen: "input q[n, d], k[m, d], v[m, e]; attention(q, k, v)",
  build: ({ q, k, v, mask }) => {
    for (const [arg, x] of [q, k, v].entries())
      if (x.type.shape.length < 2) throw new OpError("attention takes q, k and v of axes (…, length, head)", { arg });
    if (!mask) return { fn: "_attention", args: [q, k, v] };
    const { dtype } = mask.type;
    if (isInt(dtype) && !mask.type.weak)
      throw new ParameterError("mask", `must be bool (keeps) or float (is added), not ${dtype}`, {
        code: "dtype",
        help: "compare first: `… != 0`",
      });
    return { fn: dtype === "bool" ? "_attention_kept" : "_attention_added", args: [q, k, v, mask] };
  },
});
