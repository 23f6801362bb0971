/** A graph as a program of TensorFlow operations: which are called in which order, and when each tensor is let go. Knows ops by their kinds. */
import { ancestors, isConstant, type Node, valuesOf } from "../../graph/node.ts";
import { type Op, opOf, type PointwiseOp } from "../../ops/define.ts";
import { inputOp } from "../../ops/leaf.ts";
import { broadcastOp } from "../../ops/movement.ts";
import { isInt } from "../../tensor/dtype.ts";
import type { ConcreteGraph, Unsupported } from "../engine.ts";
import { Builder, type Call, type Held, type Register } from "./builder.ts";
import { contract } from "./contract.ts";
import { linalg } from "./linalg.ts";
import { movement } from "./movement.ts";
import { order } from "./order.ts";
import { isKnown, pointwise } from "./pointwise.ts";
import { reduce } from "./reduce.ts";
import { isHeld, isVoid, readsIndices, settledNodes, shapeOf } from "./settled.ts";

/** What a kind makes of a node. */
export interface Outcome {
  readonly result: Register;
  /** A bool scalar: where it is true, the data may make the node impossible, and the reference engine says so or computes it. */
  readonly wrong?: Register | undefined;
}

/** The calls that compute a node, and what is let go after each of them. */
export interface Step extends Outcome {
  readonly node: Node;
  readonly args: readonly Register[];
  readonly calls: readonly (Call & { readonly frees: readonly Register[] })[];
  /** Let go when the step is done. */
  readonly frees: readonly Register[];
  /** TensorFlow itself refuses data that make the node impossible. */
  readonly refuses: boolean;
}

export interface Plan {
  readonly inputs: readonly Register[];
  /** What the program holds throughout: small numbers, and nodes that hang on no data, by the reference engine. */
  readonly constants: Builder["constants"];
  readonly settled: readonly { readonly register: Register; readonly node: Node }[];
  /** Nodes that hang on no data and that nothing reads; they too may be wrong. */
  readonly unread: readonly Node[];
  readonly steps: readonly Step[];
  readonly outputs: readonly Register[];
}

/** What of a graph TensorFlow cannot do, each node on whose arguments nothing is wrong. */
export function unsupportedNodes({ outputs }: ConcreteGraph): Unsupported[] {
  const nodes = ancestors(outputs);
  const settled = settledNodes(nodes);
  const refused = new Set<Node>();
  return nodes.flatMap((node) => {
    if (settled.has(node)) return [];
    const isFollowUp = node.args.some((arg) => refused.has(arg));
    const reason = refusal(node, settled);
    if (reason !== undefined || isFollowUp) refused.add(node);
    return reason === undefined || isFollowUp ? [] : [{ node, reason }];
  });
}

/** Why TensorFlow cannot compute a node. */
function refusal(node: Node, settled: ReadonlySet<Node>): string | undefined {
  const foreign = [node, ...node.args.filter((arg) => settled.has(arg))].find((n) => !isHeld(n));
  if (foreign) return `it has no ${foreign.type.dtype}`;
  const op = opOf(node);
  return op.kind === "pointwise" && !isKnown(op.name) ? "it has no such operation" : undefined;
}

/** Plans a graph of which nothing is unsupported. */
export function planOf(graph: ConcreteGraph): Plan {
  const planner = new Planner(ancestors(graph.outputs));
  const inputs = graph.inputs.map((node) => planner.register(node));
  const outputs = graph.outputs.map((node) => planner.register(node));
  const settled = [...planner.settled].map(([node, register]) => ({ node, register }));
  const kept = new Set([...outputs, ...settled.map((s) => s.register), ...planner.constants.map((c) => c.register)]);
  return {
    inputs,
    outputs,
    constants: planner.constants,
    settled,
    unread: [...planner.settledNodes].filter(
      (node) => !planner.settled.has(node) && node.args.length > 0 && !isVoid(node),
    ),
    steps: withFrees(planner.steps, kept),
  };
}

type Draft = Omit<Step, "frees" | "calls"> & { readonly calls: readonly Call[] };

class Planner {
  readonly steps: Draft[] = [];
  readonly settled = new Map<Node, Register>();
  readonly settledNodes: ReadonlySet<Node>;
  readonly #builder = new Builder();
  readonly #registers = new Map<Node, Register>();

  constructor(nodes: readonly Node[]) {
    this.settledNodes = settledNodes(nodes);
    // stretched values are made only where one is wanted: operations stretch what they read
    for (const node of nodes) if (node.op !== broadcastOp && !this.settledNodes.has(node)) this.register(node);
  }

  get constants(): Builder["constants"] {
    return this.#builder.constants;
  }

  /** Where a node's value will be; its step is made when this is first asked. */
  register(node: Node): Register {
    const known = this.#registers.get(node);
    if (known) return known;
    const register = this.#made(node);
    this.#registers.set(node, register);
    return register;
  }

  #made(node: Node): Register {
    const type: Register = { dtype: node.type.dtype as Held, shape: shapeOf(node) };
    if (this.settledNodes.has(node)) {
      const register = scalarOf(node, this.#builder) ?? type;
      if (register === type) this.settled.set(node, type);
      return register;
    }
    if (node.op === inputOp) return type;
    const op = opOf(node);
    const args = node.args.map((arg) => this.register(op.kind === "pointwise" ? unstretched(arg) : arg));
    const outcome = this.#outcome(node, op, args);
    const refuses = op.kind === "linalg" || (op.kind === "pointwise" && refusesInts(op, node)) || readsIndices(node);
    this.steps.push({ node, args, calls: this.#builder.takeCalls(), ...outcome, refuses });
    return outcome.result;
  }

  #outcome(node: Node, op: Op, args: readonly Register[]): Outcome {
    const b = this.#builder;
    switch (op.kind) {
      case "pointwise": {
        const { result, wrong } = pointwise(node, args, b);
        return { result: b.stretch(result, shapeOf(node)), wrong };
      }
      case "movement":
        return { result: movement(node, op, args, b) };
      case "reduce":
        return { result: reduce(node, op, args, b) };
      case "contract":
        return { result: contract(node, args, b) };
      case "order":
        return order(node, op, args, b);
      case "linalg":
        return linalg(node, op, args, b);
      case "leaf":
        throw new Error(`${op.name} is settled`);
      default:
        return op satisfies never;
    }
  }
}

/** What a pointwise operation may read in a node's place. */
const unstretched = (node: Node): Node => (node.op === broadcastOp ? node.args[0]! : node);

const refusesInts = ({ integerGuard }: PointwiseOp, node: Node): boolean =>
  integerGuard !== undefined && isInt(node.type.dtype);

/** A number that hangs on no data, as one of the builder's. */
function scalarOf(node: Node, b: Builder): Register | undefined {
  if (!isConstant(node) || !isHeld(node) || node.type.shape.length > 0) return undefined;
  const [value] = Array.from(valuesOf(node), Number) as [number];
  return b.constant(node.type.dtype as "bool" | "int32" | "float32", [value], []);
}

/** The steps with what may be let go: of a step's own tensors each after the last call that reads it, of others after the last step. */
function withFrees(drafts: readonly Draft[], kept: ReadonlySet<Register>): Step[] {
  const lastStep = new Map<Register, Draft>();
  for (const draft of drafts) for (const register of [draft.result, ...draft.args]) lastStep.set(register, draft);
  return drafts.map((draft): Step => {
    const { calls, wrong } = draft;
    const lastCall = new Map<Register, Call>();
    for (const call of calls) for (const register of [...call.outputs, ...call.inputs]) lastCall.set(register, call);
    const isOwn = new Set(calls.flatMap((call) => call.outputs));
    const outlives = (register: Register) => kept.has(register) || lastStep.has(register) || register === wrong;
    const ended = [...new Set([draft.result, ...draft.args])].filter(
      (register) => lastStep.get(register) === draft && !kept.has(register),
    );
    return {
      ...draft,
      calls: calls.map((call) => ({
        ...call,
        frees: [...new Set([...call.inputs, ...call.outputs])].filter(
          (register) => isOwn.has(register) && lastCall.get(register) === call && !outlives(register),
        ),
      })),
      frees: wrong ? [...ended, wrong] : ended,
    };
  });
}
