/** The library as its users see it: JavaScript's arrays in, ndarrays out. */
import fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { findInstallation } from "../src/engines/tensorflow/find.ts";
import {
  check,
  compile,
  type Feed,
  grad,
  parse,
  type Result,
  renderDiagnostics,
  run,
  TsymError,
} from "../src/index.ts";

/** An ndarray as nested lists, read through its strides. */
function lists({ shape, get }: Result): unknown {
  const part = (index: number[]): unknown =>
    index.length === shape.length
      ? get(...index)
      : Array.from({ length: shape[index.length]! }, (_, i) => part([...index, i]));
  return part([]);
}
const listsOf = (result: Result): unknown => lists({ ...result, get: (...index) => result.get(...index) });

/** What `work` complains of. */
async function complaint(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TsymError) return renderDiagnostics(error.diagnostics, { color: false });
    throw error;
  }
  return "no complaint";
}

describe("compile", () => {
  test("tells types, shapes and conditions before there is data", () => {
    const { inputs, outputs, conditions, diagnostics } = compile("input a[?, 3], k: int64 = 2; b = a @ a; b * k");
    expect(inputs).toEqual([
      { name: "a", dtype: "float32", shape: ["?", 3], optional: false },
      { name: "k", dtype: "int64", shape: [], optional: true },
    ]);
    expect(outputs).toEqual([{ name: "out", dtype: "float32", shape: ["?", 3] }]);
    expect(conditions).toEqual(["? = 3"]);
    expect(diagnostics).toEqual([]);
  });

  test("runs for every set of shapes, also at the same time", async () => {
    const program = compile("input x[n]; output s = sum(x * n)");
    const sums = await Promise.all([1, 2, 3, 2].map((n) => program.run({ x: Array.from({ length: n }, () => 1) })));
    expect(sums.map(({ s }) => s!.get())).toEqual([1, 4, 9, 4]);
  });

  test("says what is not fed in the library's own words", async () => {
    const told = await complaint(() => compile("input x; output y = x").run());
    expect(told).toContain("help: give it data: run({ x: … })");
  });

  test("goes on after a run that failed", async () => {
    const program = compile("input x[n], i: int32; output y = x[i]");
    await expect(program.run({ x: [1, 2], i: 7 })).rejects.toThrow(TsymError);
    expect((await program.run({ x: [1, 2], i: 1 }))["y"]!.get()).toBe(2);
  });

  test("throws all that is wrong at once", async () => {
    expect(await complaint(() => compile("input x[2]; x + [1, 2, 3]; y", { name: "demo" }))).toMatch(
      /demo:1:\d+.*demo:1:28/s,
    );
  });

  test("takes a default float and the files that are imported", async () => {
    const imports = { "lib.tsym": 'import "base.tsym"\nfn f(x) = g(x) + 1', "base.tsym": "fn g(x) = 2 * x" };
    const program = compile('import "lib.tsym"; input x; output y = f(x)', { float: "float64", imports });
    expect(program.outputs[0]!.dtype).toBe("float64");
    expect((await program.run({ x: 0.1 }))["y"]!.get()).toBe(1.2);
    expect(await complaint(() => compile('import "constructor"'))).toContain("cannot import constructor");
  });
});

test("check tells mistakes and throws none", () => {
  const { diagnostics, outputs } = check("input x; y = z; output x");
  expect(diagnostics.map(({ severity, code }) => [severity, code])).toEqual([["error", "unknown-name"]]);
  expect(outputs.map(({ name }) => name)).toEqual(["x"]);
});

test("parse gives the tree", () => {
  expect(parse({ name: "a", text: "x + 1" }).program.statements).toMatchObject([{ kind: "expr" }]);
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("%s is a name like any other", async (name) => {
  const feeds = JSON.parse(`{"${name}": 2}`);
  const { inputs, run: evaluate } = compile(`input ${name}; fn ${name}(x) = x; output o = ${name}(${name}) * 3`);
  expect(inputs[0]!.name).toBe(name);
  expect((await evaluate(feeds))["o"]!.get()).toBe(6);
  expect(Object.keys(await compile(`output ${name} = 1`).run())).toEqual([name]);
  expect(await complaint(() => compile("input x = 1; output x").run(feeds))).toContain(`no input \`${name}\``);
});

describe("data", () => {
  const DTYPES = {
    float32: [Float32Array, 1.5],
    float64: [Float64Array, 0.1],
    int32: [Int32Array, -7],
    int64: [BigInt64Array, 2n ** 62n + 1n],
    bool: [Uint8Array, 1],
  } as const;

  test.each(Object.entries(DTYPES))(
    "%s comes as the array of its dtype, and goes back in",
    async (dtype, [array, value]) => {
      const program = compile(`input x[2, 1]: ${dtype}; output y = x.T`);
      const { y } = await program.run({ x: [[value === 1 ? true : value], [value === 1 ? false : value]] });
      expect(y!.data).toBeInstanceOf(array);
      expect(y!.shape).toEqual([1, 2]);
      const back = await program.run({ x: ndarray(y!.data as Float64Array, [2, 1]) });
      expect(listsOf(back["y"]!)).toEqual(listsOf(y!));
      expect(y!.get(0, 0)).toBe(value);
    },
  );

  const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
  const views = fc.record({
    shape: shapes,
    order: fc.infiniteStream(fc.nat()),
    steps: fc.array(fc.constantFrom(1, 2, -1), { minLength: 4, maxLength: 4 }),
  });
  test("a view of any strides is what its elements say", async () => {
    await fc.assert(
      fc.asyncProperty(views, async ({ shape, order, steps }) => {
        const size = shape.reduce((n, d) => n * d, 1);
        const axes = shape.map((_, i) => i);
        for (const i of axes) {
          const j = order.next().value! % shape.length;
          [axes[i], axes[j]] = [axes[j]!, axes[i]!];
        }
        const view = ndarray(
          Int32Array.from({ length: size }, (_, i) => i),
          shape,
        )
          .transpose(...axes)
          .step(...steps.slice(0, shape.length));
        const dims = shape.map(() => "?").join();
        const { y } = await compile(`input x[${dims}]: int32; output y = x`).run({ x: view });
        expect(listsOf(y!)).toEqual(listsOf(view as unknown as Result));
      }),
    );
  });

  test.each<[string, Feed, unknown]>([
    [
      "a row of typed arrays",
      [new Float32Array([1, 2]), new Float64Array([3, 4])],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "a stride of zero",
      ndarray([5], [2, 2], [0, 0]),
      [
        [5, 5],
        [5, 5],
      ],
    ],
    ["an array of bigints", [[1n, 2n]], [[1, 2]]],
    ["what has not one element", [[], []], [[], []]],
  ])("%s", async (_, x, expected) => {
    const { y } = await compile("input x[?, ?]; output y = x").run({ x });
    expect(listsOf(y!)).toEqual(expected);
  });

  test.each<[unknown, string]>([
    [[[1, 2], [3]], "feeds.x[1]: expected 2 items, as in the array before it, found an array of 1"],
    [[[1, 2], 3], "feeds.x[1]: expected an array, as elsewhere at this depth, found 3"],
    [[1, [2]], "feeds.x[1]: expected a number, found an array of 1"],
    [["1"], 'feeds.x[0]: expected a number, found "1"'],
    [null, "feeds.x: expected a number, found null"],
    [[true, 1], "feeds.x[1]: expected true or false, as before it, found 1"],
    [{ data: [1], shape: [2], stride: [1], offset: 0 }, "but its data end before that: 1 elements"],
    [{ data: [1], shape: [1], stride: [1], offset: -1 }, "but its data end before that"],
    [{ data: [1], shape: "x", stride: [1], offset: 0 }, "is none"],
    [new DataView(new ArrayBuffer(1)), "expected a number, found an object"],
    [[1, 2], "input `x` has 2 axes, but feeds.x has shape (2)"],
  ])("%j is refused", async (x, message) => {
    expect(await complaint(() => compile("input x[?, ?]; x").run({ x: x as Feed }))).toContain(message);
  });

  test.each<[string, unknown, string]>([
    ["int32", [1.5], "feeds.x[0] is 1.5, which is no int32"],
    ["int64", [2 ** 63], "which is no int64"],
    ["bool", [1], "feeds.x[0] is the number 1, where a bool is wanted"],
    ["bool", new Uint8Array([2]), "where a bool is wanted"],
  ])("an input of %s does not take %j", async (dtype, x, message) => {
    expect(await complaint(() => compile(`input x[?]: ${dtype}; x`).run({ x: x as Feed }))).toContain(message);
  });
});

test("run takes what is fed for inputs", async () => {
  const { out } = await run("sum(x ** 2) + k", { x: new Float64Array([1, 2]), k: 3n });
  expect([out!.get(), out!.data]).toEqual([8, new Float32Array([8])]);
  expect(await complaint(() => run("x + y", { x: 1 }))).toContain("`y` is not defined");
});

describe("engines", () => {
  const program = "input x[n]; output y = exp(x)";
  test("are chosen by name", async () => {
    const { y } = await compile(program, { engine: "reference" }).run({ x: [0, 1] });
    expect(listsOf(y!)).toEqual([1, Math.fround(Math.E)]);
  });

  test("that lack the device are refused", async () => {
    expect(await complaint(() => run("x", { x: 1 }, { engine: "wasm", device: "gpu" }))).toContain("has no GPU");
  });

  test.skipIf(!findInstallation())("compute with TensorFlow where it is installed", async () => {
    const { y } = await compile(program, { engine: "tensorflow", device: "cpu" }).run({ x: [0, 1] });
    expect(y!.get(0)).toBe(1);
    expect(Math.abs(y!.get(1) as number) - Math.E).toBeLessThan(1e-6);
  });
});

describe("grad", () => {
  test("is a function of feeds", async () => {
    const gradient = grad("sum(x ** 2)", "x");
    expect(listsOf(await gradient({ x: [1, 2] }))).toEqual([2, 4]);
    expect(listsOf(await gradient({ x: [[3]] }))).toEqual([[6]]);
  });

  test("takes what the program computes last, by several names in order, bound ones too", async () => {
    const program = "input x[n], w[n]; h = x * w; output loss = sum(h ** 2)";
    const [w, h, x] = await grad(program, ["w", "h", "x"])({ x: [1, 2], w: [3, 4] });
    expect([w, h, x].map((g) => listsOf(g!))).toEqual([
      [6, 32],
      [6, 16],
      [18, 64],
    ]);
  });

  test("says what is wrong", async () => {
    expect(await complaint(() => grad("sum(x", "x"))).toContain("error[");
    expect(await complaint(() => grad("", "x"))).toContain("grad needs a program that computes something");
    expect(await complaint(() => grad("x ** 2", "x")({ x: [1] }))).toContain("grad sum(");
    expect(await complaint(() => grad("input abc; abc", "abd")({ abc: 1 }))).toContain("did you mean `abc`?");
  });
});
