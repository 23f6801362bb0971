#!/usr/bin/env node
/**
 * Starts dist/tsym.cjs, nothing else. Compiling is most of start-up, so V8's code is kept: what the build left beside the bundle,
 * or, where that is of another V8, in the user's cache folder.
 */
"use strict";
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { dirname, isAbsolute, join } = require("node:path");
const { Script } = require("node:vm");

const dist = join(__dirname, "..", "dist");
const bundle = join(dist, "tsym.cjs");

/** The bundle's text; esbuild writes it in ASCII. */
function readBundle() {
  try {
    return readFileSync(bundle, "latin1");
  } catch {
    process.stderr.write(`tsym: ${bundle} cannot be read; \`npm run build\` makes it\n`);
    process.exit(1);
  }
}

/** Where code is kept by `name` in a cache folder. */
const codeFile = (folder, name) =>
  join(folder, "tsym", `${process.versions.v8}-${process.arch}-${encodeURIComponent(name)}`);

/** The user's cache folder; undefined without one. */
function cacheFolder() {
  const { XDG_CACHE_HOME: cache = "", HOME: home = "" } = process.env;
  return isAbsolute(cache) ? cache : isAbsolute(home) ? join(home, ".cache") : undefined;
}

/**
 * The code in `file`, if whole and made from the bundle that ends in `stamp`; V8 itself refuses another version's, CPU's or
 * flags'. It would crash on damaged code, so the file holds the code twice: to compare is faster than to load a checksum.
 */
function readCode(file, stamp) {
  try {
    const bytes = readFileSync(file);
    const half = (bytes.length - stamp.length) / 2;
    const code = bytes.subarray(0, half);
    return bytes.latin1Slice(2 * half) === stamp && code.equals(bytes.subarray(half, 2 * half)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that runs at the same time see a whole file or none. Where it can't be, nothing is kept. */
function writeCode(file, stamp, script) {
  const part = `${file}.${process.pid}`;
  try {
    const code = script.createCachedData();
    try {
      // One by one: a home that isn't there is not made, and a recursive mkdir never returns from /proc.
      for (const folder of [dirname(dirname(file)), dirname(file)])
        if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
      writeFileSync(part, Buffer.concat([code, code, Buffer.from(stamp)]));
      renameSync(part, file);
    } finally {
      rmSync(part, { force: true });
    }
  } catch {
    // The next run compiles again.
  }
}

const source = readBundle();
/** The hash of the bundle, which the build puts at its end: V8 checks only the length of a source. */
const stamp = source.slice(-64);
const parts = source.indexOf("\n//part:");

/** The value of a text, whose code is kept by `name`. */
function evaluate(text, name) {
  const folder = cacheFolder();
  const file = folder && codeFile(folder, name);
  for (const kept of [codeFile(dist, name), file]) {
    const cachedData = kept && readCode(kept, stamp);
    const script = cachedData && new Script(text, { filename: bundle, cachedData });
    if (script && !script.cachedDataRejected) return script.runInThisContext();
  }
  const script = new Script(text, { filename: bundle });
  if (file)
    // After the run, so that the functions it needed are in the file. A failed run's name may be a typing mistake.
    process.once("exit", (status) => status === 0 && writeCode(file, stamp, script));
  return script.runInThisContext();
}

/** The function that a part of the bundle is: a line that begins with its name. */
require.compile = (name) => {
  const start = source.indexOf(`\n//${name} `, parts) + `\n//${name} `.length;
  return evaluate(source.slice(start, source.indexOf("\n", start)), name);
};

const main = `(function (exports, require, module, __filename, __dirname) {${source.slice(0, parts)}\n})`;
// Each command has code of its own: the functions that the run which wrote it had compiled.
evaluate(main, process.argv[2] ?? "")(exports, require, module, bundle, dirname(bundle));
