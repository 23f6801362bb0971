/** `x[…]`: ints, slices, `...`, newaxis and at most one int tensor, as NumPy means them. */
import type { Expr, IndexItem } from "../../grammar/ast.ts";
import { type Graph, type Node, OpError } from "../graph/node.ts";
import { indexNode, outOfRange, requireInRange, take } from "../ops/indexing.ts";
import { inputOp } from "../ops/leaf.ts";
import { countSteps, relabel, slice } from "../ops/movement.ts";
import { asDim } from "../ops/static.ts";
import type { Span } from "../source.ts";
import {
  addDims,
  type Dim,
  isKnown,
  lowerBound,
  maxDims,
  minDims,
  mulDims,
  positivePart,
  showDim,
  showRank,
  subDims,
  upperBound,
} from "../tensor/dim.ts";
import { isInt } from "../tensor/dtype.ts";
import { knownHelp } from "./arguments.ts";
import type { Context } from "./context.ts";
import { evaluateParts, evaluateTensor } from "./expression.ts";
import type { Scope } from "./scope.ts";
import type { Operand } from "./site.ts";
import { POISON, tensorValue, type Value } from "./value.ts";
import { childrenOf } from "./wrt.ts";

type Part =
  | { readonly kind: "at"; readonly position: Dim; readonly item: number }
  | { readonly kind: "slice"; readonly start: Dim | undefined; readonly stop: Dim | undefined; readonly step: number }
  | { readonly kind: "gather"; readonly indices: Node; readonly item: number }
  | { readonly kind: "ellipsis" }
  | { readonly kind: "newaxis" };

export function lowerIndex(e: Extract<Expr, { kind: "index" }>, scope: Scope, context: Context): Value {
  const base = evaluateTensor(e.base, scope, context);
  if (base.kind !== "tensor") {
    for (const part of childrenOf(e).slice(1)) evaluateParts(part, scope, context);
    return POISON;
  }
  const parts = e.items.map((item, i) => lowerItem(item, i + 1, scope, context));
  if (parts.some((p) => p === undefined)) return POISON;
  const operands: Operand[] = [
    { span: e.base.span, value: base },
    ...e.items.map(({ span }, i) => ({ span, value: tensorOf(parts[i]) })),
  ];
  const isGather = parts.some((p) => p?.kind === "gather");
  return context.named(isGather ? "Take" : "Slice", () =>
    context.at(e.span, operands, () => tensorValue(index(base.node, parts as Part[]))),
  );
}

const tensorOf = (part: Part | undefined): Value => (part?.kind === "gather" ? tensorValue(part.indices) : POISON);

/** What stands in the brackets at `place`, from 1: messages count the tensor itself as 0. */
function lowerItem(item: IndexItem, place: number, scope: Scope, context: Context): Part | undefined {
  switch (item.kind) {
    case "ellipsis":
    case "newaxis":
      return { kind: item.kind };
    case "slice": {
      const bound = (e: Expr | undefined) => (e ? sizeOf(e, scope, context) : undefined);
      const [start, stop, step] = [bound(item.start), bound(item.stop), bound(item.step)];
      if ([start, stop, step].includes(null)) return undefined;
      const by = step ?? 1;
      if (!isKnown(by)) return mistake(context, item.step!.span, "a slice's step must be an int literal");
      if (by === 0) return mistake(context, item.step!.span, "a slice's step must not be 0");
      return { kind: "slice", start: start ?? undefined, stop: stop ?? undefined, step: by };
    }
    case "at": {
      const { index } = item;
      if (index.kind === "name" && index.name === "None" && !scope.names.has("None"))
        return mistake(context, item.span, "`None` is not defined", "write `newaxis`");
      if (index.kind === "list" && index.items.length === 0)
        return mistake(context, item.span, "an index must be int, and `[]` is of floats", "`x[:0]` has no elements");
      const value = evaluateTensor(index, scope, context);
      if (value.kind !== "tensor") return undefined;
      const { node } = value;
      const position = asDim(node);
      if (position !== undefined) return { kind: "at", position, item: place };
      const { dtype, weak } = node.type;
      if (dtype === "bool")
        return mistake(
          context,
          item.span,
          "a bool mask does not select: its result would have no known size",
          "`where(mask, x, 0)` keeps the shape",
        );
      if (!isInt(dtype))
        return mistake(
          context,
          item.span,
          `an index must be int, got ${weak ? "a float" : dtype}`,
          weak
            ? isQuotient(index)
              ? knownHelp(index)
              : "write an int"
            : `${declaredAsInt(node)}write \`astype(…, int32)\``,
        );
      return { kind: "gather", indices: node, item: place };
    }
  }
}

const isQuotient = (e: Expr): boolean => e.kind === "binary" && e.op === "/";

/** What to declare, where an index is an input as it is. */
const declaredAsInt = ({ op, attrs, type: { shape } }: Node): string =>
  op === inputOp
    ? `declare it \`input ${attrs["name"]}${shape.length > 0 ? `[${shape.map(showDim).join(", ")}]` : ""}: int32\`, or `
    : "";

function mistake(context: Context, span: Span, message: string, help?: string): undefined {
  context.mistake(span, message, { code: "index", help });
  return undefined;
}

/** A slice's bound: an int known without data; null, with the mistake reported, for anything else. */
function sizeOf(e: Expr, scope: Scope, context: Context): Dim | null {
  const value = evaluateTensor(e, scope, context);
  if (value.kind !== "tensor") return null;
  const found = asDim(value.node);
  if (found !== undefined) return found;
  context.mistake(e.span, "a slice's bounds must be ints known without data", {
    code: "index",
    help: isQuotient(e)
      ? knownHelp(e)
      : "literals, dims and arithmetic on them are; `take(x, indices)` reads at computed places",
  });
  return null;
}

/** What can stand once in an index. */
const ONCE = {
  ellipsis: { message: "a second `...` in one index", help: "`:` is one whole axis" },
  gather: { message: "a second int tensor in one index", help: "index twice, or use `take` along one axis at a time" },
} as const;

function index(x: Node, parts: readonly Part[]): Node {
  const { shape } = x.type;
  const consumed = parts.filter((p) => p.kind === "at" || p.kind === "slice" || p.kind === "gather").length;
  if (consumed > shape.length)
    throw new OpError(
      shape.length === 0 ? "a scalar cannot be indexed" : `too many indices: ${consumed} for ${showRank(shape.length)}`,
      { code: "index" },
    );
  for (const [kind, { message, help }] of Object.entries(ONCE)) {
    const second = parts.flatMap((p, i) => (p.kind === kind ? [i + 1] : []))[1];
    if (second !== undefined) throw new OpError(message, { code: "index", arg: second, help });
  }
  const whole: Part = { kind: "slice", start: undefined, stop: undefined, step: 1 };
  const rest = Array.from({ length: shape.length - consumed }, () => whole);
  const at = parts.findIndex((p) => p.kind === "ellipsis");
  const full = at < 0 ? [...parts, ...rest] : [...parts.slice(0, at), ...rest, ...parts.slice(at + 1)];
  return follow(x, full);
}

/** One strided slice, then the axes that single ints drop and newaxis adds, then the gather. */
function follow(x: Node, parts: readonly Part[]): Node {
  const starts: Dim[] = [];
  const sizes: Dim[] = [];
  const steps: Dim[] = [];
  const shape: Dim[] = [];
  let gather: { axis: number; indices: Node } | undefined;
  for (const part of parts) {
    const size = x.type.shape[starts.length]!;
    switch (part.kind) {
      case "newaxis":
        shape.push(1);
        break;
      case "at":
        starts.push(resolvePosition(x.graph, part, size));
        sizes.push(1);
        steps.push(1);
        break;
      case "gather":
        requireInRange(part.indices, size, part.item);
        gather = { axis: shape.length, indices: indexNode(part.indices) };
        starts.push(0);
        sizes.push(size);
        steps.push(1);
        shape.push(size);
        break;
      case "slice": {
        const range = clampSlice(x.graph, part, size);
        starts.push(range.start);
        sizes.push(range.count);
        steps.push(part.step);
        shape.push(range.count);
        break;
      }
      case "ellipsis":
        throw new Error("an ellipsis is expanded before");
    }
  }
  const sliced = relabel(slice(x, { starts, sizes, steps }), shape);
  return gather ? take(sliced, gather.indices, gather.axis) : sliced;
}

/** A position from 0, required to be in range; negative ones count from the end. */
function resolvePosition(graph: Graph, { position, item }: Extract<Part, { kind: "at" }>, size: Dim): Dim {
  const isFromEnd = isNegative(position);
  const fromStart = isFromEnd ? addDims(size, position) : position;
  if (upperBound(fromStart) < 0 || lowerBound(subDims(fromStart, size)) >= 0)
    throw outOfRange(position, size, item, mulDims(-1, size));
  if (isKnown(position) && isKnown(size)) return fromStart;
  const what = `the size of the axis that ${showDim(position)} indexes`;
  graph.require(size, ">=", isFromEnd ? subDims(0, position) : addDims(position, 1), what);
  if (isFromEnd)
    graph.require(
      subDims(0, position),
      ">=",
      1,
      `an index from the end, ${showDim(position)}, is below 0: its distance`,
    );
  else graph.require(position, ">=", 0, `a computed index, ${showDim(position)}, counts from the start`);
  return fromStart;
}

/** NumPy's clamping of start:stop:step to a size. */
function clampSlice(
  graph: Graph,
  { start, stop, step }: Extract<Part, { kind: "slice" }>,
  size: Dim,
): { start: Dim; count: Dim } {
  if (start === undefined && stop === undefined && step === 1) return { start: 0, count: size };
  const forward = step > 0;
  const clamp = (d: Dim): Dim => {
    const isFromEnd = isNegative(d);
    const fromStart = isFromEnd ? addDims(size, d) : d;
    if (!isFromEnd) graph.require(d, ">=", 0, "a computed bound of a slice counts from the start", { arg: 0 });
    return forward ? minDims(positivePart(fromStart), size) : minDims(maxDims(fromStart, -1), subDims(size, 1));
  };
  const first = start === undefined ? (forward ? 0 : subDims(size, 1)) : clamp(start);
  const last = stop === undefined ? (forward ? size : -1) : clamp(stop);
  return { start: first, count: countSteps(first, last, step) };
}

/** Whether a bound counts from the end: known to be negative. Sizes never are. */
const isNegative = (d: Dim): boolean => (isKnown(d) ? d < 0 : lowerBound(d) < 0 && upperBound(d) <= 0);
