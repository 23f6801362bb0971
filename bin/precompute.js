/** What the build works out so that no start has to: the analysis of the grammar, and the fns of .tsym files as plain data. Knows no op. */
"use strict";
const { readFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { build } = require("esbuild");

const SPANS = ["span", "nameSpan", "opSpan"];

/** What a module with these contents exports, bundled from the sources as they stand. */
async function evaluated(contents, plugins) {
  const stdin = { contents, resolveDir: join(__dirname, "..") };
  const { outputFiles } = await build({ stdin, plugins, bundle: true, platform: "node", format: "cjs", write: false });
  const module = { exports: {} };
  new Function("module", "exports", "require", outputFiles[0].text)(module, module.exports, require);
  return module.exports;
}

let analysisText;
/** The text of grammar/analysis.ts with what is known of the grammar. */
const analysisModule = () =>
  (analysisText ??= evaluated('export { analyse } from "./grammar/lookahead.ts";').then(
    ({ analyse }) => `export const analysis = ${JSON.stringify(analyse(true))};`,
  ));

const analysisPlugin = {
  name: "analysis",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]grammar[\\/]analysis\.ts$/ }, async () => ({ contents: await analysisModule() })),
};

let grammar;
const loadGrammar = () =>
  (grammar ??= evaluated(
    'export { parse } from "./grammar/parser.ts"; export { renderDiagnostics } from "./src/render.ts";',
    [analysisPlugin],
  ));

let shortener;
const loadShortener = () => (shortener ??= evaluated('export { abbreviated } from "./src/ops/trees.ts";'));

/** A tree as JSON: places left out, and an int literal's bigint as `{"int": digits}`. */
const toJson = (tree) =>
  JSON.stringify(tree, (key, value) =>
    SPANS.includes(key) ? undefined : typeof value === "bigint" ? { int: String(value) } : value,
  );

/**
 * The text of a module whose default export maps each fn of the .tsym file at `path` to its tree as JSON in short.
 * Throws the rendered diagnostics where the file does not parse.
 */
async function moduleOf(path) {
  const { parse, renderDiagnostics } = await loadGrammar();
  const { program, diagnostics } = parse({ name: basename(path), text: readFileSync(path, "utf8") });
  if (diagnostics.length > 0) throw new Error(renderDiagnostics(diagnostics, { color: false }));
  const strange = program.statements.find(({ kind }) => kind !== "fn");
  if (strange) throw new Error(`${path}: holds fns only, not ${strange.kind} statements`);
  const { abbreviated } = await loadShortener();
  const fns = program.statements.map((fn) => [fn.name, abbreviated(toJson(fn))]);
  return `export default new Map(${JSON.stringify(fns)});`;
}

const tsymPlugin = {
  name: "tsym",
  setup: (build) => build.onLoad({ filter: /\.tsym$/ }, async ({ path }) => ({ contents: await moduleOf(path) })),
};

exports.evaluated = evaluated;

/** For esbuild. */
exports.esbuildPlugins = [analysisPlugin, tsymPlugin];

/** For Vite, and so for the tests. */
exports.vitePlugin = {
  name: "tsym",
  load: (id) =>
    id.endsWith("/grammar/analysis.ts") ? analysisModule() : id.endsWith(".tsym") ? moduleOf(id) : undefined,
};
