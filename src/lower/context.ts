/** What lowering carries along: the graph, the place it is at, and what is wrong so far. The only one to report mistakes. */
import type { FnDecl } from "../../grammar/ast.ts";
import { type Graph, type Node, OpError, ParameterError } from "../graph/node.ts";
import { broadcastOp, reshapeOp, transposeOp } from "../ops/movement.ts";
import { type Diagnostic, type Label, type Span, textOf } from "../source.ts";
import { type Condition, describeCondition } from "../tensor/conditions.ts";
import type { DType, FloatDType } from "../tensor/dtype.ts";
import { nearest, rearranged } from "./names.ts";
import { aboutOperand, type Operand, placeLabels, type Site, shapeLabel } from "./site.ts";
import { POISON, type Value } from "./value.ts";

export interface Details {
  readonly code?: string;
  readonly help?: string | undefined;
  readonly labels?: readonly Label[];
  /** What to write at the place itself. */
  readonly here?: string;
  /** The parameter whose argument is wrong: that of the function called, where the mistake shows in a prelude fn. */
  readonly parameter?: { readonly name: string; readonly finding: string };
}

/** Ops that show their argument from another side: a value is known by what they turn. */
export const TURNING_OPS: ReadonlySet<unknown> = new Set([reshapeOp, transposeOp, broadcastOp]);

/** How deep expressions and calls may nest before the stack is at risk. */
const DEEPEST = 400;
/** How many calls of fns a program may come to: they double where each fn calls another twice. */
const MOST_CALLS = 200_000;
/** Among how many names in all near misses are looked for: whoever mistypes thousands is not helped by a guess at each. */
const MOST_COMPARED = 1_000_000;

export class Context {
  readonly graph: Graph;
  readonly diagnostics: Diagnostic[] = [];
  /** Where each node was first made. */
  readonly sites = new Map<Node, Site>();
  /** The name of the function whose result a node is, where it differs from the op's: `Softmax`. */
  readonly origins = new Map<Node, string>();
  /** Names that some `wrt` mentions: their tensors are marked. */
  readonly wrtNames: ReadonlySet<string>;
  /** How a name that the program does not declare is fed; absent where it cannot be. */
  readonly feeding: ((name: string) => string) | undefined;
  /** The program's fns that were lowered for some call. */
  readonly called = new Set<FnDecl>();
  /** Fns that do not parse, and whether a file of fns could not be read: their users stay silent. */
  readonly brokenFns = new Set<string>();
  lacksFns = false;
  readonly #open: FnDecl[] = [];
  #calls: readonly Span[] = [];
  #derivative = false;
  /** Inside a prelude fn: the place stays the program's call. */
  #inPrelude = false;
  #depth = 0;
  #tooDeep = false;
  #calledSoFar = 0;
  #compared = 0;
  readonly #reported = new Set<string>();

  constructor(graph: Graph, wrtNames: ReadonlySet<string>, feeding?: (name: string) => string) {
    this.graph = graph;
    this.feeding = feeding;
    this.wrtNames = wrtNames;
    graph.onNode = (node) => {
      if (graph.site) this.sites.set(node, graph.site as Site);
    };
  }

  /** Runs `work` at a place; an OpError becomes a diagnostic there. */
  at(span: Span, operands: readonly Operand[], work: () => Value, callee?: string): Value {
    if (this.#inPrelude) return work();
    const { graph } = this;
    const before = graph.site;
    const conditions = graph.conditions.list.length;
    const site: Site = { span, operands, calls: this.#calls, derivative: this.#derivative };
    graph.site = site;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      graph.conditions.keep(conditions);
      return this.#reportOpError(error, site, callee);
    } finally {
      graph.site = before;
    }
  }

  /** Runs `work` and remembers what the program calls the op that made its value. */
  named(name: string, work: () => Value): Value {
    const before = this.graph.nodes.length;
    const value = work();
    const nodes = value.kind === "tensor" ? [value.node] : value.kind === "many" ? value.nodes : [];
    for (const node of nodes) this.#name(node, name, before);
    return value;
  }

  /** Only what is new has no name yet; what merely turns another new node goes by that one's. */
  #name(node: Node, name: string, before: number): void {
    let turned = node;
    while (TURNING_OPS.has(turned.op) && turned.id >= before) turned = turned.args[0]!;
    const goesByAnother = turned !== node && turned.id >= before && turned.args.length > 0;
    if (node.id >= before && !goesByAnother && !this.origins.has(node)) this.origins.set(node, name);
  }

  /** Reports a mistake at a place and gives the value that silences its users. */
  mistake(
    span: Span,
    message: string,
    { code = "type", help, labels = [], here = "", parameter }: Details = {},
  ): Value {
    if (this.#inPrelude)
      throw parameter
        ? new ParameterError(parameter.name, parameter.finding, { code, help })
        : new OpError(message, { code, help });
    this.report({
      severity: "error",
      code,
      message,
      labels: placeLabels({ span, calls: this.#calls }, { here, beside: labels }),
      help,
    });
    return POISON;
  }

  warn(span: Span, code: string, message: string, help?: string): void {
    this.report({ severity: "warning", code, message, labels: [{ span, text: "" }], help });
  }

  /** One mistake, one message, however often a fn is called. */
  report(diagnostic: Diagnostic): void {
    const [first] = diagnostic.labels;
    const key = `${diagnostic.code} ${diagnostic.message} ${first?.span.source.name} ${first?.span.start} ${first?.span.end}`;
    if (!this.#reported.has(key)) this.diagnostics.push(diagnostic);
    this.#reported.add(key);
  }

  /** The candidate that was most likely meant by a name, if one is near. */
  nearest(name: string, candidates: Iterable<string>): string | undefined {
    if (this.#compared > MOST_COMPARED) return undefined;
    const all = [...candidates];
    this.#compared += all.length;
    return nearest(name, all);
  }

  /** Counts the calls of the program's fns; a mistake at `span`, told once, where they are too many. */
  isOneCallTooMany(decl: FnDecl, span: Span): boolean {
    this.#calledSoFar++;
    if (this.#calledSoFar === MOST_CALLS + 1)
      this.mistake(span, `the fns of this program are called more than ${MOST_CALLS} times in all`, {
        code: "too-large",
        labels: [{ span: decl.nameSpan, text: "defined here" }],
        help: "each call is computed anew: bind what several calls share to a name",
      });
    return this.#calledSoFar > MOST_CALLS;
  }

  /** Runs the body of one of the program's fns for a call. */
  inCall<T>(decl: FnDecl, span: Span, work: () => T): T {
    const before = this.#calls;
    this.#calls = [...before, span];
    this.#open.push(decl);
    try {
      return work();
    } finally {
      this.#calls = before;
      this.#open.pop();
    }
  }
  /** Whether a fn's body is being lowered right now. */
  isInside = (decl: FnDecl): boolean => this.#open.includes(decl);

  /** Runs a prelude fn's body: what goes wrong there is told of the call, in the name of the function. */
  inPrelude<T>(name: string, work: () => T): T {
    const before = this.#inPrelude;
    this.#inPrelude = true;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OpError) || before) throw error;
      if (error instanceof ParameterError) throw error;
      const { code, arg, because } = error;
      // a parameter may have been passed on under its name; places among operands mean nothing outside, nor does what to do with them
      const param = typeof arg === "string" ? arg : undefined;
      const help = code === "shape" ? undefined : error.help;
      throw new OpError(`in ${name}: ${error.message}`, { code, arg: param, help, because });
    } finally {
      this.#inPrelude = before;
    }
  }

  inDerivative<T>(work: () => T): T {
    const before = this.#derivative;
    this.#derivative = true;
    const site = this.graph.site as Site | undefined;
    if (site) this.graph.site = { ...site, derivative: true };
    try {
      return work();
    } finally {
      this.#derivative = before;
      this.graph.site = site;
    }
  }

  /** Guards the stack: a mistake at `span` where expressions or calls nest too deeply, one for each expression of the program. */
  nested(span: Span, work: () => Value): Value {
    if (this.#depth === 0) this.#tooDeep = false;
    if (this.#depth >= DEEPEST) {
      if (this.#tooDeep) return POISON;
      this.#tooDeep = true;
      return this.mistake(span, "this is nested too deeply", {
        code: "nesting",
        help: "bind a part of it to a name first",
      });
    }
    this.#depth++;
    try {
      return work();
    } catch (error) {
      // what reads a literal may refuse it before there is an op to refuse
      if (!(error instanceof OpError) || this.#inPrelude) throw error;
      return this.mistake(span, error.message, error);
    } finally {
      this.#depth--;
    }
  }

  /** What a call in another library's manner would be here. */
  #meant(error: OpError, callee: string | undefined, { span, operands }: Site): string | undefined {
    if (!callee || !(error instanceof ParameterError) || textOf(span).includes("=")) return undefined; // some by name
    return rearranged(
      callee,
      error.param,
      operands.map(({ span }) => textOf(span)),
    );
  }

  #reportOpError(error: OpError, site: Site, callee: string | undefined): Value {
    const { code, arg, because, help } = error;
    const { operands } = site;
    const guilty = typeof arg === "number" ? operands[arg] : operands.find((o) => arg !== undefined && o.param === arg);
    // A shape is wrong beside others: then the whole is the place. All else is one argument's own fault.
    const isPlace = guilty && (code !== "shape" || typeof arg === "string");
    const others = operands.length > MOST_LABELS ? operands.filter((o, i) => i === 0 || o === guilty) : operands;
    const label = (operand: Operand) => operandLabel(operand, code, operand === guilty ? arg : undefined);
    this.report({
      severity: "error",
      code,
      message: error instanceof ParameterError ? aboutParameter(error.param, callee, error.message) : error.message,
      labels: placeLabels(
        { span: isPlace ? guilty.span : site.span, calls: site.calls },
        {
          here: isPlace ? label(guilty)?.text : undefined,
          beside: [
            ...others.flatMap((o) => (isPlace && o === guilty ? [] : (label(o) ?? []))),
            ...because.map(conditionLabel),
          ],
        },
      ),
      help: aboutOperand(help ?? this.#meant(error, callee, site), guilty),
    });
    return POISON;
  }
}

/** "`axis` of `sum` …" */
export const aboutParameter = (param: string, callee: string | undefined, finding: string): string =>
  `\`${param}\`${callee ? ` of \`${callee}\`` : ""} ${finding}`;

/** Of more operands only those that disagree are shown. */
const MOST_LABELS = 4;
const ABOUT_DTYPES: ReadonlySet<string> = new Set(["dtype", "range"]);
const ABOUT_VALUES: ReadonlySet<string> = new Set(["arithmetic", "static"]);

/**
 * What stands at an operand: its shape, or its dtype where that is the matter. Of one that is wrong as the argument of a
 * parameter, such as `axis`, the value is the matter.
 */
function operandLabel(operand: Operand, code: string, guilty: number | string | undefined): Label | undefined {
  const { span, value } = operand;
  if (value.kind !== "tensor" || ABOUT_VALUES.has(code)) return undefined;
  const { dtype, weak } = value.node.type;
  if (weak && typeof guilty === "string") return undefined;
  if (!ABOUT_DTYPES.has(code)) return shapeLabel(operand, guilty !== undefined);
  return weak && dtype !== "bool" ? undefined : { span, text: dtype };
}

const conditionLabel = (c: Condition): Label => ({
  span: (c.site as Site).span,
  text: `needs ${describeCondition(c)}`,
});

export interface LowerOptions {
  readonly defaultFloat: FloatDType;
  /** Inputs that the program does not declare but that are fed (`-e`): name and type. */
  readonly undeclared?: ReadonlyMap<string, { dtype: DType; shape: readonly number[] }>;
  /** How an input of that name is fed, for messages; absent, as the library is called. */
  readonly feeding?: (name: string) => string;
}
