/** The house's plan, kept: what each room may import, and what start-up and `check` must not load. */
import { readdirSync, readFileSync } from "node:fs";
import { posix as path } from "node:path";
import { expect, test } from "vitest";

/** What a whole run passes through, whoever asks for it. */
const PIPELINE = [
  "src/source",
  "src/tensor",
  "src/lower",
  "src/compile",
  "src/engines/load",
  "src/session",
  "src/render",
];

/** From the ground up: which rooms and packages each room may use; "world" is Node: `process`, `console`, `node:…`. */
const MAY_USE: Record<string, readonly string[]> = {
  "src/source": [],
  "src/tensor": ["src/source"],
  grammar: ["src/source", "src/tensor", "chevrotain"],
  "src/numeric": ["src/tensor"],
  "src/graph": ["src/source", "src/tensor"],
  "src/ops": ["src/source", "src/tensor", "grammar", "src/numeric", "src/graph"],
  "src/batch": ["src/tensor", "src/graph", "src/ops"],
  "src/autodiff": ["src/tensor", "src/graph", "src/ops", "src/batch"],
  "src/fold": ["src/tensor", "src/numeric", "src/graph", "src/ops"],
  "src/lower": ["src/source", "src/tensor", "grammar", "src/graph", "src/ops", "src/autodiff", "src/fold"],
  "src/bind": ["src/source", "src/tensor", "src/graph", "src/ops", "src/fold", "src/lower"],
  "src/engines/engine": ["src/tensor", "src/graph", "src/ops"],
  "src/engines/reference": ["src/source", "src/tensor", "src/numeric", "src/graph", "src/ops", "src/engines/engine"],
  "src/print": ["src/tensor", "grammar", "src/graph", "src/ops"],
  "src/engines/wasm": [
    "src/tensor",
    "src/numeric",
    "src/graph",
    "src/ops",
    "src/engines/engine",
    "src/engines/reference",
    "world",
  ],
  "src/engines/tensorflow": [
    "src/source",
    "src/tensor",
    "src/graph",
    "src/ops",
    "src/engines/engine",
    "src/engines/reference",
    "world",
  ],
  "src/engines/auto": [
    "src/tensor",
    "src/graph",
    "src/ops",
    "src/engines/engine",
    "src/engines/wasm",
    "src/engines/tensorflow",
    "world",
  ],
  "src/optimize": [
    "src/tensor",
    "grammar",
    "src/graph",
    "src/ops",
    "src/lower",
    "src/engines/engine",
    "src/engines/reference",
  ],
  "src/engines/load": [
    "src/source",
    "src/engines/engine",
    "src/engines/reference",
    "src/engines/wasm",
    "src/engines/tensorflow",
    "src/engines/auto",
  ],
  "src/io/source": ["src/source", "src/tensor"],
  "src/io": ["src/source", "src/tensor", "src/io/source", "world"],
  "src/install": ["src/source", "src/engines/tensorflow", "src/io", "world"],
  "src/render": ["src/source"],
  "src/compile": ["src/source", "grammar", "src/lower"],
  "src/session": [
    "src/source",
    "src/tensor",
    "src/graph",
    "src/ops",
    "src/lower",
    "src/bind",
    "src/optimize",
    "src/engines/engine",
    "src/io/source",
  ],
  "src/ndarray": ["src/source", "src/tensor", "src/io/source", "ndarray"],
  "src/index": [...PIPELINE, "grammar", "src/ops", "src/io/source", "src/ndarray"],
  "src/commands": [
    ...PIPELINE,
    "src/engines/engine",
    "src/engines/tensorflow",
    "src/install",
    "package.json",
    "grammar",
    "src/graph",
    "src/ops",
    "src/autodiff",
    "src/bind",
    "src/print",
    "src/optimize",
    "src/io/source",
    "src/io",
    "world",
  ],
  "src/cli": ["src/source", "src/engines/load", "src/render", "src/commands", "package.json", "commander", "world"],
};

const ROOMS = Object.keys(MAY_USE);
const SOURCES = ["grammar", "src"]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => path.join(folder, file)),
  )
  .filter((file) => file.endsWith(".ts"));

const roomOf = (file: string): string | undefined =>
  ROOMS.find((room) => file === `${room}.ts` || file.startsWith(`${room}/`));

/** The path inside the project that an import of `file` names, or the package. */
const resolve = (file: string, specifier: string): string =>
  specifier.startsWith(".") ? path.join(path.dirname(file), specifier) : specifier.replace(/^node:.*/, "world");

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found!);

const importsOf = (text: string): string[] => matches(text, /^(?:import|export)\b(?:[^;"=]*?\bfrom)? "([^"]+)"/gm);

const withoutTypes = (text: string): string => text.replaceAll(/^(?:import|export) type\b.*?;/gms, "");

const importsWhenNeeded = (text: string): string[] => matches(text, /\b(?:import|getBuiltinModule)\("([^"]+)"\)/g);

const namesWorld = (text: string): boolean =>
  /(?<![\w.])(?:process|console)[.[]/.test(text.replaceAll(/\/\*.*?\*\/|\/\/.*?$/gms, ""));

/** Every source that loading `file` loads. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (!SOURCES.includes(file) || seen.has(file)) return seen;
  seen.add(file);
  for (const specifier of importsOf(withoutTypes(readFileSync(file, "utf8"))))
    loadedWith(resolve(file, specifier), seen);
  return seen;
}

test("a room may use only rooms before it", () => {
  const upward = ROOMS.flatMap((room, place) =>
    MAY_USE[room]!.filter((used) => ROOMS.indexOf(used) >= place).map((used) => `${room} → ${used}`),
  );
  expect(upward).toEqual([]);
});

test.each(SOURCES)("%s uses only what its room may", (file) => {
  const room = roomOf(file);
  expect(room, "the room").toBeDefined();
  const text = readFileSync(file, "utf8");
  const used = [...importsOf(text), ...importsWhenNeeded(text)].map((specifier) => resolve(file, specifier));
  const rooms = [...used.map((target) => roomOf(target) ?? target), ...(namesWorld(text) ? ["world"] : [])];
  expect(rooms.filter((target) => target !== room && !MAY_USE[room!]!.includes(target))).toEqual([]);
});

test("no file is named for having no subject", () => {
  expect(SOURCES.filter((file) => /\b(utils?|helpers?|common|misc)\b/.test(file))).toEqual([]);
});

test("starting the command line loads no command and no renderer", () => {
  expect([...loadedWith("src/cli.ts")].sort()).toEqual(["src/cli.ts", "src/engines/load.ts", "src/source.ts"]);
});

test("check loads no engine", () => {
  expect([...loadedWith("src/commands/check.ts")].filter((file) => file.startsWith("src/engines/"))).toEqual([]);
});
