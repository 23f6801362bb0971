/** CSV is read as RFC 4180 has it, and every mistake has a line and a column. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCsv as openBytes, writeCsv } from "../src/io/csv.ts";
import { readTensor } from "../src/io/source.ts";
import { TsymError } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { anyTensor } from "./any-tensor.ts";

const openCsv = (text: string, label: string) => openBytes(Buffer.from(text), label);
const read = (text: string, dtype: DType = "float64") => {
  const source = openCsv(text, "a.csv");
  return { shape: source.shape, values: [...readTensor(source, dtype, source.shape).data] };
};

test.each([
  ["1,2\n3,4\n", [2, 2], [1, 2, 3, 4]],
  ["1,2\r\n3,4", [2, 2], [1, 2, 3, 4]],
  ["1,2\r3,4\r\r\n \n", [2, 2], [1, 2, 3, 4]],
  ["\ufeff1, 2 \n-3.5e-1,+.5\n", [2, 2], [1, 2, -0.35, 0.5]],
  ['a,"b, or ""c"""\n1,"2"\n', [1, 2], [1, 2]],
  ['"two\nlines",b\n1,2\n', [1, 2], [1, 2]],
  ["x\n", [0, 1], []],
  [",a\n0,1\n", [1, 2], [0, 1]],
  [
    "nan,inf\n-inf,NaN\n-Infinity,Infinity\n",
    [3, 2],
    [Number.NaN, Infinity, -Infinity, Number.NaN, -Infinity, Infinity],
  ],
  ["True,false\n", [1, 2], [1, 0]],
  ["7", [1, 1], [7]],
  ["1\u00a0,\u00a02\n3,4\u00a0\n\u00a0\n \u00a0", [2, 2], [1, 2, 3, 4]],
])("reads %j", (text, shape, values) => expect(read(text)).toEqual({ shape, values }));

test("one column or one row is also a vector", () => {
  expect(openCsv("1\n2\n3\n", "a.csv").alternativeShapes).toEqual([[3]]);
  expect(openCsv("1,2\n", "a.csv").alternativeShapes).toEqual([[2]]);
  expect(openCsv("1,2\n3,4\n", "a.csv").alternativeShapes).toBeUndefined();
  expect(openCsv("2.5\n", "a.csv").alternativeShapes).toEqual([[1], []]);
});

test("an int64 keeps all its digits", () => {
  expect(read("9223372036854775807,-9223372036854775808\n", "int64").values).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  expect(read('9007199254740993,"2"\n', "int64").values).toEqual([9007199254740993n, 2n]);
});

describe("mistakes have a line and a column", () => {
  test.each([
    ["1,2\n3,\n", "a.csv:2, column 2: the cell is empty"],
    ["1,,3\n", "a.csv:1, column 2: the cell is empty"],
    ["\n\n1,2\n", "a.csv:1, column 1: the first line is empty"],
    ["1\n2,3\n", "a.csv:2, column 2: expected one cell, as in the first line, found 2"],
    ["1\n\n2\n", "a.csv:2, column 1: the cell is empty"],
    ["1,2\n3\n", "a.csv:2, column 1: expected 2 cells, as in the first line, found 1"],
    ["1,2\n3,4,5\n", "a.csv:2, column 3: expected 2 cells, as in the first line, found 3"],
    ["a,b\n1,2,3\n", "a.csv:2, column 3: expected 2 cells, as in the first line, found 3"],
    ["a;b\n1;2\n", 'a.csv:2, column 1: expected a number, found "1;2"'],
    ["a,b\n1,2\nc,d\n", 'a.csv:3, column 1: expected a number, found "c"'],
    ['"a\nb",c\n1,x\n', 'a.csv:3, column 2: expected a number, found "x"'],
    ["1,2\ntrue,3\n", "a.csv:2, column 1: expected a number, as before, found true"],
    ["1,0x10\n2,1\n3,0x10\n", 'a.csv:3, column 2: expected a number, found "0x10"'],
    ['1,2\n"3,4\n', "a.csv:2, column 1: a quote that does not close, or text beside quotes"],
    ['1,2\n"3"4,5\n', "a.csv:2, column 1: a quote that does not close, or text beside quotes"],
    ["", "a.csv: the file is empty"],
    [" \n", "a.csv: the file is empty"],
    ["1,2\n\n3,4\n", "a.csv:2, column 1: the line is empty"],
  ])("%j", (text, message) =>
    expect(() => read(text)).toThrow(new RegExp(`^${message.replace(/[.*+?()]/g, "\\$&")}$`)),
  );

  test("values that the dtype does not hold", () => {
    expect(() => read("x\n1\n1.5\n", "int32")).toThrow("a.csv: row 2, column 1 is 1.5, which is no int32");
  });
});

test("a matrix is read back as it was written", () => {
  const matrix = anyTensor({ rank: 2 }).filter(({ shape }) => !shape.includes(0));
  fc.assert(
    fc.property(matrix, ({ dtype, shape, data }) => {
      const source = openCsv([...writeCsv({ dtype, shape, data })].join(""), "a.csv");
      expect(source.shape).toEqual([shape[0] ?? 1, shape[1] ?? 1]);
      expect(readTensor(source, dtype, shape).data).toEqual(data);
    }),
  );
});

test("any text gives a value or a TsymError", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[-0-9.,"\r\n aen]{0,12}$/));
  fc.assert(
    fc.property(text, (text) => {
      try {
        read(text);
      } catch (error) {
        expect(error).toBeInstanceOf(TsymError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a cell of a million characters is no trouble", () => {
  expect(() => read(`1,"${"x".repeat(1_000_000)}"\n2,"${'""'.repeat(1_000_000)}"\n`)).toThrow(TsymError);
});
