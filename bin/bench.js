/** Runs a bench written in TypeScript, which Node 20 cannot: `node bin/bench.js FILE.ts [ARGUMENT …]`. */
"use strict";
const { basename, join } = require("node:path");
const { build } = require("esbuild");
const { esbuildPlugins } = require("./precompute.js");

const [entry] = process.argv.splice(2, 1);
const outfile = join(__dirname, "..", "node_modules", ".cache", "tsym", `${basename(entry, ".ts")}.mjs`);
build({
  entryPoints: [entry],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  plugins: esbuildPlugins,
  outfile,
}).then(() => import(outfile));
