/** The cases: what is tried under each number of a seed. */
import { readdirSync, readFileSync } from "node:fs";
import { deflateRawSync, gunzipSync } from "node:zlib";
import { writeCsv } from "../../src/io/csv.ts";
import { writeJsonTensor } from "../../src/io/json.ts";
import { writeNpy } from "../../src/io/npy.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import { DTYPES, isFloat } from "../../src/tensor/dtype.ts";
import { sizeOf, type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { CALLS } from "../operations.ts";
import { damagedBytes, damagedText } from "./damage.ts";
import { randomProgram } from "./programs.ts";
import { Random } from "./random.ts";
import { randomRows } from "./rows.ts";

export const FORMATS = ["npy", "npz", "safetensors", "json", "ndjson", "csv"] as const;
export type Format = (typeof FORMATS)[number];

/** What is tried: a program's text, fed by chance, or a file's bytes. `stream` of `seed` makes the feeds. */
export interface Case {
  readonly input:
    | { readonly kind: "program"; readonly text: string }
    | { readonly kind: Format; readonly bytes: Uint8Array };
  readonly seed: number;
  readonly number: number;
}

const SHARED = "../shared/cases/cases.jsonl.gz";
const textsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".tsym"))
    .map((file) => readFileSync(`${folder}/${file}`, "utf8"));
function sharedPrograms(): string[] {
  try {
    const lines = gunzipSync(readFileSync(SHARED)).toString().trim().split("\n");
    return lines.map((line) => (JSON.parse(line) as { program: string }).program);
  } catch {
    return []; // there are none beside this checkout
  }
}
/** `x[2] in 0 1; y | f(x, y)` of test/operations.ts, as a program. */
const asProgram = (call: string): string => {
  const [inputs, body] = call.split(" | ") as [string, string];
  return `input ${inputs.replaceAll(/ in [-.\d]+ [-.\d]+/g, "").replaceAll(";", ",")}\n${body}`;
};

/** Programs to damage, and files: made when first asked for. */
let seeds:
  | { readonly programs: readonly string[]; readonly files: Readonly<Record<Format, readonly Uint8Array[]>> }
  | undefined;
const seedsOnce = () => {
  seeds ??= {
    programs: [
      ...textsIn("samples"),
      ...textsIn("samples/errors"),
      ...Object.values(CALLS).flat().map(asProgram),
      ...sharedPrograms(),
    ],
    files: wholeFiles(),
  };
  return seeds;
};

const SHAPES = [[], [3], [2, 3], [1, 2, 2], [0], [2, 0], [70]];

function wholeFiles(): Record<Format, Uint8Array[]> {
  const tensors = DTYPES.flatMap((dtype) =>
    SHAPES.map((shape) => {
      const values = Array.from({ length: sizeOf(shape) }, (_, i) => (dtype === "bool" ? i % 2 : i - 1));
      return tensorOf(dtype, shape, isFloat(dtype) ? values.map((v) => v / 3) : values);
    }),
  );
  const named = tensors.slice(0, 3).map((tensor, i) => ({ name: `t${i}`, tensor }));
  const archive = Buffer.concat([...writeNpz(named)]);
  return {
    npy: tensors.map((tensor) => Buffer.concat(writeNpy(tensor))),
    npz: [archive, Buffer.concat([...writeNpz(named.slice(0, 1))]), deflated(tensors[2]!)],
    safetensors: [Buffer.concat([...writeSafetensors(named)]), Buffer.concat([...writeSafetensors(named.slice(1, 2))])],
    json: [...tensors.map(writeJsonTensor), '{"a": [1, 2], "b": "NaN"}', "[[1], [2, 3]]", "-1.5e-7"].map((t) =>
      Buffer.from(t),
    ),
    ndjson: ['{"a": [1, 2]}\n{"a": [3, 4]}\n', '{"a":1}{"b":"Infinity"}\n\n{}'].map((t) => Buffer.from(t)),
    csv: [
      ...tensors.filter((t) => t.shape.length < 3).map((t) => [...writeCsv(t)].join("")),
      'x,"y ""z"""\r\n1,2\r\n-inf,nan\r\n',
    ].map((t) => Buffer.from(t)),
  };
}

/** An archive whose one entry is compressed: that of writeNpz with its method, sizes and content changed. */
function deflated(tensor: Tensor): Buffer {
  const content = Buffer.concat(writeNpy(tensor));
  const packed = deflateRawSync(content);
  const stored = Buffer.concat([...writeNpz([{ name: "t", tensor }])]);
  const start = stored.indexOf(content);
  const [head, tail] = [stored.subarray(0, start), stored.subarray(start + content.length)];
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(packed.length, 18);
  tail.writeUInt16LE(8, 10);
  tail.writeUInt32LE(packed.length, 20);
  const directory = tail.length - 22;
  tail.writeUInt32LE(head.length + packed.length, directory + 16);
  return Buffer.concat([head, packed, tail]);
}

export function caseOf(seed: number, number: number): Case {
  const random = new Random(seed, number);
  const { programs, files } = seedsOnce();
  const kind = random.below(100);
  if (kind < 3) return { input: { kind: "program", text: randomRows(random) }, seed, number };
  if (kind < 45) return { input: { kind: "program", text: randomProgram(random) }, seed, number };
  if (kind < 70) return { input: { kind: "program", text: damagedText(programs, random) }, seed, number };
  const format = random.pick(FORMATS);
  return { input: { kind: format, bytes: damagedBytes(files[format], random) }, seed, number };
}
