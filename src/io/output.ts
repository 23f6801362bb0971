/** Results as text or bytes for standard output, and as files by their ending. */
import { extname } from "node:path";
import { fail } from "../source.ts";
import type { FileTarget } from "../tensor/file.ts";
import { showSizes, type Tensor, type TensorType } from "../tensor/tensor.ts";
import { writeCsv } from "./csv.ts";
import { isStream, type WholeFiles } from "./file.ts";
import { jsonPieces } from "./json.ts";
import { npyHead, writeNpy } from "./npy.ts";
import { writeNpz } from "./npz.ts";
import { type PrettyOptions, pretty, prettyValues } from "./pretty.ts";
import { writeSafetensors } from "./safetensors.ts";

export interface Output {
  readonly name: string;
  readonly tensor: Tensor;
}

export interface OutputOptions extends PrettyOptions {
  /** The value alone: no name, no shape. */
  readonly raw?: boolean | undefined;
}

type Pieces = Iterable<string | Uint8Array>;

const FORMATS = {
  pretty: (outputs: readonly Output[], { raw, precision }: OutputOptions): Pieces =>
    outputs.map(({ name, tensor }) =>
      raw ? `${prettyValues(tensor, { precision })}\n` : `${pretty(name, tensor, { precision })}\n`,
    ),
  json: (outputs: readonly Output[], { raw }: OutputOptions): Pieces =>
    raw ? jsonValue(outputs[0]!) : jsonObject(outputs),
  ndjson: (outputs: readonly Output[], { raw }: OutputOptions): Pieces =>
    raw ? jsonValue(outputs[0]!) : jsonLines(outputs),
  npy: (outputs: readonly Output[]): Pieces => writeNpy(outputs[0]!.tensor),
  npz: (outputs: readonly Output[]): Pieces => writeNpz(outputs),
} as const;

export type Format = keyof typeof FORMATS;

/** The outputs as standard output shows them, in pieces; see `requireRoom`. */
export const formatOutputs = (outputs: readonly Output[], format: Format, options: OutputOptions = {}): Pieces =>
  FORMATS[format](outputs, options);

/** Throws TsymError (exit 2) where standard output has room for one output only, and these are more. */
export function requireRoom(
  names: readonly string[],
  { format, raw }: OutputOptions & { readonly format?: Format | undefined },
): void {
  if (format === "npy") onlyOne(names, "the format npy", "choose one with -o NAME, or write --format npz");
  if (raw) onlyOne(names, "--raw", "choose one with -o NAME");
}

const onlyOne = (names: readonly string[], what: string, help: string): void => {
  if (names.length > 1)
    fail("one-output", `${what} takes one output, but there are ${names.length}: ${names.join(", ")}`, {
      help,
      exit: 2,
    });
};

function* jsonValue({ tensor }: Output): Generator<string> {
  yield* jsonPieces(tensor);
  yield "\n";
}

function* jsonObject(outputs: readonly Output[]): Generator<string> {
  let before = "{";
  for (const { name, tensor } of outputs) {
    yield `${before}${JSON.stringify(name)}: `;
    yield* jsonPieces(tensor);
    before = ", ";
  }
  yield outputs.length > 0 ? "}\n" : "{}\n";
}

function* jsonLines(outputs: readonly Output[]): Generator<string> {
  for (const { name, tensor } of outputs) {
    const { dtype, shape } = tensor;
    yield `{"name": ${JSON.stringify(name)}, "dtype": "${dtype}", "shape": [${shape.join(", ")}], "data": `;
    yield* jsonPieces(tensor);
    yield "}\n";
  }
}

const FILES = {
  ".npy": FORMATS.npy,
  ".npz": FORMATS.npz,
  ".json": FORMATS.json,
  ".csv": (outputs: readonly Output[]): Pieces => writeCsv(outputs[0]!.tensor),
  ".safetensors": (outputs: readonly Output[]): Pieces => writeSafetensors(outputs),
} as const;

type Ending = keyof typeof FILES;

/** The ending of a path by which tsym knows what to write; undefined where it has none. */
export function endingOf(path: string): Ending | undefined {
  const ending = extname(path).toLowerCase();
  return Object.hasOwn(FILES, ending) ? (ending as Ending) : undefined;
}

/** The ending of a file that is to be written. Throws TsymError (exit 2) for one that tsym does not write. */
export function outputEnding(path: string): Ending {
  const ending = endingOf(path);
  if (ending !== undefined) return ending;
  fail("ending", `cannot tell from the ending of ${path} what to write`, {
    help: `a file for outputs ends in ${Object.keys(FILES).join(", ")}`,
    exit: 2,
  });
}

/**
 * Writes outputs to the files at paths, as their endings say: .json an object of its outputs (`raw`: the value alone). Throws
 * TsymError.
 */
export function writeOutputFiles(
  files: WholeFiles,
  outputsAt: Iterable<readonly [path: string, outputs: readonly Output[]]>,
  options: OutputOptions = {},
): void {
  files.write(Array.from(outputsAt, ([path, outputs]) => ({ path, pieces: filePieces(path, outputs, options) })));
}

/**
 * The files among `paths` that can be filled part by part (`openOutputFile`): .npy files. None where one of the paths is a pipe, whose
 * reader signals would wait for.
 */
export const fillablePaths = (paths: readonly string[]): string[] =>
  paths.some(isStream) ? [] : paths.filter((path) => outputEnding(path) === ".npy");

/** The file at a path for an output whose elements follow. Throws TsymError. */
export const openOutputFile = (files: WholeFiles, path: string, type: TensorType): FileTarget =>
  files.open(path, npyHead(type));

function filePieces(path: string, outputs: readonly Output[], options: OutputOptions): Pieces {
  const ending = outputEnding(path);
  if (ending === ".npy" || ending === ".csv")
    onlyOne(
      outputs.map((o) => o.name),
      path,
      "a .npz or .safetensors file holds several",
    );
  for (const { name, tensor } of outputs) {
    if (ending !== ".csv") continue;
    const { shape } = tensor;
    const limit =
      shape.length > 2 ? "has two axes at most" : shape.includes(0) ? "holds no shape without elements" : "";
    if (limit !== "")
      fail("csv", `${path}: a CSV file ${limit}, but ${name} has shape ${showSizes(shape)}`, {
        help: "write it to a .npy file",
      });
  }
  return FILES[ending](outputs, options);
}
