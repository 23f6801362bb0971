/** A place in a file where elements lie, for who reads parts of it on their own. Data only. */

export interface FilePart {
  readonly path: string;
  /** Bytes before the first element. */
  readonly position: number;
  /** Says what is wrong where `error` came of reading, or, without one, where the file has ended. Throws TsymError. */
  readonly unreadable: (error?: unknown) => never;
}
