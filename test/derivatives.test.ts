/** Section 4 of the language, rule by rule: programs and the derivatives that they must print. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TsymError } from "../src/source.ts";
import { compile, evaluate, nested, tensorFrom, value, warnings } from "./evaluate.ts";

const inf = Number.POSITIVE_INFINITY;

/** [what it shows, program, the only output] */
type Row = readonly [rule: string, program: string, expected: unknown];

const TIES: readonly Row[] = [
  ["max", "input x[4] = [2, 1, 2, 0]; grad max(x) wrt x", [0.5, 0, 0.5, 0]],
  ["min", "input x[3] = [3, 3, 3]; grad 3 * min(x) wrt x", [1, 1, 1]],
  [
    "max along an axis",
    "input x[2, 2] = [[1, 1], [0, 2]]; grad sum(max(x, axis=1)) wrt x",
    [
      [0.5, 0.5],
      [0, 1],
    ],
  ],
  ["maximum", "input x[2] = [1, 2]; grad sum(maximum(x, 2)) wrt x", [0, 0.5]],
  ["minimum, both sides", "input x = 1; input y = 1; a, b = grad minimum(x, y) wrt x, y; [a, b]", [0.5, 0.5]],
  ["maximum of a tensor and itself", "input x = 3; grad maximum(x, x) wrt x", 1],
  ["norm of the largest", "input x[2] = [3, -3]; grad norm(x, ord=inf) wrt x", [0.5, -0.5]],
];

const KINKS: readonly Row[] = [
  ...[
    "abs(x)",
    "relu(x)",
    "norm(x)",
    "norm(x, ord=1)",
    "norm(x, ord=inf)",
    "norm(x, ord=3)",
    "std([x, x])",
    "hypot(x, 0)",
  ].map((f): Row => [f, `input x = 0; grad ${f} wrt x`, 0]),
  ["norm of several", "input x[3] = 0; grad norm(x) wrt x", [0, 0, 0]],
  [
    "norm along an axis",
    "input x[2, 2] = [[0, 0], [0, -4]]; grad sum(norm(x, 1)) wrt x",
    [
      [0, 0],
      [0, -1],
    ],
  ],
  ["std of equal values", "input x[3] = 2; grad std(x) wrt x", [0, 0, 0]],
  [
    "second order there",
    "input x[2] = 0; hessian norm(x) wrt x",
    [
      [0, 0],
      [0, 0],
    ],
  ],
  ["clip at its bounds", "input x[4] = [-1, 0, 1, 2]; grad sum(clip(x, 0, 1)) wrt x", [0, 1, 1, 0]],
  ["clip's bounds beyond them", "input lo = 0; grad sum(clip([-1.0, 0, 2], lo, 1)) wrt lo", 1],
  ["clip where lo > hi gives hi", "input hi = -1; grad clip(0.5, 1, hi) wrt hi", 1],
  ["sqrt at 0", "input x = 0; grad sqrt(x) wrt x", inf],
  ["log at 0", "input x = 0; grad log(x) wrt x", inf],
  ["leaky_relu, as JAX", "input x = 0; grad leaky_relu(x) wrt x", 1],
  ["elu, as JAX", "input x = 0; grad elu(x, alpha=0.5) wrt x", 0.5],
  ["steps", "input x[3] = [-1.5, 0, 2]; grad sum(floor(x) + ceil(x) + round(x) + trunc(x) + sign(x)) wrt x", [0, 0, 0]],
  ["through ints", "input x = 1.5; grad astype(astype(x, int32), float64) wrt x", 0],
  ["through comparisons", "input x = 1.5; grad where(x > 1, 2.0, 3.0) * x wrt x", 2],
  ["through positions", "input x[3] = [1, 3, 2]; grad sum(astype(argmax(x), float64) * x) wrt x", [1, 1, 1]],
];

const PRODUCTS: readonly Row[] = [
  ["one zero", "input x[3] = [0, 2, 3]; grad prod(x) wrt x", [6, 0, 0]],
  ["two zeros", "input x[3] = [0, 0, 3]; grad prod(x) wrt x", [0, 0, 0]],
  [
    "hessian",
    "input x[3] = [0, 2, 3]; hessian prod(x) wrt x",
    [
      [0, 3, 2],
      [3, 0, 0],
      [2, 0, 0],
    ],
  ],
  [
    "hessian of two zeros",
    "input x[3] = [0, 0, 3]; hessian prod(x) wrt x",
    [
      [0, 3, 0],
      [3, 0, 0],
      [0, 0, 0],
    ],
  ],
  [
    "along axes",
    "input x[2, 2] = [[0, 2], [3, 4]]; grad sum(prod(x, 0)) wrt x",
    [
      [3, 4],
      [0, 2],
    ],
  ],
  [
    "cumprod",
    "input x[3] = [2, 0, 3]; jacobian cumprod(x) wrt x",
    [
      [1, 0, 0],
      [0, 2, 0],
      [0, 6, 0],
    ],
  ],
  [
    "det of a singular matrix",
    "input a[2, 2] = [[1, 2], [2, 4]]; grad det(a) wrt a",
    [
      [4, -2],
      [-2, 1],
    ],
  ],
  [
    "det's hessian there",
    "input b[2, 2] = 0; hessian(det(b), b)[0, 0]",
    [
      [0, 0],
      [0, 1],
    ],
  ],
  ["det of rank 3 of 4", "input a[4, 4] = diag([1, 2, 3, 0]); diagonal(grad(det(a), a))", [0, 0, 0, 6]],
  ["of nothing", "input x[0] = broadcast_to(0, [0]); grad prod(x) wrt x", []],
];

/** `where` with what is infinite or nan below 0 or at it. */
const guarded = [
  "log(x)",
  "sqrt(x)",
  "1 / x",
  "x ** 0.5",
  "x ** -1",
  "rsqrt(x)",
  "log2(x)",
  "x * log(x)",
  "exp(1 / x)",
  "acosh(x)",
];
const ZERO_COTANGENT: readonly Row[] = [
  ...guarded.flatMap((f): Row[] => [
    [f, `input x[2] = [0, -1]; grad sum(where(x > 0, ${f}, 0)) wrt x`, [0, 0]],
    [`hessian of ${f}`, `input x = 0; hessian where(x > 0, ${f}, 0) wrt x`, 0],
    [`jvp of ${f}`, `input x = 0; jvp(where(x > 0, ${f}, 0), x, 1)`, 0],
  ]),
  ["w * log(x) at w = 0", "input w = 0; input x = 2; hessian w * log(x) wrt x", 0],
  ["its mixed derivative", "input w = 0; input x = 2; g = grad w * log(x) wrt x; grad g wrt w", 0.5],
  ["w / x at w = 0, x = 0", "input w = 0; input x = 0; g = grad w * log(x) wrt x; g", 0],
  ["w * sqrt(x) at w = 0", "input w = 0; input x = 4; g = grad w * sqrt(x) wrt x; grad g wrt w", 0.25],
  [
    "a row of attention with nothing kept",
    "input q[1, 1] = 1; m = [[false, false]]; grad sum(attention(q, [[1], [2]], [[3], [4]], m)) wrt q",
    [[0]],
  ],
  [
    "the same by a float mask",
    "input q[1, 1] = 1; grad sum(attention(q, [[1], [2]], [[3], [4]], [[-inf, -inf]])) wrt q",
    [[0]],
  ],
  ["softmax beside a masked logit", "input x[2] = [0, 0]; grad softmax([-inf, x[0], x[1]])[1] wrt x", [0.25, -0.25]],
  ["logsumexp beside -inf", "input x = 0; grad logsumexp([-inf, x, x]) wrt x", 1],
  ["jvp of sqrt", "input x = 4; jvp(sqrt(x), x, 3)", 0.75],
  ["jvp of sqrt at 0 along nothing", "input x = 0; jvp(sqrt(x), x, 0)", 0],
  ["jvp of log", "input x = 4; jvp(log(x), x, 2)", 0.5],
  ["jvp of a quotient", "input x = 4; jvp(1 / x, x, 16)", -1],
  ["jvp of a quotient in its dividend", "input x = 0; y = x / 4; jvp(y, x, 2)", 0.5],
];

const VARIABLES: readonly Row[] = [
  ["an intermediate", "input x = 3; b = 2 * x; c = b ** 2; grad c wrt b", 12],
  ["equal values are not one tensor", "input x = 3; b = 2 * x; c = 2 * x; grad b * c wrt b", 6],
  ["an alias is", "input a = 3; b = a; grad a * b wrt b", 6],
  ["of an alias", "input a = 3; b = a; grad a * b wrt a", 6],
  ["a parameter passed twice is two", "input x = 3; fn f(a, b) = grad a * b wrt a; f(x, x)", 3],
  ["a parameter beside a value used", "input x = 3; fn f(a) = grad a ** 2 wrt a; f(x) + x", 9],
  ["a literal", "k = 2.0; grad k ** 3 wrt k", 12],
  ["the tensor itself", "input x = 5; grad x wrt x", 1],
  ["an input through a default", "input x = 3; input y = x; grad x * y wrt y", 3],
  ["stop_gradient", "input x = 3; grad x * stop_gradient(x) wrt x", 3],
  ["stop_gradient twice over", "input x = 3; g = grad stop_gradient(x) * x ** 2 wrt x; grad g wrt x", 6],
  ["broadcast, summed back", "input b[3] = 0; input x[2, 3] = 1; grad sum(x + b) wrt b", [2, 2, 2]],
  ["a scalar of an int sum", "input x = 2; input n: int32 = 3; grad x * n wrt x", 3],
  ["a float32 of a float64 result", "input x: float32 = 2; input y = 3; g: float32 = grad x * y wrt x; g", 3],
  [
    "jacobian",
    "input x[2] = [1, 2]; jacobian x ** 2 wrt x",
    [
      [2, 0],
      [0, 4],
    ],
  ],
  ["jacobian of a scalar", "input x[2] = [1, 2]; jacobian sum(x ** 2) wrt x", [2, 4]],
  ["vjp", "input x[2] = [1, 2]; vjp(x ** 2, x, [1, 10])", [2, 40]],
  ["jvp", "input x[2] = [1, 2]; jvp(x ** 2, x, [1, 10])", [2, 40]],
  ["call form", "input x = 3; grad(x ** 2, x)", 6],
];

/** The n-th derivatives of some functions at x. */
const CLOSED_FORMS: readonly (readonly [f: string, derivative: (n: number, x: number) => number])[] = [
  ["sin(x)", (n, x) => Math.sin(x + (n * Math.PI) / 2)],
  ["exp(2 * x)", (n, x) => 2 ** n * Math.exp(2 * x)],
  ["1 / x", (n, x) => (-1) ** n * factorial(n) * x ** (-1 - n)],
  ["log(x)", (n, x) => (n === 0 ? Math.log(x) : (-1) ** (n - 1) * factorial(n - 1) * x ** -n)],
  ["x ** 4", (n, x) => (n > 4 ? 0 : (factorial(4) / factorial(4 - n)) * x ** (4 - n))],
  ["x ** 2.5", (n, x) => Array.from({ length: n }, (_, k) => 2.5 - k).reduce((a, b) => a * b, 1) * x ** (2.5 - n)],
  ["x * exp(x)", (n, x) => (x + n) * Math.exp(x)],
  ["prod([x, x, x])", (n, x) => (n > 3 ? 0 : (factorial(3) / factorial(3 - n)) * x ** (3 - n))],
  ["det([[x, 1], [1, x]])", (n, x) => [x * x - 1, 2 * x, 2][n] ?? 0],
  ["inv([[x]])[0, 0]", (n, x) => (-1) ** n * factorial(n) * x ** (-1 - n)],
];
const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

const tables = { TIES, KINKS, PRODUCTS, ZERO_COTANGENT, VARIABLES };

/** -0 counts as 0. */
const plain = (x: unknown): unknown => (Array.isArray(x) ? x.map(plain) : x === 0 ? 0 : x);

describe.each(Object.entries(tables))("%s", (_, rows) => {
  test.each(rows)("%s: %s", (_rule, program, expected) => {
    expect(plain(value(program))).toEqual(expected);
  });
});

describe.each(CLOSED_FORMS)("%s", (f, derivative) => {
  test("has the derivatives of every order that calculus gives", () => {
    const orders = [1, 2, 3, 4, 5];
    const program = ["input x", `f0 = ${f}`, ...orders.map((n) => `output f${n} = grad f${n - 1} wrt x`)].join("\n");
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => {
        const results = evaluate(program, { x: tensorFrom(x) });
        for (const n of orders) {
          const wanted = derivative(n, x);
          const tolerance = 1e-10 * Math.max(1, Math.abs(wanted));
          expect(Math.abs((nested(results[`f${n}`]!) as number) - wanted), `order ${n}`).toBeLessThan(tolerance);
        }
      }),
      { numRuns: 10 },
    );
  });
});

test.each([
  ["asin", 1],
  ["acos", -1],
  ["atanh", 2],
  ["tanh", -2],
])("the second derivative of %s near 0 is %d x", (f, factor) => {
  expect(value(`input x = 1e-9; grad grad(${f}(x), x) wrt x`)).toBe(factor * 1e-9);
});

describe("not connected", () => {
  test.each([
    ["input x[2] = [1, 2]; y = 3.0; grad y wrt x", [0, 0]],
    ["input x = 1; b = 2 * x; c = x * 3; grad c wrt b", 0],
    [
      "input x[2] = [1, 2]; jacobian [1.0, 2.0, 3.0] wrt x",
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ],
  ])("%s: zeros and a warning", (program, zeros) => {
    expect(value(program)).toEqual(zeros);
    expect(warnings(program).map((d) => d.code)).toContain("not-connected");
  });

  test("there is no warning where something flows", () => {
    expect(warnings("input x = 1; grad x ** 2 wrt x")).toEqual([]);
  });
});

describe("refused", () => {
  test.each([
    ["input x[2]; grad x wrt x", "grad sum"],
    ["input x[2]; hessian x wrt x", "scalar"],
    ["input x: int32; grad 1.0 * x wrt x", "int32"],
    ["input x: bool; grad where(x, 1.0, 2.0) wrt x", "bool"],
    ["input x; grad x > 0 wrt x", "bool"],
    ["input x[n]; grad sum(x) * n wrt n", "dim"],
    ["input x; grad x ** 2 wrt 3 * x", "wrt"],
  ])("%s", (program, mentions) => {
    const { diagnostics } = mistakes(program);
    expect(diagnostics.map((d) => `${d.message} ${d.help}`).join()).toContain(mentions);
  });
});

function mistakes(program: string): TsymError {
  try {
    compile(program);
  } catch (error) {
    if (error instanceof TsymError) return error;
    throw error;
  }
  throw new Error(`there is no mistake in ${program}`);
}
