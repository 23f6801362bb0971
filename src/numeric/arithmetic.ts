/** Arithmetic beyond the primitives: signs, rounding, Python's division and remainder, integer powers. For the types it is given. */
import { productError } from "./double.ts";
import {
  abs,
  add,
  and,
  constant,
  copysign,
  div,
  eq,
  type Form,
  floor,
  gt,
  highWord,
  lt,
  max,
  mul,
  ne,
  not,
  rare,
  rem,
  select,
  sqrt,
  sub,
  trunc,
} from "./form.ts";

/** True where the sign bit is set, of -0 and NaN too. f64 only. */
export const signBit = (x: Form): Form => lt(highWord(x), 0);

/** -1, 0 or 1; NaN stays. */
export const sign = (x: Form): Form => select(gt(x, 0), 1, select(lt(x, 0), -1, add(x, 0)));

/** To the nearest integer, halves to even; the sign of zero stays. f64 only. Adding 2^52 leaves no room for a fraction. */
export function roundHalfEven(x: Form): Form {
  const rounded = sub(add(abs(x), 2 ** 52), 2 ** 52);
  return select(lt(abs(x), 2 ** 52), copysign(rounded, x), x);
}

export const reciprocal = (x: Form): Form => div(1, x);
export const rsqrt = (x: Form): Form => div(1, sqrt(x));

export const isinf = (x: Form): Form => eq(abs(x), Number.POSITIVE_INFINITY);
export const isfinite = (x: Form): Form => lt(abs(x), Number.POSITIVE_INFINITY);

/**
 * The exact remainder of truncated division, with x's sign (C's fmod). Below 2^31 quotients it is x - q y with the error of
 * the product put back; the quotient may have been rounded up to the next integer, which shows as a wrong sign.
 */
export function fmod(x: Form, y: Form): Form {
  const [a, b] = [abs(x), abs(y)];
  const quotient = trunc(div(a, b));
  const product = mul(quotient, b);
  const difference = sub(sub(a, product), productError(quotient, b, product));
  const fast = select(lt(difference, 0), add(difference, b), difference);
  const easy = and(lt(quotient, 2 ** 31), and(lt(max(a, b), 2 ** 900), gt(b, 2 ** -900)));
  return rare(not(easy), "fmod", [x, y], copysign(fast, x));
}

/** Python's `%`: the divisor's sign. Of floats NumPy's `remainder`: x % 0 is NaN, -5 % inf is inf; of integers x % 0 is 0. */
export function remainder(x: Form, y: Form): Form {
  const rest = x.type === "f64" ? fmod(x, y) : rem(x, y);
  const opposite = and(ne(rest, 0), ne(lt(rest, 0), lt(y, 0)));
  const shifted = select(opposite, add(rest, y), rest);
  return x.type === "f64" ? select(eq(rest, 0), copysign(constant(0), y), shifted) : shifted;
}

/** Python's `//`. Of floats NumPy's `floor_divide`, whose quotient goes with `remainder` and is x / 0 for 0; of integers x // 0 is 0. */
export function floorDivide(x: Form, y: Form): Form {
  if (x.type !== "f64") {
    const quotient = div(x, y);
    const rest = sub(x, mul(quotient, y));
    const down = and(ne(rest, 0), ne(lt(rest, 0), lt(y, 0)));
    return select(and(down, ne(y, 0)), sub(quotient, 1), quotient);
  }
  const rest = fmod(x, y);
  const opposite = and(ne(rest, 0), ne(lt(rest, 0), lt(y, 0)));
  const whole = div(sub(x, rest), y); // an integer but for rounding
  const quotient = select(opposite, sub(whole, 1), whole);
  const below = floor(quotient);
  const nearest = select(gt(sub(quotient, below), 0.5), add(below, 1), below);
  return select(eq(y, 0), div(x, y), select(eq(quotient, 0), copysign(constant(0), div(x, y)), nearest));
}

/** x to an integer exponent >= 0, wrapping (i32 and i64): four squarings, beyond 15 a loop. */
export function integerPower(x: Form, exponent: Form): Form {
  let [power, square]: Form[] = [constant(1, x.type), x];
  for (const bit of [1, 2, 4, 8]) {
    power = select(eq(and(exponent, bit), 0), power!, mul(power!, square!));
    square = mul(square!, square!);
  }
  return rare(gt(exponent, 15), x.type === "i64" ? "integerPower64" : "integerPower32", [x, exponent], power!);
}
