/** A concrete graph as steps over buffers: loops in WebAssembly, and what the reference engine does. Knows no bytes of code. */
import { ancestors, type Node } from "../../graph/node.ts";
import type { Form } from "../../numeric/form.ts";
import { constant, fround, mul, parameter } from "../../numeric/form.ts";
import { scalarType } from "../../ops/cast.ts";
import { type ContractAttrs, freeOf } from "../../ops/contract.ts";
import { type MovementOp, opOf } from "../../ops/define.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf } from "../../tensor/tensor.ts";
import type { ConcreteGraph } from "../engine.ts";
import { viewThrough } from "../reference/movement.ts";
import { collapse, isContiguous, permuted, sliced, stridesUnder } from "../reference/view.ts";
import { CHAIN_LIMITS, type Chain, type ChainLimits, chainsOf, MOST_READINGS } from "./chains.ts";
import { elementsOf, shapeOf } from "./cost.ts";
import { foldedLoop } from "./folding.ts";
import { type Access, directly, kindOf, materialized } from "./fusion.ts";
import type { Combine, Operand } from "./kernel.ts";
import { GROUP, WIDTH } from "./lanes.ts";
import { productStep } from "./products.ts";
import { Fusing, loaded } from "./reading.ts";
import { operandOf, type Place, type Step } from "./steps.ts";
import { MOST_STREAMS } from "./threads.ts";

export interface Plan {
  readonly chains: readonly Chain[];
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
}

export interface PlanOptions {
  /** Products may be fused with their sums. */
  readonly fastMath?: boolean | undefined;
  /** Inputs that may be read from files, block by block, and the dtypes there. */
  readonly inFiles?: ReadonlyMap<Node, DType> | undefined;
  /** Outputs that may be written to files, block by block. */
  readonly toFiles?: ReadonlySet<Node> | undefined;
  readonly limits?: PlanLimits | undefined;
}

/** From which sizes on a plan goes by blocks. */
export interface PlanLimits extends ChainLimits {
  /** Bytes of an input that is not read as a whole, or of an output that is not written so. */
  readonly leastFiled: number;
}
const LIMITS: PlanLimits = { ...CHAIN_LIMITS, leastFiled: 1_000_000 };

export function planOf(
  graph: ConcreteGraph,
  { fastMath, inFiles = new Map(), toFiles = new Set(), limits = LIMITS }: PlanOptions = {},
): Plan {
  const large = [...inFiles].filter(([node, dtype]) => elementsOf(node) * WIDTH[dtype] >= limits.leastFiled);
  let filed: ReadonlyMap<Node, DType> = new Map(large.length > MOST_FILED ? [] : large);
  for (;;) {
    const plan = new Planner(graph, fastMath, filed, limits).plan(toFiles);
    const fetched = new Set(plan.chains.flatMap(({ fetches }) => fetches.map((fetch) => fetch.buffer)));
    const isFetched = (node: Node) => fetched.has(plan.inputs[graph.inputs.indexOf(node)]!.buffer);
    // Loops that read something as a file has it in another dtype cannot read it from memory.
    const possible = new Map([...filed].filter(([node, dtype]) => dtype === node.type.dtype || isFetched(node)));
    if (possible.size === filed.size) return plan;
    filed = possible;
  }
}

/** How many outputs may be written so, and how many inputs read. */
const MOST_DELIVERED = 32;
const MOST_FILED = (MOST_STREAMS - MOST_DELIVERED) / MOST_READINGS;

class Planner {
  readonly #graph: ConcreteGraph;
  readonly #limits: PlanLimits;
  readonly #fastMath: boolean | undefined;
  /** The inputs that may be read from files, and their dtypes there. */
  readonly #filed: ReadonlyMap<Node, DType>;
  readonly #kept: ReadonlySet<Node>;
  readonly #nodes: readonly Node[];
  readonly #places = new Map<Node, Place>();
  readonly #steps: Step[] = [];
  readonly #buffers: number[] = [];

  constructor(
    graph: ConcreteGraph,
    fastMath: boolean | undefined,
    filed: ReadonlyMap<Node, DType>,
    limits: PlanLimits,
  ) {
    this.#limits = limits;
    this.#fastMath = fastMath;
    this.#filed = filed;
    this.#graph = graph;
    this.#nodes = ancestors([...graph.inputs, ...graph.outputs]);
    this.#kept = materialized(this.#nodes, new Set(graph.inputs), graph.outputs);
  }

  plan(toFiles: ReadonlySet<Node>): Plan {
    const inputs = this.#graph.inputs.map((node) => this.#newPlace(node, this.#filed.get(node)));
    const filed = new Map(
      inputs.flatMap(({ buffer, shape }, i) =>
        this.#filed.has(this.#graph.inputs[i]!) ? [[buffer, sizeOf(shape)]] : [],
      ),
    );
    for (const node of this.#nodes) if (this.#kept.has(node) && !this.#places.has(node)) this.#make(node);
    const outputs = this.#graph.outputs.map((node) => this.#result(node, filed));
    const kept = new Set([...inputs, ...outputs].map((place) => place.buffer));
    const large = outputs.flatMap((place, i) => {
      const isAlone = inputs.concat(outputs).filter(({ buffer }) => buffer === place.buffer).length === 1;
      const isLarge = sizeOf(place.shape) * WIDTH[place.dtype] >= this.#limits.leastFiled;
      return toFiles.has(this.#graph.outputs[i]!) && isAlone && isLarge
        ? [[place.buffer, sizeOf(place.shape)] as const]
        : [];
    });
    const delivered = new Map(large.slice(0, MOST_DELIVERED));
    const chainsTo = (written: ReadonlyMap<number, number>) =>
      chainsOf(this.#steps, { kept, filed, toFiles: written }, this.#limits);
    const chains = chainsTo(delivered);
    // What the host does hears of no signals, which may have to take the files away.
    const first = chains.findIndex(({ deliveries }) => deliveries.length > 0);
    const isHeld = first >= 0 && chains.slice(first).some(({ steps }) => steps[0]!.kind === "host");
    return { chains: isHeld ? chainsTo(new Map()) : chains, buffers: this.#buffers, inputs, outputs };
  }

  /** Where an output is in the end: in C order, in its own dtype, and in no buffer of which a block at a time is read. */
  #result(node: Node, filed: ReadonlyMap<number, number>): Place {
    const place = this.#places.get(node)!;
    if (!filed.has(place.buffer)) return this.#contiguous(place, node);
    const result = this.#place(node.type.dtype, place.shape);
    this.#push(node, result.shape, [place], result, loaded(place, 0, node));
    return result;
  }

  /** A buffer of `size` elements, and a group more: loops may go past the end. */
  readonly #buffer = (dtype: DType, size: number): number => {
    this.#buffers.push((size + GROUP) * WIDTH[dtype]);
    return this.#buffers.length - 1;
  };

  #place(dtype: DType, shape: readonly number[]): Place {
    return { dtype, shape, strides: stridesOf(shape), offset: 0, buffer: this.#buffer(dtype, sizeOf(shape)) };
  }

  #newPlace(node: Node, dtype = node.type.dtype): Place {
    const place = this.#place(dtype, shapeOf(node));
    this.#places.set(node, place);
    return place;
  }

  #make(node: Node): void {
    const op = opOf(node);
    switch (kindOf(node)) {
      case "reduce":
        if (op.kind === "reduce") this.#reduce(node, op.combine as Combine);
        else this.#sumProducts(node);
        break;
      case "contract":
        this.#contract(node);
        break;
      case "layout":
        this.#layOut(node, (op as MovementOp).movement);
        break;
      case "host": {
        const args = node.args.map((arg) => this.#placeOf(arg));
        this.#steps.push({ kind: "host", node, args, to: this.#newPlace(node) });
        break;
      }
      case "fused":
        this.#placeOf(node);
    }
  }

  /** The place of a node, which gets memory of its own if there is none yet. */
  #placeOf(node: Node): Place {
    const known = this.#placeIfAny(node);
    if (known?.dtype === node.type.dtype) return known;
    const place = this.#newPlace(node);
    if (known) this.#push(node, place.shape, [known], place, loaded(known, 0, node));
    else this.#loop(node, place, true);
    return place;
  }

  /** The place of a node whose elements some memory holds: one of its own, or a view of that of what it moves. */
  #placeIfAny(node: Node): Place | undefined {
    const place = this.#places.get(node) ?? this.#view(node);
    if (place) this.#places.set(node, place);
    return place;
  }

  #view(node: Node): Place | undefined {
    const op = opOf(node);
    if (op.kind !== "movement") return undefined;
    const [x] = node.args as [Node];
    const place = this.#placeIfAny(x);
    if (!place) return undefined;
    if (op.movement === "reshape") return this.#reshaped(place, shapeOf(node), node);
    return viewThrough(node, op.movement, place);
  }

  #reshaped(place: Place, shape: readonly number[], node: Node): Place {
    const strides = stridesUnder(place, shape);
    if (strides) return { ...place, shape, strides };
    return { ...this.#contiguous(place, node), shape, strides: stridesOf(shape) };
  }

  /** The place itself if its elements follow each other in C order, else that of a copy. */
  #contiguous(place: Place, node: Node): Place {
    if (isContiguous(place)) return place;
    const copy = this.#place(place.dtype, place.shape);
    this.#push(node, copy.shape, [place], copy, parameter(0, scalarType(place.dtype)));
    return copy;
  }

  /** A loop over places of one shape. */
  #push(node: Node, shape: readonly number[], loads: readonly Place[], to: Place, value: Form): void {
    const axes = collapse(
      shape,
      [to, ...loads].map((place) => place.strides),
    );
    const operand = (place: Place, i: number): Operand => ({
      ...operandOf(place),
      strides: axes.map((axis) => axis.steps[i]!),
    });
    const [target, ...sources] = [to, ...loads].map(operand) as [Operand, ...Operand[]];
    const kernel = { shape: axes.map((axis) => axis.size), loads: sources, stores: [{ to: target, value }] };
    this.#steps.push({ kind: "kernel", kernel, node });
  }

  /** A loop over a node's elements; `anew`: computed though the node has a place. */
  #loop(node: Node, to: Place, anew = false): void {
    const shape = shapeOf(node);
    const fusing = new Fusing((n) => this.#placeIfAny(n), shape);
    const value = fusing.form(node, directly(shape), anew);
    this.#push(node, shape, fusing.loads, to, value);
  }

  #layOut(node: Node, movement: MovementOp["movement"]): void {
    const to = this.#newPlace(node);
    const part = (x: Node, starts: readonly number[], steps: readonly number[]) => {
      this.#loop(x, sliced(to, starts, shapeOf(x), steps));
    };
    if (movement === "embed") {
      const [x] = node.args as [Node];
      const zero = constant(0, scalarType(to.dtype));
      this.#push(node, to.shape, [], to, zero);
      part(x, node.attrs["starts"] as number[], node.attrs["steps"] as number[]);
      return;
    }
    const axis = node.attrs["axis"] as number;
    const ones = to.shape.map(() => 1);
    let start = 0;
    for (const x of node.args) {
      part(
        x,
        to.shape.map((_, i) => (i === axis ? start : 0)),
        ones,
      );
      start += shapeOf(x)[axis]!;
    }
  }

  #reduce(node: Node, combine: Combine): void {
    const [x] = node.args as [Node];
    const axes = node.attrs["axes"] as readonly number[];
    const shape = shapeOf(x);
    const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
    const loop = order.map((axis) => shape[axis]!);
    this.#foldLast(node, combine, axes.length, loop, (fusing) => fusing.form(x, permutedAccess(directly(loop), order)));
  }

  /** A contraction with a vector: the sum of products, of which none is kept. */
  #sumProducts(node: Node): void {
    const [a, b] = node.args as [Node, Node];
    const { batch, summed } = node.attrs as unknown as ContractAttrs;
    const { a: freeOfA, b: freeOfB } = freeOf(shapeOf(a).length, shapeOf(b).length, { batch, summed });
    /** The operand's axes, in the loop's order; undefined where it has none. */
    const axesOf = (side: 0 | 1, free: readonly (number | undefined)[]) => [
      ...batch.map((pair) => pair[side]),
      ...free,
      ...summed.map((pair) => pair[side]),
    ];
    const none = (axes: readonly number[]) => axes.map(() => undefined);
    const orders = [axesOf(0, [...freeOfA, ...none(freeOfB)]), axesOf(1, [...none(freeOfA), ...freeOfB])] as const;
    const loop = orders[0].map((axis, i) => (axis === undefined ? shapeOf(b)[orders[1][i]!]! : shapeOf(a)[axis]!));
    this.#foldLast(node, "sum", summed.length, loop, (fusing) =>
      productForm(
        node.type.dtype,
        fusing.form(a, permutedAccess(directly(loop), orders[0])),
        fusing.form(b, permutedAccess(directly(loop), orders[1])),
      ),
    );
  }

  /** Folds the last `count` axes of a loop, whose elements `form` makes. */
  #foldLast(
    node: Node,
    combine: Combine,
    count: number,
    loop: readonly number[],
    form: (fusing: Fusing) => Form,
  ): void {
    const fusing = new Fusing((n) => this.#placeIfAny(n), loop);
    const value = form(fusing);
    const { loads } = fusing;
    const folded = collapse(
      loop.slice(-count),
      loads.map((l) => l.strides.slice(-count)),
    );
    if (folded.length <= 1) {
      this.#fold(node, combine, loop, loads, value);
      return;
    }
    // The reduced elements lie in no one line: they are laid out so first.
    const copy = this.#place(node.type.dtype, loop);
    this.#push(node, loop, loads, copy, value);
    this.#fold(node, combine, loop, [copy], parameter(0, scalarType(copy.dtype)));
  }

  #fold(node: Node, combine: Combine, loop: readonly number[], places: readonly Place[], value: Form): void {
    const { steps, place } = foldedLoop(node, combine, loop, places, value, this.#buffer);
    this.#steps.push(...steps);
    this.#places.set(node, place);
  }

  #contract(node: Node): void {
    const { batch, summed } = node.attrs as unknown as ContractAttrs;
    const [left, right] = node.args.map((arg) => this.#placeOf(arg)) as [Place, Place];
    const free = freeOf(left.shape.length, right.shape.length, { batch, summed });
    const side = (pairs: ContractAttrs["batch"], at: 0 | 1) => pairs.map((pair) => pair[at]);
    const a = this.#matrices(node, left, side(batch, 0), free.a, side(summed, 0));
    const b = this.#matrices(node, right, side(batch, 1), free.b, side(summed, 1));
    const { step, place } = productStep(node, [a, b], [batch.length, free.a.length], this.#buffer, this.#fastMath);
    this.#steps.push(step);
    this.#places.set(node, place);
  }

  /** A place as three axes, each for a group of its own. */
  #matrices(node: Node, place: Place, ...groups: readonly (readonly number[])[]): Place {
    const view = permuted(place, groups.flat());
    const shape = groups.map((axes) => sizeOf(axes.map((axis) => place.shape[axis]!)));
    return this.#reshaped(view, shape, node);
  }
}

/** Axis order[i] of what is accessed is axis i of `access`; it has no others. */
const permutedAccess = (access: Access, order: readonly (number | undefined)[]): Access =>
  order.flatMap((_, axis) => access[order.indexOf(axis)] ?? []);

const productForm = (dtype: DType, a: Form, b: Form): Form => (dtype === "float32" ? fround(mul(a, b)) : mul(a, b));
