/** `tsym explain`: what becomes of a program before it runs, in its own notation, and what an engine does with it. Of what is fed it reads sizes, no values. */
import { bind, withoutData } from "../bind/bind.ts";
import { checkProgram, failOnErrors } from "../compile.ts";
import { loadEngine } from "../engines/load.ts";
import { ancestors } from "../graph/node.ts";
import { descriptorChunks } from "../io/bytes.ts";
import { openFeeds, requireOneReader } from "../io/feed.ts";
import type { Source } from "../io/source.ts";
import { fedShapes, inFiles, requireInput, undeclaredInputs } from "../session.ts";
import { isKnown } from "../tensor/dim.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { optimized, programText, rewriteText, wantedTensors } from "./explain-report.ts";
import { declares, feeding, load } from "./load.ts";
import { planText } from "./plan-report.ts";
import type { World } from "./world.ts";

/** The flags of `tsym explain`, as cli.ts has checked them. */
export interface ExplainOptions {
  /** The program's text, given in place of a file. */
  readonly eval?: string;
  readonly feed?: readonly string[];
  readonly float: FloatDType;
  readonly fastMath?: boolean;
}

/**
 * Explains the program in `file` (or `options.eval`; exactly one is given), for the sizes of what is fed or, where nothing is,
 * for all. Throws TsymError.
 */
export async function explain(file: string | undefined, options: ExplainOptions, world: World): Promise<number> {
  requireOneReader({ ...options, file });
  const loaded = load(file, options.eval, world);
  const sources = fedSources(options, world);
  const open = options.eval === undefined ? [] : [...sources].filter(([name]) => !declares(loaded, name));
  const undeclared = undeclaredInputs(new Map(open), options.float);
  const program = checkProgram(loaded, { defaultFloat: options.float, undeclared, feeding });
  failOnErrors(program.diagnostics);
  for (const name of sources.keys()) requireInput(program, name);
  const isFed = sources.size > 0;
  const wanted = wantedTensors(program);
  const bound = isFed ? bind(program, wanted, fedShapes(program, sources)) : withoutData(program, wanted);
  const result = optimized(program, bound, options.fastMath === true);
  const graph = { inputs: bound.inputs.map((i) => i.node), outputs: result.outputs.map((o) => o.node) };
  const hasSizes = ancestors([...graph.inputs, ...graph.outputs]).every(({ type }) => type.shape.every(isKnown));
  const compiled = { inFiles: inFiles(bound, sources), fastMath: options.fastMath };
  const description = hasSizes ? await (await loadEngine({ engine: "auto" })).describe?.(graph, compiled) : undefined;
  const names = new Map([...result.outputs.map(({ name, node }) => [node, name] as const), ...result.names]);
  const plan = description ? `\n${planText(description, names)}` : "";
  const text = programText(result, isFed ? bound.inputs : program.inputs);
  world.print(`${rewriteText(result)}\n\n${text}${plan}\n`);
  return 0;
}

/** What is fed: of a stream its first record. */
function fedSources({ feed = [] }: ExplainOptions, world: World): Map<string, Source> {
  const { feeds, stream } = openFeeds(feed, descriptorChunks(world.stdin));
  const first = stream?.next();
  return new Map([...feeds, ...(first && !first.done ? first.value.tensors : [])]);
}
