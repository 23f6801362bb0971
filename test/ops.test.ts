/** Every function and operator of the language through every check: the table in operations.ts drives them all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivativeForm, namesOfAll } from "../src/commands/ops-report.ts";
import { EvaluationError } from "../src/engines/engine.ts";
import { documentationOf, preludeFunction } from "../src/ops/prelude.ts";
import { functionNames, functionRow } from "../src/ops/registry.ts";
import { TsymError } from "../src/source.ts";
import { type Dim, substitute } from "../src/tensor/dim.ts";
import { DTYPES, type DType, isFloat } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../src/tensor/tensor.ts";
import { compile, evaluate, nested, run } from "./evaluate.ts";
import { CALLS, OPERATORS } from "./operations.ts";

/** An input of a call. */
interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly low: number;
  readonly high: number;
}
interface Call {
  readonly inputs: readonly Input[];
  readonly statements: string;
  readonly expression: string;
}

function readCall(text: string): Call {
  const [head, body] = text.split(" | ") as [string, string];
  const inputs = head.split("; ").map((declared): Input => {
    const [, name, dims, dtype, low, high] = /^(\w+)(?:\[(.*?)\])?(?:: (\w+))?(?: in (\S+) (\S+))?$/.exec(declared)!;
    const shape = dims ? dims.split(", ").map(Number) : [];
    return {
      name: name!,
      shape,
      dtype: (dtype ?? "float64") as DType,
      low: Number(low ?? -2),
      high: Number(high ?? 2),
    };
  });
  const at = body.lastIndexOf("; ") + 1;
  return { inputs, statements: body.slice(0, at), expression: body.slice(at).trim() };
}

/** `input x[2, n]: float32; …`, sizes but 1 as symbols where `symbolic`. */
const declare = (inputs: readonly Input[], symbolic = false): string =>
  inputs
    .map(({ name, shape, dtype }) => {
      const dims = shape.map((d) => (symbolic && d > 1 ? `n${d}` : d));
      return `input ${name}[${dims.join(", ")}]: ${dtype};`;
    })
    .join(" ");

/** mulberry32 (Tommy Ettinger, 2017): numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Elements for an input: floats apart from each other and from the middle, where kinks are; ints and bools 0 or 1. */
function sample({ shape, dtype, low, high }: Input, next: () => number): Tensor {
  const n = sizeOf(shape);
  if (!isFloat(dtype))
    return tensorOf(
      dtype,
      shape,
      Array.from({ length: n }, () => Math.floor(2 * next())),
    );
  const cells = n + (n % 2);
  const order = Array.from({ length: cells }, (_, i) => [next(), i] as const).sort((a, b) => a[0] - b[0]);
  const values = order.slice(0, n).map(([, cell]) => low + ((high - low) * (cell + 0.3 + 0.4 * next())) / cells);
  return tensorOf(dtype, shape, values);
}

const samples = (inputs: readonly Input[], seed: number): Record<string, Tensor> => {
  const next = random(seed);
  return Object.fromEntries(inputs.map((input) => [input.name, sample(input, next)]));
};
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const check = (property: (seed: number) => void, numRuns = 4) => fc.assert(fc.property(seeds, property), { numRuns });

const numbers = ({ data }: Tensor): number[] => Array.from(data as Float64Array, Number);
const scalar = (tensor: Tensor): number => numbers(tensor)[0]!;

/** The largest element, at least 1. */
const magnitude = (tensors: readonly Tensor[]): number =>
  Math.max(1, ...tensors.flatMap(numbers).filter(Number.isFinite).map(Math.abs));

/** Equal up to `tolerance` of `scale`, NaN equal to itself. */
function expectClose(
  actual: Tensor,
  expected: Tensor,
  tolerance: number,
  what: string,
  scale = magnitude([expected]),
): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const [a, b] = [numbers(actual), numbers(expected)];
  const worst = a.findIndex((x, i) => !Object.is(x, b[i]) && !(Math.abs(x - b[i]!) <= tolerance * scale) && x !== b[i]);
  expect(worst < 0 ? "close" : `${a[worst]} for ${b[worst]}`, `${what} at ${worst}`).toBe("close");
}

/** The differences of `loss` in each element of an input: central, of step h. */
function differences(
  loss: (feeds: Record<string, Tensor>) => number,
  feeds: Record<string, Tensor>,
  name: string,
  h = 1e-5,
) {
  const { dtype, shape, data } = feeds[name]!;
  const nudged = (i: number, by: number) => {
    const moved = Float64Array.from(data as Float64Array);
    moved[i]! += by;
    return loss({ ...feeds, [name]: { dtype, shape, data: moved } });
  };
  return tensorOf(
    "float64",
    shape,
    Array.from(data as Float64Array, (_, i) => (nudged(i, h) - nudged(i, -h)) / (2 * h)),
  );
}

const calls = [...Object.values(CALLS).flat(), ...OPERATORS];

test("the table has every function", () => {
  expect(functionNames().filter((name) => !CALLS[name])).toEqual([]);
  expect(Object.keys(CALLS).filter((name) => !functionNames().includes(name))).toEqual([]);
});

describe.each(namesOfAll())("%s", (name) => {
  const { doc, examples } = derivativeForm(name) ?? functionRow(name) ?? documentationOf(preludeFunction(name)!);
  test("is documented, and its examples hold", () => {
    expect(doc).toMatch(/\S\.( → [\w, ]+)?$/);
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      const outcomes = Object.values(evaluate(example)).flatMap((t) => [nested(t)].flat(9));
      expect(
        outcomes.every((outcome) => outcome === true),
        example,
      ).toBe(true);
    }
  });
});

test.each([
  ["inv([[1, 2], [2, 4]])", "the matrix is singular"],
  ["solve([[[1, 0], [0, 1]], [[1, 2], [2, 4]]], [1, 2])", "the matrix at [1] is singular"],
  ["solve_triangular([[1, 0], [5, 0]], [1, 2])", "the matrix is singular"],
  ["cholesky([[1, 2], [2, 1]])", "the matrix is not positive definite"],
  ["softmax_cross_entropy([[1, 2], [3, 4]], astype([0, 2], int32))", "index 2 at [1] is out of range"],
])("%s is refused when it runs: %s", (program, message) => {
  expect(() => evaluate(program)).toThrow(EvaluationError);
  expect(() => evaluate(program)).toThrow(message);
});

test.each([
  ["_norm_2([3, 4], 0, false)", "there is no function"],
  ["_float(1)", "there is no function"],
  ["norm([3, 4], 0, false, 1)", "by place"],
  ["var([3, 4], 0, false, 1)", "by place"],
  ["diag([[1, 2], [3, 4]])", "diag takes a vector"],
  ["inv([[1, 2, 3]])", "square"],
  ["det([1, 2])", "square matrix is needed, not a vector"],
  ["solve([[1, 2], [3, 4]], [1, 2, 3])", "rows of a and of b"],
  ["cross([1, 2], [3, 4])", "vectors of three"],
  ["roll([[1, 2]], 1)", "roll needs an axis"],
  ["pad([1, 2], [[1, 1], [1, 1]])", "a pair of widths for each axis"],
  ["pad([1, 2], [[0, -1]])", "widths must be ≥ 0"],
  ["softmax_cross_entropy([1, 2], true)", "must be ints"],
  ["softmax_cross_entropy([[1, 2], [3, 4]], [0, 2])", "index 2 is out of range"],
  ["input m: int32; attention([[1.0]], [[1]], [[1]], m)", "must be bool"],
])("%s is refused before: %s", (program, message) => {
  expect(() => compile(program)).toThrow(message);
});

describe.each(calls)("%s", (text) => {
  const { inputs, statements, expression } = readCall(text);
  const body = `${statements} out = ${expression}; output out`;

  test.each(DTYPES)("has the type that is inferred, for %s, with sizes or symbols", (dtype) => {
    const typed = inputs.map((input) => (isFloat(input.dtype) ? { ...input, dtype } : input));
    const results = [false, true].flatMap((symbolic) => {
      const program = attempt(() => compile(`${declare(typed, symbolic)} ${body}`, "float32"));
      if (!program) return [];
      const { type } = program.outputs[0]!.node;
      const result = evaluation(() => run(program, samples(typed, 1))["out"]!);
      if (!result) return [];
      const shape = type.shape.map((d: Dim) => substitute(d, ({ label }) => Number(label.slice(1))));
      expect([result.dtype, result.shape, result.data.length]).toEqual([type.dtype, shape, sizeOf(shape as number[])]);
      return [result];
    });
    if (results.length === 2) expectClose(results[1]!, results[0]!, isFloat(dtype) ? 1e-6 : 0, "with symbols");
  });

  test.each(["int32", "int64", "bool"] as const)("gives of %s what it gives of the same floats", (dtype) => {
    const typed = inputs.map((input) => (isFloat(input.dtype) ? { ...input, dtype } : input));
    const program = attempt(() => compile(`${declare(typed)} ${body}`));
    if (!program) return;
    const feeds = samples(typed, 7);
    const floats = Object.fromEntries(
      inputs.map(({ name, shape, dtype }) => [name, tensorOf(dtype, shape, numbers(feeds[name]!))]),
    );
    const result = evaluation(() => run(program, feeds)["out"]!);
    if (result) expectClose(result, evaluate(`${declare(inputs)} ${body}`, floats)["out"]!, 1e-12, dtype);
  });

  const { type } = compile(`${declare(inputs)} ${body}`).outputs[0]!.node;
  const variables = inputs.filter((input) => isFloat(input.dtype)).map((input) => input.name);
  if (!isFloat(type.dtype) || variables.length === 0) return;
  const outShape = type.shape as readonly number[];

  /** Random factors, for the result and for each variable. */
  const factors: Input[] = [
    { name: "w", shape: outShape, dtype: "float64", low: -2, high: 2 },
    ...inputs.filter((i) => isFloat(i.dtype)).map((i) => ({ ...i, name: `u_${i.name}`, low: -2, high: 2 })),
  ];
  const all = [...inputs, ...factors];
  const each = (text: (name: string) => string) => variables.map(text).join("; ");
  const derivatives = `${declare(all)} ${body}; loss = sum(out * w); output loss
    ${each((x) => `g_${x} = grad loss wrt ${x}; output g_${x}`)}
    along = ${variables.map((x) => `sum(g_${x} * u_${x})`).join(" + ")}; output along
    ${each((x) => `output h_${x} = grad along wrt ${x}`)}`;

  test("its gradient is the limit of differences, and so is the gradient of that", () => {
    const program = compile(derivatives);
    check((seed) => {
      const feeds = samples(all, seed);
      const result = run(program, feeds);
      for (const x of variables)
        for (const [derivative, of] of [
          ["g", "loss"],
          ["h", "along"],
        ] as const)
          expectClose(
            result[`${derivative}_${x}`]!,
            differences((nudged) => scalar(run(program, nudged)[of]!), feeds, x),
            1e-6,
            `${derivative} ${x}`,
          );
    }, 2);
  });

  test("jvp, vjp, jacobian and hessian agree", () => {
    const rank = outShape.length;
    const program = compile(`${derivatives}
      ${each((x) => `output vjp_${x} = vjp(out, ${x}, w)`)}
      ${each((x) => `output jvp_${x} = sum(jvp(out, ${x}, u_${x}) * w)`)}
      ${each((x) => `output along_${x} = sum(vjp(out, ${x}, w) * u_${x})`)}
      ${each((x) => `output rows_${x} = tensordot(w, jacobian(out, ${x}), axes=${rank})`)}
      ${each((x) => `output second_${x} = grad sum(g_${x} * u_${x}) wrt ${x}`)}
      ${each((x) => `output hessian_${x} = tensordot(hessian(loss, ${x}), u_${x}, axes=${inputs.find((i) => i.name === x)!.shape.length})`)}`);
    check((seed) => {
      const result = run(program, samples(all, seed));
      for (const x of variables) {
        expectClose(result[`vjp_${x}`]!, result[`g_${x}`]!, 1e-12, `vjp ${x}`);
        expectClose(result[`jvp_${x}`]!, result[`along_${x}`]!, 1e-11, `jvp ${x}`);
        expectClose(result[`rows_${x}`]!, result[`g_${x}`]!, 1e-11, `jacobian ${x}`);
        expectClose(result[`hessian_${x}`]!, result[`second_${x}`]!, 1e-10, `hessian ${x}`);
      }
    });
  });

  test("float32 is close to float64, and derivatives too", () => {
    const narrow = all.map((i): Input => (isFloat(i.dtype) ? { ...i, dtype: "float32" } : i));
    const [wide, small] = [compile(derivatives), compile(derivatives.replaceAll("float64", "float32"), "float32")];
    check((seed) => {
      const feeds = samples(narrow, seed);
      const exact = run(
        wide,
        Object.fromEntries(all.map(({ name, shape, dtype }) => [name, tensorOf(dtype, shape, numbers(feeds[name]!))])),
      );
      const scale = magnitude(Object.values(exact)); // what cancels is as wrong as what it came from
      for (const [name, result] of Object.entries(run(small, feeds)))
        expectClose(result, exact[name]!, 1e-4, name, scale);
    });
  });
});

/** What is refused is refused with a message: anything else is a bug. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    return undefined;
  }
}
/** The data may make an op impossible: division by zero, a singular matrix. */
function evaluation<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return undefined;
  }
}
