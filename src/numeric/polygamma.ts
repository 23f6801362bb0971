/** The derivatives of digamma, as scalar code: Hurwitz's zeta function by Euler and Maclaurin's sum. Knows no forms. */

/** A value as an unevaluated sum, so that long products of it keep their last digit. */
type Pair = readonly [high: number, low: number];

/** The error of a product of float64 numbers (Dekker 1971, Veltkamp's split). */
function productError(a: number, b: number, product: number): number {
  const split = (x: number) => {
    const scaled = x * (2 ** 27 + 1);
    return scaled - (scaled - x);
  };
  const [aHigh, bHigh] = [split(a), split(b)];
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  const error = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  return Number.isFinite(error) ? error : 0; // out of range, where the product is far from mattering
}

const times = ([high, low]: Pair, factor: number): Pair => {
  const product = high * factor;
  return [product, productError(high, factor, product) + low * factor];
};

/** a + b exactly (Knuth, TAOCP 2, 4.2.2). */
function twoSum(a: number, b: number): Pair {
  const high = a + b;
  const other = high - a;
  return [high, a - (high - other) + (b - other)];
}

/** (base + rest)^-exponent for an integer exponent >= 0 and a rest far below base. */
function inversePower([base, rest]: Pair, exponent: number): number {
  let power: Pair = [1, 0];
  for (let i = 0; i < exponent; i++) power = times(power, base);
  const inverse = 1 / power[0];
  if (inverse === 0 || !Number.isFinite(inverse)) return inverse;
  const product = inverse * power[0];
  const residual = 1 - product - productError(inverse, power[0], product) - inverse * power[1];
  return inverse + inverse * (residual - exponent * (rest / base));
}

/** The sum of the terms, rounded about once (Neumaier 1974). */
function compensatedSum(terms: readonly number[]): number {
  let [sum, lost] = [0, 0];
  for (const term of terms) {
    const next = twoSum(sum, term);
    sum = next[0];
    lost += next[1];
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** B(2k) / (2k)!, k = 1 … 8. */
const BERNOULLI = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
];

/** Σ (q + k)^-s over k = 0, 1, 2 … for an integer s >= 2 and q > 0: the terms below 16 + s one by one, the rest by its integral. */
function zeta(s: number, q: number): number {
  const terms: number[] = [];
  let k = 0;
  while (q + k < 16 + s) terms.push(inversePower(twoSum(q, k++), s));
  const a = twoSum(q, k);
  const last = inversePower(a, s);
  terms.push(inversePower(a, s - 1) / (s - 1), 0.5 * last);
  let factor = s * (last / a[0]);
  for (const [i, coefficient] of BERNOULLI.entries()) {
    terms.push(coefficient * factor);
    factor *= ((s + 2 * i + 1) / a[0]) * ((s + 2 * i + 2) / a[0]);
  }
  return compensatedSum(terms);
}

function factorial(n: number): number {
  let product: Pair = [1, 0];
  for (let k = 2; k <= n && product[0] < Number.POSITIVE_INFINITY; k++) product = times(product, k);
  return product[0] + product[1];
}

/** Orders above this are not summed: n! x^-(n + 1) is far beyond float64 then, on one side or the other. */
const LARGEST_ORDER = 1000;
/** By Stirling's formula, n! x^-(n + 1) grows without bound where n > e x, and vanishes elsewhere. */
const beyond = (n: number, x: number): number =>
  (n % 2 === 1 ? 1 : -1) * (n > Math.E * x ? Number.POSITIVE_INFINITY : 0);

/**
 * The n-th derivative of digamma at x, for n = 1, 2, 3 …: (-1)^(n+1) n! ζ(n + 1, x). Left of 0 the sum over all integers gives
 * ζ(s, x) from three values to the right. At 0, -1, -2 … infinite for odd n, else NaN.
 */
export function polygamma(n: number, x: number): number {
  if (!(n >= 1) || n !== Math.floor(n) || Number.isNaN(x) || x === Number.NEGATIVE_INFINITY) return Number.NaN;
  if (n > LARGEST_ORDER) return x > 0 && n < Number.POSITIVE_INFINITY ? beyond(n, x) : Number.NaN;
  const odd = n % 2 === 1;
  const [s, parity] = [n + 1, odd ? 1 : -1];
  const scale = parity * factorial(n);
  if (x > 0) return x === Number.POSITIVE_INFINITY ? parity * 0 : scale * zeta(s, x);
  const [below, above] = [x - Math.floor(x), Math.ceil(x) - x];
  if (above === 0) return odd ? Number.POSITIVE_INFINITY : Number.NaN;
  return scale * compensatedSum([zeta(s, below), parity * zeta(s, above), -parity * zeta(s, 1 - x)]);
}
