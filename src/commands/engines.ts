/** `tsym engines`: which engines there are, and where TensorFlow's comes from. */
import manifest from "../../package.json" with { type: "json" };
import { findInstallation, unbuiltPackages } from "../engines/tensorflow/find.ts";
import { install, type Ready, readyInstallation, rebuildCommand, tryOut, uninstall } from "../install/install.ts";
import { fail } from "../source.ts";
import { DTYPES, type DType } from "../tensor/dtype.ts";
import type { World } from "./world.ts";

export interface EnginesOptions {
  readonly json?: boolean;
}

export interface InstallOptions {
  readonly gpu?: boolean;
}

/** What is known of an engine. */
interface EngineState {
  readonly name: string;
  readonly ready: boolean;
  /** The engine's version and, of TensorFlow, the library's. */
  readonly version: string | null;
  readonly devices: readonly ("cpu" | "gpu")[];
  readonly dtypes: readonly DType[];
  /** A folder, or "built in". */
  readonly found: string | null;
  /** Why it is not ready. */
  readonly problem: string | null;
  /** The command that makes it ready, or ready for GPUs. */
  readonly command: string | null;
}

const INSTALL = "tsym engines install tensorflow";
const builtIn = (name: string): EngineState => ({
  name,
  ready: true,
  version: manifest.version,
  devices: ["cpu"],
  dtypes: DTYPES,
  found: "built in",
  problem: null,
  command: null,
});

/** Lists every engine; TensorFlow is loaded, in a process of its own, to see whether it works. */
export async function listEngines({ json }: EnginesOptions, world: World): Promise<number> {
  const states = [builtIn("wasm"), await tensorflowState(), builtIn("reference")];
  world.print(json ? `${JSON.stringify(states)}\n` : table(states));
  return 0;
}

async function tensorflowState(): Promise<EngineState> {
  const state = { name: "tensorflow", dtypes: ["bool", "int32", "float32"] as const, command: INSTALL };
  const absent = { ...state, ready: false, version: null, devices: [], found: null };
  const found = findInstallation();
  if (!found) {
    const [unbuilt] = unbuiltPackages();
    if (!unbuilt) return { ...absent, problem: "it is not installed" };
    return {
      ...absent,
      found: unbuilt,
      problem: "its addon was never built: npm runs install scripts only when told to",
    };
  }
  const tried = await tryOut(found.addon);
  if ("broken" in tried) {
    const command = found.own ? INSTALL : rebuildCommand(found);
    return { ...absent, found: found.folder, problem: tried.broken, command };
  }
  return {
    ...state,
    ready: true,
    version: tried.tensorflow,
    devices: tried.gpu ? ["cpu", "gpu"] : ["cpu"],
    found: found.folder,
    problem: found.variant === "gpu" && !tried.gpu ? "it sees no GPU" : null,
    command: found.variant === "gpu" ? null : `${INSTALL} --gpu`,
  };
}

/** A line an engine, and one under it for what is missing. */
function table(states: readonly EngineState[]): string {
  const rows = states.map((s) => [
    s.name,
    s.ready ? "ready" : "not ready",
    s.version ?? "-",
    s.devices.join(" ") || "-",
    s.dtypes.join(" "),
    s.found ?? "-",
  ]);
  const all = [["engine", "state", "version", "devices", "dtypes", "found"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const notes = states.flatMap(({ name, ready, problem, command }) => {
    const what = ready ? "for GPUs" : "to make it ready";
    return [problem && `${name}: ${problem}`, command && `${name}, ${what}: \`${command}\``].filter(
      (note) => note !== null,
    );
  });
  return `${[...lines, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n")}\n`;
}

/** Installs an engine unless it is there. Throws TsymError. */
export async function installEngine(engine: string, { gpu = false }: InstallOptions, world: World): Promise<number> {
  requireInstallable(engine);
  const variant = gpu ? "gpu" : "cpu";
  const there = await readyInstallation(variant);
  const ready = there ?? (await install(variant, world));
  world.print(`${summary(ready)}${there ? `, as it is in ${there.folder}` : ""}\n`);
  if (gpu && !ready.gpu)
    world.report("TensorFlow finds no GPU here: `nvidia-smi` must show one, with a driver for CUDA 12\n");
  return 0;
}

const summary = ({ tensorflow, gpu }: Ready): string =>
  `engine tensorflow is ready: TensorFlow ${tensorflow} on ${gpu ? "a GPU and the CPU" : "the CPU"}`;

/** Removes what was installed. Throws TsymError where nothing was, or it cannot be removed. */
export async function uninstallEngine(engine: string, world: World): Promise<number> {
  requireInstallable(engine);
  if (!(await uninstall())) {
    const found = findInstallation();
    fail("install", "tsym has not installed engine tensorflow", {
      help: found && `npm has, in ${found.folder}`,
    });
  }
  world.print("engine tensorflow is removed\n");
  return 0;
}

function requireInstallable(engine: string): void {
  if (engine === "tensorflow") return;
  if (engine === "wasm" || engine === "reference") fail("usage", `engine ${engine} is built in`, { exit: 2 });
  fail("usage", `there is no engine \`${engine}\``, { exit: 2, help: "the one to install is tensorflow" });
}
