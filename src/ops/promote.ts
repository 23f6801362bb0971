/** How arguments come to share a dtype: promotion between tensors, and weak values taking the dtype of what they meet. */
import { type Graph, isConstant, type Node, OpError, type TensorType, valuesOf } from "../graph/node.ts";
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

const WIDER: Partial<Record<DType, string>> = {
  int32: "int64 holds more: write `astype(…, int64)`",
  float32: "float64 holds more: write `astype(…, float64)`",
};

/** A literal's value as `dtype` holds it. */
function represent(value: number | bigint | boolean, dtype: DType, arg?: number): number | bigint | boolean {
  if (dtype === "bool") return Boolean(value);
  const misfit = (help = WIDER[dtype]) => new OpError(`${value} does not fit ${dtype}`, { code: "range", arg, help });
  if (isInt(dtype)) {
    if (typeof value === "number" && !Number.isInteger(value))
      throw misfit(`\`astype(…, ${dtype})\` cuts the fraction off`);
    const exact = BigInt(value);
    if (exact !== BigInt.asIntN(dtype === "int32" ? 32 : 64, exact)) throw misfit();
    return dtype === "int32" ? Number(exact) : exact;
  }
  const store = allocate(dtype, 1);
  store[0] = Number(value);
  const stored = store[0] as number;
  if (!Number.isFinite(stored) && Number.isFinite(typeof value === "number" ? value : 0)) throw misfit();
  return stored;
}

/** The dtype that a weak value has when nothing else decides: the default float, int32, or int64 where int32 is too small. */
export function strongDType(x: Node): DType {
  const { dtype, weak } = x.type;
  if (!weak || dtype === "bool") return dtype;
  if (dtype === "float64") return x.graph.defaultFloat;
  const fits = !isConstant(x) || Array.from(valuesOf(x), Number).every((v) => v === (v | 0));
  return fits ? "int32" : "int64";
}
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
export const castTo = (x: Node, { dtype, weak }: { dtype: DType; weak: boolean }, arg?: number): Node =>
  weak ? (x.type.dtype === dtype ? x : x.graph.apply(castOp, [x], { dtype, weak })) : cast(x, dtype, arg);

/** The operands, cast to the dtype they share. */
export function unify(args: readonly Node[]): Node[] {
  const common = commonDType(args);
  return args.map((a, arg) => castTo(a, common, arg));
}

/** Ints and bools as the default float, floats as they are; weak stays weak. */
export const toFloat = (x: Node): Node =>
  isFloat(x.type.dtype) ? x : castTo(x, { dtype: x.type.weak ? "float64" : x.graph.defaultFloat, weak: x.type.weak });
