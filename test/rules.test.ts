/** Every rewrite rule on its word: the same bits on every input, and no more work. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExpression } from "../grammar/parser.ts";
import { evaluate } from "../src/engines/reference/index.ts";
import { foldWeak } from "../src/fold.ts";
import { ancestors, Graph, type Node, OpError } from "../src/graph/node.ts";
import { contract } from "../src/ops/contract.ts";
import { exp } from "../src/ops/elementary.ts";
import { input } from "../src/ops/leaf.ts";
import { mul, neg } from "../src/ops/pointwise.ts";
import { optimize } from "../src/optimize/index.ts";
import { applyRule, build, patternOp, rule, ruleNames } from "../src/optimize/rewrite.ts";
import { DTYPES, type DType } from "../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../src/tensor/tensor.ts";

const graph = () => new Graph({ defaultFloat: "float32", fold: foldWeak });
const leaf = (g: Graph, name: string, dtype: DType, shape: number[] = [2, 2]): Node =>
  input(g, name, { dtype, shape, weak: false });

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  2.5,
  -2.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  1e308,
];
const VALUES: Record<DType, fc.Arbitrary<number | bigint | boolean>> = {
  bool: fc.boolean(),
  int32: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31))),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.oneof(fc.float(), fc.constantFrom(...SPECIAL)),
  float64: fc.oneof(fc.double(), fc.constantFrom(...SPECIAL)),
};

/** The bits of a tensor, every NaN alike. */
const bits = ({ dtype, data }: Tensor): string =>
  `${dtype} ${Array.from(data as ArrayLike<number | bigint>, (v) => (Object.is(v, -0) ? "-0" : String(v)))}`;

/** The rule's pattern over inputs of a dtype (a first `c` is a condition); undefined where the language refuses it. */
function instance(
  kind: "exact" | "real",
  name: string,
  dtype: DType,
): { node: Node; inputs: Map<string, Node> } | undefined {
  const g = graph();
  const { from, params } = rule(kind, name);
  const inputs = new Map(params.map((p) => [p, leaf(g, p, p === "c" ? "bool" : dtype)]));
  try {
    return { node: build(from, inputs), inputs };
  } catch (error) {
    if (error instanceof OpError) return undefined;
    throw error;
  }
}

describe.each(ruleNames("exact"))("%s", (name) => {
  const instances = DTYPES.map((dtype) => ({ dtype, made: instance("exact", name, dtype) })).filter(
    ({ made }) => made !== undefined,
  );

  test("fits some dtype", () => {
    expect(instances.some(({ made }) => applyRule(rule("exact", name), made!.node))).toBe(true);
  });

  test("keeps every bit", () => {
    for (const { dtype, made } of instances) {
      const { node, inputs } = made!;
      const after = applyRule(rule("exact", name), node);
      if (!after) continue;
      const feed = (n: Node) => fc.array(VALUES[n.type.dtype], { minLength: 4, maxLength: 4 });
      fc.assert(
        fc.property(fc.tuple(...[...inputs.values()].map(feed)), (values) => {
          const feeds = new Map([...inputs.values()].map((n, i) => [n, tensorOf(n.type.dtype, [2, 2], values[i]!)]));
          const [before, now] = evaluate([node, after], feeds);
          expect(bits(now!), dtype).toBe(bits(before!));
        }),
        { numRuns: 200 },
      );
    }
  });

  test("makes no more nodes than it takes away", () => {
    for (const { made } of instances) {
      const after = applyRule(rule("exact", name), made!.node);
      if (after) expect(ancestors([after]).length).toBeLessThanOrEqual(ancestors([made!.node]).length);
    }
  });
});

describe.each(ruleNames("real"))("with fast math, %s", (name) => {
  const { node, inputs } = instance("real", name, "float64")!;
  const after = applyRule(rule("real", name), node)!;

  test("gives the same but for roundings", () => {
    const positive = fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.tuple(...[...inputs.values()].map(() => positive)), (values) => {
        const feeds = new Map([...inputs.values()].map((n, i) => [n, tensorOf("float64", [2, 2], values[i]!)]));
        const [before, now] = evaluate([node, after], feeds).map(({ data }) => data as Float64Array);
        for (const [i, x] of before!.entries()) expect(Math.abs(now![i]! - x)).toBeLessThan(1e-13 * (1 + Math.abs(x)));
      }),
    );
  });

  test("makes no more nodes", () => {
    expect(ancestors([after]).length).toBeLessThanOrEqual(ancestors([node]).length);
  });

  test("is not applied without", () => {
    expect(optimize([node]).outputs).not.toEqual([after]);
    expect(optimize([node], { fastMath: true }).outputs[0]).not.toBe(node);
  });
});

test("with fast math, what has other uses is not taken apart", () => {
  const g = graph();
  const [x, y] = [leaf(g, "x", "float64"), leaf(g, "y", "float64")];
  const [a, b] = [exp(x), exp(y)];
  const product = mul(a, b);
  const names = (outputs: readonly Node[]) =>
    ancestors(optimize(outputs, { fastMath: true }).outputs).map((n) => n.op.name);
  expect(names([product])).toEqual(["input", "input", "add", "exp"]);
  expect(names([product, a])).toEqual(["input", "input", "exp", "exp", "mul"]);
  expect(names([mul(product, a)])).toEqual(["input", "input", "exp", "exp", "mul", "mul"]);
});

test("a rule looks for single ops: what picks among several, or has attrs, is refused", () => {
  const patternOf = (text: string) => parseExpression({ name: "rule", text });
  expect(patternOp(patternOf("x % y")).name).toBe("remainder");
  for (const text of ["x ** 2", "x @ y", "+x", "sum(x)", "astype(x, int32)", "softmax(x)"])
    expect(() => patternOp(patternOf(text)), text).toThrow("no single op");
});

test("rules reach through each other, and say so", () => {
  const x = leaf(graph(), "x", "float32");
  const steps: string[] = [];
  const { outputs } = optimize([neg(neg(mul(x, 1)))], { trace: ({ rule }) => steps.push(rule) });
  expect(outputs).toEqual([x]);
  expect(steps).toEqual(["mul_one", "neg_neg"]);
});

const matmul = (a: Node, b: Node): Node => contract(a, b, { batch: [], summed: [[a.type.shape.length - 1, 0]] });
const multiplications = (roots: readonly Node[]): number =>
  ancestors(roots)
    .filter((n) => n.op.name === "contract")
    .reduce((sum, n) => sum + sizeOf(n.type.shape as number[]) * (n.args[0]!.type.shape.at(-1) as number), 0);

/** The fewest multiplications over every way to set parentheses. */
function fewest(sizes: readonly number[]): number {
  if (sizes.length <= 2) return 0;
  const inner = sizes.slice(1, -1).map((_, k) => k + 1);
  return Math.min(
    ...inner.map((k) => fewest(sizes.slice(0, k + 1)) + fewest(sizes.slice(k)) + sizes[0]! * sizes[k]! * sizes.at(-1)!),
  );
}

test("a chain of products gets the order with the fewest multiplications, whatever the order written", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 7 }),
      fc.infiniteStream(fc.nat()),
      (sizes, choices) => {
        const g = graph();
        let parts = sizes.slice(1).map((n, i) => leaf(g, `m${i}`, "float64", [sizes[i]!, n]));
        while (parts.length > 1) {
          const at = choices.next().value % (parts.length - 1);
          parts = [...parts.slice(0, at), matmul(parts[at]!, parts[at + 1]!), ...parts.slice(at + 2)];
        }
        const { outputs } = optimize(parts);
        expect(multiplications(outputs)).toBe(fewest(sizes));
      },
    ),
  );
});

test("a product that something else needs stays whole", () => {
  const g = graph();
  const [a, b] = [leaf(g, "a", "float64", [9, 9]), leaf(g, "b", "float64", [9, 9])];
  const v = leaf(g, "v", "float64", [9]);
  const ab = matmul(a, b);
  expect(multiplications(optimize([matmul(ab, v)]).outputs)).toBe(2 * 81);
  expect(optimize([matmul(ab, v), ab]).outputs).toEqual([matmul(ab, v), ab]);
});
