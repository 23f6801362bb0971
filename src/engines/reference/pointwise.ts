/** Pointwise ops: one generated loop for each op and dtypes. */
import type { Attrs, Node } from "../../graph/node.ts";
import { eq, type Form, lt } from "../../numeric/form.ts";
import type { PointwiseOp } from "../../ops/define.ts";
import { type DType, isInt } from "../../tensor/dtype.ts";
import { EvaluationError } from "../engine.ts";
import { kernel, type RowKernel, rowSource } from "./kernel.ts";
import { forEachRow, placeOf, stretched, type View, zerosView } from "./view.ts";

/** What integer ops refuse of their second operand. */
export const GUARDS = {
  divisor: {
    refuses: ([, y]: readonly Form[]): Form => eq(y!, 0),
    message: "integer division by zero",
    help: "`where(… == 0, 1, …)` keeps zeros out of the divisor; floats divide by zero",
    guilty: 1,
  },
  exponent: {
    refuses: ([, y]: readonly Form[]): Form => lt(y!, 0),
    message: "an int to a negative power is not an int",
    help: "floats take negative powers: `astype(x, float32)`",
    guilty: 1,
  },
} as const;

/** The node's value from views that broadcast to its shape. float32 is computed in float64 and rounded once. */
export function pointwise(node: Node, op: PointwiseOp, args: readonly View[]): View {
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const operands = [out, ...args.map((a) => stretched(a, out.shape))];
  const data = operands.map((o) => o.data);
  const run = rowKernel(
    op,
    out.dtype,
    args.map((a) => a.dtype),
    node.attrs,
  );
  forEachRow(out.shape, operands, (n, at, steps) => {
    const refused = run(n, data, at, steps);
    if (refused < 0) return;
    const { message, help, guilty } = GUARDS[op.integerGuard!];
    throw new EvaluationError(node, message + placeOf(refused, out.shape), help, guilty);
  });
  return out;
}

function rowKernel(op: PointwiseOp, result: DType, args: readonly DType[], attrs: Attrs): RowKernel {
  const computed = args.at(-1)!;
  return kernel(`pointwise ${op.name} ${args} ${result} ${JSON.stringify(attrs)}`, () =>
    rowSource({
      result,
      args,
      scalar: (xs) => ((computed === "float32" && op.scalar32) || op.scalar)(xs, attrs),
      guard: op.integerGuard && isInt(computed) ? GUARDS[op.integerGuard].refuses : undefined,
    }),
  );
}
