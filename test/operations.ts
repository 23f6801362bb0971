/**
 * Calls of every function that programs can use, and of every operator: what test/ops.test.ts puts through its checks. A
 * call is `inputs | statements; expression`. Float inputs are sampled in [-2, 2], or where `in` says; ints are 0 or 1.
 */
import type { PointwiseOp } from "../src/ops/define.ts";
import * as elementary from "../src/ops/elementary.ts";
import { elementwise } from "../src/ops/elementwise.ts";
import * as pointwise from "../src/ops/pointwise.ts";

const hasOp = (x: unknown): x is { op: PointwiseOp } => typeof x === "function" && "op" in x;
const domains = new Map(
  [...Object.values<unknown>(elementary), ...Object.values<unknown>(pointwise)]
    .filter(hasOp)
    .map(({ op }) => [op.name, op.domain]),
);

/** A call of each elementwise row on operands that broadcast, sampled where its op says. */
const ELEMENTWISE = Object.fromEntries(
  elementwise.map(({ name, params }): [string, string[]] => {
    const names = Object.keys(params);
    const inputs = names.map((param, i) => {
      const [low, high] = domains.get(name)?.[i] ?? [-2, 2];
      return `${param}[${i % 2 === 0 ? "2, 3" : "3"}] in ${low} ${high}`;
    });
    return [name, [`${inputs.join("; ")} | ${name}(${names.join(", ")})`]];
  }),
);

const reduction = (name: string): string[] => [
  `x[2, 3] | ${name}(x)`,
  `x[2, 3, 2] | ${name}(x, axis=[0, -1])`,
  `x[2, 4] | ${name}(x, 1, keepdims=true)`,
];

export const CALLS: Readonly<Record<string, readonly string[]>> = {
  ...ELEMENTWISE,
  // its first argument is an order, not a variable
  polygamma: ["x[2, 2] in 0.3 1.7 | polygamma(2, x)"],
  where: ["c[2, 3]: bool; x[2, 3]; y[3] | where(c, x, y)"],
  astype: ["x[2, 3] | astype(x, float64)", "x[2, 3] | astype(x, int32)", "x[2, 3] | astype(x, bool)"],
  leaky_relu: ["x[2, 3] | leaky_relu(x)", "x[2, 3]; s[3] | leaky_relu(x, slope=s)"],
  elu: ["x[2, 3] | elu(x, 0.5)"],
  ...Object.fromEntries(["relu", "selu", "silu", "softsign"].map((name) => [name, [`x[2, 3] | ${name}(x)`]])),
  gelu: ["x[2, 3] | gelu(x)", "x[2, 3] | gelu(x, approximate=true)"],
  ...Object.fromEntries(["sum", "prod", "mean", "max", "min", "logsumexp"].map((name) => [name, reduction(name)])),
  var: [...reduction("var"), "x[4] | var(x, ddof=1)"],
  std: [...reduction("std"), "x[4] | std(x, ddof=1)"],
  norm: [
    ...reduction("norm"),
    ...["0", "1", "inf", "-inf", "3", "2.5", "-1"].map((ord) => `x[2, 4] | norm(x, axis=1, ord=${ord})`),
  ],
  any: ["x[2, 3] | any(x > 0, axis=1)"],
  all: ["x[2, 3] | all(x > 0)"],
  count_nonzero: ["x[2, 3] | count_nonzero(x, axis=0)"],
  argmax: ["x[2, 3] | argmax(x)", "x[2, 3] | argmax(x, axis=1, keepdims=true)"],
  argmin: ["x[2, 3] | argmin(x, axis=0)"],
  cumsum: ["x[3] | cumsum(x)", "x[2, 3] | cumsum(x, axis=0)"],
  cumprod: ["x[3] in 0.5 2 | cumprod(x)", "x[2, 4] | cumprod(x, axis=-1)"],
  reshape: ["x[2, 3] | reshape(x, [3, 2])", "x[2, 3] | reshape(x, [-1])"],
  transpose: ["x[2, 3] | transpose(x)", "x[2, 3, 1] | transpose(x, [2, 0, 1])"],
  expand_dims: ["x[2, 3] | expand_dims(x, 1)", "x[2] | expand_dims(x, [0, 2])"],
  squeeze: ["x[2, 1, 1] | squeeze(x)", "x[1, 2, 1] | squeeze(x, 0)"],
  broadcast_to: ["x[2, 1] | broadcast_to(x, [3, 2, 4])"],
  concat: ["x[2, 3]; y[1, 3] | concat([x, y, x])", "x[2, 3]; y[2, 1] | concat([x, y], axis=-1)"],
  stack: ["x[2, 3]; y[2, 3] | stack([x, y], axis=1)"],
  flip: ["x[2, 3] | flip(x)", "x[2, 3] | flip(x, 1)"],
  roll: ["x[4] | roll(x, 1)", "x[2, 3] | roll(x, [5, -1], [0, 1])", "x[2, 3] | roll(x, -4, 1)"],
  tile: ["x[2, 3] | tile(x, [2, 1, 2])"],
  repeat: ["x[4] | repeat(x, 2)", "x[2, 3] | repeat(x, 3, axis=0)"],
  pad: ["x[2, 3] | pad(x, [[1, 0], [0, 2]])", "x[2] | pad(x, [[1, 2]], value=3)", "x[2, 2]; v | pad(x, [[1, 1]], v)"],
  tril: ["x[3, 2] | tril(x)", "x[2, 2, 3] | tril(x, 1)"],
  triu: ["x[3, 2] | triu(x)", "x[2, 2, 3] | triu(x, -1)"],
  diagonal: ["x[3, 2] | diagonal(x)", "x[2, 2, 3] | diagonal(x, 1)", "x[3, 2] | diagonal(x, -1)"],
  diag: ["v[3] | diag(v)"],
  trace: ["x[3, 2] | trace(x)", "x[2, 2, 2] | trace(x)"],
  take: ["x[2, 3] | take(x, [1, -1, 1])", "x[3, 2]; i[2, 2]: int32 | take(x, i, axis=1)"],
  take_along_axis: ["x[2, 3]; i[2, 2]: int32 | take_along_axis(x, i, axis=1)"],
  one_hot: ["i[3]: int32; x[3] | one_hot(i, 2) * x[:, newaxis]"],
  sort: ["x[2, 3] | sort(x)", "x[2, 3] | sort(x, axis=0, descending=true)"],
  argsort: ["x[2, 3] | argsort(x)", "x[2, 3] | argsort(x, 0, descending=true)"],
  top_k: ["x[2, 4] | values, indices = top_k(x, 2); values", "x[2, 4] | values, indices = top_k(x, 2); indices"],
  scatter_add: ["x[2, 3]; i[4]: int32; u[2, 4] | scatter_add(x, i, u, axis=1)"],
  segment_sum: ["x[3, 2]; i[3]: int32 | segment_sum(x, i, 4)"],
  size: ["x[2, 3] | x * size(x, 1)"],
  zeros: ["x[2] | x + zeros([3, 2])"],
  ones: ["x[2] | x + ones([2])"],
  full: ["x | full([2, 3], x)"],
  eye: ["x[2, 3] | x * eye(2, 3)"],
  arange: ["x[3] | x * arange(0, 6, 2)"],
  linspace: ["a; b | linspace(a, b, 5)"],
  zeros_like: ["x[2] | x * zeros_like(x)"],
  ones_like: ["x[2] | x * ones_like(x)"],
  full_like: ["x[2] | x * full_like(x, 3)"],
  matmul: [
    "a[2, 3]; b[3, 2] | matmul(a, b)",
    "a[2, 1, 2, 3]; b[2, 3, 1] | matmul(a, b)",
    "a[3]; b[2, 3, 2] | matmul(a, b)",
  ],
  dot: ["a[2, 3]; b[2, 3, 2] | dot(a, b)", "a[3]; b[3] | dot(a, b)"],
  vecdot: ["a[2, 3]; b[3] | vecdot(a, b)"],
  outer: ["a[2]; b[3] | outer(a, b)"],
  tensordot: ["a[2, 3, 2]; b[3, 2, 4] | tensordot(a, b)", "a[2, 3]; b[2, 3] | tensordot(a, b, axes=[[0, 1], [0, 1]])"],
  einsum: [
    'a[2, 3]; b[3, 2]; c[2] | einsum("ij,jk,k->ik", a, b, c)',
    'a[2, 2, 3] | einsum("iij->j", a)',
    'a[2, 3, 2]; b[2, 4] | einsum("...ij,jk", a, b)',
  ],
  kron: ["a[2, 3]; b[1, 2] | kron(a, b)"],
  cross: ["a[2, 3]; b[3] | cross(a, b)"],
  matrix_power: ["a[2, 2] | matrix_power(a, 5)", "a[2, 2, 2] | matrix_power(a + 6 * eye(2), -2)"],
  cholesky: ["a[2, 3, 3] | cholesky(a @ a.mT + eye(3))"],
  solve: [
    "a[3, 3]; b[3] | solve(a + 9 * eye(3), b)",
    "a[2, 2, 2]; b[2, 3] | solve(a + 6 * eye(2), b)",
    "a[2, 2]; b[3, 2, 1] | solve(a + 6 * eye(2), b)",
  ],
  solve_triangular: [
    "a[3, 3]; b[3] | solve_triangular(a + 6 * eye(3), b)",
    "a[2, 2, 2]; b[2, 2] | solve_triangular(a + 6 * eye(2), b, lower=false)",
  ],
  inv: ["a[2, 2, 2] | inv(a + 6 * eye(2))"],
  det: ["a[1, 1] | det(a)", "a[2, 2, 2] | det(a)", "a[3, 3] | det(a)", "a[4, 4] | det(a + 9 * eye(4))"],
  slogdet: [
    "a[2, 2, 2] | sign, logabsdet = slogdet(a - 9 * eye(2)); logabsdet",
    "a[3, 3] | sign, logabsdet = slogdet(a); sign",
  ],
  softmax: ["x[2, 3] | softmax(x)", "x[2, 3, 2] | softmax(x, axis=[0, 1])"],
  log_softmax: ["x[2, 3] | log_softmax(x)", "x[2, 3] | log_softmax(x, axis=0)"],
  softmax_cross_entropy: [
    "x[2, 3]; i[2]: int32 | softmax_cross_entropy(x, i)",
    "x[2, 3]; p[2, 3] in 0.1 0.9 | softmax_cross_entropy(x, p + 0.0)",
  ],
  sigmoid_cross_entropy: ["z[2, 3]; y[3] in 0.1 0.9 | sigmoid_cross_entropy(z, y)"],
  mse: ["a[2, 3]; b[3] | mse(a, b)"],
  huber: ["a[2, 3] in -4 4; b[3] in -0.1 0.1 | huber(a, b, delta=1.5)"],
  layer_norm: ["x[2, 3] | layer_norm(x)", "x[2, 3] | layer_norm(x, axis=[0, 1], eps=0.1)"],
  attention: [
    "q[2, 3]; k[4, 3]; v[4, 2] | attention(q, k, v)",
    "q[2, 2, 3]; k[4, 3]; v[4, 2]; m[2, 4]: bool | attention(q, k, v, m)",
    "q[2, 3]; k[4, 3]; v[4, 2]; m[4] | attention(q, k, v, m)",
  ],
  stop_gradient: ["x[2] | x * stop_gradient(sign(x))"],
};

export const OPERATORS: readonly string[] = [
  ...["+", "-", "*"].map((op) => `x[2, 3]; y[3] | x ${op} y`),
  ...["/", "//", "%", "**"].map((op) => `x[2, 3] in 2.1 2.3; y[3] in 0.9 0.95 | x ${op} y`),
  ...["==", "!=", "<", "<=", ">", ">="].map((op) => `x[2, 3]; y[3] | x ${op} y`),
  ...["and", "or"].map((op) => `x[2, 3]: bool; y[3]: bool | x ${op} y`),
  "x[2, 3]: bool | not x",
  "a[2, 3]; b[3] | a @ b",
  "x[2, 3] | -x + +x",
  "x[2] | x ** 2 + x ** 3 + x ** 1 + x ** 0 + 2 ** x",
  "x[2] in 0.5 2 | x ** -1 + x ** 0.5",
  "x[2, 3] | x.T",
  "x[2, 3, 1] | x.mT",
  "x[4, 3] | x[1, ::-1]",
  "x[4, 3] | x[-3:, newaxis, 1]",
  "x[2, 3, 4] | x[..., 1:9:2]",
  "x[3, 2]; i[2, 2]: int32 | x[:, i]",
  "x[2]; y[2] | [x, 1 / y, [1, 2]]",
];
