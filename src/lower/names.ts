/** What to write instead: near misses, and other libraries' spellings. */

/** Spellings of NumPy, JAX, TensorFlow, Keras and PyTorch, and what tsym calls them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  absolute: "abs",
  fabs: "abs",
  add: "+",
  amax: "max",
  amin: "min",
  arccos: "acos",
  arccosh: "acosh",
  arcsin: "asin",
  arcsinh: "asinh",
  arctan: "atan",
  arctan2: "atan2",
  arctanh: "atanh",
  astensor: "a list literal",
  batch_dot: "@",
  bmm: "@",
  cast: "astype",
  cat: "concat",
  ceiling: "ceil",
  clamp: "clip",
  clip_by_value: "clip",
  concatenate: "concat",
  conj: "the value itself: numbers are real",
  convert_to_tensor: "a list literal",
  cond: "where",
  constant: "a literal",
  diag_part: "diagonal",
  div: "/",
  divide: "/",
  equal: "==",
  expand: "broadcast_to",
  fill: "full",
  floor_divide: "//",
  floordiv: "//",
  fmax: "maximum",
  fmin: "minimum",
  gather: "take",
  gamma_ln: "lgamma",
  gammaln: "lgamma",
  greater: ">",
  greater_equal: ">=",
  identity: "eye",
  index_select: "take",
  inner: "vecdot",
  int: "astype(x, int32)",
  inverse: "inv",
  is_nan: "isnan",
  is_inf: "isinf",
  is_finite: "isfinite",
  len: "size(x, 0)",
  less: "<",
  less_equal: "<=",
  ln: "log",
  logical_and: "and",
  logical_not: "not",
  logical_or: "or",
  logistic: "sigmoid",
  masked_fill: "where",
  mm: "matmul",
  mod: "%",
  multiply: "*",
  ndim: "the number of axes, which its declaration shows",
  neg: "-",
  negative: "-",
  not_equal: "!=",
  numel: "size",
  permute: "transpose",
  pow: "**",
  power: "**",
  reduce_all: "all",
  reduce_any: "any",
  reduce_logsumexp: "logsumexp",
  reduce_max: "max",
  reduce_mean: "mean",
  reduce_min: "min",
  reduce_prod: "prod",
  reduce_std: "std",
  reduce_sum: "sum",
  reduce_variance: "var",
  remainder: "%",
  rint: "round",
  select: "where",
  shape: "size(x, axis)",
  subtract: "-",
  sub: "-",
  mul: "*",
  swapaxes: "`transpose` or `.mT`",
  fix: "trunc",
  tensor: "a list literal",
  array: "a list literal",
  topk: "top_k",
  true_divide: "/",
  truediv: "/",
  unsqueeze: "expand_dims",
  variance: "var",
  vstack: "concat",
  hstack: "`concat` with axis=1",
  view: "reshape",
  rand: "the `random_` functions, which are reserved for later",
  print: "a bare expression, which is an output",
  float: "astype(x, float32)",
  tensor_dot: "tensordot",
  l2_normalize: "x / norm(x, keepdims=true)",
  softmax_cross_entropy_with_logits: "softmax_cross_entropy",
  mean_squared_error: "mse",
  binary_cross_entropy: "sigmoid_cross_entropy",
  scatter_nd: "scatter_add",
  unsorted_segment_sum: "segment_sum",
  gradient: "grad",
  gradients: "grad",
  value_and_grad: "grad",
};

/** Names that a later version will use. */
export const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set([
  "vmap",
  "conv1d",
  "conv2d",
  "max_pool",
  "avg_pool",
  "qr",
  "svd",
  "eigh",
  "lu",
  "scan",
]);
export const isReservedFunction = (name: string): boolean => RESERVED_FUNCTIONS.has(name) || name.startsWith("random_");

/** What other libraries' spelling of a function is here, in backquotes where it is code. */
export function spelledHere(name: string): string | undefined {
  if (!Object.hasOwn(ELSEWHERE, name)) return undefined;
  const here = ELSEWHERE[name]!;
  return /`|^(a|the) /.test(here) ? here : `\`${here}\``;
}

/** The candidate that was most likely meant, if one is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const limit = name.length < 3 ? 0.5 : Math.max(1, Math.floor(name.length / 3)); // 0.5: another case
  const lower = name.toLowerCase();
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const other = candidate.toLowerCase();
    // who mistypes a name gets one end of it right; a program may have thousands of names
    if (other[0] !== lower[0] && other.at(-1) !== lower.at(-1)) continue;
    const distance = other === lower ? 0.5 : editDistance(name, candidate, limit);
    if (distance <= limit && (!best || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Damerau–Levenshtein distance with adjacent transpositions (Damerau 1964, restricted); Infinity above a limit. */
function editDistance(a: string, b: string, limit: number): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last![j]! + 1,
        row[j - 1]! + 1,
        last![j - 1]! + cost,
        swapped ? beforeLast![j - 2]! + 1 : Infinity,
      );
    }
    if (Math.min(...last!, ...row) > limit) return Number.POSITIVE_INFINITY;
    [beforeLast, last] = [last, row];
  }
  return last!.at(-1)!;
}
