/** How arguments come to share a dtype: promotion between tensors, and weak values taking the dtype of what they meet. */
import { ancestors, type Graph, isConstant, type Node, OpError, type TensorType, valuesOf } from "../graph/node.ts";
import { allocate, type DType, isFloat, isInt, promote } from "../tensor/dtype.ts";
import { castOp } from "./cast.ts";

export type Operand = Node | number;

/** The graph that a list of operands belongs to; one of them must be a node. */
export const graphOf = (operands: readonly Operand[]): Graph =>
  (operands.find((x) => typeof x !== "number") as Node).graph;

/** A number as a weak constant: an int if integral (-0 is a float). */
export function lift(x: Operand, graph: Graph): Node {
  if (typeof x !== "number") return x;
  const isIntegral = Number.isSafeInteger(x) && !Object.is(x, -0);
  return isIntegral
    ? graph.constant({ dtype: "int64", shape: [], weak: true }, [BigInt(x)])
    : graph.constant({ dtype: "float64", shape: [], weak: true }, [x]);
}

/** x as a tensor of `dtype`. Weak constants convert here, exactly or with an OpError about `arg`; others by a cast node. */
export function cast(x: Node, dtype: DType, arg?: number): Node {
  if (x.type.dtype === dtype && !x.type.weak) return x;
  if (!(x.type.weak && isConstant(x))) return x.graph.apply(castOp, [x], { dtype, weak: false });
  const type: TensorType = { dtype, shape: x.type.shape, weak: false };
  return x.graph.constant(
    type,
    Array.from(valuesOf(x), (v) => represent(v, dtype, arg)),
  );
}

/** Requires that `dtype` holds a constant's values, as `cast` does. Throws OpError about `arg`. */
export function requireFit(x: Node, dtype: DType, arg: number): void {
  for (const value of Array.from(valuesOf(x))) represent(value, dtype, arg);
}

/** A literal's value as `dtype` holds it. */
function represent(value: number | bigint | boolean, dtype: DType, arg?: number): number | bigint | boolean {
  if (dtype === "bool") return Boolean(value);
  const number = typeof value === "bigint" ? value : Number(value);
  if (isInt(dtype)) {
    if (typeof number === "number" && !Number.isInteger(number)) throw misfit(number, dtype, arg);
    const exact = BigInt(number);
    if (!fitsBits(exact, dtype === "int32" ? 32 : 64)) throw misfit(exact, dtype, arg);
    return dtype === "int32" ? Number(exact) : exact;
  }
  const store = allocate(dtype, 1);
  store[0] = Number(number);
  const stored = store[0] as number;
  if (!Number.isFinite(stored) && (typeof number === "bigint" || Number.isFinite(number)))
    throw misfit(number, dtype, arg);
  return stored;
}
const fitsBits = (value: bigint, bits: number): boolean => value === BigInt.asIntN(bits, value);

/** Why a literal has no place in `dtype`, and what to write. */
function misfit(value: number | bigint, dtype: DType, arg: number | undefined): OpError {
  return new OpError(`${showLiteral(value)} does not fit ${dtype}`, {
    code: "range",
    arg,
    help: widening(value, dtype),
  });
}

function widening(value: number | bigint, dtype: DType): string | undefined {
  if (dtype === "float32" && Number.isFinite(Number(value))) return "float64 holds more: write `astype(…, float64)`";
  if (isFloat(dtype)) return "no dtype holds it: floats end near 1.8e308";
  if (!Number.isFinite(Number(value)) && typeof value === "number")
    return "ints know no nan and no inf: use a float dtype";
  if (typeof value === "number") return `\`astype(…, ${dtype})\` cuts the fraction off`;
  return fitsBits(value, 64)
    ? "int64 holds more: write `astype(…, int64)`"
    : "no int dtype holds it: use a float dtype";
}

/** More digits are told by their number. */
const MOST_DIGITS = 24;
/** A number as programs write it; a long one in short. */
function showLiteral(value: number | bigint): string {
  const text = String(value);
  if (Number.isNaN(value)) return "nan";
  return text.length <= MOST_DIGITS
    ? text.replace("Infinity", "inf")
    : `an int of ${text.replace("-", "").length} digits`;
}

/** The dtype that a weak value has when nothing else decides: the default float, int32, or int64 where int32 is too small. */
export function strongDType(x: Node): DType {
  const { dtype, weak } = x.type;
  if (!weak || dtype === "bool") return dtype;
  if (dtype === "float64") return x.graph.defaultFloat;
  const fits = isConstant(x) ? Array.from(valuesOf(x), Number).every((v) => v === (v | 0)) : reach(x) < 2 ** 31;
  return fits ? "int32" : "int64";
}

/** A bound for the magnitudes of a weak int's elements, as far as literals tell: what hangs on sizes counts as small. */
function reach(x: Node): number {
  const reaches = new Map<Node, number>();
  for (const node of ancestors([x]))
    reaches.set(
      node,
      reachFrom(
        node,
        node.args.map((a) => reaches.get(a)!),
      ),
    );
  return reaches.get(x)!;
}

function reachFrom(node: Node, args: readonly number[]): number {
  if (isConstant(node)) return Array.from(valuesOf(node), Number).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const [x = 0, y = 0] = args;
  switch (node.op.name) {
    case "add":
    case "sub":
      return x + y;
    case "mul":
      return x * y;
    case "scatter_add":
      return x + args[2]! * elementsOf(node.args[2]!);
    case "cumsum":
    case "sum":
      return x * elementsPerResult(node);
    case "cumprod":
    case "prod":
      return x ** elementsPerResult(node);
    case "contract":
      return x * y * elementsPerResult(node);
    default: // elements are moved, chosen or divided
      return Math.max(0, ...args);
  }
}

/** How many elements of the first argument an element of the result may be made of: all, or those along axes that are gone. */
function elementsPerResult({ args: [x], attrs }: Node): number {
  const axes = (attrs["axes"] as number[] | undefined) ?? x!.type.shape.map((_, axis) => axis);
  return elementsOf(x!, axes);
}
const elementsOf = ({ type: { shape } }: Node, axes: readonly number[] = [...shape.keys()]): number =>
  axes.reduce((n, axis) => n * (typeof shape[axis] === "number" ? shape[axis] : 1), 1);

/** A value that meets no tensor: weak ones take their default dtype. */
export const strong = (x: Node): Node => (x.type.weak ? cast(x, strongDType(x)) : x);

/** The dtype that operands share, and whether all of them are weak. */
export function commonDType(args: readonly Node[]): { dtype: DType; weak: boolean } {
  const tensors = args.filter((a) => !a.type.weak);
  const literals = args.filter((a) => a.type.weak).map((a) => a.type.dtype);
  if (tensors.length === 0) return { dtype: literals.reduce(promote), weak: true };
  const dtype = tensors.map((a) => a.type.dtype).reduce(promote);
  const literal = literals.reduce(promote, "bool");
  if (isFloat(literal) && !isFloat(dtype)) return { dtype: args[0]!.graph.defaultFloat, weak: false };
  if (isInt(literal) && dtype === "bool") return { dtype: "int32", weak: false };
  return { dtype, weak: false };
}

/** Casts to a dtype, or to a weak one among weak values; `arg` is x's place, for messages. */
export function castTo(x: Node, { dtype, weak }: { dtype: DType; weak: boolean }, arg?: number): Node {
  if (!weak) return cast(x, dtype, arg);
  return x.type.dtype === dtype && x.type.weak ? x : x.graph.apply(castOp, [x], { dtype, weak });
}

/** The operands, cast to the dtype they share. */
export function unify(args: readonly Node[]): Node[] {
  const common = commonDType(args);
  return args.map((a, arg) => castTo(a, common, arg));
}

/** Ints and bools as the default float, floats as they are; weak stays weak. */
export const toFloat = (x: Node): Node =>
  isFloat(x.type.dtype) ? x : castTo(x, { dtype: x.type.weak ? "float64" : x.graph.defaultFloat, weak: x.type.weak });
