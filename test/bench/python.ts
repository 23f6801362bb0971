/** Python for the bench: its environment, made once, the scripts of the workloads, and libraries that stay loaded. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Workload } from "./table.ts";

/** Each library: what comes before `def f(…):`, so that f is compiled where the library compiles. */
const PRELUDES = {
  numpy: "import numpy as np\n",
  jax: "import jax, jax.numpy as np\n@jax.jit",
  tensorflow: `import tensorflow as tf, tensorflow.experimental.numpy as np
np.experimental_enable_numpy_behavior(prefer_float32=True)
@tf.function(jit_compile=True)`,
} as const;
export type Library = keyof typeof PRELUDES;
export const LIBRARIES = Object.keys(PRELUDES) as Library[];
/** What tables call a library: an engine of ours is called tensorflow, too. */
export const titleOf = (library: Library): string => (library === "tensorflow" ? "tensorflow XLA" : library);

const INSTALLED = ["numpy", "jax"];
const CACHE = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
const FOLDER = join(CACHE, "tsym", "bench-venv");

/** The Python that has NumPy and JAX, installed into a cache folder where they are not yet; or why there is none. */
export function findPython(): { readonly python: string } | { readonly missing: string } {
  const python = join(FOLDER, "bin", "python");
  const steps: readonly (readonly [command: string, ...args: string[]])[] = [
    ["python3", "-m", "venv", FOLDER],
    [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...INSTALLED],
  ];
  const import_ = `import ${INSTALLED.join(", ")}`;
  if (existsSync(python) && spawnSync(python, ["-c", import_]).status === 0) return { python };
  console.log(`installing ${INSTALLED.join(" and ")} into ${FOLDER}, once`);
  for (const [command, ...args] of [...steps, [python, "-c", import_] as const]) {
    const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (error) return { missing: error.message };
    if (status !== 0) return { missing: `${[command, ...args].join(" ")}: ${stderr.trim().split("\n").at(-1)}` };
  }
  return { python };
}

/** Environment variables that hold every library to `threads` threads and the processor. */
export const environment = (threads: number): NodeJS.ProcessEnv => {
  const names = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC"];
  const pools = ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"];
  return {
    ...process.env,
    ...Object.fromEntries([...names, ...pools].map((name) => [name, `${threads}`])),
    JAX_PLATFORMS: "cpu",
    CUDA_VISIBLE_DEVICES: "-1",
    TF_CPP_MIN_LOG_LEVEL: "3",
    PYTHONWARNINGS: "ignore",
  };
};

/** The text of a function f from a workload's inputs, in order, to the tuple of its outputs. */
export function definition({ inputs, outputs, numpy, jax = numpy }: Workload, library: Library): string {
  const body = `${library === "jax" ? jax : numpy}\nreturn ${outputs.join(", ")},`.trim().replaceAll("\n", "\n    ");
  return `${PRELUDES[library]}\ndef f(${Object.keys(inputs).join(", ")}):\n    ${body}\n`;
}

/** A whole program that computes a workload once, from .npy files to .npy files in the folder it runs in. */
export const script = (workload: Workload, library: Library, file: (output: string) => string): string => `\
${definition(workload, library)}
results = f(${Object.keys(workload.inputs).map((name) => `np.load("${name}.npy")`)})
for path, result in zip(${JSON.stringify(workload.outputs.map(file))}, results):
    np.save(path, result)
`;

type Request =
  | { readonly define: string; readonly inputs: readonly string[] }
  | { readonly save: readonly string[] }
  | Record<string, never>;

/** A library in a process of its own, which stays; see peer.py. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(python: string, library: Library, env: NodeJS.ProcessEnv) {
    this.#child = spawn(python, [join("test", "bench", "peer.py"), library], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts one; undefined where Python lacks the library. */
  static async start(
    python: string,
    library: Library,
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly peer: Peer; readonly version: string } | undefined> {
    const peer = new Peer(python, library, env);
    const version = await peer.#answer();
    return typeof version === "string" ? { peer, version } : undefined;
  }

  /** What it answers: milliseconds to `{}`, null to all else. */
  ask(request: Request): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    return this.#answer();
  }

  async #answer(): Promise<unknown> {
    const { done, value } = await this.#answers.next();
    if (done) throw new Error("a Python process ended before it answered");
    return JSON.parse(value);
  }

  stop(): void {
    this.#child.kill();
  }
}
