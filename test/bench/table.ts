/** The workloads of the bench: each in tsym and in Python side by side, its sizes and its goals. Knows nothing of running them. */
import type { FloatDType } from "../../src/tensor/dtype.ts";

/** Data of an input: uniform in ±`spread` (1 if not given), or one of `classes` whole numbers from 0 up. */
export interface InputData {
  /** A name is one of the workload's dims, which `--scale` scales. */
  readonly shape: readonly (number | string)[];
  readonly spread?: number;
  readonly classes?: number;
  /** The default float if not given. */
  readonly dtype?: "int32";
}

export interface Workload {
  readonly title: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, InputData>>;
  readonly outputs: readonly string[];
  readonly tsym: string;
  /** Statements that bind the outputs' names; `np` is numpy, or what stands in for it. */
  readonly numpy: string;
  /** What is written in its place for JAX, which has gradients of its own. */
  readonly jax?: string;
  /** The most that our time may be of NumPy's, once warmed up. */
  readonly steady: Readonly<Partial<Record<FloatDType, number>>>;
  /** The most that our whole process may be of another's. */
  readonly cold: Readonly<Partial<Record<"numpy" | "jax", number>>>;
  /** Floating-point operations of one run, where they say something. */
  readonly flops?: (dims: Readonly<Record<string, number>>) => number;
}

const GRADIENT_OF_EXP = {
  outputs: ["da"],
  numpy: "c = np.exp(a @ a); da = c @ a.T + a.T @ c",
  jax: "da = jax.grad(lambda a: np.sum(np.exp(a @ a)))(a)",
};

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  W1: {
    title: "exp(x @ x)",
    dims: { n: 1024 },
    inputs: { x: { shape: ["n", "n"], spread: 0.1 } },
    outputs: ["y"],
    tsym: "input x[n, n]; output y = exp(x @ x)",
    numpy: "y = np.exp(x @ x)",
    steady: { float32: 3.6, float64: 3.7 },
    cold: { jax: 0.2 },
    flops: ({ n }) => 2 * n! ** 3,
  },
  W2: {
    title: "grad sum(exp(a @ a))",
    dims: { n: 1024 },
    inputs: { a: { shape: ["n", "n"], spread: 0.1 } },
    tsym: "input a[n, n]; output da = grad sum(exp(a @ a)) wrt a",
    ...GRADIENT_OF_EXP,
    steady: { float32: 3.5 },
    cold: {},
  },
  W3: {
    title: "pointwise, 10M",
    dims: { n: 10_000_000 },
    inputs: { x: { shape: ["n"] }, y: { shape: ["n"] } },
    outputs: ["z"],
    tsym: "input x[n], y[n]; output z = tanh(x*y + 1) * exp(-x*x) / (1 + y*y)",
    numpy: "z = np.tanh(x*y + 1) * np.exp(-x*x) / (1 + y*y)",
    steady: { float32: 0.7, float64: 0.7 },
    cold: { numpy: 0.8 },
  },
  W4: {
    title: "its sum",
    dims: { n: 10_000_000 },
    inputs: { x: { shape: ["n"] }, y: { shape: ["n"] } },
    outputs: ["s"],
    tsym: "input x[n], y[n]; output s = sum(tanh(x*y + 1) * exp(-x*x) / (1 + y*y))",
    numpy: "s = np.sum(np.tanh(x*y + 1) * np.exp(-x*x) / (1 + y*y))",
    steady: { float32: 0.7, float64: 0.7 },
    cold: { numpy: 0.8 },
  },
  W5: {
    title: "softmax",
    dims: { n: 4096, d: 1024 },
    inputs: { x: { shape: ["n", "d"] } },
    outputs: ["y"],
    tsym: "input x[n, d]; output y = softmax(x)",
    numpy: `
e = np.exp(x - np.max(x, axis=-1, keepdims=True))
y = e / np.sum(e, axis=-1, keepdims=True)`,
    steady: { float32: 0.7, float64: 0.7 },
    cold: { numpy: 0.8 },
  },
  W6: {
    title: "batched matmul",
    dims: { b: 64, n: 128 },
    inputs: { x: { shape: ["b", "n", "n"] }, y: { shape: ["b", "n", "n"] } },
    outputs: ["z"],
    tsym: "input x[b, n, n], y[b, n, n]; output z = x @ y",
    numpy: "z = x @ y",
    steady: { float32: 2.5 },
    cold: {},
  },
  W7: {
    title: "layer_norm, gradient",
    dims: { n: 4096, d: 1024 },
    inputs: { x: { shape: ["n", "d"] }, g: { shape: ["n", "d"] } },
    outputs: ["y", "dx"],
    tsym: "input x[n, d], g[n, d]; output y = layer_norm(x); output dx = grad sum(y * g) wrt x",
    numpy: `
c = x - np.mean(x, axis=-1, keepdims=True)
r = 1 / np.sqrt(np.mean(c * c, axis=-1, keepdims=True) + 1e-5)
y = c * r
dx = r * (g - np.mean(g, axis=-1, keepdims=True) - y * np.mean(g * y, axis=-1, keepdims=True))`,
    jax: `
def layer_norm(x):
    c = x - np.mean(x, axis=-1, keepdims=True)
    return c / np.sqrt(np.mean(c * c, axis=-1, keepdims=True) + 1e-5)
y, back = jax.vjp(layer_norm, x)
dx, = back(g)`,
    steady: { float32: 0.6 },
    cold: { numpy: 0.8 },
  },
  W8: {
    title: "MLP, loss and gradients",
    dims: { n: 256, d: 784, h: 512 },
    inputs: {
      x: { shape: ["n", "d"] },
      labels: { shape: ["n"], classes: 10, dtype: "int32" },
      w1: { shape: ["d", "h"], spread: 0.05 },
      b1: { shape: ["h"], spread: 0.05 },
      w2: { shape: ["h", 10], spread: 0.05 },
      b2: { shape: [10], spread: 0.05 },
    },
    outputs: ["loss", "dw1", "db1", "dw2", "db2"],
    tsym: `
input x[n, d], labels[n]: int32, w1[d, h], b1[h], w2[h, 10], b2[10]
output loss = mean(softmax_cross_entropy(relu(x @ w1 + b1) @ w2 + b2, labels))
dw1, db1, dw2, db2 = grad loss wrt w1, b1, w2, b2
output dw1, db1, dw2, db2`,
    numpy: `
h = np.maximum(x @ w1 + b1, 0)
z = h @ w2 + b2
z = z - np.max(z, axis=-1, keepdims=True)
logp = z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
hot = np.eye(10, dtype=x.dtype)[labels]
loss = -np.sum(hot * logp) / x.shape[0]
dz = (np.exp(logp) - hot) / x.shape[0]
dw2, db2 = h.T @ dz, np.sum(dz, axis=0)
dh = np.where(h > 0, dz @ w2.T, 0)
dw1, db1 = x.T @ dh, np.sum(dh, axis=0)`,
    jax: `
def mlp(w1, b1, w2, b2):
    logp = jax.nn.log_softmax(jax.nn.relu(x @ w1 + b1) @ w2 + b2)
    return -np.mean(np.take_along_axis(logp, labels[:, None], axis=1))
loss, (dw1, db1, dw2, db2) = jax.value_and_grad(mlp, argnums=(0, 1, 2, 3))(w1, b1, w2, b2)`,
    steady: { float32: 3 },
    cold: {},
  },
  W9: {
    title: "logistic regression",
    dims: { n: 200_000, d: 100 },
    inputs: { x: { shape: ["n", "d"] }, y: { shape: ["n"], classes: 2 }, w: { shape: ["d"], spread: 0.1 } },
    outputs: ["dw"],
    tsym: "input x[n, d], y[n], w[d]; output dw = grad mean(sigmoid_cross_entropy(x @ w, y)) wrt w",
    numpy: "dw = x.T @ (1 / (1 + np.exp(-(x @ w))) - y) / x.shape[0]",
    jax: `
def loss(w):
    z = x @ w
    return np.mean(np.logaddexp(0, z) - y * z)
dw = jax.grad(loss)(w)`,
    steady: { float32: 1.2 },
    cold: {},
  },
  W10: {
    title: "the seed program, 3×3",
    dims: {},
    inputs: { a: { shape: [3, 3] } },
    tsym: "input a[?, 3]; b = a @ a; c = exp(b); output da = grad sum(c) wrt a",
    ...GRADIENT_OF_EXP,
    steady: {},
    cold: { numpy: 1, jax: 0.2 },
  },
};
