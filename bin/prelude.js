/** The build's view of a .tsym file: its fns as plain data, so that no run parses the prelude. Knows no op. */
"use strict";
const { readFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { build } = require("esbuild");

const SPANS = ["span", "nameSpan", "opSpan"];

/** The parser and the renderer, bundled from their sources as they stand. */
async function loadGrammar() {
  const { outputFiles } = await build({
    stdin: {
      contents: 'export { parse } from "./grammar/parser.ts"; export { renderDiagnostics } from "./src/render.ts";',
      resolveDir: join(__dirname, ".."),
    },
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
  });
  const grammar = { exports: {} };
  new Function("module", "exports", "require", outputFiles[0].text)(grammar, grammar.exports, require);
  return grammar.exports;
}
let grammar;

/** A tree as JSON: places left out, and an int literal's bigint as `{"int": digits}`. */
const toJson = (tree) =>
  JSON.stringify(tree, (key, value) =>
    SPANS.includes(key) ? undefined : typeof value === "bigint" ? { int: String(value) } : value,
  );

/**
 * The text of a module whose default export maps each fn of the .tsym file at `path` to the JSON of its tree.
 * Throws the rendered diagnostics where the file does not parse.
 */
async function moduleOf(path) {
  grammar ??= loadGrammar();
  const { parse, renderDiagnostics } = await grammar;
  const { program, diagnostics } = parse({ name: basename(path), text: readFileSync(path, "utf8") });
  if (diagnostics.length > 0) throw new Error(renderDiagnostics(diagnostics, { color: false }));
  const strange = program.statements.find(({ kind }) => kind !== "fn");
  if (strange) throw new Error(`${path}: holds fns only, not ${strange.kind} statements`);
  const fns = program.statements.map((fn) => [fn.name, toJson(fn)]);
  return `export default new Map(${JSON.stringify(fns)});`;
}

/** For esbuild. */
exports.esbuildPlugin = {
  name: "tsym",
  setup: (build) => build.onLoad({ filter: /\.tsym$/ }, async ({ path }) => ({ contents: await moduleOf(path) })),
};

/** For Vite, and so for the tests. */
exports.vitePlugin = { name: "tsym", load: (id) => (id.endsWith(".tsym") ? moduleOf(id) : undefined) };
