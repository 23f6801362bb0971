/** What programs mean: the language's rules as small programs with their results, and as programs that are refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TsymError } from "../src/source.ts";
import { compile, evaluate, nested, tensorFrom, value } from "./evaluate.ts";

const FEEDS = {
  x: tensorFrom([1, 2, 3], "float32"),
  m: tensorFrom(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    "float32",
  ),
  i: tensorFrom([-7, 7, 0], "int32"),
  j: tensorFrom([2, -2, 5], "int32"),
  big: tensorFrom([2 ** 31, 5], "int64"),
  b: tensorFrom([true, false, true], "bool"),
  d: tensorFrom([0.5, 1, 2], "float64"),
};
const INPUTS = "input x[n], m[2, n], i[n]: int32, j[n]: int32, big[2]: int64, b[n]: bool, d[n]: float64;";

/** Output names, dtypes and values of a program that sees FEEDS. */
function outputs(program: string) {
  const results = evaluate(INPUTS + program, FEEDS, "float32");
  return Object.entries(results).map(([name, tensor]) => [name, tensor.dtype, nested(tensor)]);
}
const only = (program: string) => outputs(program)[0]!.slice(1);

/** `program` against the dtype and the value of its first output. */
type Row = readonly [program: string, dtype: string, value: unknown];

const MEANINGS: Readonly<Record<string, readonly Row[]>> = {
  precedence: [
    ["-2 ** 2", "int32", -4],
    ["2 ** -1", "float32", 0.5],
    ["2 ** 3 ** 2 == 2 ** 9", "bool", true],
    ["2 ** -1 ** 2", "float32", 0.5],
    ["not 1 == 2 and true", "bool", true],
    ["true or false and false", "bool", true],
    ["1 - 2 - 3", "int32", -4],
    ["12 / 2 / 3", "float32", 2],
    ["7 // 2 * 2", "int32", 6],
    ["-7 // 2", "int32", -4],
    ["-7 % 3", "int32", 2],
    ["7 % -3", "int32", -2],
    ["+x - -x", "float32", [2, 4, 6]],
    ["m @ x * 2", "float32", [28, 64]],
    ["-x[0]", "float32", -1],
    ["x[1] ** 2", "float32", 4],
    ["-m.T[0]", "float32", [-1, -4]],
    ["1 + 2 < 4 and 5 > 3", "bool", true],
  ],
  "literals and sizes at their edges": [
    ["sum([2147483647, 1])", "int64", 2147483648n],
    ["prod([[2, 3], [4, 5]], axis=1)", "int32", [6, 20]],
    ["where(b, 1.0, 0)", "float32", [1, 0, 1]],
    ["where(b, 1, 0)", "int32", [1, 0, 1]],
    ["x[-n]", "float32", 1],
    ["x[n - 1]", "float32", 3],
    ["x[n // 2]", "float32", 2],
    ["broadcast_to(x[:1], [1])", "float32", [1]],
    ["x[1:-1][1:-1]", "float32", []],
    ["sign(big)", "int64", [1n, 1n]],
  ],
  statements: [
    ["y = (1 +\n2)\ny", "int32", 3],
    ["y = 1 +\n  2", "int32", 3],
    ["y =\n 3", "int32", 3],
    ["[1,\n 2,]", "int32", [1, 2]],
    ["y = 4; y # a comment", "int32", 4],
    ["-x", "float32", [-1, -2, -3]],
    ["größe = 2; größe * 2", "int32", 4],
    ["1_000 + 0", "int32", 1000],
    ["grad sum(x ** 2)\nwrt x", "float32", [2, 4, 6]],
    ["mean = mean(x); output mean", "float32", 2],
    ["fn mean(v) = v[0]\nmean(x)", "float32", 1],
  ],
  fns: [
    ["fn f(v, by=2, off=1) = v * by + off\nf(x)", "float32", [3, 5, 7]],
    ["fn f(v, by=2, off=1) = v * by + off\nf(x, off=0)", "float32", [2, 4, 6]],
    ["fn f(v, by=2, off=1) = v * by + off\nf(off=0, v=x, by=3)", "float32", [3, 6, 9]],
    ["fn f(v) = g(v) + 1\nfn g(v) = v * 2\nf(x)", "float32", [3, 5, 7]],
    ["fn f(v) { w = v * 2; w + v }\nf(x)", "float32", [3, 6, 9]],
    ["fn f(v) {\n  w = v * 2\n  w + v\n}\nf(x)", "float32", [3, 6, 9]],
    ["fn mean_of(v[k]) = sum(v) / k\nmean_of(m[0]) + mean_of(m[1, :2])", "float32", 6.5],
    ["fn f(v[k]) = v * n\nf(x[:2])", "float32", [3, 6]],
    ["fn f(a, k) = a * k\nf(d, 0.1)", "float64", [0.05, 0.1, 0.2]],
    ["fn f(a) = grad sum(a ** 2) wrt a\nf(x)", "float32", [2, 4, 6]],
    ["fn f(a, c) = grad sum(a * c) wrt a\nf(x, x)", "float32", [1, 2, 3]],
    ["c = x; grad sum(x * c) wrt x", "float32", [2, 4, 6]],
    ["fn f(a) = grad sum(a ** 2) * 2 wrt a\nfn g(a) = f(a) + a\ng(x)", "float32", [5, 10, 15]],
    ["fn twins(a, c) = grad sum(a ** 2 * c) wrt a, c\np, q = twins(x, x)\nq", "float32", [1, 4, 9]],
  ],
  "weak values": [
    ["1 + 1", "int32", 2],
    ["1 / 2", "float32", 0.5],
    ["3000000000", "int64", 3000000000n],
    ["2 ** 40 - 2 ** 40 + 1", "int32", 1],
    ["k = 0.1; d * k", "float64", [0.05, 0.1, 0.2]],
    ["sqrt(2) * d", "float64", [Math.SQRT2 / 2, Math.SQRT2, 2 * Math.SQRT2]],
    ["([1, 2, 4] / 3) * d", "float64", [1 / 6, 2 / 3, 8 / 3]],
    ["i + 1", "int32", [-6, 8, 1]],
    ["i + 0.5", "float32", [-6.5, 7.5, 0.5]],
    ["b + 1", "int32", [2, 1, 2]],
    ["b * 0.5", "float32", [0.5, 0, 0.5]],
    ["big + 1", "int64", [2147483649n, 6n]],
    ["x + 1", "float32", [2, 3, 4]],
    ["k: float64 = 1; k", "float64", 1],
    ["n * 2", "int32", 6],
    ["d * n", "float64", [1.5, 3, 6]],
    ["sum(x) / n", "float32", 2],
    ["[]", "float32", []],
    ["zeros([2])", "float32", [0, 0]],
    ["zeros([2]) + d[:2]", "float64", [0.5, 1]],
    ["true", "bool", true],
    ["[x[0], 2.5]", "float32", [1, 2.5]],
    ["k = 2.0; grad k ** 3 wrt k", "float32", 12],
    ["pi * d[:1]", "float64", [Math.PI / 2]],
    ["sort([0.3, 0.1, 0.2]) * d", "float64", [0.05, 0.2, 0.6]],
    ["take([0.1, 0.2], [1, 0]) * d[1:]", "float64", [0.2, 0.2]],
    ["[0.1, 0.2][[1, 0]] * d[1:]", "float64", [0.2, 0.2]],
    ["cumsum([0.1, 0.5]) * d[1:]", "float64", [0.1, 1.2]],
    ["pad([0.1], [[0, 2]], value=0.7) * d", "float64", [0.05, 0.7, 1.4]],
    ["(tril([[0.1, 9], [0.7, 0.3]]) @ [1, 1]) * d[1:]", "float64", [0.1, 2]],
    ["solve([[10, 0], [0, 5]], [1, 1]) * d[1:]", "float64", [0.1, 0.4]],
    ["inv([[10, 0], [0, 5]])[0] * d[1:]", "float64", [0.1, 0]],
    ["scatter_add([0.1, 0.2], [1], [0.5]) * d[1:]", "float64", [0.1, 1.4]],
    ["cumsum([2000000000, 2000000000])", "int64", [2000000000n, 4000000000n]],
    ["cumprod([100000, 100000])[1] / 1e10", "float32", 1],
    ["cumsum([2 ** 62, 2 ** 62, 2 ** 62]) / 2 ** 60", "float32", [4, 8, 12]],
    ["matrix_power([[2 ** 20]], 2)", "int64", [[2n ** 40n]]],
    ["x[: minimum(n, 2)]", "float32", [1, 2]],
    ["zeros([maximum(n, 4) // (maximum(n, 1) + 1)])", "float32", [0]],
  ],
  promotion: [
    ["x + d", "float64", [1.5, 3, 5]],
    ["i + x", "float32", [-6, 9, 3]],
    ["big + x[:2]", "float32", [2147483648, 7]],
    ["i[:2] + big", "int64", [2147483641n, 12n]],
    ["b * x", "float32", [1, 0, 3]],
    ["i / j", "float32", [-3.5, -3.5, 0]],
    ["i // j", "int32", [-4, -4, 0]],
    ["i % j", "int32", [1, -1, 0]],
    ["i ** 2", "int32", [49, 49, 0]],
    ["x // 2", "float32", [0, 1, 1]],
    ["x % 0", "float32", [Number.NaN, Number.NaN, Number.NaN]],
    ["-5.0 % inf", "float32", Number.POSITIVE_INFINITY],
    ["x / 0", "float32", [Infinity, Infinity, Infinity]],
    ["i + 2147483647", "int32", [2147483640, -2147483642, 2147483647]],
    ["floor(i)", "int32", [-7, 7, 0]],
    ["exp(i * 0)", "float32", [1, 1, 1]],
    ["mean(i)", "float32", 0],
    ["sum(b)", "int32", 2],
    ["sum(big)", "int64", 2147483653n],
    ["b == b", "bool", [true, true, true]],
    ["x == 2", "bool", [false, true, false]],
    ["astype(x, float64) + 0.5", "float64", [1.5, 2.5, 3.5]],
    ["astype([1.7, -1.7], int32)", "int32", [1, -1]],
    ["where(b, x, 0)", "float32", [1, 0, 3]],
  ],
  shapes: [
    [
      "m + [10, 20, 30]",
      "float32",
      [
        [11, 22, 33],
        [14, 25, 36],
      ],
    ],
    [
      "reshape(m, [n, -1])",
      "float32",
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    ["reshape(m, [2 * n])", "float32", [1, 2, 3, 4, 5, 6]],
    ["arange(n)", "int32", [0, 1, 2]],
    ["zeros([n - 1, 1])", "float32", [[0], [0]]],
    ["x @ x", "float32", 14],
    ["m @ x", "float32", [14, 32]],
    ["x @ m.T", "float32", [14, 32]],
    [
      "m.T",
      "float32",
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    ["x.T", "float32", [1, 2, 3]],
    [
      "stack([m, m]).mT[0]",
      "float32",
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    ["y[n] = x + 1; y", "float32", [2, 3, 4]],
    ["y[k] = concat([x, x]); zeros([k])", "float32", [0, 0, 0, 0, 0, 0]],
    ["size(m, 0)", "int32", 2],
  ],
  indexing: [
    ["m[1]", "float32", [4, 5, 6]],
    ["m[-1, -1]", "float32", 6],
    ["m[..., 0]", "float32", [1, 4]],
    ["m[:, newaxis, 1]", "float32", [[2], [5]]],
    ["x[::-1]", "float32", [3, 2, 1]],
    ["x[5:]", "float32", []],
    ["x[-100:2]", "float32", [1, 2]],
    ["x[n - 1]", "float32", 3],
    ["x[1:n - 1]", "float32", [2]],
    ["x[[2, 0, -1]]", "float32", [3, 1, 3]],
    [
      "m[:, [2, 0]]",
      "float32",
      [
        [3, 1],
        [6, 4],
      ],
    ],
    ["m[:, [[2, 0]]]", "float32", [[[3, 1]], [[6, 4]]]],
    ["m[[1, 0], 0]", "float32", [4, 1]],
    ["x[astype(b, int32)]", "float32", [2, 1, 2]],
    ["[[1, 2], [3, 4]][1, 0]", "int32", 3],
  ],
  "many values": [
    ["v, k = top_k(x, 2); v", "float32", [3, 2]],
    ["v, k = top_k(x, 2); k", "int32", [2, 1]],
    ["p, q = grad sum(x * d) wrt x, d; q", "float64", [1, 2, 3]],
    [
      "output p = [grad sum(x) wrt x, x]",
      "float32",
      [
        [1, 1, 1],
        [1, 2, 3],
      ],
    ],
    ["2 * (grad sum(x) wrt x)", "float32", [2, 2, 2]],
    ["grad(sum(x ** 2), x)", "float32", [2, 4, 6]],
    ["grad (sum(x ** 2)) wrt x", "float32", [2, 4, 6]],
  ],
  gradients: [
    ["y = x * 2; grad sum(y ** 2) wrt y", "float32", [4, 8, 12]],
    ["grad sum(grad sum(x ** 3) wrt x) wrt x", "float32", [6, 12, 18]],
    [
      "jacobian x ** 2 wrt x",
      "float32",
      [
        [2, 0, 0],
        [0, 4, 0],
        [0, 0, 6],
      ],
    ],
    [
      "hessian sum(x ** 3) wrt x",
      "float32",
      [
        [6, 0, 0],
        [0, 12, 0],
        [0, 0, 18],
      ],
    ],
    ["grad sum(floor(x)) wrt x", "float32", [0, 0, 0]],
    ["grad sum(x * d) wrt x", "float32", [0.5, 1, 2]],
    ["vjp(x ** 2, x, 1)", "float32", [2, 4, 6]],
    ["jvp(x ** 2, x, [1, 0, 1])", "float32", [2, 0, 6]],
    ["grad sum(x * stop_gradient(x)) wrt x", "float32", [1, 2, 3]],
  ],
};

describe.each(Object.entries(MEANINGS))("%s", (_, rows) => {
  test.each(rows)("%s", (program, dtype, wanted) => {
    expect(only(program)).toEqual([dtype, wanted]);
  });
});

test.each([
  ["x; x + 1; grad sum(x) wrt x", ["x", "out", "grad_x"]],
  ["1; 2; 3", ["out", "out_1", "out_2"]],
  ["output out = 1; 2", ["out", "out_1"]],
  ["x; output x", ["x_1", "x"]],
  ["grad sum(x * d) wrt x, d", ["grad_x", "grad_d"]],
  ["grad(sum(x), x); grad sum(x) wrt x", ["grad_x", "grad_x_1"]],
  ["jacobian x wrt x", ["out"]],
  ["p = x + 1; q = p * 2; r = x", ["q", "r"]],
  ["output p = x, q = p", ["p", "q"]],
  ["1; out = 7; out; out_1 = 8", ["out_2", "out"]],
  ["grad_x = 2; grad sum(x) * grad_x wrt x", ["grad_x_1"]],
])("the outputs of `%s` are called %j", (program, names) => {
  expect(outputs(program).map(([name]) => name)).toEqual(names);
});

/** Programs that are refused before there is data, and a word of the message or its help. */
const REFUSALS: readonly (readonly [program: string, says: RegExp])[] = [
  ["0 < x < 1", /and/],
  ["x ^ 2", /\*\*/],
  ["y = x\n+ 1", /end of the line before/],
  ["y = x\nand b", /end of the line before/],
  ["y = 1; y = 2", /twice/],
  ["n = 1", /dim/],
  ["float32 = 1", /reserved/],
  ["fn f(v) = f(v)\nf(x)", /itself/],
  ["fn f(v) = v + x\nf(d)", /parameter/],
  ["fn f(v) = v\nf(v=x, v=x)", /twice/],
  ["fn f(v) = v\nf(x, v=x)", /twice/],
  ["p, q = grad sum(x) wrt x", /one value/],
  ["2 * grad sum(x) wrt x", /parentheses/],
  ["x and b", /bools/],
  ["b + b", /`and`, `or`/],
  ["b < b", /astype/],
  ["i ** -1", /power/],
  ["i + 3000000000", /int32/],
  ["y: float64 = x", /float32/],
  ["zeros([2, 3]) @ zeros([2, 3])", /inner sizes.*\n?.*transpose/],
  ["m @ zeros([4, 2]); m @ zeros([5, 2])", /n = 5 contradicts n = 4/],
  ["m[:, :1] + zeros([2, 2])", /differ/],
  ["y[2] = zeros([3])", /differ/],
  ["y[n, 1] = x", /axes/],
  ["zeros([3])[3]", /out of range/],
  ["m[0, 0, 0]", /too many/],
  ["x[b]", /where/],
  ["m[[0], [0]]", /second int tensor/],
  ["x[0.5]", /int/],
  ["x[::0]", /step/],
  ["sum(x, axis=1)", /out of range/],
  ["grad x wrt x", /grad sum\(x\)/],
  ["grad sum(x) wrt i", /int32/],
  ["grad sum(x) wrt n", /dim/],
  ["hessian x wrt x", /sum/],
  ["zeros([i[0]])", /known without data/],
  ["stack([m, m]).T", /two axes/],
  ["x.mT", /two axes/],
  ["cumsum(m)", /needs an axis/],
  ["svd(m)", /later version/],
  ["np.dot(x, x)", /dot/],
  ["max(b)", /any/],
  ['x + "1"', /string/],
  ["zeros([n, 2]) @ zeros([3, n]) @ zeros([2, 2]) + zeros([n, 3]) @ zeros([4, 2])", /differ/],
  ["astype(x, 32)", /dtype/],
  ["sort([2 ** 64])", /fits? int64/],
  ["softmax_cross_entropy(m, 0)", /one axis fewer/],
];
test.each(REFUSALS)("`%s` is refused", (program, says) => {
  const mistakes = () => {
    try {
      compile(INPUTS + program, "float32");
    } catch (error) {
      if (error instanceof TsymError) return error.diagnostics.map((d) => `${d.message} ${d.help}`).join("\n");
      throw error;
    }
    return "nothing";
  };
  expect(mistakes()).toMatch(says);
});

describe("slices mean what Python's do", () => {
  const bound = fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined });
  const step = fc.option(
    fc.integer({ min: -4, max: 4 }).filter((s) => s !== 0),
    { nil: undefined },
  );
  /** CPython's PySlice_AdjustIndices, walked element by element. */
  function sliced(size: number, start: number | undefined, stop: number | undefined, step = 1): number[] {
    const clamp = (at: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, step < 0 ? -1 : 0), step < 0 ? size - 1 : size);
    const first = start === undefined ? (step < 0 ? size - 1 : 0) : clamp(start);
    const last = stop === undefined ? (step < 0 ? -1 : size) : clamp(stop);
    const found: number[] = [];
    for (let at = first; step > 0 ? at < last : at > last; at += step) found.push(at);
    return found;
  }

  test("of known sizes and of dims alike", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), bound, bound, step, (size, start, stop, by) => {
        const index = `${start ?? ""}:${stop ?? ""}${by === undefined ? "" : `:${by}`}`;
        const wanted = sliced(size, start, stop, by);
        expect(value(`arange(${size})[${index}]`)).toEqual(wanted);
        const v = tensorFrom(Array.from({ length: size }, (_, i) => i));
        expect(value(`input v[k]; v[${index}]`, { v })).toEqual(wanted);
        expect(value(`input v[k]; size(v[${index}])`, { v })).toBe(wanted.length);
      }),
      { numRuns: 300 },
    );
  });
});

test("chains of operators group to the left, powers to the right", () => {
  const operator = fc.constantFrom("+", "-", "*");
  fc.assert(
    fc.property(fc.array(fc.tuple(operator, fc.integer({ min: 1, max: 9 })), { maxLength: 6 }), (terms) => {
      const text = terms.reduce((sum, [op, n]) => `${sum} ${op} ${n}`, "2");
      expect(value(text)).toBe(new Function(`return ${text}`)());
    }),
  );
});
