/** The TensorFlow engine for tests, where it is installed, and how far its results may be from ours. */
import { findInstallation } from "../src/engines/tensorflow/find.ts";
import { tensorflowEngine } from "../src/engines/tensorflow/index.ts";
import { elementwise } from "../src/ops/elementwise.ts";
import type { Candidate, Tolerance } from "./conformance.ts";
import { OPERATORS } from "./operations.ts";

/** In units in the last place, about half more than was seen on CPUs over 20,000 numbers of each of several ranges. */
const ULPS: Readonly<Record<string, number>> = {
  rsqrt: 3,
  expm1: 6,
  log: 4,
  log1p: 5,
  sin: 3,
  cos: 3,
  asin: 6,
  acos: 6,
  atan: 5,
  atan2: 5,
  sinh: 3,
  cosh: 3,
  tanh: 7,
  asinh: 3,
  acosh: 3,
  xlogy: 5,
  erf: 8,
  erfc: 3,
  sigmoid: 3,
  softplus: 10,
};
/** What TensorFlow computes as we do. */
const EXACT = new Set(
  "abs sign square floor ceil round trunc maximum minimum clip isnan isinf isfinite copysign where astype max min any all argmax argmin count_nonzero reshape transpose expand_dims squeeze broadcast_to concat stack flip roll tile repeat pad tril triu diagonal diag take take_along_axis one_hot sort argsort top_k size zeros ones full eye arange zeros_like ones_like full_like relu stop_gradient".split(
    " ",
  ),
);
const ELEMENTWISE = new Set([...elementwise.map((row) => row.name), ...OPERATORS.map((text) => text.split(" | ")[1]!)]);

/** A first output is the value itself, others are gradients: products and sums of such. */
function tolerance(op: string, output: number): Tolerance {
  if (output > 0) return { sum: 16 };
  if (EXACT.has(op)) return { ulp: 0 };
  return ELEMENTWISE.has(op) && !op.includes("@") ? { ulp: ULPS[op] ?? 2 } : { sum: 4 };
}

const installation = findInstallation();
export const tensorflow: Candidate & { readonly engine: ReturnType<typeof tensorflowEngine> | undefined } = {
  name: "tensorflow",
  engine: installation && tensorflowEngine(installation, "cpu"),
  tolerance,
};
