/**
 * Installs TensorFlow's addon where src/engines/tensorflow looks for it. All is made in a folder beside that place and put there when
 * it has computed something, so that no run finds half an engine; what was downloaded before a failure is not downloaded again.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { findInstallation, type Installation, ownFolder } from "../engines/tensorflow/find.ts";
import { fail, TsymError } from "../source.ts";
import { DownloadError, download, isReachable, isWhole } from "./download.ts";
import { OFFICIAL, type Part, TFJS, WHEEL_PLATFORM, WHEELS, type Wheel } from "./parts.ts";
import { Progress, type Screen } from "./progress.ts";
import { type Missing, missingPip, missingRoom, missingTools, python } from "./requirements.ts";
import { type Ran, reasonOf, run } from "./run.ts";
import { unpackTar, unpackWheel } from "./unpack.ts";

type Variant = Installation["variant"];

/** What an addon that works says of itself. */
export interface Ready {
  readonly tensorflow: string;
  readonly gpu: boolean;
}

/** Where libtensorflow comes from. */
type Library =
  | { readonly kind: "official"; readonly part: Part & { readonly url: string } }
  | { readonly kind: "wheels"; readonly wheels: readonly Wheel[] };

const PACKAGE = join("node_modules", "@tensorflow", "tfjs-node");
/** The version of Node-API that the addon is built for: the latest that its sources name. */
const NAPI = 8;

/** Installs a variant and gives what it says of itself. Throws TsymError. */
export async function install(variant: Variant, screen: Screen): Promise<Ready> {
  const target = ownFolder() ?? failHomeless();
  const partial = `${target}.partial`;
  requireNothingOf(await missingTools());
  const library = await chooseLibrary(variant);
  requireNothingOf(await missingFor(library, target, partial));
  return inFolder(dirname(target), "installed", "XDG_DATA_HOME may name a folder elsewhere", async () => {
    mkdirSync(join(partial, "downloads"), { recursive: true });
    const unlock = lock(partial);
    try {
      const ready = await build(partial, library, new Progress(screen));
      replace(target, join(partial, "root"));
      rmSync(partial, { recursive: true });
      return ready;
    } finally {
      unlock();
    }
  });
}

/** Removes what `install` made, and what it left when it was broken off; whether there was something. Throws TsymError. */
export async function uninstall(): Promise<boolean> {
  const target = ownFolder();
  if (!target) return false;
  const partial = `${target}.partial`;
  if (![target, partial, oldOf(target)].some((folder) => existsSync(folder))) return false;
  await inFolder(dirname(target), "removed", undefined, async () => {
    if (existsSync(partial)) lock(partial);
    setAside(target);
    for (const folder of [oldOf(target), partial]) rmSync(folder, { recursive: true, force: true });
  });
  return true;
}

/** Why a folder cannot be worked in, by what the system calls it. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: "no room is left there",
  EDQUOT: "no room is left for you there",
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  EROFS: "nothing can be written there",
  ENOTDIR: "there is a file in its place",
  EEXIST: "there is a file in its place",
};

/** Works in a folder, and tells what the system refuses of it. */
async function inFolder<T>(
  folder: string,
  what: "installed" | "removed",
  help: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refusal = REFUSALS[(error as NodeJS.ErrnoException).code ?? ""];
    if (refusal === undefined) throw error;
    return fail("install", `engine tensorflow cannot be ${what} in ${folder}: ${refusal}`, { help });
  }
}

const failHomeless = (): never =>
  fail("install", "there is no folder to install into: neither XDG_DATA_HOME nor HOME names one");

/** What builds anew what npm has put somewhere. */
export const rebuildCommand = ({ folder }: Installation): string => {
  const [scope = "", name = ""] = folder.split(sep).slice(-2);
  return `npm rebuild ${scope}/${name}`;
};

/** Computes something with an addon, in a process of its own: 1 + 1. What it says of itself, or why it does not work. */
export async function tryOut(addon: string): Promise<Ready | { readonly broken: string }> {
  const script = `
    process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
    const addon = require(${JSON.stringify(addon)});
    const one = addon.createTensor([1], 1, new Float32Array([1]));
    const [two] = addon.executeOp("AddV2", [], [one, one], 1);
    if (addon.tensorDataSync(two.id)[0] !== 2) throw new Error("1 + 1 is not 2");
    console.log(JSON.stringify({ tensorflow: addon.TF_Version, gpu: addon.isUsingGpuDevice() }));`;
  const ran = await run(process.execPath, ["-e", script]);
  if (ran.status !== 0) return { broken: reasonOf(ran) };
  return JSON.parse(ran.stdout.trim().split("\n").at(-1)!) as Ready;
}

/** The official archive where it can be had; a GPU's needs a CUDA of the system's own, so that wheels, which bring one, come first. */
async function chooseLibrary(variant: Variant): Promise<Library> {
  const platform = `${process.platform}-${process.arch}`;
  const official = variant === "cpu" && isGlibc() ? OFFICIAL[platform] : undefined;
  if (official && (await isReachable(official.url))) return { kind: "official", part: official };
  if (platform === WHEEL_PLATFORM && isGlibc()) return { kind: "wheels", wheels: WHEELS[variant] };
  if (official)
    return fail("install", `${new URL(official.url).host}, where libtensorflow is published, is out of reach`, {
      help: `for ${platform} it is nowhere else; the network or a proxy may keep it away`,
    });
  return fail(
    "install",
    `there is no libtensorflow${variant === "gpu" ? " for GPUs" : ""} for ${platform}${isGlibc() ? "" : " without glibc"}`,
    {
      help: `tsym installs it on ${Object.keys(OFFICIAL).join(", ")}, for GPUs on ${WHEEL_PLATFORM}; \`npm install @tensorflow/tfjs-node\` in a project may know more`,
    },
  );
}

/** TensorFlow is built for the GNU C library. */
function isGlibc(): boolean {
  if (process.platform !== "linux") return true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

const partsOf = (library: Library): readonly Part[] => [
  TFJS,
  ...(library.kind === "official" ? [library.part] : library.wheels),
];

/** Refuses a machine that lacks something; all of it is told at once. */
function requireNothingOf(missing: readonly Missing[]): void {
  if (missing.length === 0) return;
  throw new TsymError(
    missing.map(({ what, help }) => ({
      severity: "error",
      code: "install",
      message: `engine tensorflow cannot be installed without ${what}`,
      labels: [],
      help,
    })),
  );
}

/** What is needed to get a library and to hold it. */
async function missingFor(library: Library, target: string, partial: string): Promise<Missing[]> {
  const isThere = (part: Part) => existsSync(join(partial, "downloads", part.file));
  const needed = partsOf(library).reduce((sum, part) => sum + part.unpacked + (isThere(part) ? 0 : part.size), 0);
  return [...(library.kind === "wheels" ? await missingPip() : []), ...missingRoom(target, needed)];
}

/** Keeps two installations from each other; one that has died is no hindrance. Gives what ends it. */
function lock(partial: string): () => void {
  const path = join(partial, "lock");
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const owner = Number(readFileSync(path, "utf8"));
    if (owner > 0 && isAlive(owner))
      fail("install", `another installation, process ${owner}, is at work in ${partial}`, {
        help: `wait for its end; if there is none, remove ${path}`,
      });
    writeFileSync(path, String(process.pid));
  }
  return () => rmSync(path, { force: true });
}

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Makes the whole of it in `partial`/root. */
async function build(partial: string, library: Library, progress: Progress): Promise<Ready> {
  const downloads = join(partial, "downloads");
  const root = join(partial, "root");
  const folder = join(root, PACKAGE);
  rmSync(root, { recursive: true, force: true });
  await progress.during(TFJS.title, () => packFromNpm(downloads));
  await unpackTar(join(downloads, TFJS.file), folder, 1);
  if (library.kind === "official") {
    const { part } = library;
    const archive = join(downloads, part.file);
    await progress.during(part.title, (done) => downloaded(part, () => download(part.url, archive, part, done)));
    await unpackTar(archive, join(folder, "deps"), 0);
  } else {
    for (const wheel of library.wheels) {
      const archive = join(downloads, wheel.file);
      await progress.during(wheel.title, (done) => downloaded(wheel, () => downloadWheel(wheel, archive, done)));
      await progress.during(`unpacking ${wheel.title}`, (done) => unpackWheel(archive, wheel, folder, done));
    }
    // what the addon is linked with is called otherwise in a wheel
    symlinkSync("libtensorflow_cc.so.2", join(folder, "deps", "lib", "libtensorflow.so"));
    symlinkSync("libtensorflow_framework.so.2", join(folder, "deps", "lib", "libtensorflow_framework.so"));
  }
  return progress.during("building the addon", () => buildAddon(partial, folder));
}

async function downloaded(part: Part, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    fail("install", `${part.title} cannot be downloaded: ${error.message}`, {
      help: "the same command goes on where this one stopped",
    });
  }
}

/** The package as npm has it, from the registry that the user's npm knows; no script of it is run. */
async function packFromNpm(downloads: string): Promise<void> {
  const path = join(downloads, TFJS.file);
  if (await isWhole(path, TFJS)) return;
  const ran = await run("npm", ["pack", TFJS.spec, "--ignore-scripts", "--pack-destination", downloads], downloads);
  requireSuccess(ran, `${TFJS.title} cannot be downloaded`);
  if (!(await isWhole(path, TFJS))) {
    rmSync(path, { force: true });
    fail("install", `${TFJS.title}: what npm downloaded is not what it should be: its ${TFJS.hash[0]} differs`);
  }
}

/** A wheel from where the user's pip finds it; by pip itself where that place is not open to all. */
async function downloadWheel(wheel: Wheel, path: string, onBytes: (bytes: number, of: number) => void): Promise<void> {
  if (await isWhole(path, wheel)) return;
  const choice = [
    ...["--no-deps", "--only-binary=:all:", "--python-version", wheel.python],
    ...["--platform", wheel.platform, wheel.requirement],
  ];
  const pip = (...args: readonly string[]) =>
    run(python(), ["-m", "pip", "--disable-pip-version-check", ...args], dirname(path));
  const found = await pip(
    "install",
    "--dry-run",
    "--ignore-installed",
    "--quiet",
    "--report",
    "-",
    "--target",
    "x",
    ...choice,
  );
  const url = found.status === 0 ? wheelUrl(found.stdout) : undefined;
  try {
    if (url) return await download(url, path, wheel, onBytes);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
  }
  const ran = await pip("download", "--quiet", "--dest", dirname(path), ...choice);
  requireSuccess(ran, `${wheel.title} cannot be downloaded`);
  if (await isWhole(path, wheel)) return;
  rmSync(path, { force: true });
  throw new DownloadError(`${wheel.file} is not the file that it should be: its ${wheel.hash[0]} differs`);
}

/** Where pip would take a wheel from, by its report; undefined where that is no place of the web's. */
function wheelUrl(report: string): string | undefined {
  const { install } = JSON.parse(report) as {
    install: readonly { readonly download_info: { readonly url: string } }[];
  };
  const url = install[0]?.download_info.url;
  return url?.startsWith("http") ? url : undefined;
}

/**
 * Builds the addon with the node-gyp that npm brings, against Node's own headers where they lie beside it, and tries it out. make knows
 * no folder with a space in its name, so it works in one for temporary files, from which a link leads to the library.
 */
async function buildAddon(partial: string, folder: string): Promise<Ready> {
  const site = mkdtempSync(join(tmpdir(), "tsym-addon-"));
  try {
    for (const name of ["binding", "binding.gyp"]) cpSync(join(folder, name), join(site, name), { recursive: true });
    symlinkSync(join(folder, "deps"), join(site, "deps"));
    const prefix = dirname(dirname(process.execPath));
    const lib = join("lib", `napi-v${NAPI}`);
    const flags = [
      ...(existsSync(join(prefix, "include", "node", "node_api.h")) ? [`--nodedir=${prefix}`] : []),
      "--module_name=tfjs_binding",
      `--module_path=${join(site, lib)}`,
      `--napi_build_version=${NAPI}`,
    ];
    const script = ["node-gyp", "rebuild", ...flags.map((flag) => `"${flag}"`)].join(" ");
    writeFileSync(join(site, "package.json"), JSON.stringify({ private: true, scripts: { addon: script } }));
    const ran = await run("npm", ["run", "addon"], site);
    if (ran.status !== 0) {
      const log = join(partial, "build.log");
      writeFileSync(log, ran.output);
      fail("install", `the addon cannot be built: ${reasonOf(ran)}`, { help: `${log} tells all of it` });
    }
    cpSync(join(site, lib), join(folder, lib), { recursive: true });
    const ready = await tryOut(join(folder, lib, "tfjs_binding.node"));
    if ("broken" in ready) return fail("install", `the addon is built, but does not work: ${ready.broken}`);
    return ready;
  } finally {
    rmSync(site, { recursive: true, force: true });
  }
}

function requireSuccess(ran: Ran, message: string): void {
  if (ran.status !== 0) fail("install", `${message}: ${reasonOf(ran)}`);
}

/** Puts a folder in the place of another, which may not be there. */
function replace(target: string, folder: string): void {
  setAside(target);
  renameSync(folder, target);
  rmSync(oldOf(target), { recursive: true, force: true });
}

/** Where an installation goes that is to be removed, so that no run finds a part of it. */
const oldOf = (target: string): string => `${target}.old`;

function setAside(target: string): void {
  rmSync(oldOf(target), { recursive: true, force: true });
  if (existsSync(target)) renameSync(target, oldOf(target));
}

/** What is there of a variant already, if it works, wherever it is. Throws TsymError where npm's does not: runs take it before tsym's. */
export async function readyInstallation(variant: Variant): Promise<(Ready & { readonly folder: string }) | undefined> {
  const found = findInstallation(variant === "gpu" ? "gpu" : undefined);
  if (!found || (variant === "gpu" && found.variant !== "gpu")) return undefined;
  const ready = await tryOut(found.addon);
  if (!("broken" in ready)) return { ...ready, folder: found.folder };
  if (found.own) return undefined;
  return fail(
    "install",
    `runs in this folder take engine tensorflow from ${found.folder}, which does not work: ${ready.broken}`,
    {
      help: `\`${rebuildCommand(found)}\` may mend it; without it they take the one that tsym installs`,
    },
  );
}
