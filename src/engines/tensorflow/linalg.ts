/** Dense linear algebra, in float64 as the reference engine computes it, and rounded once. */
import type { Node } from "../../graph/node.ts";
import type { LinalgOp } from "../../ops/define.ts";
import { type Builder, boolAttribute, type Register } from "./builder.ts";
import type { Outcome } from "./plan.ts";
import { anyOf } from "./reduce.ts";

type Routine = (b: Builder, a: Register, c: Register, node: Node) => Register;

/** The sign of determinants and the logarithm of their absolute values. */
function logDeterminant(b: Builder, a: Register): readonly Register[] {
  const type: Register = { dtype: a.dtype, shape: a.shape.slice(0, -2) };
  return b.calls("LogMatrixDeterminant", [a], [type, type]);
}

const ROUTINES: Readonly<Record<LinalgOp["routine"], Routine>> = {
  cholesky: (b, a) => b.call("Cholesky", [a], a),
  solve: (b, a, c) => b.call("MatrixSolve", [a, c], c),
  solve_triangular: (b, a, c, { attrs }) =>
    b.call("MatrixTriangularSolve", [a, c], c, [boolAttribute("lower", attrs["lower"] as boolean)]),
  det: (b, a) => b.call("MatrixDeterminant", [a], { dtype: a.dtype, shape: a.shape.slice(0, -2) }),
  cofactor: (b, a) => {
    const det = b.call("MatrixDeterminant", [a], { dtype: a.dtype, shape: a.shape.slice(0, -2) });
    const inverse = b.call("MatrixInverse", [a], a, [boolAttribute("adjoint", true)]);
    return b.map("Mul", [b.reshape(det, [...det.shape, 1, 1]), inverse]);
  },
  sign_det: (b, a) => {
    const [sign, log] = logDeterminant(b, a) as [Register, Register];
    // of a singular matrix, or one with NaN, the logarithm tells so
    return b.map("AddV2", [sign, b.map("Sub", [log, log])]);
  },
  log_abs_det: (b, a) => logDeterminant(b, a)[1]!,
};

/**
 * The node's value. What is not finite may be that of a matrix that is singular, or not positive definite; of a matrix that is not,
 * TensorFlow's determinant is 0.
 */
export function linalg(node: Node, { routine }: LinalgOp, args: readonly Register[], b: Builder): Outcome {
  const [a, c] = args.map((x) => b.cast(x, "float64"));
  const result = ROUTINES[routine](b, a!, c!, node);
  const areNotFinite = [a!, result].map((x) => anyOf(b, b.map("LogicalNot", [b.map("IsFinite", [x], "bool")])));
  return { result: b.cast(result, "float32"), wrong: b.map("LogicalOr", areNotFinite) };
}
