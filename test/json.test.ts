/** JSON keeps every number's value, names the place of every mistake, and never throws anything but a TsymError. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shortestFloat32 } from "../src/io/digits.ts";
import { jsonPieces, parseJson, readRecords, writeJsonTensor } from "../src/io/json.ts";
import { fits, isGroup, readTensor, type Source } from "../src/io/source.ts";
import { TsymError } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { tensorOf } from "../src/tensor/tensor.ts";
import { anyTensor } from "./any-tensor.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(text: string): Source {
  const source = parseJson(bytes(text), "a.json");
  if (isGroup(source)) throw new Error("an object, not a tensor");
  return source;
}

const valuesOf = (text: string, dtype: DType = "float64") => {
  const source = parse(text);
  return Array.from<number | bigint>(readTensor(source, dtype, source.shape).data);
};

/** The message of the TsymError that `work` throws. */
function mistake(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TsymError) return error.message;
    throw error;
  }
  return "no mistake found";
}

test("a tensor is read back as it was written, bit by bit", () => {
  fc.assert(
    fc.property(anyTensor(), (tensor) => {
      const source = parse(writeJsonTensor(tensor));
      expect(fits(source, tensor.shape)).toBe(true);
      expect(readTensor(source, tensor.dtype, tensor.shape).data).toEqual(tensor.data);
    }),
  );
});

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const numberText = fc
  .tuple(
    fc.constantFrom("", "-"),
    digits(25).map((text) => text.replace(/^0+(?=.)/, "")),
    fc.option(digits(25)),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "e-"), digits(3))),
  )
  .map(
    ([sign, whole, fraction, power]) => sign + whole + (fraction ? `.${fraction}` : "") + (power ? power.join("") : ""),
  );

test("a number is the double nearest to its text", () => {
  fc.assert(
    fc.property(numberText, (text) => {
      expect(valuesOf(text)).toEqual([Number(text)]);
    }),
    { numRuns: 2000 },
  );
});

test("an integer keeps all its digits", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }), (ints) => {
      expect(valuesOf(`[${ints.join(",")}]`, "int64")).toEqual(ints);
    }),
  );
});

test("float32 numbers have the fewest digits that read back", () => {
  const view = new DataView(new ArrayBuffer(4));
  const anyBits = fc.oneof(
    fc.integer({ min: 0, max: 0x7f7fffff }),
    fc.integer({ min: 0, max: 254 }).map((exponent) => exponent << 23),
    fc.integer({ min: 1, max: 0x7fffff }),
  );
  const reads = (x: number, text: string) => Math.fround(Number(text)) === x;
  fc.assert(
    fc.property(anyBits, (bits) => {
      view.setUint32(0, bits);
      const x = view.getFloat32(0);
      const text = shortestFloat32(x).toExponential();
      expect(reads(x, text)).toBe(true);
      expect(shortestFloat32(-x)).toBe(-shortestFloat32(x));
      const fraction = text.indexOf("e") - 2;
      if (fraction > 0) expect(reads(x, x.toExponential(fraction - 1))).toBe(false);
    }),
    { numRuns: 20_000 },
  );
});

test("what is read is JSON", () => {
  const almost = fc.oneof(
    fc.json(),
    fc.stringMatching(/^[[\]{},:"0-9eE.+\- a]{0,12}$/),
    fc.string(),
    fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...'[]{},:"-0e. \\')).map(([text, at, character]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + character + text.slice(place + 1);
    }),
  );
  fc.assert(
    fc.property(almost, (text) => {
      if (mistake(() => parseJson(bytes(text), "a.json")) === "no mistake found") JSON.parse(text);
    }),
    { numRuns: 5000 },
  );
});

test("any bytes give a value or a TsymError", () => {
  fc.assert(fc.property(fc.uint8Array(), (text) => void mistake(() => parseJson(text, "a.json"))));
});

describe("mistakes are named by their path", () => {
  test.each([
    ["[[1,2],[3]]", "a.json: $[1]: expected 2 items, as in the array before it, found 1"],
    ["[[1,2],[3,4,5]]", "a.json: $[1]: expected 2 items, as in the array before it, found 3"],
    ["[[1,2],[3,true]]", "a.json: $[1][1]: expected a number, as before, found true"],
    ["[true,1]", "a.json: $[1]: expected true or false, as before, found 1"],
    ['[true,"NaN"]', 'a.json: $[1]: expected true or false, as before, found the string "NaN"'],
    ['{"x":[0,null]}', "a.json: $.x[1]: expected a number, found null"],
    ['{"odd key":[0,"no"]}', 'a.json: $["odd key"][1]: expected a number, found the string "no"'],
    ['{"x":{"y":1}}', "a.json: $.x: expected a number, found {"],
    ['{"x":1,"x":2}', 'a.json: $: the key "x" comes twice'],
    ['{"x":1,"\\u0078":2}', 'a.json: $: the key "x" comes twice'],
    ["[1,[2]]", "a.json: $[1]: expected a number, as elsewhere at this depth, found ["],
    ["[[1],2]", "a.json: $[1]: expected an array, as elsewhere at this depth, found 2"],
    ["[[],2]", "a.json: $[1]: expected an array, as elsewhere at this depth, found 2"],
    ["[[],[1]]", "a.json: $[1]: expected 0 items, as in the array before it, found 1"],
    ["[1,]", "a.json: $[1]: expected a number, found ]"],
    ["[1", 'a.json: $[0]: expected "," or "]", found the end of the text'],
    ["[1 2]", 'a.json: $[0]: expected "," or "]", found 2'],
    ["1 2", "a.json: $: expected the end, found 2"],
    ["", "a.json: $: expected a number, found the end of the text"],
    ["[NaN]", "a.json: $[0]: expected a number, found NaN"],
    ["[01]", "a.json: $[0]: expected a number, found 01"],
    ["[1.]", "a.json: $[0]: expected a number, found 1."],
    ['{"x" 1}', 'a.json: $: expected ":" after the key "x", found 1'],
    ["{x: 1}", "a.json: $: expected a key in double quotes, found x"],
    ['{"x', "a.json: $: the text ends within a string"],
  ])("%s", (text, message) => expect(mistake(() => parseJson(bytes(text), "a.json"))).toBe(message));

  test("a hundred thousand brackets", () => {
    expect(mistake(() => parse("[".repeat(100_000)))).toMatch(/: more than 64 arrays within each other$/);
    expect(mistake(() => parse(`{"a":`.repeat(100_000)))).toBe("a.json: $.a: expected a number, found {");
  });

  test("values that the dtype does not hold", () => {
    expect(mistake(() => valuesOf("[[0,1],[2,2.5]]", "int32"))).toBe("a.json: $[1][1] is 2.5, which is no int32");
    expect(mistake(() => valuesOf("[3000000000]", "int32"))).toBe("a.json: $[0] is 3000000000, which is no int32");
    expect(mistake(() => valuesOf("9223372036854775808", "int64"))).toBe(
      "a.json: $ is 9223372036854775808, which is no int64",
    );
    expect(mistake(() => valuesOf("[1]", "bool"))).toBe("a.json: $[0] is the number 1, where a bool is wanted");
    expect(mistake(() => valuesOf('["NaN"]', "int32"))).toBe("a.json: $[0] is NaN, which is no int32");
  });
});

test("bools are numbers where numbers are wanted", () => {
  expect(valuesOf("[true, false]")).toEqual([1, 0]);
  expect(valuesOf("[true, false]", "int64")).toEqual([1n, 0n]);
});

test("a zero-size array stands for every shape that it begins", () => {
  const row = parse("[]");
  expect([[0], [0, 3], [3, 0], []].map((shape) => fits(row, shape))).toEqual([true, true, false, false]);
  expect(fits(parse("[[], []]"), [2, 0, 5])).toBe(true);
  expect(fits(parse("[1]"), [1, 1])).toBe(false);
});

test("__proto__ and constructor are keys like others", () => {
  const group = parseJson(bytes('{"__proto__": 1, "constructor": 2}'), "a.json");
  expect(isGroup(group) && [...group.keys()]).toEqual(["__proto__", "constructor"]);
});

describe("a stream of objects", () => {
  const records = (chunks: Uint8Array[]) =>
    Array.from(readRecords(chunks, "stdin"), ({ number, tensors }) => [
      number,
      ...Array.from(tensors, ([key, source]) => [key, ...readTensor(source, "float64", source.shape).data]),
    ]);
  const text = bytes('{"a": 1}{"a": [2,\n3], "]}\\"{": 4}\n\n {}\n\t{"ä": 5}');
  const expected = [[1, ["a", 1]], [2, ["a", 2, 3], [']}"{', 4]], [3], [4, ["ä", 5]]];

  test("comes in any chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(records(places.slice(1).map((end, i) => text.slice(places[i], end)))).toEqual(expected);
      }),
    );
  });

  test("gives each object before it reads on", () => {
    function* chunks() {
      yield bytes('{"a": 1}\n');
      throw new Error("read on");
    }
    expect(readRecords(chunks(), "stdin").next().value?.number).toBe(1);
  });

  test.each([
    ['{"a":1}\n[2]', "stdin, record 2: $: expected an object, found ["],
    ['{"a":1}\n{"a":[1,"x"]}', 'stdin, record 2: $.a[1]: expected a number, found the string "x"'],
    ['{"a":1},{"a":2}', "stdin, record 2: $: expected an object, found ,"],
    ['{"a":1}\n{"a":', "stdin, record 2: $.a: expected a number, found the end of the text"],
    ["]", "stdin, record 1: $: expected an object, found ]"],
    [" \n", "stdin: expected a JSON object, found nothing"],
  ])("%j: names the record", (stream, message) => expect(mistake(() => records([bytes(stream)]))).toBe(message));
});

test("floats print as the page shows", () => {
  const print = (dtype: DType, values: number[]) => writeJsonTensor(tensorOf(dtype, [values.length], values));
  expect(print("float32", [Math.E, 1, 1e-7, 1e30, -0, 0.1, 16777216])).toBe(
    "[2.7182817, 1, 1e-7, 1e+30, -0.0, 0.1, 16777216]",
  );
  expect(print("float64", [Math.E, Number.NaN, Infinity, -Infinity])).toBe(
    '[2.718281828459045, "NaN", "Infinity", "-Infinity"]',
  );
});

test("a large tensor is written in pieces", () => {
  const tensor = tensorOf(
    "int32",
    [300, 100],
    Array.from({ length: 30_000 }, (_, i) => i),
  );
  const pieces = [...jsonPieces(tensor)];
  expect(pieces.length).toBeGreaterThan(3);
  expect((JSON.parse(pieces.join("")) as number[][]).flat()).toEqual([...tensor.data]);
});
