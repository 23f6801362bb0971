/** Integers of any size: what ops mean of literals, before they meet a dtype. Rows of pointwise.ts name these as `exact`. */
import { OpError } from "../graph/node.ts";

/** Towards minus infinity. Throws OpError where y is 0. */
export function floorDivide(x: bigint, y: bigint): bigint {
  if (y === 0n)
    throw new OpError("integer division by zero", {
      code: "arithmetic",
      arg: 1,
      help: "write the dividend as a float for inf or nan",
    });
  const quotient = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient;
}

/** What floorDivide leaves, with the sign of y. */
export const remainder = (x: bigint, y: bigint): bigint => x - y * floorDivide(x, y);

/** x ** y for y ≥ 0. Throws OpError for others, and where the result has more digits than any dtype holds. */
export function power(x: bigint, y: bigint): bigint {
  if (y < 0n)
    throw new OpError("an int to a negative power is not an int", {
      code: "arithmetic",
      arg: 1,
      help: "write the base as a float",
    });
  const stays = x === 0n || x === 1n || x === -1n;
  if (y > 4096n && !stays)
    throw new OpError("this power has more digits than any dtype holds", { code: "range", arg: 1 });
  return x ** y;
}

export const maximum = (x: bigint, y: bigint): bigint => (x > y ? x : y);
export const minimum = (x: bigint, y: bigint): bigint => (x < y ? x : y);
