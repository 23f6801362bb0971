/** What is shipped: the launcher with its code cache, the bundle, and the library as TypeScript sees it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const LAUNCHER = resolve("bin/tsym.js");
const VERSION = { status: 0, stdout: `${manifest.version}\n`, stderr: "" };

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "tsym-package-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function tsym(args: readonly string[], env: NodeJS.ProcessEnv = { XDG_CACHE_HOME: scratch }) {
  const { PATH } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], {
    env: { PATH, ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

test("a checkout that is not built says so, and that is no bug", () => {
  const launcher = join(scratch, "checkout", "bin", "tsym.js");
  mkdirSync(join(scratch, "checkout", "bin"), { recursive: true });
  writeFileSync(launcher, readFileSync(LAUNCHER));
  const { status, stderr } = spawnSync(process.execPath, [launcher, "--version"], { encoding: "utf8" });
  expect(stderr).toContain("`npm run build` makes it");
  expect(status).toBe(1);
});

describe("the code cache", () => {
  test("is written by the first good run, read by the next and written no more", () => {
    const home = join(scratch, "home");
    mkdirSync(home);
    expect(tsym(["--version"], { HOME: home })).toEqual(VERSION);
    const cache = join(home, ".cache", "tsym");
    const files = readdirSync(cache);
    expect(files).toHaveLength(1);
    const written = statSync(join(cache, files[0]!)).mtimeMs;
    expect(tsym(["--version"], { HOME: home })).toEqual(VERSION);
    expect(statSync(join(cache, files[0]!)).mtimeMs).toBe(written);
    expect(tsym(["no-such-command"], { HOME: home }).status).toBe(2);
    expect(readdirSync(cache)).toEqual(files);
  });

  test("is the user's where the V8 of the build had other flags", () => {
    const home = join(scratch, "flags");
    mkdirSync(home);
    const run = () =>
      spawnSync(process.execPath, ["--no-opt", LAUNCHER, "run", "-e", "1"], { env: { HOME: home }, encoding: "utf8" });
    expect(run().stdout).toBe('{"out": 1}\n');
    const cache = join(home, ".cache", "tsym");
    const [file] = readdirSync(cache) as [string];
    expect(file).toMatch(/-run$/);
    const written = statSync(join(cache, file)).mtimeMs;
    expect(run().stdout).toBe('{"out": 1}\n');
    expect(statSync(join(cache, file)).mtimeMs).toBe(written);
  });

  test("may be damaged anywhere", () => {
    tsym(["--version"]);
    const folder = join(scratch, "tsym");
    const file = join(folder, readdirSync(folder).find((name) => name.endsWith("--version"))!);
    const whole = readFileSync(file);
    const damage = fc.record({
      at: fc.nat(whole.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(damage, ({ at, bytes, cut }) => {
        const damaged = Buffer.from(cut ? whole.subarray(0, at) : whole);
        if (!cut) damaged.set(bytes.subarray(0, whole.length - at), at);
        writeFileSync(file, damaged);
        expect(tsym(["--version"])).toEqual(VERSION);
      }),
      { numRuns: 12 },
    );
  });

  test.each([
    ["no home", {}],
    ["a home that is not there", { HOME: "/nowhere/at/all" }],
    ["a home that is a file", { HOME: "/dev/null" }],
    ["a home where nothing can be made", { HOME: "/proc" }],
    ["a relative cache folder", { XDG_CACHE_HOME: "here" }],
  ])("is done without: %s", (_, env) => {
    expect(tsym(["--version"], env)).toEqual(VERSION);
  });

  test("is left alone when it can't be written", () => {
    const home = join(scratch, "read-only");
    mkdirSync(home);
    chmodSync(home, 0o500);
    expect(tsym(["--version"], { HOME: home })).toEqual(VERSION);
  });

  test("is shared by runs that start together", async () => {
    const home = join(scratch, "together");
    mkdirSync(home);
    const statuses = Array.from(
      { length: 6 },
      () =>
        new Promise((done) => {
          spawn(process.execPath, [LAUNCHER, "--version"], { env: { HOME: home }, stdio: "ignore" }).on("close", done);
        }),
    );
    expect(await Promise.all(statuses)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(readdirSync(join(home, ".cache", "tsym"))).toHaveLength(1);
  });
});

describe("the command line", () => {
  test.each([
    [["run"], "no program is named"],
    [["run", "a.tsym", "-e", "1"], "both a file and -e are given"],
    [["run", "a.tsym", "--fromat", "json"], "unknown option `--fromat`"],
    [["run", "a.tsym", "--format", "xml"], "allowed choices are pretty"],
    [["run", "a.tsym", "--threads", "0"], "whole number above 0"],
    [["run", "a.tsym", "-f"], "argument missing"],
    [["rnu"], "did you mean run?"],
  ])("%j is wrong in itself", (args, message) => {
    const { status, stdout, stderr } = tsym(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error\[usage\]: .*\n/);
    expect(stderr).toContain(message);
  });

  test.each([
    [{}, [], false],
    [{ FORCE_COLOR: "1" }, [], true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, [], false],
    [{ NO_COLOR: "1" }, ["--color"], true],
    [{ FORCE_COLOR: "1" }, ["--color=never"], false],
    [{ FORCE_COLOR: "0" }, ["--color=auto"], false],
  ])("with %j, %j colours messages: %j", (env, flags, colored) => {
    expect(tsym([...flags, "run"], { XDG_CACHE_HOME: scratch, ...env }).stderr.includes("\x1b[")).toBe(colored);
  });

  test("a reader that leaves is a good end", () => {
    const ended = spawnSync(
      "bash",
      ["-c", `'${process.execPath}' '${LAUNCHER}' --help | true; echo "\${PIPESTATUS[0]}"`],
      { encoding: "utf8" },
    );
    expect({ stdout: ended.stdout, stderr: ended.stderr }).toEqual({ stdout: "0\n", stderr: "" });
  });
});

describe("the package", () => {
  test("the bundle stays small, and most of all what every start reads", () => {
    const bundle = readFileSync("dist/tsym.cjs", "latin1");
    expect(bundle.indexOf("\n//part:")).toBeLessThanOrEqual(330_000);
    expect(bundle.length).toBeLessThanOrEqual(600_000);
  });

  test("holds what is used and nothing else", () => {
    const [{ files }] = JSON.parse(
      execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    expect(paths.filter((path) => !path.startsWith("dist/types/")).sort()).toEqual([
      "LICENSE",
      "README.md",
      "bin/package.json",
      "bin/tsym.js",
      "dist/index.js",
      "dist/tsym.cjs",
      "package.json",
    ]);
  });

  describe("installed from its archive, alone", () => {
    let user: string;
    beforeAll(() => {
      user = join(scratch, "user");
      const npm = (...args: string[]) =>
        execFileSync("npm", args, { cwd: user, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
      mkdirSync(user);
      writeFileSync(join(user, "package.json"), '{ "type": "module" }');
      const archive = npm("pack", resolve("."), "--ignore-scripts", "--silent").split("\n").at(-1)!;
      npm("install", "--offline", "--no-audit", "--no-fund", `./${archive}`);
    }, 60_000);

    /** What TypeScript says of a program that imports tsym; it writes program.js. */
    function typeErrors(text: string): string {
      writeFileSync(join(user, "program.ts"), text);
      const tsc = resolve("node_modules/typescript/bin/tsc");
      const flags = ["--strict", "--module", "nodenext", "--target", "es2023"];
      return spawnSync(process.execPath, [tsc, ...flags, "program.ts"], { cwd: user, encoding: "utf8" }).stdout.trim();
    }
    const evaluate = () => spawnSync(process.execPath, ["program.js"], { cwd: user, encoding: "utf8" });

    test("it brings no other package, and its command runs", () => {
      expect(readdirSync(join(user, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["tsym"]);
      const command = join(user, "node_modules", ".bin", "tsym");
      expect(execFileSync(command, ["run", "-e", "1 + 1"], { encoding: "utf8" })).toBe('{"out": 2}\n');
    });

    test("its types hold, and say what is wrong", () => {
      const wrong = [
        'import { compile, type Result } from "tsym";',
        'export const text: string = compile("1").outputs;',
      ];
      expect(typeErrors(wrong.join("\n"))).toMatch(/^program.ts\(2,14\): error TS2322: Type 'readonly TensorInfo\[\]'/);
    });

    test("the README's example prints what stands beside it", () => {
      const [, example] = /## As a library\n.*?```ts\n(.*?)```/s.exec(readFileSync("README.md", "utf8"))!;
      expect(typeErrors(example!)).toBe("");
      const comments = [...example!.matchAll(/^.*[;}] \/\/ (.*)$/gm)].map(([, comment]) => comment);
      expect(evaluate()).toMatchObject({ stdout: `${comments.join("\n")}\n`, stderr: "", status: 0 });
    });
  });
});
