/** Dense linear algebra by the textbook, in float64 whatever the dtype: each result is rounded once. */
import type { Node } from "../../graph/node.ts";
import { compileScalar } from "../../numeric/javascript.ts";
import { log } from "../../numeric/log.ts";
import type { LinalgOp } from "../../ops/define.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { EvaluationError } from "../engine.ts";
import { elementsOf } from "./copy.ts";
import { placeOf, type View, zerosView } from "./view.ts";
import { type Matrix, PANEL, parts, plainWorkspace, type Range, transposed, type Workspace } from "./workspace.ts";

/** Row-major elements of one matrix. */
type Elements = Float64Array;

/** Throws the EvaluationError that says what is wrong with a matrix. */
type Refuse = (message: string, help: string) => never;
/** The result, row by row, for one matrix a of n rows and columns, and one b of as many rows. */
type Routine = (
  a: Elements,
  n: number,
  b: Elements,
  work: Workspace,
  refuse: Refuse,
  attrs: Node["attrs"],
) => ArrayLike<number>;

/** The node's value. Throws EvaluationError for a matrix that is singular, or not positive definite. */
export function linalg(node: Node, op: LinalgOp, args: readonly View[], work = plainWorkspace): View {
  const out = zerosView(node.type.dtype, node.type.shape as number[]);
  const [a, b] = args as [View, View?];
  const n = a.shape.at(-1)!;
  const batch = a.shape.slice(0, -2);
  const [as, bs] = [matricesOf(a), b && matricesOf(b)];
  const each = sizeOf(out.shape.slice(batch.length));
  for (let i = 0; i < sizeOf(batch); i++) {
    const refuse: Refuse = (message, help) => {
      throw new EvaluationError(node, `the matrix${placeOf(i, batch)} is ${message}`, help, 0);
    };
    work.clear();
    const result = ROUTINES[op.routine](as(i), n, bs?.(i) ?? NONE, work, refuse, node.attrs);
    (out.data as Float64Array).set(result, i * each);
  }
  return out;
}

/** The elements of the i-th matrix, to be read. */
function matricesOf(view: View): (i: number) => Elements {
  const given = elementsOf(view);
  const elements = given instanceof Float64Array ? given : new Float64Array(given as Float32Array);
  const size = sizeOf(view.shape.slice(-2));
  return (i) => elements.subarray(i * size, (i + 1) * size);
}
const NONE = new Float64Array();

/** A copy to work on of the matrix that has these elements in rows of `columns`. */
function matrixOf(elements: Elements, columns: number, work: Workspace): Matrix {
  const rows = columns === 0 ? 0 : elements.length / columns;
  const matrix = work.zeros(rows, columns);
  for (let i = 0; i < rows; i++) matrix.data.set(elements.subarray(i * columns, (i + 1) * columns), i * matrix.row);
  return matrix;
}

/** The elements without the room between rows; there until the workspace is cleared. */
function elementsIn({ rows, columns, data, row }: Matrix): Elements {
  if (row === columns) return data.subarray(0, rows * columns);
  const elements = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) elements.set(data.subarray(i * row, i * row + columns), i * columns);
  return elements;
}

const ROUTINES: Record<LinalgOp["routine"], Routine> = {
  cholesky,
  solve: (a, n, b, work, refuse) => {
    const factors = factorize(a, n, work);
    requireRegular(factors.pivots, refuse);
    return substitute(factors, b, work);
  },
  solve_triangular: (a, n, b, work, refuse, { lower }) => {
    const diagonal = a.filter((_, at) => at % (n + 1) === 0);
    requireRegular(diagonal, refuse);
    const x = matrixOf(b, b.length / n, work);
    (lower ? forward : backward)(matrixOf(a, n, work), x, work, diagonal);
    return elementsIn(x);
  },
  det: (a, n, _b, work) => [determinant(factorize(a, n, work))],
  cofactor: (a, n, _b, work) => cofactors(a, n, work),
  sign_det: (a, n, _b, work) => {
    const { sign, pivots } = factorize(a, n, work);
    return [pivots.reduce((product, u) => product * Math.sign(u), sign)];
  },
  log_abs_det: (a, n, _b, work) => [factorize(a, n, work).pivots.reduce((sum, u) => sum + logarithm(Math.abs(u)), 0)],
};

let compiledLogarithm: ((x: number) => number) | undefined;
/** Ours, not the host's, which differs between versions. */
function logarithm(x: number): number {
  compiledLogarithm ??= compileScalar(log, ["f64"]) as (x: number) => number;
  return compiledLogarithm(x);
}

function requireRegular(pivots: ArrayLike<number>, refuse: Refuse): void {
  if (Array.from(pivots).includes(0))
    refuse("singular", "its rows depend on each other; adding 1e-6 * eye(n) makes it regular");
}

/** P a = L U, L with ones on its diagonal, both in one matrix. */
interface Factors {
  readonly lu: Matrix;
  /** Row i of P a is row order[i] of a. */
  readonly order: readonly number[];
  /** The determinant of P. */
  readonly sign: number;
  /** The diagonal of U; 0 where no row could give a pivot. */
  readonly pivots: readonly number[];
}

/**
 * Gaussian elimination with partial pivoting, by panels of columns (Golub and Van Loan, "Matrix Computations", 3.4): the largest of
 * a column comes first, and NaN before all.
 */
function factorize(a: Elements, n: number, work: Workspace): Factors {
  const lu = matrixOf(a, n, work);
  const { data, row } = lu;
  const order = Array.from({ length: n }, (_, i) => i);
  const pivots: number[] = [];
  let sign = 1;
  for (const [from, to] of parts([0, n], PANEL)) {
    for (let k = from; k < to; k++) {
      let [best, most] = [k, Math.abs(data[k * row + k]!)];
      for (let i = k + 1; i < n; i++) {
        const size = Math.abs(data[i * row + k]!);
        if (!(size <= most || Number.isNaN(most))) [best, most] = [i, size];
      }
      if (best !== k) {
        sign = -sign;
        [order[k], order[best]] = [order[best]!, order[k]!];
        const held = data.slice(k * row, (k + 1) * row);
        data.copyWithin(k * row, best * row, (best + 1) * row);
        data.set(held, best * row);
      }
      const pivot = data[k * row + k]!;
      pivots.push(pivot);
      if (pivot === 0) continue;
      for (let i = k + 1; i < n; i++) {
        const factor = data[i * row + k]! / pivot;
        data[i * row + k] = factor;
        for (let j = k + 1; j < to; j++) data[i * row + j]! -= factor * data[k * row + j]!;
      }
    }
    for (let i = from; i < to; i++) eliminate(lu, lu, i, [from, i], [to, n]);
    work.subtractProduct(lu, lu, lu, [to, n], [to, n], [from, to]);
  }
  return { lu, order, sign, pivots };
}

const determinant = ({ sign, pivots }: Factors): number => pivots.reduce((product, u) => product * u, sign);

/** The x with a x = b. */
function substitute({ lu, order, pivots }: Factors, b: Elements, work: Workspace): Elements {
  const columns = b.length / lu.rows;
  const x = work.zeros(lu.rows, columns);
  for (const [i, from] of order.entries()) x.data.set(b.subarray(from * columns, (from + 1) * columns), i * x.row);
  forward(lu, x, work);
  backward(lu, x, work, pivots);
  return elementsIn(x);
}

/** Solves with the lower triangle of a, whose diagonal is given apart: ones if absent. Overwrites x, which is the right-hand side. */
function forward(a: Matrix, x: Matrix, work: Workspace, diagonal?: ArrayLike<number>): void {
  const { rows, columns } = x;
  for (const [from, to] of parts([0, rows], PANEL)) {
    for (let i = from; i < to; i++) {
      eliminate(x, a, i, [from, i], [0, columns]);
      if (diagonal) divide(x, i, diagonal[i]!);
    }
    work.subtractProduct(x, a, x, [to, rows], [0, columns], [from, to]);
  }
}
/** The same with the upper triangle. */
function backward(a: Matrix, x: Matrix, work: Workspace, diagonal: ArrayLike<number>): void {
  const { rows, columns } = x;
  for (const [from, to] of [...parts([0, rows], PANEL)].reverse()) {
    for (let i = to - 1; i >= from; i--) {
      eliminate(x, a, i, [i + 1, to], [0, columns]);
      divide(x, i, diagonal[i]!);
    }
    work.subtractProduct(x, a, x, [0, from], [0, columns], [from, to]);
  }
}

/** Takes a[i, k] times row k of x from its row i, for one k after the other. */
function eliminate({ data, row }: Matrix, a: Matrix, i: number, [first, end]: Range, [left, right]: Range): void {
  for (let k = first; k < end; k++) {
    const factor = a.data[i * a.row + k]!;
    for (let j = left, at = i * row + j, from = k * row + j; j < right; j++, at++, from++)
      data[at]! -= factor * data[from]!;
  }
}

function divide({ columns, data, row }: Matrix, i: number, divisor: number): void {
  for (let at = i * row; at < i * row + columns; at++) data[at]! /= divisor;
}

/** By panels of columns; what is above the diagonal is not read. */
function cholesky(a: Elements, n: number, _b: Elements, work: Workspace, refuse: Refuse): Elements {
  const l = work.zeros(n, n);
  const { data, row } = l;
  for (let i = 0; i < n; i++) data.set(a.subarray(i * n, i * n + i + 1), i * row);
  for (const [from, to] of parts([0, n], PANEL)) {
    for (let j = from; j < to; j++)
      for (let i = j; i < n; i++) {
        let rest = data[i * row + j]!;
        for (let k = from; k < j; k++) rest -= data[i * row + k]! * data[j * row + k]!;
        if (i === j && !(rest > 0))
          refuse("not positive definite", "adding 1e-6 * eye(n) lifts small eigenvalues above 0");
        data[i * row + j] = i === j ? Math.sqrt(rest) : rest / data[j * row + j]!;
      }
    for (const rows of parts([to, n], PANEL))
      work.subtractProduct(l, l, transposed(l), rows, [to, rows[1]], [from, to]);
  }
  for (let i = 0; i < n; i++) data.fill(0, i * row + i + 1, (i + 1) * row);
  return elementsIn(l);
}

/** The derivative of the determinant: det · inv.T, or, of a singular matrix, what is left without a row and a column. */
function cofactors(a: Elements, n: number, work: Workspace): Elements {
  const factors = factorize(a, n, work);
  const result = new Float64Array(n * n);
  if (factors.pivots.includes(0))
    return result.map((_, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      const minor = a.filter((_, i) => Math.floor(i / n) !== row && i % n !== column);
      // Of the n² minors none is needed for long, which a workspace would keep.
      return ((row + column) % 2 === 0 ? 1 : -1) * determinant(factorize(minor, n - 1, plainWorkspace));
    });
  const det = determinant(factors);
  const inverse = substitute(
    factors,
    result.map((_, at) => (at % (n + 1) === 0 ? 1 : 0)),
    work,
  );
  return result.map((_, at) => det * inverse[(at % n) * n + Math.floor(at / n)]!);
}
