/** What the grammar's rules may begin with. The build puts it here (bin/precompute.js); in the sources nothing is known. */

/** For each alternative of a choice, or for an optional part, the names of the token types that it may begin with. */
export type Firsts = readonly (readonly string[])[];

/** By chevrotain's key for a choice or an optional part. */
export type Analysis = readonly (readonly [key: number, Firsts])[];

export const analysis: Analysis = [];
