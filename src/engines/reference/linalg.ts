/** Dense linear algebra by the plain textbook loops, in float64 whatever the dtype: each result is rounded once. */
import type { Node } from "../../graph/node.ts";
import { compileScalar } from "../../numeric/javascript.ts";
import { log } from "../../numeric/log.ts";
import type { LinalgOp } from "../../ops/define.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { EvaluationError } from "../engine.ts";
import { elementsOf } from "./copy.ts";
import { placeOf, type View, zerosView } from "./view.ts";

/** Row-major elements of one matrix. */
type Matrix = Float64Array;
/** The result for one matrix a of n rows and columns, and one b of as many rows. `refuse` says what is wrong with a. */
type Routine = (
  a: Matrix,
  n: number,
  b: Matrix,
  refuse: (message: string, help: string) => never,
  attrs: Node["attrs"],
) => Iterable<number>;

/** The node's value. Throws EvaluationError for a matrix that is singular, or not positive definite. */
export function linalg(node: Node, op: LinalgOp, args: readonly View[]): View {
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const [a, b] = args as [View, View?];
  const n = a.shape.at(-1)!;
  const batch = a.shape.slice(0, -2);
  const [as, bs] = [matricesOf(a), b && matricesOf(b)];
  const each = sizeOf(out.shape.slice(batch.length));
  for (let i = 0; i < sizeOf(batch); i++) {
    const refuse = (message: string, help: string): never => {
      throw new EvaluationError(node, `the matrix${placeOf(i, batch)} is ${message}`, help, 0);
    };
    let place = i * each;
    for (const x of ROUTINES[op.routine](as(i), n, bs?.(i) ?? NONE, refuse, node.attrs)) out.data[place++] = x;
  }
  return out;
}

/** The i-th matrix, a copy of its own. */
function matricesOf(view: View): (i: number) => Matrix {
  const elements = Float64Array.from(elementsOf(view) as Float64Array);
  const size = sizeOf(view.shape.slice(-2));
  return (i) => elements.slice(i * size, (i + 1) * size);
}
const NONE = new Float64Array();

const ROUTINES: Record<LinalgOp["routine"], Routine> = {
  cholesky,
  solve: (a, n, b, refuse) => {
    const factors = factorize(a, n);
    requireRegular(factors.pivots, refuse);
    return substitute(factors, b);
  },
  solve_triangular: (a, n, b, refuse, { lower }) => {
    const diagonal = a.filter((_, at) => at % (n + 1) === 0);
    requireRegular(diagonal, refuse);
    return (lower ? forward : backward)(a, n, b, diagonal);
  },
  det: (a, n) => [determinant(factorize(a, n))],
  cofactor: (a, n) => cofactors(a, n),
  sign_det: (a, n) => {
    const { sign, pivots } = factorize(a, n);
    return [pivots.reduce((product, u) => product * Math.sign(u), sign)];
  },
  log_abs_det: (a, n) => [factorize(a, n).pivots.reduce((sum, u) => sum + logarithm(Math.abs(u)), 0)],
};

let compiledLogarithm: ((x: number) => number) | undefined;
/** Ours, not the host's, which differs between versions. */
function logarithm(x: number): number {
  compiledLogarithm ??= compileScalar(log, ["f64"]) as (x: number) => number;
  return compiledLogarithm(x);
}

function requireRegular(pivots: ArrayLike<number>, refuse: Parameters<Routine>[3]): void {
  if (Array.from(pivots).includes(0))
    refuse("singular", "its rows depend on each other; adding 1e-6 * eye(n) makes it regular");
}

/** P a = L U, L with ones on its diagonal, both in one matrix. */
interface Factors {
  readonly lu: Matrix;
  readonly n: number;
  /** Row i of P a is row order[i] of a. */
  readonly order: readonly number[];
  /** The determinant of P. */
  readonly sign: number;
  /** The diagonal of U; 0 where no row could give a pivot. */
  readonly pivots: readonly number[];
}

/** Gaussian elimination with partial pivoting: the largest of a column comes first. Overwrites `lu`. */
function factorize(lu: Matrix, n: number): Factors {
  const order = Array.from({ length: n }, (_, i) => i);
  const pivots: number[] = [];
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[best * n + k]!)) best = i;
    if (best !== k) {
      sign = -sign;
      [order[k], order[best]] = [order[best]!, order[k]!];
      for (let j = 0; j < n; j++) [lu[k * n + j], lu[best * n + j]] = [lu[best * n + j]!, lu[k * n + j]!];
    }
    const pivot = lu[k * n + k]!;
    pivots.push(pivot);
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / pivot;
      lu[i * n + k] = factor;
      for (let j = k + 1, to = i * n + j, from = k * n + j; j < n; j++, to++, from++) lu[to]! -= factor * lu[from]!;
    }
  }
  return { lu, n, order, sign, pivots };
}

const determinant = ({ sign, pivots }: Factors): number => pivots.reduce((product, u) => product * u, sign);

/** The x with a x = b. */
function substitute({ lu, n, order, pivots }: Factors, b: Matrix): Matrix {
  const columns = b.length / n;
  const ordered = b.map((_, i) => b[order[Math.floor(i / columns)]! * columns + (i % columns)]!);
  return backward(lu, n, forward(lu, n, ordered), pivots);
}

/** Solves with the lower triangle of a, whose diagonal is given apart: ones if absent. Overwrites b. */
function forward(a: Matrix, n: number, b: Matrix, diagonal?: ArrayLike<number>): Matrix {
  for (let row = 0; row < n; row++) eliminate(a, n, b, row, [0, row], diagonal?.[row] ?? 1);
  return b;
}
/** The same with the upper triangle. */
function backward(a: Matrix, n: number, b: Matrix, diagonal: ArrayLike<number>): Matrix {
  for (let row = n - 1; row >= 0; row--) eliminate(a, n, b, row, [row + 1, n], diagonal[row]!);
  return b;
}
/** A row of b less what the rows of a range contribute to it, by its diagonal element. */
function eliminate(
  a: Matrix,
  n: number,
  b: Matrix,
  row: number,
  [from, to]: readonly [number, number],
  diagonal: number,
): void {
  const columns = b.length / n;
  const start = row * columns;
  for (let k = from; k < to; k++) {
    const factor = a[row * n + k]!;
    for (let c = 0, at = k * columns; c < columns; c++, at++) b[start + c]! -= factor * b[at]!;
  }
  for (let c = 0; c < columns; c++) b[start + c]! /= diagonal;
}

/** Row by row; what is above the diagonal is not read. */
function cholesky(a: Matrix, n: number, _b: Matrix, refuse: Parameters<Routine>[3]): Matrix {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j]!;
      for (let k = 0; k < j; k++) rest -= l[i * n + k]! * l[j * n + k]!;
      if (i === j && !(rest > 0))
        refuse("not positive definite", "adding 1e-6 * eye(n) lifts small eigenvalues above 0");
      l[i * n + j] = i === j ? Math.sqrt(rest) : rest / l[j * n + j]!;
    }
  return l;
}

/** The derivative of the determinant: det · inv.T, or, of a singular matrix, what is left without a row and a column. */
function cofactors(a: Matrix, n: number): Matrix {
  const factors = factorize(a.slice(), n);
  const result = new Float64Array(n * n);
  if (factors.pivots.includes(0))
    return result.map((_, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      const minor = a.filter((_, i) => Math.floor(i / n) !== row && i % n !== column);
      return ((row + column) % 2 === 0 ? 1 : -1) * determinant(factorize(minor, n - 1));
    });
  const det = determinant(factors);
  const inverse = substitute(
    factors,
    result.map((_, at) => (at % (n + 1) === 0 ? 1 : 0)),
  );
  return result.map((_, at) => det * inverse[(at % n) * n + Math.floor(at / n)]!);
}
