/**
 * What an op is. Every op belongs to one kind; an engine implements the kinds, never single ops. Adding an op is adding one
 * row in one of the files beside this one. Knows nothing of text: parameters are read by lowering.
 */
import type { BinaryOperator, UnaryOperator } from "../../grammar/ast.ts";
import type { Attrs, Graph, Node, NodeOp } from "../graph/node.ts";
import type { Form } from "../numeric/form.ts";
import type { Dim } from "../tensor/dim.ts";
import type { DType } from "../tensor/dtype.ts";

/** What a gradient rule sees: the node, its arguments, and the cotangent `ct` of its result (same shape and dtype). */
export interface Reverse {
  readonly out: Node;
  readonly args: readonly Node[];
  readonly ct: Node;
  readonly attrs: Attrs;
}

interface Common extends NodeOp {
  /** What `tsym check` and the Keras-like names call it: `MatMul`. Derived from the name where absent. */
  readonly display?: string;
  /**
   * The cotangent of each argument, null where there is none. Pointwise rules may give it in the result's shape:
   * autodiff sums over stretched axes. Absent: no derivative flows (ints, bools, steps).
   */
  readonly grad?: (r: Reverse) => readonly (Node | null)[];
}

/** Which operands a pointwise op takes, and the dtype it computes in. */
export type Operands =
  /** Numbers; bools only beside numbers. */
  | "numeric"
  /** Numbers and bools alike: equality, selection. */
  | "any"
  /** Floats; ints and bools become the default float. */
  | "float"
  | "logical";

/** Element by element over broadcast arguments of one dtype (a first bool argument `condition` aside). */
export interface PointwiseOp extends Common {
  readonly kind: "pointwise";
  readonly arity: number;
  /** The operator that programs write it with. */
  readonly symbol?: BinaryOperator | UnaryOperator;
  readonly operands: Operands;
  readonly result: "same" | "bool";
  /** The first argument is a bool that selects; the others share the dtype. */
  readonly condition?: boolean;
  /** One element: forms of the computation type (f64 for both floats, i32, i64, bool) to a form. */
  readonly scalar: (xs: readonly Form[], attrs: Attrs) => Form;
  /** The same of integers of any size, as literals are; absent: `scalar` computes in int64. */
  readonly exact?: (...xs: bigint[]) => bigint | boolean;
  /** `scalar`, just accurate enough for a result that is rounded to float32; absent: `scalar` serves. */
  readonly scalar32?: PointwiseOp["scalar"];
  /** Checked on integers before the loop: a divisor must not be 0, an exponent not negative. */
  readonly integerGuard?: "divisor" | "exponent";
  /** Where tests may sample each argument: smooth, away from poles and kinks. */
  readonly domain: readonly (readonly [low: number, high: number])[];
}

/** Says only where each element is read from. Engines fold it into the reader's index. */
export interface MovementOp extends Common {
  readonly kind: "movement";
  readonly movement: "reshape" | "transpose" | "broadcast" | "slice" | "embed" | "concat";
}

/** Folds axes away, in the one order of summation. attrs: { axes: number[] }, ascending. */
export interface ReduceOp extends Common {
  readonly kind: "reduce";
  readonly combine: "sum" | "prod" | "max" | "min" | "any" | "all" | "argmax" | "argmin";
}

/** Sums of products over paired axes: see contract.ts. */
export interface ContractOp extends Common {
  readonly kind: "contract";
}

/** Along one axis, where elements depend on each other or on index values. */
export interface OrderOp extends Common {
  readonly kind: "order";
  readonly order:
    | "cumsum"
    | "cumprod"
    | "recurrence"
    | "take"
    | "scatter_add"
    | "take_along_axis"
    | "scatter_along_axis"
    | "sort"
    | "argsort";
}

/** Dense linear algebra over the last two axes; the axes before them are a batch, the same of every argument. */
export interface LinalgOp extends Common {
  readonly kind: "linalg";
  readonly routine: "cholesky" | "solve" | "solve_triangular" | "det" | "cofactor" | "sign_det" | "log_abs_det";
}

/** Takes no tensors: constants, inputs, dims as numbers, index ramps. */
export interface LeafOp extends Common {
  readonly kind: "leaf";
}

export type Op = PointwiseOp | MovementOp | ReduceOp | ContractOp | OrderOp | LinalgOp | LeafOp;
export const opOf = (node: Node): Op => node.op as Op;

/** A parameter of a callable function: how its argument is read, and what stands when it is left out. */
export interface Param<T> {
  readonly kind: ParamKind;
  /** In tsym's words; undefined: required. */
  readonly default?: string | undefined;
  /** The value that the default stands for. */
  readonly value?: T;
  /** Can only be given as `name=value`. */
  readonly named?: boolean;
}
export type ParamKind =
  | "tensor"
  | "tensors"
  | "axis"
  | "axes"
  | "dim"
  | "shape"
  | "int"
  | "ints"
  | "widths"
  | "bool"
  | "dtype"
  | "string"
  | "number"
  | "rest";

/** Axes as written, negative ones too; "all" when left out. */
export type Axes = readonly number[] | "all";

const param =
  <T>(kind: ParamKind) =>
  (text?: string, value?: T): Param<T> =>
    text === undefined ? { kind } : { kind, default: text, value: value as T };

export const tensorParam = param<Node>("tensor");
export const tensorsParam = param<readonly Node[]>("tensors");
export const axisParam = param<number | undefined>("axis");
export const axesParam = param<Axes>("axes");
export const dimParam = param<Dim>("dim");
export const shapeParam = param<readonly Dim[]>("shape");
export const intParam = param<number>("int");
export const intsParam = param<readonly number[]>("ints");
export const widthsParam = param<readonly (readonly [Dim, Dim])[]>("widths");
export const boolParam = param<boolean>("bool");
export const dtypeParam = param<DType | undefined>("dtype");
export const stringParam = param<string>("string");
/** Every positional argument that is left. */
export const restParam = param<readonly Node[]>("rest");
/** A literal number, int or float. */
export const numberParam = param<number>("number");

/** A parameter that may be left out, when `undefined` stands for it and `text` says what that means. */
export const optional = <T>(kind: (text: string, value: T) => Param<T>, text: string): Param<T | undefined> =>
  kind(text, undefined as T) as Param<T | undefined>;

export type Params = Readonly<Record<string, Param<unknown>>>;
export type ArgsOf<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

export const FAMILIES = [
  "elementwise",
  "reductions",
  "shape",
  "making",
  "linear algebra",
  "learning",
  "derivatives",
] as const;
export type Family = (typeof FAMILIES)[number];

/**
 * "Go on in this fn of the prelude, with these arguments in the order of its parameters": how a row picks among composites
 * by a dtype, a rank or a static argument.
 */
export interface Composite {
  readonly fn: string;
  readonly args: readonly (Node | number | boolean | Axes)[];
}

/** A function that programs call by name. */
export interface FunctionRow<P extends Params = Params> {
  readonly name: string;
  readonly family: Family;
  readonly params: P;
  /** The op that a call of it is, where it is nothing but one. */
  readonly op?: PointwiseOp;
  readonly doc: string;
  /** tsym expressions `call == result`; shown by `tsym ops NAME`, run by test/ops.test.ts. */
  readonly examples: readonly string[];
  /**
   * A program that shows the function on inputs of symbolic sizes, from which `tsym ops NAME` learns its dtypes and its gradient.
   * Inputs without a dtype take any. Absent: a call on matrices of one shape.
   */
  readonly specimen?: string;
  build(args: ArgsOf<P>, graph: Graph): Node | readonly Node[] | Composite;
}

/** States a callable function; the result is also what registry.ts collects. */
export const define = <const P extends Params>(row: FunctionRow<P>): FunctionRow => row as unknown as FunctionRow;

/** An op as messages name it: by its operator where it has one. */
export const spelling = (op: NodeOp & { readonly symbol?: string }): string =>
  op.symbol ? `\`${op.symbol}\`` : op.name;

/** `broadcast_to` as `BroadcastTo`. */
export const displayName = (name: string): string =>
  name
    .split("_")
    .map((w) => w.slice(0, 1).toUpperCase() + w.slice(1))
    .join("");
