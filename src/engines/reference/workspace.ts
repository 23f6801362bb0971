/** What linear algebra works on, and the products in which it spends its time. Knows no algorithm. */

/** A matrix to work on: its element (i, j) lies at i * row + j * column. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  readonly row: number;
  readonly column: number;
}
/** A view of the same elements. */
export const transposed = ({ rows, columns, data, row, column }: Matrix): Matrix => ({
  rows: columns,
  columns: rows,
  data,
  row: column,
  column: row,
});

/** Indices from the first to before the second. */
export type Range = readonly [from: number, to: number];

/** A range in parts of so many indices, the last of which may have fewer. */
export function* parts([from, to]: Range, size: number): Iterable<Range> {
  for (let first = from; first < to; first += size) yield [first, Math.min(first + size, to)];
}

/** The columns of a factor, or rows of a solution, that are finished before all others are rid of what these contribute. */
export const PANEL = 32;

/** Gives matrices, and does what most of the time goes into. Engines may do it in ways of their own, with the same bits. */
export interface Workspace {
  /** Matrices given so far are no longer needed. */
  clear(): void;
  /** A new matrix of zeros, row by row, with room between and after rows if need be. */
  zeros(rows: number, columns: number): Matrix;
  /**
   * Takes a[i, k] * b[k, j] from elements (i, j) of `to`, for one `summed` k after the other, of which there are at most PANEL.
   * `to` was given by `zeros`, and may be a or b as well, if it is read nowhere that it is written. Rows and columns begin with a panel,
   * and end with one or with the matrix.
   */
  subtractProduct(to: Matrix, a: Matrix, b: Matrix, rows: Range, columns: Range, summed: Range): void;
}

export const plainWorkspace: Workspace = {
  clear: () => undefined,
  zeros: (rows, columns) => ({ rows, columns, data: new Float64Array(rows * columns), row: columns, column: 1 }),
  subtractProduct: ({ data, row }, a, b, [top, bottom], [left, right], [first, end]) => {
    const { data: from, row: down, column: along } = b;
    for (let i = top; i < bottom; i++)
      for (let k = first; k < end; k++) {
        const factor = a.data[i * a.row + k * a.column]!;
        for (let j = left, at = i * row + j, next = k * down + j * along; j < right; j++, at++, next += along)
          data[at]! -= factor * from[next]!;
      }
  },
};
