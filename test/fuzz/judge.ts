/** What every input must come to: a result, or a TsymError with something to show. Runs all of it in this process. */
import { formatProgram } from "../../grammar/format.ts";
import { parse } from "../../grammar/parser.ts";
import { checkProgram, type FindImport, failOnErrors, loadProgram } from "../../src/compile.ts";
import { memoryBytes } from "../../src/io/bytes.ts";
import { openCsv } from "../../src/io/csv.ts";
import { parseJson, readRecords } from "../../src/io/json.ts";
import { openNpy, writeNpy } from "../../src/io/npy.ts";
import { openNpz } from "../../src/io/npz.ts";
import { formatOutputs, type Output } from "../../src/io/output.ts";
import { openSafetensors } from "../../src/io/safetensors.ts";
import { type Group, isGroup, readTensor, type Source, tensorSource } from "../../src/io/source.ts";
import type { InputTensor } from "../../src/lower/inputs.ts";
import { renderDiagnostics } from "../../src/render.ts";
import { Session } from "../../src/session.ts";
import { TsymError } from "../../src/source.ts";
import { isKnown, substitute } from "../../src/tensor/dim.ts";
import { DTYPES, isFloat } from "../../src/tensor/dtype.ts";
import { sizeOf, tensorOf } from "../../src/tensor/tensor.ts";
import type { Case, Format } from "./cases.ts";
import { comparingEngine, MOST_ELEMENTS } from "./engine.ts";
import { Random } from "./random.ts";

/** A tensor without elements is as many empty lists in JSON as its other sizes say. */
const MOST_LISTS = 1_000_000;
const SIZES = [0, 1, 1, 2, 2, 3, 3, 4];
/** Sizes around those that the embedded engine's loops go by. */
const LARGE_SIZES = [4, 5, 16, 17, 64, 96, 97, 256, 257, 300, 512];

/** What is wrong with how tsym took the case; undefined if nothing is. */
export async function judge({ input, seed, number }: Case): Promise<string | undefined> {
  const random = new Random(~seed, number);
  try {
    const outputs =
      input.kind === "program" ? await tryProgram(input.text, random) : tryFile(input.kind, input.bytes, random);
    const shown = outputs.filter(({ tensor }) => sizeOf(tensor.shape.map((size) => size || 1)) <= MOST_LISTS);
    for (const format of ["pretty", "json", "ndjson", "npz"] as const) for (const _ of formatOutputs(shown, format));
    return undefined;
  } catch (error) {
    if (!(error instanceof TsymError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    return wrongWith(error, input.kind === "program" ? input.text : "");
  }
}

/** Errors that say nothing are errors of ours. */
function wrongWith({ diagnostics, exit }: TsymError, text: string): string | undefined {
  const told = renderDiagnostics(diagnostics, { color: false });
  if (diagnostics.length === 0 || ![1, 2, 3].includes(exit))
    return `a TsymError without a diagnostic, or with exit ${exit}`;
  const bad = diagnostics.find(
    ({ code, message, help = "" }) =>
      !/^[a-z][a-z0-9-]*$/.test(code) ||
      message === "" ||
      /\bundefined\b|\[object/.test(`${message} ${help}`.replace(/`[^`]*`/g, "")),
  );
  return bad && !/undefined|\[object/.test(text) ? `a message that says too little: ${told}` : undefined;
}

const find: FindImport = (path) => ({
  name: path,
  identity: path,
  content: () => ({ missing: "there is no such file" }),
});

async function tryProgram(text: string, random: Random): Promise<Output[]> {
  const loaded = loadProgram({ name: "fuzz.tsym", text }, find);
  const program = checkProgram(loaded, { defaultFloat: random.chance(0.8) ? "float32" : "float64" });
  renderDiagnostics(program.diagnostics, { color: true });
  failOnErrors(program.diagnostics);
  requireSameTree(text);
  const sizes = new Map<string, number>();
  const choice = random.chance(0.1) ? LARGE_SIZES : SIZES;
  const sizeOfLabel = (label: string): number => {
    if (!sizes.has(label)) sizes.set(label, random.pick(choice));
    return sizes.get(label)!;
  };
  const fed = program.inputs.filter((i) => !i.default || random.chance(0.5));
  const sources = new Map(fed.map((i) => [i.name, randomSource(i, sizeOfLabel, random)]));
  const { outputs } = program;
  const trap = random.chance(0.1) ? "nan" : undefined;
  const results = await new Session(program, outputs, comparingEngine, { trap }).evaluate(sources);
  return outputs.map(({ name, node }) => {
    const tensor = results.get(name)!;
    if (tensor.data.length !== sizeOf(tensor.shape) || tensor.shape.length !== node.type.shape.length)
      throw new Error(`${name} has ${tensor.data.length} elements for shape (${tensor.shape})`);
    return { name, tensor };
  });
}

/** parse(format(parse(x))) is parse(x), as far as its canonical text tells. */
function requireSameTree(text: string): void {
  const canonical = formatProgram(parse({ name: "", text }).program);
  const again = formatProgram(parse({ name: "", text: canonical }).program);
  if (again !== canonical) throw new Error(`the canonical text is not stable: ${JSON.stringify(canonical)}`);
}

const INTS = [0, 1, 0, 1, 2, -1, 3, 2147483647, -2147483648];
const FLOATS = [
  0,
  1,
  -1,
  0.5,
  2,
  -0,
  1.5,
  -3.25,
  1e-30,
  1e30,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

function randomSource({ name, node }: InputTensor, sizeOfLabel: (label: string) => number, random: Random): Source {
  const { dtype } = node.type;
  const shape = node.type.shape.map((d) => {
    const size = isKnown(d) ? d : substitute(d, (s) => sizeOfLabel(s.label));
    return isKnown(size) ? Math.min(Math.max(size, 0), 600) : 0;
  });
  const tame = random.chance(0.7);
  const values = dtype === "bool" ? [0, 1] : (isFloat(dtype) ? FLOATS : INTS).slice(0, tame ? 5 : undefined);
  const data = Array.from({ length: sizeOf(shape) > MOST_ELEMENTS ? 0 : sizeOf(shape) }, () => random.pick(values));
  return tensorSource(name, tensorOf(dtype, data.length === sizeOf(shape) ? shape : [0], data));
}

const READERS: Readonly<Record<Format, (bytes: Uint8Array) => Iterable<Source | Group>>> = {
  npy: (bytes) => [openNpy(memoryBytes(bytes), "fuzz.npy")],
  npz: (bytes) => [openNpz(memoryBytes(bytes), "fuzz.npz")],
  safetensors: (bytes) => [openSafetensors(memoryBytes(bytes), "fuzz.safetensors")],
  json: (bytes) => [parseJson(bytes, "fuzz.json")],
  *ndjson(bytes) {
    const middle = bytes.length >> 1;
    for (const { tensors } of readRecords([bytes.subarray(0, middle), bytes.subarray(middle)], "stdin"))
      yield* tensors.values();
  },
  csv: (bytes) => [openCsv(bytes, "fuzz.csv")],
};

/** Reads all that the file holds, as its own dtype and as some other; what is written of it must be read back the same. */
function tryFile(format: Format, bytes: Uint8Array, random: Random): Output[] {
  const sources = [...READERS[format](bytes)].flatMap((s) =>
    isGroup(s) ? [...s.values()].map((open) => open()) : [s],
  );
  const outputs = sources.map((source, i) => {
    const dtype = random.chance(0.5) ? random.pick(DTYPES) : source.dtype === "number" ? "float64" : source.dtype;
    return { name: `t${i}`, tensor: readTensor(source, dtype, source.shape) };
  });
  for (const { tensor } of outputs) {
    const written = Buffer.concat(writeNpy(tensor));
    const { data } = readTensor(openNpy(memoryBytes(written), "written.npy"), tensor.dtype, tensor.shape);
    if (!Buffer.from(data.buffer).equals(Buffer.from(tensor.data.buffer)))
      throw new Error("written and read, it is another");
  }
  return outputs;
}
