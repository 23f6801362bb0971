/** Makes dist/: the command as one CommonJS file and the library as one ES module (tsc writes its declarations). */
"use strict";
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { basename, dirname, join, relative, sep } = require("node:path");
const { build } = require("esbuild");
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
  "grammar/format.ts",
  "src/batch.ts",
  "src/render.ts",
  ...["check-report", "plan-report"].map((name) => `src/commands/${name}.ts`),
  ...["indexing", "linalg", "scan", "sort", "trap"].map((name) => `src/engines/reference/${name}.ts`),
  ...["compare", "csv", "npy", "npz", "pretty", "safetensors"].map((name) => `src/io/${name}.ts`),
  ...["indexing", "names"].map((name) => `src/lower/${name}.ts`),
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

/** What a module exports: functions, or this throws. */
async function functionsOf(path) {
  const exported = Object.entries(await evaluated(`export * from "./${path}";`, esbuildPlugins));
  const strange = exported.find(([, value]) => typeof value !== "function" || /^class\b/.test(value));
  if (strange) throw new Error(`${path}: ${strange[0]} is no function, so the module cannot wait for calls`);
  return exported.map(([name]) => name);
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
    build.onLoad({ filter: /.*/, namespace: "seldom" }, async ({ path }) => ({
      contents: (await functionsOf(path))
        .map((name) => `export function ${name}(...args) { return require("part:${path}").${name}(...args); }`)
        .join("\n"),
    }));
  },
};

const settings = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  external: ["part:*"],
  alias: { "lodash-es": "es-toolkit/compat" },
  logLevel: "warning",
};

/**
 * Lets the bundle load its parts: each is a function in a comment line at its end, which V8 does not read. bin/tsym.js compiles it
 * with a cache of code (`require.compile`); without that, the bundle runs too.
 */
const LOADER = `require = ((host) => {
  const parts = new Map();
  const compile = (name) => eval(host("node:fs").readFileSync(__filename, "latin1").split("\\n//" + name + " ")[1].split("\\n")[0]);
  const load = (name) => {
    if (!name.startsWith("part:")) return host(name);
    if (!parts.has(name)) {
      const module = { exports: {} };
      (host.compile ?? compile)(name)(module, load, load.shared);
      parts.set(name, module);
    }
    return parts.get(name).exports;
  };
  return load;
})(require);`.replace(/\s+/g, " ");

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
    build.onLoad({ filter: /.*/, namespace: "shared" }, ({ path }) => ({
      contents: `module.exports = shared["${path}"];`,
    }));
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
 * The bundle ends in its own hash, by which bin/tsym.js knows whose code it has cached.
 */
async function buildCommand() {
  const { outputFiles, metafile } = await build({
    ...settings,
    entryPoints: ["src/cli.ts", ...CALLED_SELDOM],
    plugins: [...esbuildPlugins, leaveOut, loadAtOnce, loadWhenCalled],
    format: "esm",
    splitting: true,
    outdir: "dist",
    entryNames: "[name]-[hash]",
    metafile: true,
    write: false,
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const chunks = new Map();
  for (const [path, { entryPoint, imports }] of Object.entries(metafile.outputs))
    chunks.set(basename(path), {
      entryPoint,
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

  const names = [...shared];
  const exposed = names.map((name, i) => `"${name}": { ...shared${i} }`);
  const imports = names.map((name, i) => `import * as shared${i} from "./${name}";`);
  chunks.set("shared.js", { text: `${imports.join("\n")}\nrequire.shared = { ${exposed.join(", ")} };` });

  const lines = [LOADER, await linked(`import "./shared.js"; import "./${command}";`, chunks)];
  for (const path of [...LOADED_LATER, ...CALLED_SELDOM]) {
    const part = await linked(`export * from "./${nameOf(path)}";`, chunks, (chunk) => shared.has(chunk));
    if (part.includes("\n")) throw new Error(`${path}: a part is one line`);
    lines.push(`//part:${path} (function (module, require, shared) {${part}})`);
  }
  const text = `${lines.join("\n")}\n`;
  writeFileSync(join(root, "dist", "tsym.cjs"), `${text}//${createHash("sha256").update(text).digest("hex")}`);
}

/** Runs the commands that scripts call, so that the code which V8 makes of them lies beside the bundle for the first run of a user. */
function keepCode() {
  mkdirSync(join(root, "dist", "tsym"));
  const env = { ...process.env, XDG_CACHE_HOME: join(root, "dist") };
  const sample = join(root, "samples", "ridge.tsym");
  const feeds = ["--feed", `houses=${join(root, "samples", "data", "houses.csv")}`, "--feed", "w=[1, 0.2, -0.1]"];
  for (const args of [
    ["run", sample, ...feeds],
    ["check", sample],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [join(root, "bin", "tsym.js"), ...args], { env });
    if (status !== 0) throw new Error(`tsym ${args.join(" ")}: ${stderr}`);
  }
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
