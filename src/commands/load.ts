/** Where the commands' programs come from: files, standard input, `-e`. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type FindImport, type Loaded, loadProgram } from "../compile.ts";
import { descriptorChunks } from "../io/bytes.ts";
import { fileError, meaningOf } from "../io/file.ts";
import type { World } from "./world.ts";

/** Parses the program in `file` (`-`: standard input) or `text`, and every file it imports. Throws TsymError: no such file. */
export function load(file: string | undefined, text: string | undefined, world: World): Loaded {
  if (text !== undefined) return loadProgram({ name: "-e", text }, findImport);
  if (file === "-") return loadProgram({ name: "-", text: readAll(world) }, findImport);
  return loadProgram({ name: file!, text: readText(file!) }, findImport, resolve(file!));
}

/** How messages say to feed an input. */
export const feeding = (name: string): string => `-f ${name}=FILE`;

/** Whether a program declares an input of that name. */
export const declares = ({ sources: { main } }: Loaded, name: string): boolean =>
  main.statements.some((s) => s.kind === "input" && s.inputs.some((i) => i.name === name));

const findImport: FindImport = (path, from) => {
  const folder = dirname(from);
  const identity = resolve(folder, path);
  return {
    name: folder === "." ? path : `${folder}/${path}`,
    identity,
    content: () => {
      try {
        return { text: readFileSync(identity, "utf8") };
      } catch (error) {
        return { missing: meaningOf(error) };
      }
    },
  };
};

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const isText = /[\s()=;]/.test(file);
    return fileError("read", file, error, isText ? "the text of a program stands after -e" : undefined);
  }
}

const readAll = (world: World): string => Buffer.concat([...descriptorChunks(world.stdin)]).toString("utf8");
