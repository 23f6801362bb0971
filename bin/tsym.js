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
const filename = join(dist, "tsym.cjs");

function readBundle() {
  try {
    return readFileSync(filename);
  } catch {
    process.stderr.write(`tsym: ${filename} cannot be read; \`npm run build\` makes it\n`);
    process.exit(1);
  }
}

/** The bundle's bytes, of which only what runs becomes a string; esbuild writes ASCII. */
const bundle = readBundle();
const textOf = (start, end) => bundle.toString("latin1", start, end);
/** The hash of the bundle, which the build puts at its end: V8 checks only the length of a source. */
const stamp = textOf(bundle.length - 64, bundle.length);
const endOfMain = bundle.indexOf("\n//part:");

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
function readCode(file) {
  try {
    const bytes = readFileSync(file);
    const half = (bytes.length - stamp.length) / 2;
    const code = bytes.subarray(0, half);
    return bytes.toString("latin1", 2 * half) === stamp && code.equals(bytes.subarray(half, 2 * half))
      ? code
      : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that runs at the same time see a whole file or none. Where it can't be, nothing is kept. */
function writeCode(file, script) {
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

/** The value of a text, whose code is kept by `name`. */
function evaluate(text, name) {
  const folder = cacheFolder();
  const file = folder && codeFile(folder, name);
  for (const kept of [codeFile(dist, name), file]) {
    const cachedData = kept && readCode(kept);
    const script = cachedData && new Script(text, { filename, cachedData });
    if (script && !script.cachedDataRejected) return script.runInThisContext();
  }
  const script = new Script(text, { filename });
  if (file)
    // After the run, so that the functions it needed are in the file. A failed run's name may be a typing mistake.
    process.once("exit", (status) => status === 0 && writeCode(file, script));
  return script.runInThisContext();
}

/** The text of a part: a line that begins with its name. */
function partText(name) {
  const head = `\n//${name} `;
  const start = bundle.indexOf(head, endOfMain) + head.length;
  return textOf(start, bundle.indexOf("\n", start));
}

const parts = new Map();
/** The bundle's `require`: a part, with what the bundle shares with its parts, or a module of Node's. */
function load(name) {
  if (!name.startsWith("part:")) return require(name);
  if (!parts.has(name)) {
    const module = { exports: {} };
    evaluate(partText(name), name)(module, load, load.shared);
    parts.set(name, module.exports);
  }
  return parts.get(name);
}

// Each command has code of its own: the functions that the run which wrote it had compiled.
evaluate(textOf(0, endOfMain), process.argv[2] ?? "")(load);
