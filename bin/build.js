/** Makes dist/: the command as one CommonJS file and the library as one ES module (tsc writes its declarations). */
"use strict";
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { basename, dirname, join, relative, sep } = require("node:path");
const { pathToFileURL } = require("node:url");
const { build } = require("esbuild");
const { laidOut } = require("./eager.js");
const { esbuildPlugins, evaluated } = require("./precompute.js");

const root = join(__dirname, "..");

/** What sources load by an `import()`: some of it the command loads only when a run needs it, all else at once. */
const LOADED_LATER = [
  "src/engines/wasm/compiler.ts",
  "src/engines/tensorflow/index.ts",
  "src/commands/engines.ts",
  "src/commands/explain.ts",
  "src/commands/ops.ts",
];

/** Modules of functions that few runs call: the command loads such a module when the first of them is called. */
const CALLED_SELDOM = [
  "node_modules/commander/lib/help.js",
  "grammar/format.ts",
  "grammar/mistakes.ts",
  "src/batch.ts",
  "src/render.ts",
  ...["check-report", "plan-report"].map((name) => `src/commands/${name}.ts`),
  ...["indexing", "linalg", "scan", "sort", "trap"].map((name) => `src/engines/reference/${name}.ts`),
  ...["compare", "csv", "npy", "npz", "pretty", "safetensors"].map((name) => `src/io/${name}.ts`),
  ...["indexing", "names"].map((name) => `src/lower/${name}.ts`),
  "src/optimize/index.ts",
  ...["error-function", "gamma", "hyperbolic", "log", "polygamma", "trigonometric"].map(
    (name) => `src/numeric/${name}.ts`,
  ),
];

/** Modules of libraries that the command never calls, and what of them is read when it loads: to parse them takes milliseconds. */
const UNUSED = [
  ["commander", /^node:child_process$/, ""],
  ["chevrotain", /\/lexer_public\.js$/, "exports.Lexer = { NA: /NOT_APPLICABLE/ };"],
  // What analyses a grammar: the build has done so (bin/precompute.js).
  ["chevrotain", /^@chevrotain\/cst-dts-gen$/, ""],
  ["chevrotain", /^@chevrotain\/gast$/, "exports.GAstVisitor = class {};"],
  ["chevrotain", /\/grammar\/lookahead\.js$/, "exports.PROD_TYPE = {};"],
  ["chevrotain", /\/llk_lookahead\.js$/, "exports.LLkLookaheadStrategy = class {};"],
  ["chevrotain", /\/gast_recorder\.js$/, "exports.GastRecorder = class { initGastRecorder() {} };"],
  // What the grammar is not asked for: to go on after an error, and to build trees of its own.
  [
    "chevrotain",
    /\/recoverable\.js$/,
    "exports.Recoverable = class { initRecoverable() {} attemptInRepetitionRecovery() {} getHumanReadableRuleStack() {} };",
  ],
  [
    "chevrotain",
    /\/tree_builder\.js$/,
    `exports.TreeBuilder = class { initTreeBuilder() {} ${["InvocationStateUpdate", "FinallyStateUpdate", "PostRule", "PostTerminal", "PostNonTerminal"].map((name) => `cst${name}() {}`).join(" ")} };`,
  ],
  ["chevrotain", /\/context_assist\.js$/, "exports.ContentAssist = class { initContentAssist() {} };"],
  ["chevrotain", /\/(checks|follow|interpreter|gast_resolver_public|cst|cst_visitor|errors_public)\.js$/, ""],
];

const leaveOut = {
  name: "leave-out",
  setup: (build) => {
    for (const [library, filter, contents] of UNUSED) {
      const namespace = `${library}:${filter.source}`;
      build.onResolve({ filter }, ({ importer, path }) =>
        importer.includes(`/node_modules/${library}/`.replaceAll("/", sep)) ? { path, namespace } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents: contents || "module.exports = {};" }));
    }
  },
};

/** Commander as ES modules, so that it is of the one scope too. */
const COMMONJS = [
  [/^const (\{.*\}) = require\(('\..*?')\);$/gm, "import $1 from $2;"],
  [/^exports\.(\w+) = \1;.*$/gm, "export { $1 };"],
  [/^exports\..*$/gm, ""],
];
const asModules = {
  name: "as-modules",
  setup: (build) => {
    build.onResolve({ filter: /^commander$/ }, () => ({ path: require.resolve("commander") }));
    build.onLoad({ filter: /[\\/]node_modules[\\/]commander[\\/].*\.js$/ }, ({ path }) => ({
      contents: COMMONJS.reduce((text, [from, to]) => text.replace(from, to), readFileSync(path, "utf8")),
    }));
  },
};

const pathOf = (file) => relative(root, file).replaceAll(sep, "/");

/** Turns each `import()` of what is not loaded later into an import. */
const loadAtOnce = {
  name: "load-at-once",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const imports = [];
      const isLater = (from) => LOADED_LATER.includes(pathOf(join(dirname(path), from)));
      const text = readFileSync(path, "utf8").replace(
        /const (\{.*?\}) = await import\("(\..*?)"\);/g,
        (statement, names, from) => (isLater(from) ? statement : imports.push(`import ${names} from "${from}";`) && ""),
      );
      return { contents: imports.join("") + text, loader: "ts" };
    }),
};

const isClass = (value) => /^class\b/.test(value);

/** What stands for a module until it is called: it exports functions (a library also classes, for `new` alone), or this throws. */
async function standIn(path) {
  const exported = Object.entries(await evaluated(`export * from "./${path}";`, esbuildPlugins));
  const strange = exported.find(
    ([, f]) => typeof f !== "function" || (isClass(f) && !path.startsWith("node_modules/")),
  );
  if (strange) throw new Error(`${path}: ${strange[0]} is no function, so the module cannot wait for calls`);
  return exported
    .map(
      ([name, f]) =>
        `export function ${name}(...args) { return ${isClass(f) ? "new " : ""}(require("part:${path}").${name})(...args); }`,
    )
    .join("\n");
}

/** In place of modules that are called seldom, functions that load them. */
const loadWhenCalled = {
  name: "load-when-called",
  setup: (build) => {
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const source = pathOf(join(resolveDir, path));
      return kind !== "entry-point" && CALLED_SELDOM.includes(source)
        ? { path: source, namespace: "seldom" }
        : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "seldom" }, async ({ path }) => ({ contents: await standIn(path) }));
  },
};

const settings = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  external: ["part:*"],
  alias: { "lodash-es": "./bin/lodash.mjs" },
  logLevel: "warning",
};

/** Reads chunks; those that are the command's, not a part's, are there when a part is loaded. */
const readChunks = (chunks, isShared) => ({
  name: "read-chunks",
  setup: (build) => {
    build.onResolve({ filter: /^\.\// }, ({ path, kind }) => {
      const name = basename(path);
      if (kind === "dynamic-import") return { path: `part:${chunks.get(name).entryPoint}`, external: true };
      return { path: name, namespace: isShared(name) ? "shared" : "chunk" };
    });
    build.onLoad({ filter: /.*/, namespace: "chunk" }, ({ path }) => ({ contents: chunks.get(path).text }));
    build.onLoad({ filter: /.*/, namespace: "shared" }, ({ path }) => {
      // What a part does not use of them is left out.
      const each = chunks
        .get(path)
        .exports.map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})();`);
      return { contents: `const all = /* @__PURE__ */ shared["${path}"]();\n${each.join("\n")}` };
    });
  },
});

/** Chunks as one CommonJS text. An `import()` becomes a `require`: code that V8 takes from a cache cannot import on Node 20. */
async function linked(contents, chunks, isShared = () => false) {
  const { outputFiles } = await build({
    ...settings,
    stdin: { contents },
    plugins: [readChunks(chunks, isShared)],
    format: "cjs",
    supported: { "dynamic-import": false, "template-literal": false },
    write: false,
  });
  return outputFiles[0].text.trimEnd();
}

/**
 * The command and its parts. esbuild finds what they share and lays it into chunks; those that the command needs become one
 * scope, which V8 parses once: a module that waits is a function, parsed a first time to be skipped and a second to be run.
 * The parts follow in comment lines, each a function. The bundle ends in its own hash, by which bin/tsym.js knows whose code
 * it has cached.
 */
async function buildCommand() {
  const { outputFiles, metafile } = await build({
    ...settings,
    entryPoints: ["src/cli.ts", ...CALLED_SELDOM],
    plugins: [...esbuildPlugins, leaveOut, asModules, loadAtOnce, loadWhenCalled],
    format: "esm",
    splitting: true,
    outdir: "dist",
    entryNames: "[name]-[hash]",
    metafile: true,
    write: false,
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const chunks = new Map();
  for (const [path, { entryPoint, imports, exports }] of Object.entries(metafile.outputs))
    chunks.set(basename(path), {
      entryPoint,
      exports,
      text: texts.get(basename(path)),
      needs: imports
        .filter(({ kind, external }) => kind === "import-statement" && !external)
        .map((i) => basename(i.path)),
    });
  const nameOf = (entryPoint) => [...chunks].find(([, chunk]) => chunk.entryPoint === entryPoint)[0];
  const command = nameOf("src/cli.ts");
  const shared = new Set([command]);
  for (const name of shared) for (const needed of chunks.get(name).needs) shared.add(needed);
  shared.delete(command);

  const imports = [];
  const exposed = [...shared].map((name, i) => {
    const { exports } = chunks.get(name);
    imports.push(`import { ${exports.map((each) => `${each} as ${each}_${i}`)} } from "./${name}";`);
    return `"${name}": () => ({ ${exports.map((each) => `${each}: ${each}_${i}`)} })`;
  });
  chunks.set("shared.js", { text: `${imports.join("\n")}\nrequire.shared = { ${exposed} };` });

  const main = await linked(`import "./shared.js"; import "./${command}";`, chunks);
  const lines = [`(function (require) {${main}})`];
  for (const path of [...LOADED_LATER, ...CALLED_SELDOM]) {
    const part = await linked(`export * from "./${nameOf(path)}";`, chunks, (chunk) => shared.has(chunk));
    if (part.includes("\n")) throw new Error(`${path}: a part is one line`);
    lines.push(`//part:${path} (function (module, require, shared) {${part}})`);
  }
  const write = () => {
    const text = `${lines.join("\n")}\n`;
    writeFileSync(bundle, `${text}//${createHash("sha256").update(text).digest("hex")}`);
  };
  write();
  const called = RUNS.map(calledBy);
  lines[0] = laidOut(lines[0], (place) => called.every((places) => places.has(place)));
  write();
}

const bundle = join(root, "dist", "tsym.cjs");
const sample = (name) => join(root, "samples", name);

const RIDGE = [
  "run",
  sample("ridge.tsym"),
  "--feed",
  `houses=${sample("data/houses.csv")}`,
  "--feed",
  "w=[1, 0.2, -0.1]",
];
const SEED = ["run", sample("seed.tsym"), "--feed", `a=${sample("data/a.npy")}`];
/** What scripts call. */
const COMMANDS = [RIDGE, ["check", sample("ridge.tsym")]];
/** Runs that have little in common but what every run does. */
const RUNS = [RIDGE, SEED];

function runCommand(args, env) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "bin", "tsym.js"), ...args], {
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`tsym ${args.join(" ")}: ${stderr}`);
}

/** The places in the bundle at which a function begins that this command calls. */
function calledBy(args) {
  const folder = join(root, "dist", "coverage");
  runCommand(args, { NODE_V8_COVERAGE: folder, HOME: "", XDG_CACHE_HOME: "" });
  const files = readdirSync(folder);
  if (files.length !== 1)
    throw new Error(`tsym ${args.join(" ")} ran as ${files.length} processes or threads, not one`);
  const { result } = JSON.parse(readFileSync(join(folder, files[0]), "utf8"));
  rmSync(folder, { recursive: true });
  // The parts go by the same address; scripts come in the order in which they were evaluated, and this is the first.
  const { functions } = result.find(({ url }) => url === pathToFileURL(bundle).href);
  return new Set(functions.filter(({ ranges }) => ranges[0].count > 0).map(({ ranges }) => ranges[0].startOffset));
}

/** Runs the commands that scripts call, so that the code which V8 makes of them lies beside the bundle for the first run of a user. */
function keepCode() {
  mkdirSync(join(root, "dist", "tsym"));
  for (const args of COMMANDS) runCommand(args, { XDG_CACHE_HOME: join(root, "dist") });
}

const buildLibrary = () =>
  build({
    ...settings,
    plugins: [...esbuildPlugins, leaveOut],
    entryPoints: ["src/index.ts"],
    format: "esm",
    outfile: "dist/index.js",
  });

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"));
Promise.all([buildCommand(), buildLibrary()])
  .then(keepCode)
  .catch((error) => {
    // esbuild has shown its own messages.
    if (!error.errors) console.error(error);
    process.exitCode = 1;
  });
