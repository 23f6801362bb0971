/** What chevrotain's parser calls of lodash, for what it calls it with: arrays and plain objects, keys that are no paths. */
const valuesOf = (from) => (Array.isArray(from) ? from : Object.values(from ?? {}));

export const { isArray } = Array;
export const isObject = (x) => typeof x === "object" && x !== null;
export const isString = (x) => typeof x === "string";
export const isUndefined = (x) => x === undefined;
export const isEmpty = (from) => valuesOf(from).length === 0;
export const has = (object, key) => isObject(object) && Object.hasOwn(object, key);
export const values = valuesOf;
export const clone = (x) => (Array.isArray(x) ? [...x] : { ...x });
export const forEach = (from, visit) => {
  for (const [key, value] of Object.entries(from ?? {})) visit(value, key);
};
export const map = (from, to) => valuesOf(from).map((value) => to(value));
export const every = (from, holds) => valuesOf(from).every((value) => holds(value));
export const reduce = (from, fold, first) =>
  Object.entries(from).reduce((sum, [key, value]) => fold(sum, value, key), first);
export const includes = (from, value) => valuesOf(from).includes(value);
export const compact = (from) => from.filter(Boolean);
export const flatten = (from) => from.flat();
export const uniq = (from) => [...new Set(from)];
export const difference = (from, without) => from.filter((value) => !without.includes(value));
