/**
 * What to write instead: near misses, and other libraries' spellings. Exports nothing but functions: the command loads this file
 * when there is a mistake.
 */
import { DTYPES } from "../tensor/dtype.ts";

/** Spellings of NumPy, JAX, TensorFlow, Keras and PyTorch, and what tsym calls them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  absolute: "abs",
  add: "+",
  allclose: "all(abs(x - y) < 1e-6)",
  amax: "max",
  amin: "min",
  append: "concat",
  arccos: "acos",
  arccosh: "acosh",
  arcsin: "asin",
  arcsinh: "asinh",
  arctan: "atan",
  arctan2: "atan2",
  arctanh: "atanh",
  argwhere: "`where` or `count_nonzero`: no shape hangs on data",
  array: "a list literal",
  array_equal: "all(x == y)",
  array_split: "slices: `x[:2]` and `x[2:]`",
  as_tensor: "a list literal",
  asarray: "a list literal",
  astensor: "a list literal",
  average: "`mean`, or with weights y `sum(x * y) / sum(y)`",
  backward: "grad loss wrt x",
  batch_dot: "@",
  binary_cross_entropy: "sigmoid_cross_entropy",
  binary_cross_entropy_with_logits: "sigmoid_cross_entropy",
  binary_crossentropy: "sigmoid_cross_entropy",
  bincount: "sum(one_hot(i, n), axis=0)",
  bitwise_and: "`and` for bools: ints have no such operations",
  bitwise_not: "`not` for bools: ints have no such operations",
  bitwise_or: "`or` for bools: ints have no such operations",
  bitwise_xor: "`!=` for bools: ints have no such operations",
  bmm: "@",
  boolean_mask: "`where` or `count_nonzero`: no shape hangs on data",
  cast: "astype",
  cat: "concat",
  categorical_crossentropy: "softmax_cross_entropy",
  ceiling: "ceil",
  choice: "an input that random numbers are fed to: no function makes them yet",
  chunk: "slices: `x[:2]` and `x[2:]`",
  clamp: "clip",
  clip_by_value: "clip",
  clone: "the value itself: tensors do not change",
  column_stack: "stack([x, y], axis=1)",
  concatenate: "concat",
  cond: "where",
  conj: "the value itself: numbers are real",
  constant: "a literal",
  convert_to_tensor: "a list literal",
  copy: "the value itself: tensors do not change",
  cosine_similarity: "sum(x * y) / (norm(x) * norm(y))",
  cov: "`d @ d.T / (size(x, 1) - 1)`, where `d = x - mean(x, axis=1, keepdims=true)`",
  cross_entropy: "softmax_cross_entropy",
  cumulative_prod: "cumprod",
  cumulative_sum: "cumsum",
  deg2rad: "x * pi / 180",
  degrees: "x * 180 / pi",
  detach: "stop_gradient",
  diag_part: "diagonal",
  diff: "x[1:] - x[:-1]",
  div: "/",
  divide: "/",
  divmod: "`x // y` and `x % y`",
  double: "astype(x, float64)",
  embedding: "take",
  embedding_lookup: "take",
  empty: "zeros",
  empty_like: "zeros_like",
  equal: "==",
  expand: "broadcast_to",
  expit: "sigmoid",
  fabs: "abs",
  factorial: "exp(lgamma(x + 1))",
  fill: "full",
  fix: "trunc",
  flatten: "reshape(x, [-1])",
  fliplr: "x[:, ::-1]",
  flipud: "x[::-1]",
  float: "astype(x, float32)",
  floor_divide: "//",
  floordiv: "//",
  fmax: "maximum",
  fmin: "minimum",
  fmod: "sign(x) * (abs(x) % abs(y))",
  gamma: "exp(lgamma(x))",
  gamma_ln: "lgamma",
  gammaln: "lgamma",
  gather: "take",
  geomspace: "exp(linspace(log(1), log(8), 4))",
  ger: "outer",
  gradient: "`grad`, or for samples `(x[2:] - x[:-2]) / 2`",
  gradients: "grad",
  greater: ">",
  greater_equal: ">=",
  hardtanh: "clip(x, -1, 1)",
  hsplit: "slices: `x[:, :2]` and `x[:, 2:]`",
  hstack: "`concat([x, y], axis=1)`, of vectors `concat([x, y])`",
  huber_loss: "huber",
  identity: "eye",
  index_select: "take",
  inner: "`vecdot`, or `x @ y.mT` of matrices",
  int: "astype(x, int32)",
  inverse: "inv",
  invert: "`not` for bools: ints have no such operations",
  is_finite: "isfinite",
  is_inf: "isinf",
  is_nan: "isnan",
  isclose: "abs(x - y) < 1e-6",
  isin: "any(x[..., newaxis] == [1, 2], axis=-1)",
  l1_loss: "mean(abs(x - y))",
  mae: "mean(abs(x - y))",
  l2_normalize: "x / norm(x, keepdims=true)",
  len: "size(x, 0)",
  less: "<",
  less_equal: "<=",
  ln: "log",
  log_sigmoid: "-softplus(-x)",
  logical_and: "and",
  logical_not: "not",
  logical_or: "or",
  logical_xor: "!=",
  logistic: "sigmoid",
  logit: "log(x / (1 - x))",
  logsigmoid: "-softplus(-x)",
  logspace: "10 ** linspace(0, 2, 3)",
  long: "astype(x, int64)",
  lstsq: "solve(x.T @ x, x.T @ y)",
  map: "the expression itself: functions take whole tensors",
  masked_fill: "where",
  matrix_norm: "norm",
  matrix_transpose: ".mT",
  matvec: "@",
  mean_absolute_error: "mean(abs(x - y))",
  mean_squared_error: "mse",
  median: "`mean(sort(x)[(n - 1) // 2 : n // 2 + 1])`, where `n = size(x)` and x has one axis",
  meshgrid: "`x[:, newaxis]` and `y[newaxis]`, which broadcast",
  mish: "x * tanh(softplus(x))",
  mm: "matmul",
  mod: "%",
  moveaxis: "transpose",
  movedim: "transpose",
  mse_loss: "mse",
  mul: "*",
  multiply: "*",
  mv: "@",
  nan_to_num: "where(isnan(x), 0, x)",
  nancumsum: "cumsum(where(isnan(x), 0, x), axis)",
  nanmax: "max(where(isnan(x), -inf, x))",
  nanmean: "sum(where(isnan(x), 0, x)) / count_nonzero(not isnan(x))",
  nanmin: "min(where(isnan(x), inf, x))",
  nanprod: "prod(where(isnan(x), 1, x))",
  nansum: "sum(where(isnan(x), 0, x))",
  ndim: "the number of axes, which its declaration shows",
  neg: "-",
  negative: "-",
  nonzero: "`where` or `count_nonzero`: no shape hangs on data",
  normal: "an input that random numbers are fed to: no function makes them yet",
  normalize: "x / norm(x, keepdims=true)",
  not_equal: "!=",
  numel: "size",
  percentile: "an element of `sort(x)`",
  permutation: "an input that random numbers are fed to: no function makes them yet",
  permute: "transpose",
  permute_dims: "transpose",
  pinv: "inv(x.T @ x) @ x.T",
  positive: "the value itself",
  pow: "**",
  power: "**",
  prelu: "leaky_relu",
  print: "a bare expression, which is an output",
  ptp: "max(x) - min(x)",
  quantile: "an element of `sort(x)`",
  rad2deg: "x * 180 / pi",
  radians: "x * pi / 180",
  rand: "an input that random numbers are fed to: no function makes them yet",
  randint: "an input that random numbers are fed to: no function makes them yet",
  randn: "an input that random numbers are fed to: no function makes them yet",
  random: "an input that random numbers are fed to: no function makes them yet",
  ravel: "reshape(x, [-1])",
  rearrange: "`reshape` and `transpose`",
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
  relu6: "clip(x, 0, 6)",
  remainder: "%",
  repeat_interleave: "repeat",
  rint: "round",
  rot90: "x.T[::-1]",
  row_stack: "concat([x, y])",
  scatter_nd: "scatter_add",
  searchsorted: "sum(x < y[:, newaxis], axis=1)",
  select: "where",
  sgn: "sign",
  shape: "size(x, axis)",
  shuffle: "an input that random numbers are fed to: no function makes them yet",
  sigmoid_cross_entropy_with_logits: "sigmoid_cross_entropy",
  sinc: "where(x == 0, 1, sin(pi * x) / (pi * x))",
  smooth_l1_loss: "huber",
  softmax_cross_entropy_with_logits: "softmax_cross_entropy",
  softmin: "softmax(-x)",
  sparse_categorical_crossentropy: "softmax_cross_entropy",
  sparse_softmax_cross_entropy_with_logits: "softmax_cross_entropy",
  split: "slices: `x[:2]` and `x[2:]`",
  standard_normal: "an input that random numbers are fed to: no function makes them yet",
  sub: "-",
  subtract: "-",
  swapaxes: "`transpose` or `.mT`",
  swapdims: "`transpose` or `.mT`",
  swish: "silu",
  t: ".T",
  tensor: "a list literal",
  tensor_dot: "tensordot",
  topk: "top_k",
  trapezoid: "sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2",
  trapz: "sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2",
  tri: "tril(ones([n, n]))",
  true_divide: "/",
  truediv: "/",
  unbind: "`x[0]`, `x[1]` …",
  uniform: "an input that random numbers are fed to: no function makes them yet",
  unsorted_segment_sum: "segment_sum",
  unsqueeze: "expand_dims",
  unstack: "`x[0]`, `x[1]` …",
  value_and_grad: "grad",
  variance: "var",
  vdot: "sum(x * y)",
  vector_norm: "norm",
  vectorize: "the expression itself: functions take whole tensors",
  view: "reshape",
  vsplit: "slices: `x[:2]` and `x[2:]`",
  vstack: "`concat([x, y])`, of vectors `stack([x, y])`",
};

/** Names that a later version will use. */
const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set([
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
  return /`|^(an?|the) /.test(here) ? here : `\`${here}\``;
}

/** Values and words of other languages, where a value should stand. */
const VALUES: Readonly<Record<string, string>> = {
  True: "write `true`",
  False: "write `false`",
  None: "leave the argument out",
  null: "leave the argument out",
  nil: "leave the argument out",
  undefined: "leave the argument out",
  pass: "leave it out: nothing needs to stand here",
  e: "write `exp(1)`",
  NaN: "write `nan`",
  Infinity: "write `inf`",
  zscore: "(x - mean(x)) / std(x)",
  π: "write `pi`",
  double: "write `float64`",
  float: "write `float32`",
  half: "write `float32`",
  int: "write `int32` or `int64`",
  long: "write `int64`",
};
/** Dtypes of other libraries. */
const FOREIGN_DTYPE = /^(u?int|b?float|complex)\d+$/;
const POWER = /^(.*[^⁰¹²³⁴-⁹])([⁰¹²³⁴-⁹]+)$/u;

/** What to do about a name of other languages that stands for no value here. */
export function valueHere(name: string): string | undefined {
  if (Object.hasOwn(VALUES, name)) return VALUES[name];
  if (FOREIGN_DTYPE.test(name)) return `the dtypes are ${DTYPES.join(", ")}`;
  const [, base, exponent] = POWER.exec(name) ?? [];
  return base && `write \`${base} ** ${exponent!.normalize("NFKC")}\``;
}

/** Strings that stand for numbers elsewhere. */
const STRINGS: Readonly<Record<string, string>> = {
  fro: "leave it out: the norm over all axes is Frobenius'",
  inf: "write `inf` without quotes",
};
export const stringHere = (text: string): string | undefined =>
  Object.hasOwn(STRINGS, text) ? STRINGS[text] : undefined;

/**
 * What is meant by a call in another library's manner, by the parameter that its arguments do not fit; "" is none: there are too
 * many.
 */
const REARRANGED: Readonly<Record<string, (args: readonly string[]) => string | false>> = {
  "max.axis": (args) => args.reduce((x, y) => `maximum(${x}, ${y})`),
  "max.": (args) => args.reduce((x, y) => `maximum(${x}, ${y})`),
  "min.axis": (args) => args.reduce((x, y) => `minimum(${x}, ${y})`),
  "min.": (args) => args.reduce((x, y) => `minimum(${x}, ${y})`),
  "zeros.dtype": listed("zeros"),
  "zeros.": listed("zeros"),
  "ones.dtype": listed("ones"),
  "ones.": listed("ones"),
  "full.dtype": (args) => args.length > 2 && `full([${args.slice(0, -1).join(", ")}], ${args.at(-1)})`,
  "full.": (args) => `full([${args.slice(0, -1).join(", ")}], ${args.at(-1)})`,
  "concat.xs": listed("concat"),
  "concat.axis": listed("concat"),
  "concat.": listed("concat"),
  "stack.xs": listed("stack"),
  "stack.axis": listed("stack"),
  "stack.": listed("stack"),
  "norm.axis": ([x, ord]) => (ord === '"fro"' ? `norm(${x})` : /^-?(\d+|inf)$/.test(ord!) && `norm(${x}, ord=${ord})`),
  "pad.widths": ([x, widths, ...value]) => {
    const pair = /^\w+$/.test(widths!) ? `[${widths}, ${widths}]` : /^\[[^[,]+,[^[,]+\]$/.exec(widths!);
    return pair ? `pad(${[x, `[${pair}]`, ...value].join(", ")})` : false;
  },
  "roll.shift": ([x, n, axis = "0"]) => /^\w+$/.test(n!) && axis === "0" && `concat([${x}[-${n}:], ${x}[:-${n}]])`,
  "kron.a": productOfVectors,
};

/** A call with its arguments in a list. */
function listed(name: string): (args: readonly string[]) => string | false {
  return (args) => args.length > 1 && `${name}([${args.join(", ")}])`;
}

function productOfVectors([x, y]: readonly string[]): string {
  return `of two vectors write \`reshape(outer(${x}, ${y}), [-1])\``;
}

/** The help where the arguments of a call, all by place, look like those of other libraries; `param` is the one that does not fit. */
export function rearranged(callee: string, param: string, args: readonly string[]): string | undefined {
  const key = `${callee}.${param}`;
  const call = Object.hasOwn(REARRANGED, key) && args.length > 1 && REARRANGED[key]!(args);
  if (!call) return undefined;
  return call.includes("`") ? call : `write \`${call}\``;
}

/** The functions of other libraries that `spelledHere` knows. */
export const foreignFunctions = (): readonly string[] => Object.keys(ELSEWHERE);

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
