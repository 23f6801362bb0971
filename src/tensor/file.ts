/** Places in files where elements lie or will lie, for who reads or writes parts of them on their own. Data only. */
import type { DType } from "./dtype.ts";

/** Elements as WebAssembly has them in memory, row-major, bool as 0 and 1. */
export interface FilePart {
  readonly path: string;
  readonly dtype: DType;
  /** Bytes before the first element. */
  readonly position: number;
  /** Says what is wrong where `error` came of reading, or, without one, where the file has ended. Throws TsymError. */
  readonly unreadable: (error?: unknown) => never;
}

/** Room for elements, as WebAssembly has them in memory, in a file that is open. */
export interface FileTarget {
  readonly descriptor: number;
  /** Bytes before the first element. */
  readonly position: number;
  /** Says what is wrong where `error` came of writing. Throws TsymError. */
  readonly unwritable: (error: unknown) => never;
}
