/** What linear algebra works on, and the products in which it spends its time. */

/** A matrix to work on: where its element (i, j) lies is i * row + j * column. */
export interface Matrix {
  readonly data: Float64Array;
  readonly row: number;
  readonly column: number;
}
/** A view of the same elements. */
export const transposed = ({ data, row, column }: Matrix): Matrix => ({ data, row: column, column: row });

/** Indices from the first to before the second. */
export type Range = readonly [from: number, to: number];

/** What most of the time goes into, which engines may do in ways of their own, with the same bits. */
export interface Workspace {
  /** Matrices given so far are no longer needed. */
  clear(): void;
  /** A new matrix of zeros, its rows one after the other. */
  zeros(rows: number, columns: number): Matrix;
  /** Adds to elements (i, j) of such a matrix the sum of -a[i, k] * b[k, j] over at most PANEL k, which is added up from 0 in their order. */
  subtractProduct(to: Matrix, a: Matrix, b: Matrix, rows: Range, columns: Range, summed: Range): void;
}

/** The columns of a factor, or rows of a solution, that are finished before all others are rid of what these contribute. */
export const PANEL = 32;

export const plainWorkspace: Workspace = {
  clear: () => undefined,
  zeros: (rows, columns) => ({ data: new Float64Array(rows * columns), row: columns, column: 1 }),
  subtractProduct: (to, a, b, [top, bottom], [left, right], [first, end]) => {
    const sums = new Float64Array(right - left);
    for (let i = top; i < bottom; i++) {
      sums.fill(0);
      for (let k = first; k < end; k++) {
        const factor = -a.data[i * a.row + k * a.column]!;
        for (let j = 0, at = k * b.row + left * b.column; j < sums.length; j++, at += b.column)
          sums[j]! += factor * b.data[at]!;
      }
      for (let j = 0, at = i * to.row + left; j < sums.length; j++, at++) to.data[at]! += sums[j]!;
    }
  },
};
