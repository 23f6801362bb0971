/** What the flags `-o`, `--expect` and `--carry` of `tsym run` choose of a program. */
import { destinationOf } from "../io/file.ts";
import { endingOf, outputEnding } from "../io/output.ts";
import { nearest } from "../lower/names.ts";
import { leftAlone, type NamedTensor, NO_OUTPUT } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import { requireInput } from "../session.ts";
import { fail, TsymError } from "../source.ts";

export interface Chosen {
  readonly tensor: NamedTensor;
  /** Where it goes in place of standard output. */
  readonly path?: string;
}

/** The outputs that `-o NAME[=FILE]` choose, or all of the program's. */
export function chooseOutputs(program: Lowered, flags: readonly string[]): Chosen[] {
  if (program.outputs.length === 0 && flags.length === 0) throw new TsymError([NO_OUTPUT]);
  if (flags.length === 0) return program.outputs.map((tensor) => ({ tensor }));
  const twice = repeated(flags);
  if (twice !== undefined) fail("usage", `-o ${twice} is given twice`, { exit: 2 });
  const chosen = flags.map((flag) => {
    const [, name = flag, path] = /^(.*?)=(.*)$/s.exec(flag) ?? [];
    if (name.trim() === "")
      fail("usage", flag === "" ? "-o names nothing" : `-o ${flag} names no output before =`, {
        help: "write -o NAME=FILE, or -o NAME alone",
        exit: 2,
      });
    if (path === undefined) return { tensor: outputNamed(program, name) };
    if (path === "")
      fail("usage", `-o ${flag} says nothing after =`, { help: `write -o ${name}=FILE, or -o ${name} alone`, exit: 2 });
    outputEnding(path);
    return { tensor: outputNamed(program, name), path };
  });
  refuseTwoPaths(chosen);
  return chosen;
}

/** Outputs of one file name it alike: with two paths to one place, one output would replace the other. */
function refuseTwoPaths(chosen: readonly Chosen[]): void {
  const filed = chosen.filter(({ path }) => path !== undefined);
  if (filed.every(({ path }) => path === filed[0]!.path)) return;
  const places = filed.map(({ path }) => destinationOf(path!));
  const firsts = places.map((place) => filed[places.indexOf(place)]!);
  const i = firsts.findIndex(({ path }, i) => path !== filed[i]!.path);
  if (i >= 0)
    fail("usage", `${flagOf(firsts[i]!)} and ${flagOf(filed[i]!)} name the same file`, {
      help: "a .json, .npz or .safetensors file takes both where they name it by the same path",
      exit: 2,
    });
}

const flagOf = ({ tensor, path }: Chosen): string => `-o ${tensor.name}=${path}`;

/** An output, or any other bound name. */
export function outputNamed(program: Lowered, name: string): NamedTensor {
  const found = program.outputs.find((o) => o.name === name) ?? program.names.find((n) => n.name === name);
  if (found) return leftAlone(found);
  const names = [...new Set([...program.outputs, ...program.names].map((n) => n.name))];
  const near = nearest(name, names);
  return fail("unknown-name", `the program has no \`${name}\``, {
    help: endingOf(name)
      ? `to write an output to that file, name both: -o ${names[0] ?? "NAME"}=${name}`
      : near
        ? `did you mean \`${near}\`?`
        : `it has ${names.slice(0, 12).join(", ")}`,
  });
}

export interface Carry {
  readonly into: string;
  readonly from: NamedTensor;
}

/** What `--carry IN=OUT` feeds back. */
export function chooseCarries(program: Lowered, carry: readonly string[], steps: number | undefined): Carry[] {
  if (steps !== undefined && carry.length === 0)
    fail("usage", "--steps repeats what --carry feeds back, but no --carry is given", {
      exit: 2,
      help: "name one: --carry IN=OUT",
    });
  const carries = carry.map((text) => {
    const [into, out, more] = text.split("=");
    if (!into || !out || more !== undefined)
      fail("usage", `--carry ${text} must be IN=OUT: the input that is fed with an output`, { exit: 2 });
    requireInput(program, into);
    return { into, from: outputNamed(program, out) };
  });
  const twice = repeated(carries.map((c) => c.into));
  if (twice !== undefined) fail("usage", `--carry feeds the input ${twice} twice`, { exit: 2 });
  if (steps === undefined && carry.length > 0)
    fail("usage", `--carry ${carry[0]} feeds an output back, but no --steps says how often`, {
      exit: 2,
      help: "give the number of runs in all: --steps N",
    });
  return carries;
}

/** The first text that comes a second time. */
const repeated = (texts: readonly string[]): string | undefined => texts.find((text, i) => texts.indexOf(text) < i);
