/** The symbolic graph: immutable, hash-consed nodes. Made only by `Graph.apply`, so every node is well typed. */
import { type Condition, Conditions, describeCondition, type Relation, toldApart } from "../tensor/conditions.ts";
import { type Dim, dimKey, isSymbolic, showDim } from "../tensor/dim.ts";
import type { DType, FloatDType } from "../tensor/dtype.ts";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Made of literals and dims alone: int64 or float64 until it meets a tensor, whose dtype it takes. */
  readonly weak: boolean;
}

export type Attrs = Readonly<Record<string, unknown>>;

/** What the graph itself needs of an op; the full contract is ops/define.ts. */
export interface NodeOp {
  readonly name: string;
  /** The type of the result, or OpError. Arguments are already of the dtypes that the op computes in. */
  infer(args: readonly TensorType[], attrs: Attrs, graph: Graph): TensorType;
}

export interface Node {
  /** Grows in the order of making, so every argument's id is smaller: sorting by id is a topological order. */
  readonly id: number;
  readonly graph: Graph;
  readonly op: NodeOp;
  readonly args: readonly Node[];
  readonly attrs: Attrs;
  readonly type: TensorType;
}

/** A rule that arguments broke. `arg` is the guilty argument; lowering turns it into a place in the source. */
export class OpError extends Error {
  readonly code: string;
  readonly arg: number | string | undefined;
  readonly help: string | undefined;
  /** Earlier conditions that stand against this one. */
  readonly because: readonly Condition[];
  constructor(
    message: string,
    more: {
      code?: string;
      arg?: number | string | undefined;
      help?: string | undefined;
      because?: readonly Condition[];
    } = {},
  ) {
    super(message);
    this.code = more.code ?? "shape";
    this.arg = more.arg;
    this.help = more.help;
    this.because = more.because ?? [];
  }
}

/** A rule that the argument of a parameter broke, in words that go on from "`axis` of `sum`". */
export class ParameterError extends OpError {
  readonly param: string;
  constructor(param: string, message: string, more: { code?: string; help?: string | undefined } = {}) {
    super(message, { code: "argument", ...more, arg: param });
    this.param = param;
  }
}

/** Evaluates a node whose arguments are all weak constants: the numbers of its value, in C order. */
export type Fold = (node: Omit<Node, "id">) => readonly (number | bigint | boolean)[] | undefined;

export interface Literal {
  readonly values: ArrayLike<number | bigint | boolean>;
}

export class Graph {
  readonly defaultFloat: FloatDType;
  #conditions = new Conditions();
  readonly nodes: Node[] = [];
  /** Where in the source nodes and conditions are being made; set by lowering, opaque here. */
  site: unknown;
  /** Told of each new node, while `site` says where it is made. */
  onNode: ((node: Node) => void) | undefined;
  readonly #interned = new Map<string, Node>();
  /** Of nodes whose conditions are recorded apart. */
  #internedApart: Map<string, Node> | undefined;
  readonly #fold: Fold;

  constructor(options: { defaultFloat: FloatDType; fold: Fold }) {
    this.defaultFloat = options.defaultFloat;
    this.#fold = options.fold;
  }

  /** What the sizes of its nodes must satisfy. */
  get conditions(): Conditions {
    return this.#conditions;
  }

  /** Does `work`, and gives what the sizes of the nodes that it makes must satisfy, which the graph's own conditions leave out. */
  apart(work: () => void): readonly Condition[] {
    const own = this.#conditions;
    this.#conditions = own.fork();
    this.#internedApart = new Map();
    try {
      work();
      return this.#conditions.list.slice(own.list.length);
    } finally {
      this.#conditions = own;
      this.#internedApart = undefined;
    }
  }

  /** The only way to make a node: infers its type (or throws OpError) and returns the existing node if there is one. */
  apply(op: NodeOp, args: readonly Node[], attrs: Attrs = NO_ATTRS): Node {
    const key = `${op.name}(${args.map((a) => a.id).join()})${attrs === NO_ATTRS ? "" : keyOf(attrs)}`;
    const known = this.#interned.get(key) ?? this.#internedApart?.get(key);
    if (known) return known;
    const type = op.infer(
      args.map((a) => a.type),
      attrs,
      this,
    );
    requireRoom(type);
    const node =
      (type.weak && args.length > 0 && args.every(isConstant) && this.#folded(op, args, attrs, type)) ||
      this.#make(op, args, attrs, type);
    (this.#internedApart ?? this.#interned).set(key, node);
    return node;
  }

  /** A literal: values in C order. Weak ones are exact: ints as bigint of any size, floats as float64. */
  constant(type: TensorType, values: Literal["values"]): Node {
    return this.apply(constantOp, [], { type, values });
  }

  /** Records that `lhs relation rhs` must hold; OpError if no data can make it so. `what` names the two sizes in messages. */
  require(
    lhs: Dim,
    relation: Relation,
    rhs: Dim,
    what: string,
    { broadcasts, ...more }: { arg?: number | string; help?: string | undefined; broadcasts?: boolean } = {},
  ): void {
    const verdict = this.#conditions.require({ lhs, relation, rhs, what, broadcasts, site: this.site, ...more });
    if (!("impossible" in verdict)) return;
    const { because } = verdict;
    const message =
      because.length > 0
        ? `${what}: ${describeCondition({ lhs, relation, rhs })} contradicts ${because.map(describeCondition).join(" and ")}`
        : describeConflict(lhs, relation, rhs, what);
    throw new OpError(message, { ...more, because });
  }

  #folded(op: NodeOp, args: readonly Node[], attrs: Attrs, type: TensorType): Node | undefined {
    const values = this.#fold({ graph: this, op, args, attrs, type });
    return values && this.constant(type, values);
  }

  #make(op: NodeOp, args: readonly Node[], attrs: Attrs, type: TensorType): Node {
    if (this.nodes.length >= MOST_NODES)
      throw new OpError(`the program makes more than ${MOST_NODES} operations`, {
        code: "too-large",
        help: "derivatives of derivatives, and fns that call fns twice, grow with each step",
      });
    const node: Node = { id: this.nodes.length, graph: this, op, args, attrs, type };
    this.nodes.push(node);
    this.onNode?.(node);
    return node;
  }
}

/** What a graph may hold: more is a mistake, or takes more memory than there is. */
const MOST_NODES = 1_000_000;
/** Places in a tensor are int32. */
const MOST_ELEMENTS = 2 ** 31 - 1;

/** Refuses, before anyone takes memory for it, a tensor of known sizes that holds too much. */
function requireRoom({ shape }: TensorType): void {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number") return;
    count *= size;
  }
  if (count > MOST_ELEMENTS)
    throw new OpError(`a tensor of shape (${shape.join(", ")}) would hold more than ${MOST_ELEMENTS} elements`, {
      code: "too-large",
      help: "make it smaller, or in parts",
    });
}

const NO_ATTRS: Attrs = Object.freeze({});

/** The leaf of literal values. */
export const constantOp: NodeOp & { readonly kind: "leaf" } = {
  kind: "leaf",
  name: "constant",
  infer: (_, attrs) => attrs["type"] as TensorType,
};
export const isConstant = (node: Node): boolean => node.op === constantOp;
export const valuesOf = (node: Node): Literal["values"] => node.attrs["values"] as Literal["values"];

function describeConflict(lhs: Dim, relation: Relation, rhs: Dim, what: string): string {
  const [l, r] = toldApart(lhs, rhs).map(showDim);
  switch (relation) {
    case "=":
      return `${what} differ: ${l} and ${r}`;
    case ">=":
      return `${what}: ${l} is less than ${r}`;
    case "divides":
      return `${what}: ${r} is not a multiple of ${l}`;
  }
}

/** A text that two values share exactly when they are equal (-0 and NaN told apart). */
function keyOf(value: unknown): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "string":
      return JSON.stringify(value);
    case "boolean":
    case "undefined":
      return String(value);
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return `[${Array.from(value as ArrayLike<unknown>, keyOf).join()}]`;
  if (isSymbolic(value)) return dimKey(value);
  return `{${Object.entries(value as object)
    .map(([k, v]) => `${k}:${keyOf(v)}`)
    .join()}}`;
}

/** The nodes that `roots` need, arguments first. */
export function ancestors(roots: Iterable<Node>): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const arg of node.args) stack.push(arg);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
