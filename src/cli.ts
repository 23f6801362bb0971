/** The command line: reads the options, loads the one command meant, prints and exits. Knows no tensor. */
import { fstatSync, statSync, writeSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import manifest from "../package.json" with { type: "json" };
import type { CheckOptions } from "./commands/check.ts";
import type { EnginesOptions, InstallOptions } from "./commands/engines.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import type { OpsOptions } from "./commands/ops.ts";
import type { RunOptions } from "./commands/run.ts";
import type { World } from "./commands/world.ts";
import { ENGINES, type EngineName } from "./engines/load.ts";
import { type Diagnostic, fail, TsymError } from "./source.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const INTERNAL_ERROR = 70;

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

/** Writes all of `chunk`, waiting while a non-blocking pipe is full. (`process.stdout` takes milliseconds to load.) */
function writeAll(descriptor: number, chunk: string | Uint8Array): void {
  let bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** The system's own words of `ENOSPC: no space left on device, write`. */
const systemText = (error: unknown): string => String(error).replace(/^Error: \w+: (.*), \w+$/, "$1");

/** Nobody reads our output any more, as after `| head`: a good end. */
class ClosedPipe extends Error {}

function print(chunk: string | Uint8Array): void {
  try {
    writeAll(STDOUT, chunk);
  } catch (error) {
    if (codeOf(error) === "EPIPE") throw new ClosedPipe();
    fail("file", `cannot write standard output: ${systemText(error)}`);
  }
}

function report(text: string): void {
  try {
    writeAll(STDERR, text);
  } catch {
    // Nowhere is left to say so.
  }
}

/** Only a character device can be a terminal, and not /dev/null; asking more takes the tty module, which is slow to load. */
function isTerminal(descriptor: number): boolean {
  const file = fstatSync(descriptor);
  const isCandidate = file.isCharacterDevice() && file.rdev !== statSync("/dev/null", { throwIfNoEntry: false })?.rdev;
  return isCandidate && process.getBuiltinModule("node:tty").isatty(descriptor);
}

const WHEN = ["always", "never", "auto"] as const;
type When = (typeof WHEN)[number];

/** Whether standard error takes colours: `--color` first, then NO_COLOR, FORCE_COLOR and what it is connected to. */
function takesColor(when: When): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (when !== "auto") return when === "always";
  if (NO_COLOR || FORCE_COLOR === "0") return false;
  return Boolean(FORCE_COLOR) || (TERM !== "dumb" && isTerminal(STDERR));
}

const world: World = {
  stdin: STDIN,
  get terminal() {
    return isTerminal(STDOUT);
  },
  get interactive() {
    return isTerminal(STDERR);
  },
  get color() {
    return takesColor(program.opts<{ color: When }>().color);
  },
  print,
  report,
};

/** The text of a program that stands in the command line. */
function onlyText(text: string, before?: string): string {
  if (before === undefined) return text;
  return fail("usage", "-e is given twice", { help: "join the texts: -e 'first; second'", exit: 2 });
}

const every = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It is a whole number above 0.");
  return Number(text);
}

function toleranceOf(text: string): number {
  if (!(text.trim() !== "" && Number(text) >= 0)) throw new InvalidArgumentError("It is a number not below 0.");
  return Number(text);
}

function engineOf(text: string): EngineName {
  const engine = ENGINES.find((name) => name === text);
  if (engine === undefined) throw new InvalidArgumentError(`The engines of this version are ${ENGINES.join(", ")}.`);
  return engine;
}

const oneOf = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

/** A command on a program, which `needOneProgram` then holds to one. */
const ofProgram = (command: Command, description: string): Command =>
  command
    .description(description)
    .argument("[file]", "the program; - is standard input")
    .option("-e, --eval <text>", "the program itself, in place of a file", onlyText);

const defaultFloat = (): Option =>
  oneOf("--float <dtype>", "the default float", ["float32", "float64"]).default("float32");

function needOneProgram(file: string | undefined, text: string | undefined): void {
  if ((file === undefined) === (text === undefined))
    fail("usage", text === undefined ? "no program is named" : "both a file and -e are given", {
      help: "name one program: a file, `-` for standard input, or -e with the program's text",
      exit: 2,
    });
}

let status = 0;

const program = new Command("tsym")
  .description(manifest.description)
  .version(manifest.version)
  .addOption(oneOf("--color <when>", "colour messages; --color alone is always", WHEN).default("auto"))
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({ writeOut: print, writeErr: report, outputError: () => {} })
  .exitOverride();

/** What each command takes, and does. */
const COMMANDS: Readonly<Record<string, (command: Command) => void>> = {
  run: (command) =>
    ofProgram(command, "evaluate a program")
      .option("-f, --feed <[name=]source>", "data for an input, or for all inputs that a file names; repeatable", every)
      .option("-o, --out <name[=file]>", "choose an output, and the file it goes to; repeatable", every)
      .addOption(oneOf("--format <format>", "how results are printed", ["pretty", "json", "ndjson", "npy", "npz"]))
      .addOption(
        new Option("--engine <engine>", `what computes: ${ENGINES.join(", ")}`).argParser(engineOf).default("auto"),
      )
      .addOption(oneOf("--device <device>", "where it computes", ["cpu", "gpu"]))
      .option("--threads <n>", "how many threads compute", countOf)
      .option("--fast-math", "take what is equal for real numbers for equal: quicker, with other last bits")
      .addOption(defaultFloat())
      .option("--raw", "print the bare value of one output")
      .option("--expect <name=source>", "compare an output with a value; repeatable", every)
      .option("--rtol <tolerance>", "relative tolerance of --expect", toleranceOf)
      .option("--atol <tolerance>", "absolute tolerance of --expect", toleranceOf)
      .option("--carry <in=out>", "feed an output back as an input; repeatable", every)
      .option("--steps <n>", "run so many times in all, with --carry", countOf)
      .addOption(oneOf("--trap <value>", "stop at the first operation that makes such a value", ["nan"]))
      .option("--precision <n>", "digits in pretty", countOf)
      .option("--time", "show on standard error where the time went")
      .action(async (file: string | undefined, options: RunOptions) => {
        needOneProgram(file, options.eval);
        const { run } = await import("./commands/run.ts");
        status = await run(file, options, world);
      }),

  check: (command) =>
    ofProgram(command, "infer shapes and types without data")
      .addOption(defaultFloat())
      .option("--json", "print everything as one JSON object")
      .action(async (file: string | undefined, options: CheckOptions) => {
        needOneProgram(file, options.eval);
        const { check } = await import("./commands/check.ts");
        status = await check(file, options, world);
      }),

  explain: (command) =>
    ofProgram(command, "show what a program becomes before it runs")
      .option("-f, --feed <[name=]source>", "data whose sizes are put in; repeatable", every)
      .addOption(defaultFloat())
      .option("--fast-math", "as for run")
      .action(async (file: string | undefined, options: ExplainOptions) => {
        needOneProgram(file, options.eval);
        const { explain } = await import("./commands/explain.ts");
        status = await explain(file, options, world);
      }),

  ops: (command) =>
    command
      .description("list every function, or tell all about one")
      .argument("[name]", "the function")
      .option("--json", "print the same as JSON")
      .action(async (name: string | undefined, options: OpsOptions) => {
        const { ops } = await import("./commands/ops.ts");
        status = await ops(name, options, world);
      }),

  engines: (command) => {
    command
      .description("list the engines: which are ready, and what would make the others so")
      .option("--json", "print the same as JSON")
      .action(async (options: EnginesOptions) => {
        const { listEngines } = await import("./commands/engines.ts");
        status = await listEngines(options, world);
      });

    command
      .command("install")
      .description("install an engine under the user's data folder")
      .argument("<engine>", "tensorflow")
      .option("--gpu", "the one for NVIDIA's GPUs")
      .action(async (engine: string, options: InstallOptions) => {
        const { installEngine } = await import("./commands/engines.ts");
        status = await installEngine(engine, options, world);
      });

    command
      .command("uninstall")
      .description("remove what `install` installed")
      .argument("<engine>", "tensorflow")
      .action(async (engine: string) => {
        const { uninstallEngine } = await import("./commands/engines.ts");
        status = await uninstallEngine(engine, world);
      });
  },
};

/** A sentence of commander's as one of ours: `Allowed choices are a, b.` as `allowed choices are a, b`. */
const inOurVoice = (text: string): string =>
  (text[0] ?? "").toLowerCase() +
  text
    .slice(1)
    .replaceAll(/'(.*?)'/g, "`$1`")
    .replace(/\.$/, "");

const BAD_VALUE = /^option '(?:-\w, )?(--[\w-]+).*?' argument '(.*)' is invalid$/s;

/** The command that the words name, as it is called: `tsym run`; `tsym` where they name none. */
function calledCommand(): string {
  let called: Command = program;
  let name = called.name();
  for (const word of words.slice(2).filter((word) => !word.startsWith("-"))) {
    const sub = called.commands.find((command) => command.name() === word);
    if (!sub) break;
    called = sub;
    name += ` ${word}`;
  }
  return name;
}

/** What words that commander complains of may have been meant for. */
function meantByWords(complaint: string): string | undefined {
  const [, program] = /^unknown command '(.*\.tsym)'$/.exec(complaint) ?? [];
  if (program !== undefined) return `\`tsym run ${program}\` runs it`;
  if (calledCommand() === "tsym" && /^unknown option '(-e|-f|-o)\b/.test(complaint))
    return "programs run by `tsym run`";
  const feed = /^too many arguments/.test(complaint) && words.find((word) => /^[a-zA-Z_]\w*=/.test(word));
  return feed ? `data are fed by -f: -f ${feed}` : undefined;
}

/** Commander's complaint as a diagnostic of ours: a second sentence, or "(Did you mean …?)", says what to do. */
function usageDiagnostic({ message }: CommanderError): Diagnostic {
  const [, what = message, idea] = /^(?:error: )?(.*?)(?:\. |\n\(|$)(.*?)\)?$/s.exec(message) ?? [];
  return {
    severity: "error",
    code: "usage",
    message: inOurVoice(what.replace(BAD_VALUE, "`$2` is no value of $1")),
    labels: [],
    help: meantByWords(what) ?? (idea ? inOurVoice(idea) : `\`${calledCommand()} --help\` shows what can be written`),
  };
}

/** Says what went wrong and gives the exit status for it. */
async function reportError(error: unknown): Promise<number> {
  if (error instanceof ClosedPipe) return 0;
  if (error instanceof CommanderError) {
    // Help and version have been printed; bare `tsym` printed its help as a complaint.
    if (/^commander\.(help|version)/.test(error.code)) return error.exitCode && 2;
    return reportError(new TsymError([usageDiagnostic(error)], 2));
  }
  if (error instanceof TsymError) {
    const { renderDiagnostics } = await import("./render.ts");
    report(renderDiagnostics(error.diagnostics, world));
    return error.exit;
  }
  report(`error[internal]: ${String(error)}\nhelp: this is a bug in tsym: please report it, with the program\n`);
  if (process.env["TSYM_DEBUG"] && error instanceof Error) report(`${error.stack}\n`);
  return INTERNAL_ERROR;
}

process.on("uncaughtException", async (error) => process.exit(await reportError(error)));

// `--color` takes a value of its own only, or it would swallow the program's name.
const isWhen = (word: string | undefined) => WHEN.some((when) => when === word);
const words = process.argv.flatMap((word, i, all) => {
  if (word === "--color") return [`--color=${isWhen(all[i + 1]) ? all[i + 1] : "always"}`];
  return isWhen(word) && all[i - 1] === "--color" ? [] : [word];
});
// Defining a command takes time: only the one that is named is defined, or all, where help or a complaint may tell of them.
const named = Object.keys(COMMANDS).filter((name) => name === words[2]);
for (const name of named.length > 0 ? named : Object.keys(COMMANDS)) COMMANDS[name]!(program.command(name));

program
  .parseAsync(words)
  .then(() => status, reportError)
  // At once: all is written, and to wait for threads to end would take milliseconds.
  .then((exit) => process.exit(exit));
