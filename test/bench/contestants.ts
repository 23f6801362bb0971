/** What can compute a workload: our engines in this process, libraries in theirs, whole processes. Knows no table and no goal. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bind } from "../../src/bind/bind.ts";
import { type EngineName, loadEngine } from "../../src/engines/load.ts";
import { memoryBytes } from "../../src/io/bytes.ts";
import { openNpy } from "../../src/io/npy.ts";
import { readTensor, tensorSource } from "../../src/io/source.ts";
import { optimize } from "../../src/optimize/index.ts";
import type { FloatDType } from "../../src/tensor/dtype.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compile } from "../evaluate.ts";
import { definition, type Library, type Peer, script, titleOf } from "./python.ts";
import type { Workload } from "./table.ts";

export interface Contestant {
  readonly name: string;
  /** Computes once: the outputs, in the workload's order. */
  results(): Promise<readonly Tensor[]>;
  /** Computes once: the milliseconds it took. */
  time(): Promise<number>;
  /** Frees what it holds. */
  stop(): void;
}

/** What starts processes; see launcher.js. */
export class Launcher {
  readonly #child: ChildProcess = fork(join("test", "bench", "launcher.js"));

  /** The milliseconds that a whole process takes. Throws where it fails. */
  async time(command: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
    this.#child.send({ command, cwd, env });
    const [{ milliseconds, status, stderr }] = await once(this.#child, "message");
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}:\n${stderr}`);
    return milliseconds;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** A workload with its data, in memory and as `NAME.npy` in `folder`. */
export interface Task {
  readonly workload: Workload;
  readonly data: ReadonlyMap<string, Tensor>;
  readonly folder: string;
  readonly float: FloatDType;
  readonly threads: number;
  readonly launcher: Launcher;
}

/** Node's own: with this set, as on some build machines, it reads some hundred certificates before any program, for 35 ms. */
const { NODE_EXTRA_CA_CERTS: _, ...NODE_ENVIRONMENT } = process.env;

/** A workload bound to its data, for an engine. */
async function prepared(name: EngineName, { workload, data, float }: Task) {
  const engine = await loadEngine({ engine: name });
  const lowered = compile(workload.tsym, float);
  const sources = new Map([...data].map(([label, tensor]) => [label, tensorSource(label, tensor)]));
  const { inputs, outputs } = bind(lowered, lowered.outputs, sources);
  const graph = { inputs: inputs.map((i) => i.node), outputs: optimize(outputs.map((o) => o.node)).outputs };
  return { engine, sources, inputs, graph, isPossible: engine.supports(graph).length === 0 };
}

/** One of our engines on the graph compiled for these sizes; undefined where it cannot run it. */
export async function engineContestant(name: EngineName, task: Task): Promise<Contestant | undefined> {
  const { data, threads } = task;
  const { engine, sources, inputs, graph, isPossible } = await prepared(name, task);
  if (!isPossible) return undefined;
  const program = await engine.compile(graph, { threads, keepsFeeds: true });
  const feeds = inputs.map((input) => {
    const { dtype, shape } = data.get(input.name)!;
    const source = sources.get(input.name)!;
    return { type: { dtype, shape }, readInto: (bytes: Uint8Array) => source.readInto(dtype, bytes) };
  });
  return {
    name,
    results: () => program.run(feeds),
    time: () => timed(() => program.run(feeds)),
    stop: () => program.dispose(),
  };
}

/** A library that is loaded already, on arrays that it has read already. */
export async function peerContestant(name: Library, peer: Peer, { workload, data, folder }: Task): Promise<Contestant> {
  await peer.ask({ define: definition(workload, name), inputs: [...data.keys()].map((i) => join(folder, `${i}.npy`)) });
  const files = outputFiles(workload, titleOf(name)).map((file) => join(folder, file));
  return {
    name: titleOf(name),
    results: async () => {
      await peer.ask({ save: files });
      return files.map(readNpy);
    },
    time: async () => Number(await peer.ask({})),
    stop: () => {},
  };
}

/** `tsym run`, from files to files; undefined where the engine cannot run it. */
export async function commandContestant(engine: EngineName, task: Task): Promise<Contestant | undefined> {
  if (!(await prepared(engine, task)).isPossible) return undefined;
  const { workload, data, folder, float, threads } = task;
  writeFileSync(join(folder, "w.tsym"), workload.tsym);
  const files = outputFiles(workload, engine);
  const options = ["--engine", engine, "--float", float, "--threads", `${threads}`];
  const feeds = [...data.keys()].flatMap((name) => ["-f", `${name}=${name}.npy`]);
  const outputs = workload.outputs.flatMap((name, i) => ["-o", `${name}=${files[i]}`]);
  const command = [process.execPath, resolve("bin", "tsym.js"), "run", "w.tsym", ...feeds, ...outputs, ...options];
  return processContestant(engine, command, NODE_ENVIRONMENT, task, files);
}

/** A Python script that does the same. */
export function scriptContestant(name: Library, python: string, env: NodeJS.ProcessEnv, task: Task): Contestant {
  const file = `w_${name}.py`;
  writeFileSync(
    join(task.folder, file),
    script(task.workload, name, (output) => `${name}-${output}.npy`),
  );
  return processContestant(name, [python, file], env, task, outputFiles(task.workload, name));
}

function processContestant(
  name: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  { folder, launcher }: Task,
  files: readonly string[],
): Contestant {
  const run = () => launcher.time(command, folder, env);
  return {
    name,
    results: async () => {
      await run();
      return files.map((file) => readNpy(join(folder, file)));
    },
    time: run,
    stop: () => {},
  };
}

const outputFiles = ({ outputs }: Workload, contestant: string): string[] =>
  outputs.map((output) => `${contestant}-${output}.npy`);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function readNpy(path: string): Tensor {
  const source = openNpy(memoryBytes(readFileSync(path)), path);
  if (source.dtype === "number") throw new Error(`${path} has no dtype`);
  return readTensor(source, source.dtype, source.shape);
}
