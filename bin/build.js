/** Makes dist/: the command as one CommonJS file and the library as one ES module (tsc writes its declarations). */
"use strict";
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join, sep } = require("node:path");
const { build } = require("esbuild");
const { esbuildPlugin } = require("./prelude.js");

const root = join(__dirname, "..");

/** Modules of libraries that the command never calls, and what of them is read when it loads: to parse them takes milliseconds. */
const UNUSED = [
  ["commander", /^node:child_process$/, ""],
  ["chevrotain", /\/lexer_public\.js$/, "exports.Lexer = { NA: /NOT_APPLICABLE/ };"],
  ["chevrotain", /\/checks\.js$/, ""],
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

/**
 * For the command, what sources load when they need it is loaded at once: esbuild then lays all modules into one scope,
 * which V8 parses once. A module that waits is a function, parsed a first time to be skipped and a second to be run.
 */
const oneScope = {
  name: "one-scope",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const imports = [];
      const text = readFileSync(path, "utf8").replace(
        /const (\{.*?\}) = await import\(("\..*?")\);/g,
        (_, names, from) => imports.push(`import ${names} from ${from};`) && "",
      );
      return { contents: imports.join("") + text, loader: "ts" };
    }),
};

const settings = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  external: ["@tensorflow/tfjs-node"],
  plugins: [esbuildPlugin, leaveOut],
  logLevel: "warning",
};

/**
 * The bundle ends in its own hash, by which bin/tsym.js knows whose code it has cached. An `import()` of what is not in it
 * becomes a `require`: code that V8 takes from a cache cannot import on Node 20.
 */
async function buildCommand() {
  const { outputFiles } = await build({
    ...settings,
    entryPoints: ["src/cli.ts"],
    plugins: [...settings.plugins, oneScope],
    format: "cjs",
    supported: { "dynamic-import": false },
    write: false,
  });
  const { text } = outputFiles[0];
  writeFileSync(join(root, "dist", "tsym.cjs"), `${text}//${createHash("sha256").update(text).digest("hex")}`);
}

const buildLibrary = () =>
  build({ ...settings, entryPoints: ["src/index.ts"], format: "esm", outfile: "dist/index.js" });

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"));
Promise.all([buildCommand(), buildLibrary()]).catch((error) => {
  // esbuild has shown its own messages.
  if (!error.errors) console.error(error);
  process.exitCode = 1;
});
