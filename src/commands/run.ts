/** `tsym run`: evaluates a program on data. Reads top to bottom as the pipeline: text, graph, sizes, engine, results. */
import { checkProgram, failOnErrors } from "../compile.ts";
import { type EngineName, loadEngine } from "../engines/load.ts";
import { descriptorChunks } from "../io/bytes.ts";
import { compare } from "../io/compare.ts";
import { openExpected, openFeeds, requireOneReader } from "../io/feed.ts";
import { type WholeFiles, writingWhole } from "../io/file.ts";
import type { StreamRecord } from "../io/json.ts";
import {
  fillablePaths,
  formatOutputs,
  type Output,
  openOutputFile,
  requireRoom,
  writeOutputFiles,
} from "../io/output.ts";
import type { Source } from "../io/source.ts";
import { tensorSource, titled } from "../io/source.ts";
import type { NamedTensor } from "../lower/outputs.ts";
import type { Lowered } from "../lower/program.ts";
import { renderDiagnostics } from "../render.ts";
import { type OpenFile, Session, undeclaredInputs } from "../session.ts";
import { type Diagnostic, fail, TsymError } from "../source.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Carry, type Chosen, chooseCarries, chooseOutputs, outputNamed } from "./choose.ts";
import { declares, feeding, load } from "./load.ts";
import { timingText } from "./plan-report.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { World } from "./world.ts";

/** The flags of `tsym run`, as cli.ts has checked them. */
export interface RunOptions {
  /** The program's text, given in place of a file. */
  readonly eval?: string;
  readonly feed?: readonly string[];
  readonly out?: readonly string[];
  readonly format?: "pretty" | "json" | "ndjson" | "npy" | "npz";
  readonly engine: EngineName;
  readonly device?: "cpu" | "gpu";
  readonly threads?: number;
  readonly fastMath?: boolean;
  readonly float: FloatDType;
  readonly raw?: boolean;
  readonly expect?: readonly string[];
  readonly rtol?: number;
  readonly atol?: number;
  readonly carry?: readonly string[];
  readonly steps?: number;
  readonly trap?: "nan";
  readonly precision?: number;
  readonly time?: boolean;
}

/** Runs the program in `file` (or `options.eval`; exactly one is given) and gives the exit status. Throws TsymError. */
export async function run(file: string | undefined, options: RunOptions, world: World): Promise<number> {
  const watch = new Stopwatch();
  requireOneReader({ ...options, file });
  requireCompared(options);
  const loaded = load(file, options.eval, world);
  watch.lap("parse");
  const stdin = descriptorChunks(world.stdin);
  const { feeds, stream } = openFeeds(options.feed ?? [], stdin);
  reportWarnings(doubtsOf(feeds), world);
  const expected = openExpected(options.expect ?? [], stdin);
  let prepared: { readonly key: string; readonly job: Job } | undefined;
  /** The job for such feeds: only names that `-e` leaves undeclared make the program itself depend on them. */
  const jobFor = async (sources: ReadonlyMap<string, Source>): Promise<Job> => {
    const open = options.eval === undefined ? [] : [...sources].filter(([name]) => !declares(loaded, name));
    const undeclared = undeclaredInputs(new Map(open), options.float);
    const key = JSON.stringify([...undeclared]);
    if (prepared?.key === key) return prepared.job;
    const program = checkProgram(loaded, { defaultFloat: options.float, undeclared, feeding });
    failOnErrors(program.diagnostics);
    const warnings = program.diagnostics.filter((d) => d.code !== "unused-input");
    if (!prepared) reportWarnings(warnings, world);
    const isRepeated = stream !== undefined || (options.steps ?? 1) > 1;
    prepared?.job.session.dispose();
    const job = await prepare(program, [...expected.keys()], isRepeated, options, watch);
    prepared = { key, job };
    return job;
  };

  const evaluateAndPrint = async (sources: ReadonlyMap<string, Source>) => {
    const { chosen, carries, session, pathOf } = await jobFor(sources);
    const { steps = 1 } = options;
    let results = new Map<string, Tensor>();
    let differences: readonly Diagnostic[] = [];
    await writingWhole(async (files) => {
      const open: OpenFile = (name, type) => openOutputFile(files, pathOf.get(name)!, type);
      for (let step = 1; step <= steps; step++) {
        const inputs = new Map([...sources, ...(step > 1 ? carriedFrom(step - 1, carries, results) : [])]);
        // What an engine lacks, and what keeps the first step from being computed, has nothing to do with steps.
        const isOfStep = ({ code }: Diagnostic) =>
          steps > 1 && (code === "evaluation" || (step > 1 && code !== "engine"));
        results = await inPart("step", step, () => session.evaluate(inputs, open), isOfStep);
      }
      // Compared before anything is in place: an output may go where the expected value lies.
      differences = differencesFrom(expected, results, options);
      writeResults(files, chosen, results, options);
    });
    printResults(chosen, results, options, world);
    if (differences.length > 0) throw new TsymError(differences);
    watch.lap("output");
  };

  if (!stream) await evaluateAndPrint(feeds);
  else {
    if (options.eval === undefined) await jobFor(feeds); // what is wrong is told before the first record is there
    const records = options.format === "npz" ? onlyRecord(stream) : stream;
    for (let next = records.next(); !next.done; next = records.next()) {
      const { number, tensors } = next.value;
      if (number > 1) refuseToOverwrite(options, number);
      await inPart("record", number, () => evaluateAndPrint(new Map([...feeds, ...tensors])));
    }
  }
  if (options.time) {
    const profiles = prepared?.job.session.profiles() ?? [];
    world.report([watch.report(), ...profiles.map(timingText)].join("\n"));
  }
  return 0;
}

/** A tolerance without a comparison would be ignored. */
function requireCompared(options: RunOptions): void {
  const flag = (["rtol", "atol"] as const).find((name) => options[name] !== undefined);
  if (flag !== undefined && options.expect === undefined)
    fail("usage", `--${flag} says how much --expect tolerates, but no --expect is given`, {
      help: "name one: --expect NAME=VALUE",
      exit: 2,
    });
}

/** An archive is whole when it is written, so it holds one run: the record of a stream that has no other. */
function* onlyRecord(stream: Iterator<StreamRecord, void>): Generator<StreamRecord, void> {
  const first = stream.next();
  if (first.done) return;
  if (!stream.next().done)
    fail("usage", "--format npz writes one archive, but standard input holds several records", {
      help: "--format json or ndjson writes lines for each record, --format npy an array for each",
      exit: 2,
    });
  yield first.value;
}

/** A file holds the results of one run. */
function refuseToOverwrite({ out = [] }: RunOptions, record: number): void {
  const file = out.find((flag) => flag.includes("="));
  if (file === undefined) return;
  fail("output", `-o ${file} holds the results of record 1, and record ${record} would overwrite them`, {
    help: "leave the file out: each record is a line on standard output",
  });
}

/** A checked program with what the flags want of it. */
interface Job {
  readonly chosen: readonly Chosen[];
  readonly carries: readonly Carry[];
  readonly session: Session;
  /** The files of outputs that may be written to them as they are computed, by the outputs' names. */
  readonly pathOf: ReadonlyMap<string, string>;
}

async function prepare(
  program: Lowered,
  compared: readonly string[],
  isRepeated: boolean,
  options: RunOptions,
  watch: Stopwatch,
): Promise<Job> {
  const chosen = chooseOutputs(program, options.out ?? []);
  const names = printed(chosen).map((c) => c.tensor.name);
  requireRoom(names, options);
  const carries = chooseCarries(program, options.carry ?? [], options.steps);
  const wanted = unique([
    ...chosen.map((c) => c.tensor),
    ...compared.map((name) => outputNamed(program, name)),
    ...carries.map((c) => c.from),
  ]);
  const pathOf = isRepeated
    ? new Map<string, string>()
    : pathsToFill(chosen, [...compared, ...carries.map((c) => c.from.name)]);
  watch.lap("check");
  const session = new Session(program, wanted, await loadEngine(options), {
    trap: options.trap,
    threads: options.threads,
    fastMath: options.fastMath,
    runs: options.steps,
    timed: options.time,
    keepsResults: carries.length > 0,
    keepsFeeds: isRepeated,
    once: !isRepeated,
    toFiles: isRepeated ? undefined : new Set(pathOf.keys()),
    onPhase: (phase) => watch.lap(phase),
  });
  return { chosen, carries, session, pathOf };
}

/** The outputs that go to a file of their own and nowhere else, and these files, if they take elements one after the other. */
function pathsToFill(chosen: readonly Chosen[], needed: readonly string[]): Map<string, string> {
  const taking = fillablePaths(chosen.flatMap(({ path }) => path ?? []));
  return new Map(
    chosen.flatMap(({ tensor: { name }, path }) => {
      const uses = chosen.filter((c) => c.tensor.name === name || c.path === path);
      const isAlone = uses.length === 1 && !needed.includes(name);
      return path !== undefined && isAlone && taking.includes(path) ? [[name, path]] : [];
    }),
  );
}

const doubtsOf = (feeds: ReadonlyMap<string, Source>): Diagnostic[] =>
  [...feeds.values()].flatMap(({ doubt }) =>
    doubt === undefined ? [] : [{ severity: "warning", code: "feed", message: doubt, labels: [] }],
  );

function reportWarnings(warnings: readonly Diagnostic[], world: World): void {
  if (warnings.length > 0) world.report(renderDiagnostics(warnings, { color: world.color }));
}

const unique = (tensors: readonly NamedTensor[]): NamedTensor[] => [
  ...new Map(tensors.map((t) => [t.name, t])).values(),
];

/** The sources that a step's results are for the inputs of the next. */
const carriedFrom = (step: number, carries: readonly Carry[], results: ReadonlyMap<string, Tensor>) =>
  carries.map(({ into, from }) => {
    const source = tensorSource(`output ${from.name} of step ${step}`, results.get(from.name)!);
    return [into, titled(`input \`${into}\``, source)] as const;
  });

/** Errors of one record or step of many (`isOf`: all) name it, unless they do so already. */
async function inPart<T>(
  kind: "record" | "step",
  number: number,
  work: () => Promise<T>,
  isOf: (d: Diagnostic) => boolean = () => true,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    const isNamed = new RegExp(`\\b${kind} \\d`);
    const named = (d: Diagnostic): Diagnostic =>
      isOf(d) && !isNamed.test(d.message) ? { ...d, message: `${kind} ${number}: ${d.message}` } : d;
    throw new TsymError(error.diagnostics.map(named), error.exit);
  }
}

const outputOf = ({ tensor: { name } }: Chosen, results: ReadonlyMap<string, Tensor>): Output => ({
  name,
  tensor: results.get(name)!,
});

/** Writes results that go to files; what is chosen and none of the results is in its file already. */
function writeResults(
  files: WholeFiles,
  chosen: readonly Chosen[],
  results: ReadonlyMap<string, Tensor>,
  options: RunOptions,
): void {
  const outputsAt = new Map<string, Output[]>();
  for (const c of chosen)
    if (c.path !== undefined && results.has(c.tensor.name))
      outputsAt.set(c.path, [...(outputsAt.get(c.path) ?? []), outputOf(c, results)]);
  writeOutputFiles(files, outputsAt, options);
}

/** What goes to standard output. */
const printed = (chosen: readonly Chosen[]): Chosen[] => chosen.filter((c) => c.path === undefined);

function printResults(
  chosen: readonly Chosen[],
  results: ReadonlyMap<string, Tensor>,
  options: RunOptions,
  world: World,
): void {
  const outputs = printed(chosen).map((c) => outputOf(c, results));
  if (outputs.length === 0) return;
  const format = options.format ?? (world.terminal ? "pretty" : "json");
  for (const piece of formatOutputs(outputs, format, options)) world.print(piece);
}

/** Where results differ from what was expected. Throws TsymError for expected values that cannot be read. */
const differencesFrom = (
  expected: ReadonlyMap<string, Source>,
  results: ReadonlyMap<string, Tensor>,
  options: RunOptions,
): Diagnostic[] =>
  [...expected].flatMap(([name, source]) => {
    const difference = compare(results.get(name)!, source, options);
    return difference
      ? [{ severity: "error", code: "expect", message: `${name}: ${difference.message}`, labels: [] }]
      : [];
  });
