/** Reads weak values: what is known without data, sizes included. */
import { isConstant, type Node, valuesOf } from "../graph/node.ts";
import { type Dim, isKnown, isSymbolic } from "../tensor/dim.ts";
import { isIdentity } from "./identity.ts";
import { dimNode, dimOp, requireExact } from "./leaf.ts";

export interface Static {
  readonly shape: readonly number[];
  /** In C order. Ints are sizes (numbers or symbolic); floats and bools as they are. */
  readonly values: readonly (Dim | boolean | { readonly float: number })[];
}

/** The value of a node made of literals and dims by listing alone (arithmetic on them has been done); undefined for others. */
export function staticValue(node: Node): Static | undefined {
  if (!node.type.weak) return undefined;
  const shape = node.type.shape;
  if (!shape.every(isKnown)) return undefined;
  if (isConstant(node)) return { shape, values: Array.from(valuesOf(node), staticElement) };
  if (node.op === dimOp) return { shape: [], values: [node.attrs["dim"] as Dim] };
  if (isIdentity(node)) return staticValue(node.args[0]!);
  if (node.op.name === "reshape") {
    const inner = staticValue(node.args[0]!);
    return inner && { shape, values: inner.values };
  }
  if (node.op.name === "concat" && node.attrs["axis"] === 0) {
    const parts = node.args.map(staticValue);
    return parts.every((p) => p !== undefined) ? { shape, values: parts.flatMap((p) => p.values) } : undefined;
  }
  return undefined;
}

function staticElement(value: number | bigint | boolean): Static["values"][number] {
  if (typeof value !== "bigint") return typeof value === "number" ? { float: value } : value;
  const size = Number(value);
  requireExact(size, value);
  return size;
}

const isSize = (v: Static["values"][number]): v is Dim => typeof v === "number" || isSymbolic(v);

/** A scalar int known without data. */
export function asDim(node: Node): Dim | undefined {
  const found = staticValue(node);
  return found && found.shape.length === 0 && isSize(found.values[0]!) ? found.values[0] : undefined;
}

/** What is computed from a size and a size or an int, where that is a size again. */
export function computedSize(x: Node, y: Node, compute: (m: Dim, n: Dim) => Dim | undefined): Node | undefined {
  if (x.op !== dimOp && y.op !== dimOp) return undefined;
  const [m, n] = [asDim(x), asDim(y)];
  const size = m !== undefined && n !== undefined ? compute(m, n) : undefined;
  return size === undefined ? undefined : dimNode(x.graph, size);
}

/** A list of ints known without data; `[]` too. */
export function asDims(node: Node): { shape: readonly number[]; values: readonly Dim[] } | undefined {
  const found = staticValue(node);
  return found?.values.every(isSize) ? { shape: found.shape, values: found.values as Dim[] } : undefined;
}

/** A scalar literal number, int or float. */
export function asNumber(node: Node): number | undefined {
  const found = staticValue(node);
  if (!found || found.shape.length > 0) return undefined;
  const [value] = found.values;
  return typeof value === "number" ? value : typeof value === "object" && "float" in value ? value.float : undefined;
}

export function asBool(node: Node): boolean | undefined {
  const value = isConstant(node) && node.type.shape.length === 0 ? valuesOf(node)[0] : undefined;
  return typeof value === "boolean" ? value : undefined;
}
