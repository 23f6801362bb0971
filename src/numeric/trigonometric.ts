/** sin, cos, tan and their inverses. Kernels and coefficients of FDLIBM (Sun Microsystems, k_sin.c … e_atan2.c), reduction by Cody and Waite. */
import { signBit } from "./arithmetic.ts";
import { type Double, fastTwoSum, quotient, rounded, twoProduct, twoSum } from "./double.ts";
import { nearestInteger } from "./exp.ts";
import {
  abs,
  add,
  and,
  constant,
  copysign,
  div,
  eq,
  type Form,
  head,
  isnan,
  lt,
  max,
  mul,
  ne,
  neg,
  not,
  polynomial,
  rare,
  select,
  sqrt,
  sub,
} from "./form.ts";

const TWO_OVER_PI = 0.6366197723675814;
/** π/2 in four parts; the first three have 33 bits, so that their products with an integer below 2^20 are exact. */
const HALF_PI_PARTS = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32] as const;
/** π/2 rounded, and the rest. */
const HALF_PI = [1.5707963267948966, 6.123233995736766e-17] as const;
/** sin(r)/r - 1 over r², and cos(r) - 1 + r²/2 over r⁴, on |r| <= π/4, errors 2^-58. */
const SIN = [
  -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-6, -2.5050760253406863e-8,
  1.58969099521155e-10,
] as const;
const COS = [
  0.0416666666666666, -0.001388888888887411, 2.480158728947673e-5, -2.7557314351390663e-7, 2.087572321298175e-9,
  -1.1359647557788195e-11,
] as const;

/** x = quadrant π/2 + rest, |rest| <= π/4, the quadrant modulo 4 in its last two bits. Beyond 2^20, of long integers. */
function reduceByHalfPi(x: Form): Angle {
  const { whole, integer } = nearestInteger(mul(x, TWO_OVER_PI));
  const [first, second, third, fourth] = HALF_PI_PARTS.map((part) => mul(whole, part)) as [Form, Form, Form, Form];
  const a = twoSum(sub(x, first), neg(second));
  const b = twoSum(a.high, neg(third));
  const rest = fastTwoSum(b.high, sub(add(a.low, b.low), fourth));
  const huge = not(lt(abs(x), 2 ** 20));
  return {
    quadrant: rare(huge, "halfPiQuadrant", [x], integer),
    rest: {
      high: rare(huge, "halfPiHigh", [x], rest.high),
      low: rare(huge, "halfPiLow", [x], rest.low),
    },
  };
}

/** The same for a float32 x, for which two parts of π/2 are enough. */
export function reduceShortByHalfPi(x: Form): { quadrant: Form; rest: Form } {
  const { whole, integer } = nearestInteger(mul(x, TWO_OVER_PI));
  const rest = sub(sub(x, mul(whole, HALF_PI_PARTS[0])), mul(whole, HALF_PI_PARTS[1] + HALF_PI_PARTS[2]));
  const huge = not(lt(abs(x), 2 ** 20));
  return {
    quadrant: rare(huge, "halfPiQuadrant", [x], integer),
    rest: rare(huge, "halfPiHigh", [x], rest),
  };
}

/** sin(x + y) for |x + y| <= π/4, y far below x, as a sum. */
function sinReduced({ high: x, low: y }: Double): Double {
  const z = mul(x, x);
  const cube = mul(z, x);
  const tail = sub(mul(z, sub(mul(0.5, y), mul(cube, polynomial(z, SIN.slice(1))))), y);
  return { high: x, low: sub(mul(cube, SIN[0]), tail) };
}

/** cos(x + y) for |x + y| <= π/4, y far below x, as a sum. */
function cosReduced({ high: x, low: y }: Double): Double {
  const z = mul(x, x);
  const half = mul(0.5, z);
  const high = sub(1, half);
  const tail = sub(mul(z, mul(z, polynomial(z, COS))), mul(x, y));
  return { high, low: add(sub(sub(1, high), half), tail) };
}

/** The sine where `quadrant` counts from that of sin: sin, cos, -sin, -cos. */
export function turn(quadrant: Form, sine: Form, cosine: Form): Form {
  const value = select(eq(and(quadrant, 1), 0), sine, cosine);
  return select(eq(and(quadrant, 2), 0), value, neg(value));
}

export interface Angle {
  readonly quadrant: Form;
  readonly rest: Double;
}

const sinOf = ({ quadrant, rest }: Angle): Form => turn(quadrant, rounded(sinReduced(rest)), rounded(cosReduced(rest)));

function tanOf({ quadrant, rest }: Angle): Form {
  const odd = ne(and(quadrant, 1), 0);
  const [sine, cosine] = [sinReduced(rest), cosReduced(rest)].map(({ high, low }) => fastTwoSum(high, low));
  const pick = (a: Double, b: Double) => ({ high: select(odd, a.high, b.high), low: select(odd, a.low, b.low) });
  const tangent = rounded(quotient(pick(cosine!, sine!), pick(sine!, cosine!)));
  return select(odd, neg(tangent), tangent);
}

/** Below it x is its own sine and tangent, and the kernels would lose the sign of zero. */
const TINY = 2 ** -27;

export const sin = (x: Form): Form => select(lt(abs(x), TINY), x, sinOf(reduceByHalfPi(x)));
export const tan = (x: Form): Form => select(lt(abs(x), TINY), x, tanOf(reduceByHalfPi(x)));

export function cos(x: Form): Form {
  const { quadrant, rest } = reduceByHalfPi(x);
  return sinOf({ quadrant: add(quadrant, 1), rest });
}

/** π x as an angle, for |x| < 2^30: the quadrant is exact. */
function halfTurns(x: Form): Angle {
  const { whole, integer } = nearestInteger(mul(2, x));
  const rest = sub(x, mul(0.5, whole));
  const { high, low } = twoProduct(rest, constant(Math.PI));
  return { quadrant: integer, rest: fastTwoSum(high, add(low, mul(rest, 2 * HALF_PI[1]))) };
}

/** sin(π x), for |x| < 2^30. */
export const sinPi = (x: Form): Form => sinOf(halfTurns(x));
/** tan(π x), for |x| < 2^30. */
export const tanPi = (x: Form): Form => tanOf(halfTurns(x));

/** (asin(s) - s) / s as p(s²) / q(s²) on |s| <= 1/2, error 2^-58.75. */
const ASIN = {
  p: [
    0, 0.16666666666666666, -0.3255658186224009, 0.20121253213486293, -0.04005553450067941, 0.0007915349942898145,
    3.479331075960212e-5,
  ],
  q: [1, -2.403394911734414, 2.0209457602335057, -0.6882839716054533, 0.07703815055590194],
} as const;

/** What asin and acos share: s with asin(s) = s + s·ratio, where s is x itself up to 1/2 and √((1 - |x|) / 2) = head + tail beyond. */
function arcsine(x: Form) {
  const far = not(lt(abs(x), 0.5));
  const z = select(far, mul(0.5, sub(1, abs(x))), mul(x, x));
  const root = sqrt(z);
  const rootHead = head(root);
  const rootTail = div(sub(z, mul(rootHead, rootHead)), max(add(root, rootHead), 2 ** -100));
  return { far, ratio: div(polynomial(z, ASIN.p), polynomial(z, ASIN.q)), root, rootHead, rootTail };
}

/** Beyond 1/2, π/2 - 2 asin √((1 - |x|) / 2). */
export function asin(x: Form): Form {
  const { far, ratio, root, rootHead, rootTail } = arcsine(x);
  const p = sub(mul(mul(2, root), ratio), sub(HALF_PI[1], mul(2, rootTail)));
  const q = sub(HALF_PI[0] / 2, mul(2, rootHead));
  return select(far, copysign(sub(HALF_PI[0] / 2, sub(p, q)), x), add(x, mul(x, ratio)));
}

export function acos(x: Form): Form {
  const { far, ratio, root, rootHead, rootTail } = arcsine(x);
  const near = sub(HALF_PI[0], sub(x, sub(HALF_PI[1], mul(x, ratio))));
  const positive = mul(2, add(rootHead, add(mul(ratio, root), rootTail)));
  const negative = sub(2 * HALF_PI[0], mul(2, add(root, sub(mul(ratio, root), HALF_PI[1]))));
  return select(far, select(lt(x, 0), negative, positive), near);
}

/** atan about a point: for |x| >= from, atan(x) = atan(point) + atan(numerator / denominator). */
const ATAN_POINTS = [
  { from: 0.4375, value: [0.4636476090008061, 2.2698777452961687e-17], point: 0.5 },
  { from: 0.6875, value: [0.7853981633974483, 3.061616997868383e-17], point: 1 },
  { from: 1.1875, value: [0.982793723247329, 1.3903311031230998e-17], point: 1.5 },
] as const;
/** 1 - atan(r)/r over r², on |r| <= 7/16, error 2^-58. */
const ATAN = [
  0, 0.3333333333333293, -0.19999999999876483, 0.14285714272503466, -0.11111110405462356, 0.09090887133436507,
  -0.0769187620504483, 0.06661073137387531, -0.058335701337905735, 0.049768779946159324, -0.036531572744216916,
  0.016285820115365782,
];

export function atan(x: Form): Form {
  const a = abs(x);
  let [numerator, denominator, high, low]: Form[] = [a, constant(1), constant(0), constant(0)];
  const from = (bound: number, above: Form, below: Form | undefined) => select(lt(a, bound), below!, above);
  for (const { from: bound, value, point } of ATAN_POINTS) {
    numerator = from(bound, sub(a, point), numerator);
    denominator = from(bound, add(1, mul(point, a)), denominator);
    high = from(bound, constant(value[0]), high);
    low = from(bound, constant(value[1]), low);
  }
  const r = div(from(2.4375, constant(-1), numerator), from(2.4375, a, denominator));
  const z = mul(r, r);
  const [base, error] = [from(2.4375, constant(HALF_PI[0]), high), from(2.4375, constant(HALF_PI[1]), low)];
  return copysign(sub(base, sub(sub(mul(r, polynomial(z, ATAN)), error), r)), x);
}

/** The angle of the point (x, y), in [-π, π]; signs of zero choose the side of the cut. */
export function atan2(y: Form, x: Form): Form {
  const [a, b] = [abs(y), abs(x)];
  const ratio = select(eq(a, 0), 0, select(eq(a, b), 1, div(a, b)));
  const angle = atan(ratio);
  const reflected = sub(2 * HALF_PI[0], sub(angle, 2 * HALF_PI[1]));
  return select(isnan(x), x, copysign(select(and(signBit(x), lt(ratio, 2 ** 60)), reflected, angle), y));
}
