/** The logarithms. Algorithm and coefficients of FDLIBM (Sun Microsystems, e_log.c; FreeBSD, e_log2.c), as one kernel with a correction term. */
import { fastTwoSum, twoSum } from "./double.ts";
import { LN2 } from "./exp.ts";
import {
  add,
  and,
  constant,
  convert,
  div,
  eq,
  type Form,
  fromWords,
  head,
  highWord,
  isnan,
  lowWord,
  lt,
  mul,
  not,
  type Operand,
  or,
  polynomial,
  select,
  shr,
  sub,
} from "./form.ts";

/** High word of √½, where the significand's interval begins. */
const SQRT_HALF_WORD = 0x3fe6a09e;
/** Remez polynomial in s² for (log(1 + f) - 2s) / s³, s = f / (2 + f), on [√½ - 1, √2 - 1], error 2^-58.45. */
const LOG = [
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];

export interface Split {
  /** An integer, as f64. */
  readonly exponent: Form;
  /** In [√½, √2). */
  readonly significand: Form;
}

/** x = significand · 2^exponent for a positive finite normal x, and the exponent less `extra`. */
export function splitNormal(x: Form, extra: Operand = 0): Split {
  const word = add(highWord(x), 0x3ff00000 - SQRT_HALF_WORD);
  const significand = fromWords(add(and(word, 0xfffff), SQRT_HALF_WORD), lowWord(x));
  return { exponent: sub(convert(sub(shr(word, 20), 1023), "f64"), extra), significand };
}

/** The same for subnormal x too. */
export function splitExponent(x: Form): Split {
  const small = lt(x, 2 ** -1022);
  return splitNormal(select(small, mul(x, 2 ** 54), x), select(small, constant(54), constant(0)));
}

/** What log(1 + f) has beyond f - f²/2. */
function logTail(f: Form, halfSquare: Form): Form {
  const s = div(f, add(2, f));
  const z = mul(s, s);
  return mul(s, add(halfSquare, mul(z, polynomial(z, LOG))));
}

/** `finite` with log's values at 0, inf, NaN and below 0. */
export const logAtEdges = (x: Form, finite: Form): Form =>
  select(
    and(lt(0, x), lt(x, Number.POSITIVE_INFINITY)),
    finite,
    select(eq(x, 0), Number.NEGATIVE_INFINITY, select(lt(x, 0), Number.NaN, x)),
  );

/** log(high + low) + exponent ln 2, for a low far below high. */
export function logOfSum(high: Form, low: Operand, exponent = 0): Form {
  const { exponent: own, significand } = splitExponent(high);
  const k = exponent === 0 ? own : add(own, exponent);
  const f = sub(significand, 1);
  const halfSquare = mul(mul(0.5, f), f);
  const sum = fastTwoSum(mul(k, LN2[0]), f);
  const rest = add(logTail(f, halfSquare), add(mul(k, LN2[1]), low === 0 ? 0 : div(low, high)));
  return logAtEdges(high, add(sum.high, sub(sum.low, sub(halfSquare, rest))));
}

export const log = (x: Form): Form => logOfSum(x, 0);

/** log(1 + high + low), for a low far below high, or 0. */
export function log1pOfSum({ high, low }: { high: Form; low: Operand }): Form {
  const sum = twoSum(1, high);
  const finite = logOfSum(sum.high, low === 0 ? sum.low : add(sum.low, low));
  return select(or(eq(high, 0), eq(high, Number.POSITIVE_INFINITY)), high, finite);
}

export const log1p = (x: Form): Form => log1pOfSum({ high: x, low: 0 });

/** log(x) / log(base) as a double-double product: `inverse` is 1 / log(base), `unit` log(2) / log(base), each in two parts. */
function logInBase(x: Form, inverse: readonly [number, number], unit: readonly [number, number]): Form {
  const { exponent, significand } = splitExponent(x);
  const f = sub(significand, 1);
  const halfSquare = mul(mul(0.5, f), f);
  const high = head(sub(f, halfSquare));
  const low = add(sub(sub(f, high), halfSquare), logTail(f, halfSquare));
  const product = mul(high, inverse[0]);
  const sum = fastTwoSum(mul(exponent, unit[0]), product);
  const rest = add(mul(add(low, high), inverse[1]), mul(low, inverse[0]));
  return logAtEdges(x, add(sum.high, add(sum.low, add(rest, mul(exponent, unit[1])))));
}

export const log2 = (x: Form): Form => logInBase(x, [1.4426950407214463, 1.6751713164886512e-10], [1, 0]);
export const log10 = (x: Form): Form =>
  logInBase(x, [0.4342944818781689, 2.5082946711645275e-11], [0.30102999566361177, 3.694239077158931e-13]);

/** x log(y), 0 for x = 0 whatever y but NaN. */
export const xlogy = (x: Form, y: Form): Form => select(and(eq(x, 0), not(isnan(y))), 0, mul(x, log(y)));
