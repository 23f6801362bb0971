/** What NumPy and safetensors write is read as they read it, and how NumPy prints is how tsym prints. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memoryBytes } from "../src/io/bytes.ts";
import { shortestFloat32 } from "../src/io/digits.ts";
import { openNpy } from "../src/io/npy.ts";
import { openNpz } from "../src/io/npz.ts";
import { prettyValues } from "../src/io/pretty.ts";
import { openSafetensors } from "../src/io/safetensors.ts";
import { type Group, readTensor } from "../src/io/source.ts";
import { TsymError } from "../src/source.ts";
import { type DType, viewOf } from "../src/tensor/dtype.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** As test/oracles/io.py writes them. */
interface Held {
  dtype: DType;
  shape: number[];
  elements: string;
}

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`fixtures/io/${name}.json`, import.meta.url), "utf8")) as T;

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

const tensorOf = ({ dtype, shape, elements }: Held): Tensor => ({
  dtype,
  shape,
  data: viewOf(dtype, bytesOf(elements)),
});

describe("npy", () => {
  test.each(fixture<(Held & { name: string; file: string })[]>("npy"))("reads $name", ({ file, ...held }) => {
    const source = openNpy(memoryBytes(bytesOf(file)), "a.npy");
    expect(source.dtype).toBe(held.dtype);
    expect(source.shape).toEqual(held.shape);
    expect(readTensor(source, held.dtype, source.shape).data).toEqual(tensorOf(held).data);
  });

  test.each(fixture<{ name: string; file: string }[]>("refused"))("refuses $name", ({ file }) => {
    expect(() => openNpy(memoryBytes(bytesOf(file)), "a.npy")).toThrow(TsymError);
  });
});

describe.each([
  ["npz", openNpz],
  ["safetensors", openSafetensors],
] as const)("%s", (kind, open) => {
  test.each(fixture<{ name: string; file: string; tensors: Record<string, Held> }[]>(kind))(
    "reads $name",
    ({ file, tensors }) => {
      const group: Group = open(memoryBytes(bytesOf(file)), "archive");
      expect([...group.keys()].sort()).toEqual(Object.keys(tensors).sort());
      for (const [key, held] of Object.entries(tensors)) {
        const source = group.get(key)!();
        expect([source.dtype, source.shape]).toEqual([held.dtype, held.shape]);
        expect(readTensor(source, held.dtype, source.shape).data).toEqual(tensorOf(held).data);
      }
    },
  );
});

test("pretty prints a float alone as NumPy does", () => {
  for (const { text, ...held } of fixture<(Held & { text: string })[]>("scalars"))
    expect(prettyValues(tensorOf(held))).toBe(text);
});

test("pretty prints as NumPy does", () => {
  for (const { precision, text, ...held } of fixture<(Held & { precision: number; text: string })[]>("pretty")) {
    expect(prettyValues(tensorOf(held), { precision })).toBe(text);
  }
});

test("float32 numbers have the digits that NumPy gives them", () => {
  const { values, digits } = fixture<{ values: string; digits: string[] }>("shortest");
  const wrong = Array.from(viewOf("float32", bytesOf(values)), (value, i) => [
    shortestFloat32(value),
    Number(digits[i]),
  ]).filter(([ours, theirs]) => ours !== theirs);
  expect(wrong).toEqual([]);
});
