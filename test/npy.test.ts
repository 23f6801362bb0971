/** .npy, .npz and .safetensors: what is written is read back, damage is a TsymError, and no header makes memory be taken. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type Bytes, memoryBytes, openFile } from "../src/io/bytes.ts";
import { openNpy, writeNpy } from "../src/io/npy.ts";
import { openNpz, writeNpz } from "../src/io/npz.ts";
import { openSafetensors, writeSafetensors } from "../src/io/safetensors.ts";
import { isGroup, readTensor, type Source } from "../src/io/source.ts";
import { TsymError } from "../src/source.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { anyTensor } from "./any-tensor.ts";

const folder = mkdtempSync(join(tmpdir(), "tsym-npy-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The diagnostic of the TsymError that `work` throws, as `message | help`. */
function mistake(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    const [{ message, help } = { message: "" }] = error.diagnostics;
    return help ? `${message} | ${help}` : message;
  }
  return "no mistake found";
}

const read = (source: Source, dtype = source.dtype as DType) => readTensor(source, dtype, source.shape);

/** A .npy file of version 1.0 with any header. */
function npy(header: string, data: Uint8Array = new Uint8Array()): Bytes {
  const start = Buffer.from(`\x93NUMPY\x01\x00\0\0${header}\n`, "latin1");
  start.writeUInt16LE(header.length + 1, 8);
  return memoryBytes(Buffer.concat([start, data]));
}

const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("written and read back", () => {
  test("npy, from memory and from a file", () => {
    const path = join(folder, "a.npy");
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        const file = Buffer.concat(writeNpy(tensor));
        writeFileSync(path, file);
        for (const bytes of [memoryBytes(file), openFile(path).whole()])
          expect(read(openNpy(bytes, path))).toEqual(tensor);
      }),
    );
  });

  const tensors = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: "grapheme" }), anyTensor()), {
    selector: ([name]) => name,
  });

  test.each([
    ["npz", writeNpz, openNpz],
    ["safetensors", writeSafetensors, openSafetensors],
  ] as const)("%s", (_, write, open) => {
    fc.assert(
      fc.property(tensors, (named) => {
        const pieces = write(named.map(([name, tensor]) => ({ name, tensor })));
        const group = open(memoryBytes(Buffer.concat([...pieces])), "archive");
        expect(new Map(Array.from(group, ([key, open]) => [key, read(open())]))).toEqual(new Map(named));
      }),
    );
  });
});

test("an entry of an .npz has the checksum of its content", () => {
  fc.assert(
    fc.property(anyTensor(), (tensor) => {
      const archive = Buffer.concat([...writeNpz([{ name: "a", tensor }])]);
      const start = 30 + "a.npy".length;
      expect(archive.readUInt32LE(14)).toBe(crc32(archive.subarray(start, start + archive.readUInt32LE(18))));
    }),
  );
});

describe("npy", () => {
  test("data are aligned to 64 bytes", () => {
    fc.assert(
      fc.property(anyTensor(), (tensor) => {
        expect(writeNpy(tensor)[0]!.length % 64).toBe(0);
      }),
    );
  });

  test("values are converted over chunks, byte orders and orders of axes", () => {
    const [rows, columns] = [257, 300];
    const data = Buffer.alloc(rows * columns * 8);
    for (let i = 0; i < rows * columns; i++) data.writeDoubleBE(i, i * 8);
    const inC = Float32Array.from({ length: rows * columns }, (_, i) => i);
    const inFortran = inC.map((_, i) => Math.floor(i / columns) + (i % columns) * rows);
    const open = (fortran: string) => openNpy(npy(header(">f8", `(${rows}, ${columns})`, fortran), data), "a.npy");
    expect(read(open("False"), "float32").data).toEqual(inC);
    expect(read(open("True"), "float32").data).toEqual(inFortran);
  });

  test("an element that the dtype does not hold is named by its index", () => {
    const halves = new Uint8Array(Float64Array.of(0, 1, 2, 3, 4.5, 5).buffer);
    const open = (fortran: string) => openNpy(npy(header("<f8", "(2, 3)", fortran), halves), "a.npy");
    expect(mistake(() => read(open("False"), "int32"))).toMatch(/^a.npy: element \[1, 1\] is 4.5, which is no int32/);
    expect(mistake(() => read(open("True"), "int64"))).toMatch(/^a.npy: element \[0, 2\] is 4.5, which is no int64/);
    expect(mistake(() => read(open("True"), "bool"))).toMatch(/^a.npy: element \[0, 0\] is the number 0, where a bool/);
    const large = openNpy(npy(header("<u8", "()"), new Uint8Array(BigUint64Array.of(2n ** 63n).buffer)), "a.npy");
    expect(mistake(() => read(large))).toMatch(" is 9223372036854775808, which is no int64");
    expect(read(large, "float64").data[0]).toBe(2 ** 63);
  });

  test("an int64 is rounded to float32 once", () => {
    const value = 2n ** 60n + 2n ** 36n + 1n;
    const source = (n: bigint) =>
      openNpy(npy(header("<i8", "(1,)"), new Uint8Array(BigInt64Array.of(n).buffer)), "a.npy");
    expect(read(source(value), "float32").data[0]).toBe(2 ** 60 + 2 ** 37);
    expect(read(source(-value), "float32").data[0]).toBe(-(2 ** 60) - 2 ** 37);
    expect(read(source(value - 1n), "float32").data[0]).toBe(2 ** 60);
  });

  test("bytes of bools that are not 0 are true", () => {
    expect(read(openNpy(npy(header("|b1", "(3,)"), Uint8Array.of(0, 1, 255)), "a.npy")).data).toEqual(
      Uint8Array.of(0, 1, 1),
    );
  });

  test.each([
    ["{'shape': (2L, 1L), 'descr': \"<i4\", 'fortran_order': False}", [2, 1]],
    [`${header("<i4", "(2,)")}      `, [2]],
    ["{'descr': 'i4', 'fortran_order': False, 'shape': (2,)}", [2]],
  ])("reads the header %s", (text, shape) => {
    expect(openNpy(npy(text, new Uint8Array(8)), "a.npy").shape).toEqual(shape);
  });

  test.each([
    [header("<f4", "(2, 3)"), /shape \(2, 3\) of float32 needs 24 bytes of data, but the file has 8/],
    [header("<f4", "(1,)"), /needs 4 bytes of data, but the file has 8$/],
    [header("<f8", "(4294967296, 4294967296)"), /needs 147573952589676410000 bytes/],
    [header("<f8", "(99999999999999999999,)"), /has a shape that is no tuple of sizes/],
    [header("<f8", "(9007199254740991, 0)"), /needs 0 bytes of data, but the file has 8$/],
    [header("<f8", "(-1,)"), /has no proper 'shape'/],
    [header("<f8", "(1)"), /has a shape that is no tuple/],
    [header("<f8", "(1,,)"), /has a shape that is no tuple/],
    [header("|O", "(1,)"), /found pickled Python objects, which tsym never loads/],
    [header("<c8", "(1,)"), /found complex numbers, .* \(dtype <c8\) \| save .real and .imag/],
    [header("toString", "(1,)"), /found an unknown dtype/],
    [header("<q8", "(1,)"), /found an unknown dtype \(dtype <q8\)/],
    [
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
      /found records, not numbers \| save each field/,
    ],
    ["{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}", /has no proper 'fortran_order'/],
    ["{'descr': '<f8', 'fortran_order': False}", /has no proper 'shape'/],
    [
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}",
      /is not a dict of descr, fortran_order and shape/,
    ],
    ["{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", /is not a dict of descr/],
    ["__import__('os')", /has no proper 'descr'/],
  ])("refuses the header %s", (text, message) => {
    expect(mistake(() => openNpy(npy(text, new Uint8Array(8)), "a.npy"))).toMatch(message);
  });

  test("refuses a file that ends early, in words", () => {
    const file = Buffer.concat(writeNpy({ dtype: "float32", shape: [2], data: Float32Array.of(1, 2) }));
    for (let length = 0; length < file.length; length++) {
      expect(mistake(() => openNpy(memoryBytes(file.subarray(0, length)), "a.npy"))).toMatch(/^a.npy: /);
    }
  });

  test("a file that ends before its version is truncated", () => {
    const start = Buffer.from("\x93NUMPYv", "latin1");
    for (const length of [6, 7]) {
      const bytes = memoryBytes(start.subarray(0, length));
      expect(mistake(() => openNpy(bytes, "a.npy"))).toBe("a.npy: the file is truncated: it ends within its header");
    }
  });

  test("notices a file that shrinks between header and data", () => {
    const path = join(folder, "shrinks.npy");
    writeFileSync(path, Buffer.concat(writeNpy({ dtype: "float32", shape: [2], data: Float32Array.of(1, 2) })));
    const source = openNpy(openFile(path).whole(), path);
    truncateSync(path, 130);
    expect(mistake(() => read(source))).toBe(`cannot read ${path}: it became shorter while it was read`);
  });
});

describe("safetensors", () => {
  const file = (header: string, data = 4) => {
    const length = Buffer.alloc(8);
    length.writeUInt32LE(Buffer.byteLength(header));
    return memoryBytes(Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]));
  };
  const entry = (start: number, end: number, shape = "[1]", dtype = "F32") =>
    `{"dtype": "${dtype}", "shape": ${shape}, "data_offsets": [${start}, ${end}]}`;

  test.each([
    [`{"a": ${entry(0, 4)}, "a": ${entry(0, 4)}}`, /the key "a" comes twice/],
    [`{"a": ${entry(0, 4)}, "b": ${entry(0, 4)}}`, /the bytes of "b", from 0 to 4, should begin at 4/],
    [`{"a": ${entry(4, 8)}}`, /should begin at 0/],
    [`{"a": ${entry(0, 8, "[2]")}}`, /describes 8 bytes of data, but the file has 4/],
    [`{"a": ${entry(0, 4, "[2]")}}`, /shape \(2\) of float32 needs 8 bytes of data, but the file has 4/],
    [`{"a": ${entry(0, 4, "[1e300, 0]")}}`, /expected a list of sizes/],
    [`{"a": ${entry(0, 4, "[-1]")}}`, /expected a list of sizes/],
    [`{"a": ${entry(0, 4, "[1.5]")}}`, /expected a list of sizes/],
    [`{"a": ${entry(0, 4, "[4]", "F8_E4M3")}}`, /expected real numbers, found dtype F8_E4M3/],
    [
      `{"a": {"dtype": "F32", "shape": [1]}}`,
      /a.safetensors \(header\): \$.a: expected dtype, shape and two data_offsets/,
    ],
    ["[]", /\$: expected an object, found \[/],
    [" ".repeat(9), /expected an object, found the end of the text/],
  ])("refuses the header %s", (header, message) => {
    const open = () => {
      for (const tensor of openSafetensors(file(header), "a.safetensors").values()) tensor();
    };
    expect(mistake(open)).toMatch(message);
  });

  test("refuses a header longer than the file", () => {
    const bytes = Buffer.alloc(16, 0xff);
    expect(mistake(() => openSafetensors(memoryBytes(bytes), "a.safetensors"))).toMatch(/ends within its header$/);
  });
});

test("a member of an archive whose bytes are not those of its checksum is named", () => {
  const tensor = { dtype: "float32", shape: [300_000], data: new Float32Array(300_000).fill(1) } as const;
  const archive = Buffer.concat([...writeNpz(["a", "b"].map((name) => ({ name, tensor })))]);
  for (const at of [200, 1_100_000]) {
    const damaged = Buffer.from(archive);
    damaged[at]! ^= 1;
    const group = openNpz(memoryBytes(damaged), "c.npz");
    expect(mistake(() => group.get("a")!())).toBe("c.npz:a: the archive is truncated or damaged here");
    expect(read(group.get("b")!()).data[0]).toBe(1);
  }
});

describe("damaged files give a value or a TsymError", () => {
  const named = [
    { name: "a", tensor: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } as const },
    { name: "b", tensor: { dtype: "int64", shape: [], data: BigInt64Array.of(5n) } as const },
  ];
  test.each([
    ["npy", openNpy, writeNpy(named[0]!.tensor)],
    ["npz", openNpz, [...writeNpz(named)]],
    ["safetensors", openSafetensors, [...writeSafetensors(named)]],
  ] as const)("%s", (_, open, pieces) => {
    const file = Buffer.concat(pieces);
    const edits = fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 4,
    });
    const length = fc.oneof(fc.constant(file.length), fc.nat({ max: file.length + 9 }));
    fc.assert(
      fc.property(edits, length, (changes, length) => {
        const damaged = Buffer.concat([file, Buffer.alloc(9)]).subarray(0, length);
        for (const [at, value] of changes) if (at < length) damaged[at] = value;
        mistake(() => {
          const opened: Source | ReturnType<typeof openNpz> = open(memoryBytes(damaged), "damaged");
          for (const source of isGroup(opened) ? Array.from(opened.values(), (open) => open()) : [opened]) read(source);
        });
      }),
      { numRuns: 2000 },
    );
  });
});
