/** What an engine does with a program, as text: `explain` shows its plan, `--time` how long the parts of it took. */
import type { Description, MemoryDescription, StageDescription, StepDescription } from "../engines/engine.ts";
import type { Node } from "../graph/node.ts";
import { opOf } from "../ops/define.ts";
import type { Profile } from "../session.ts";

type Names = ReadonlyMap<Node, string>;
/** The first columns are numbers, aligned to the right. */
type Row = readonly string[];

/** The engine, then comments: a line a step, and what is in memory. */
export function planText(description: Description, names: Names): string {
  const { plan } = description;
  if (!plan) return `# ${engineText(description)}`;
  const rows = plan.stages.flatMap((stage, i) => stageRows(stage, i + 1, names));
  const head = ["stage", "read", "written", "operations", "buffers", "loop", "", ""];
  const lines = [engineText(description), ...aligned([head, ...rows], 4), ...memoryLines(plan.memory)];
  return lines.map((line) => `# ${line}`.trimEnd()).join("\n");
}

const engineText = ({ engine, threads, reason }: Description): string =>
  `engine ${engine}, ${threads} ${threads === 1 ? "thread" : "threads"}: ${reason}`;

/** Steps that go by blocks have their number of it after the stage's. */
const stageRows = ({ blocks, steps }: StageDescription, number: number, names: Names): Row[] =>
  steps.map((step, i) => [
    steps.length > 1 ? `${number}.${i + 1}` : String(number),
    amount(step.read, "B"),
    amount(step.written, "B"),
    step.operations > 0 ? amount(step.operations) : "",
    `${buffers(step.reads)} → ${buffers(step.writes)}`.trimStart(),
    step.loop.join(" × "),
    step.kind,
    `${stepText(step, names)}${steps.length > 1 && i === 0 ? `, in ${blocks} blocks` : ""}`,
  ]);

const buffers = (numbers: readonly number[]): string => [...new Set(numbers)].map((n) => `b${n}`).join(" ");

/** How many operations of a step are named. */
const NAMED = 8;

/** `y: tanh add mul`, or what is read or written. */
function stepText({ kind, nodes }: StepDescription, names: Names): string {
  const [first] = nodes as [Node];
  if (kind === "read") return String(first.attrs["name"]);
  if (kind === "write") return String(names.get(first));
  const ops = [
    ...new Set(nodes.filter((node, i) => i === 0 || opOf(node).kind !== "leaf").map((node) => node.op.name)),
  ];
  const shown = ops.length > NAMED ? [...ops.slice(0, NAMED), "…"] : ops;
  const name = names.get(first);
  return [...(name === undefined ? [] : [`${name}:`]), ...shown].join(" ");
}

function memoryLines({ buffers: sizes, local, shared, bytes }: MemoryDescription): string[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  return [
    `memory: ${amount(bytes, "B")}, for ${sizes.length} buffers of ${amount(total, "B")} in all`,
    ...(local.length > 0 ? [`a block for each thread: ${buffers(local)}`] : []),
    ...(shared.length > 0 ? [`in one place: ${shared.map(buffers).join("; ")}`] : []),
  ];
}

/** How many stages `--time` shows. */
const SLOWEST = 12;

/** The engine, and a line for each of the slowest stages: time, bytes and operations a second, what it is. */
export function timingText({ description, names, runs, milliseconds }: Profile): string {
  const stages = (description.plan?.stages ?? []).map(({ steps, blocks }, i) => ({
    steps,
    blocks,
    ms: milliseconds[i]!,
  }));
  const slowest = stages.toSorted((a, b) => b.ms - a.ms);
  const rows = slowest.slice(0, SLOWEST).map(({ steps, blocks, ms }): Row => {
    const perSecond = (count: (step: StepDescription) => number) =>
      (steps.reduce((sum, step) => sum + count(step), 0) * runs * 1000) / ms;
    const texts = steps.map((step) => `${step.kind} ${stepText(step, names)}`);
    return [
      `${ms.toFixed(1)} ms`,
      amount(
        perSecond((step) => step.read + step.written),
        "B/s",
      ),
      amount(
        perSecond((step) => step.operations),
        "op/s",
      ),
      steps.length > 1 ? `${blocks} blocks: ${texts.join("; ")}` : texts[0]!,
    ];
  });
  const rest = slowest.slice(SLOWEST).reduce((sum, { ms }) => sum + ms, 0);
  const more = slowest.length > SLOWEST ? [`${rest.toFixed(1)} ms in ${slowest.length - SLOWEST} others`] : [];
  return [engineText(description), ...aligned(rows, 3), ...more].map((line) => `${line}\n`).join("");
}

/** Three digits and a prefix: 40 MB, 1.23 G. */
function amount(value: number, unit = ""): string {
  const power = Math.max(0, Math.min(4, Math.floor(Math.log10(value) / 3) || 0));
  const digits = Number((value / 1000 ** power).toPrecision(3));
  return `${digits} ${["", "k", "M", "G", "T"][power]}${unit}`.trimEnd();
}

/** Columns side by side, the first `numbers` of them flush right. */
function aligned(rows: readonly Row[], numbers: number): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  const cell = (text: string, column: number) =>
    column < numbers ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return rows.map((row) => row.map(cell).join("  ").trimEnd());
}
