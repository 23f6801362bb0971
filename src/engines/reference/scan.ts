/** Scans: each element of the result depends on the one before it along an axis. Strictly in order, float32 rounding at each step. */
import type { Node } from "../../graph/node.ts";
import { add, type Form, mul } from "../../numeric/form.ts";
import type { OrderOp } from "../../ops/define.ts";
import type { ScanAttrs } from "../../ops/scan.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { kernel, rounded, scalarFunction } from "./kernel.ts";
import { flipped, forEachRow, permuted, type View, zerosView } from "./view.ts";

type Scan = Extract<OrderOp["order"], "cumsum" | "cumprod" | "recurrence">;

/**
 * Scans `rows` runs of `n` elements. Operand 0 is the result, the last one is scanned. Element i of operand k in run r lies
 * at data[k][at[k] + r · steps[k] + i · along[k]].
 */
type ScanKernel = (
  rows: number,
  n: number,
  data: readonly TypedArray[],
  at: readonly number[],
  steps: readonly number[],
  along: readonly number[],
) => void;

interface Step {
  /** What an exclusive scan begins with. */
  readonly empty: 0 | 1;
  readonly operands: 1 | 2;
  /** The next result from the last one and the operands' elements. */
  readonly next: (dtype: DType) => (...xs: Form[]) => Form;
}
const STEPS: Record<Scan, Step> = {
  cumsum: { empty: 0, operands: 1, next: (dtype) => (sum, x) => rounded(dtype, add(sum!, x!)) },
  cumprod: { empty: 1, operands: 1, next: (dtype) => (product, x) => rounded(dtype, mul(product!, x!)) },
  recurrence: {
    empty: 0,
    operands: 2,
    next: (dtype) => (y, a, b) => rounded(dtype, add(b!, rounded(dtype, mul(a!, y!)))),
  },
};

/**
 * The node's value. The first result is the first element itself (of b in a recurrence, whose first a does not count);
 * where the scan is exclusive, that of no elements: 0, of cumprod 1.
 */
export function scan(node: Node, name: Scan, args: readonly View[]): View {
  const { axis, reverse, exclusive } = node.attrs as unknown as ScanAttrs;
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const operands = [out, ...args].map((view) => (reverse ? flipped(view, axis) : view));
  const others = out.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const runs = operands.map((view) => permuted(view, others));
  const along = operands.map((view) => view.strides[axis]!);
  const data = operands.map((view) => view.data);
  const run = scanKernel(name, out.dtype, exclusive);
  forEachRow(runs[0]!.shape, runs, (rows, at, steps) => run(rows, out.shape[axis]!, data, at, steps, along));
  return out;
}

function scanKernel(name: Scan, dtype: DType, exclusive: boolean): ScanKernel {
  const { empty, operands, next } = STEPS[name];
  const each = (text: (k: number) => string) => Array.from({ length: operands }, (_, k) => text(k + 1));
  return kernel(
    `scan ${name} ${dtype} ${exclusive}`,
    () => `${scalarFunction("next", dtype, operands + 1, next(dtype))}
    return (rows, n, data, at, steps, along) => {
      const d0 = data[0], a0 = along[0];
      ${each((k) => `const d${k} = data[${k}], a${k} = along[${k}];`).join("")}
      for (let r = 0; r < rows; r++) {
        let last = ${empty}${dtype === "int64" ? "n" : ""}, i0 = at[0] + r * steps[0];
        ${each((k) => `let i${k} = at[${k}] + r * steps[${k}];`).join("")}
        for (let i = 0; i < n; i++, i0 += a0, ${each((k) => `i${k} += a${k}`).join()}) {
          ${exclusive ? "d0[i0] = last;" : ""}
          last = i === 0 ? d${operands}[i${operands}] : next(last, ${each((k) => `d${k}[i${k}]`).join()});
          ${exclusive ? "" : "d0[i0] = last;"}
        }
      }
    };`,
  );
}
