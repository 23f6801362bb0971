/** The logarithm of the gamma function and its derivatives. */
import { roundHalfEven } from "./arithmetic.ts";
import {
  abs,
  add,
  div,
  eq,
  type Form,
  floor,
  ge,
  gt,
  le,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  polynomial,
  rare,
  select,
  sub,
} from "./form.ts";
import { log } from "./log.ts";
import { sinPi, tanPi } from "./trigonometric.ts";

// lgamma: intervals and coefficients of FDLIBM (Sun Microsystems, e_lgamma_r.c).
/** lgamma(2 - y) + y/2, over y. */
const BELOW_TWO = [
  0.07721566490153287, 0.3224670334241136, 0.06735230105312927, 0.020580808432516733, 0.007385550860814029,
  0.0028905138367341563, 0.0011927076318336207, 0.0005100697921535113, 0.00022086279071390839, 0.00010801156724758394,
  2.5214456545125733e-5, 4.4864094961891516e-5,
];
/** The minimum of gamma right of 0: place, lgamma there in two parts, and lgamma about it over y². */
const MINIMUM = { place: 1.4616321449683622, high: -0.12148629053584961, low: 3.638676997039505e-18 };
const ABOUT_MINIMUM = [
  0.48383612272381005, -0.1475877229945939, 0.06462494023913339, -0.032788541075985965, 0.01797067508118204,
  -0.010314224129834144, 0.006100538702462913, -0.0036845201678113826, 0.0022596478090061247, -0.0014034646998923284,
  0.000881081882437654, -0.0005385953053567405, 0.00031563207090362595, -0.00031275416837512086, 0.0003355291926355191,
];
/** lgamma(1 + y) + y/2 = y p/q. */
const ABOVE_ONE = {
  p: [
    -0.07721566490153287, 0.6328270640250934, 1.4549225013723477, 0.9777175279633727, 0.22896372806469245,
    0.013381091853678766,
  ],
  q: [1, 2.4559779371304113, 2.128489763798934, 0.7692851504566728, 0.10422264559336913, 0.003217092422824239],
};
/** lgamma(2 + y) - y/2 = y p/q, for y in [0, 1). */
const ABOVE_TWO = {
  p: [
    -0.07721566490153287, 0.21498241596060885, 0.325778796408931, 0.14635047265246445, 0.02664227030336386,
    0.0018402845140733772, 3.194753265841009e-5,
  ],
  q: [
    1, 1.3920053346762105, 0.7219355475671381, 0.17193386563280308, 0.01864591917156529, 0.0007779424963818936,
    7.326684307446256e-6,
  ],
};
/** Stirling's series: what lgamma(x) has beyond (x - 1/2) (log(x) - 1), its constant and then 1/x times a polynomial in 1/x². */
const STIRLING = {
  constant: 0.4189385332046727,
  series: [
    0.08333333333333297, -0.0027777777772877554, 0.0007936505586430196, -0.00059518755745034, 0.0008363399189962821,
    -0.0016309293409657527,
  ],
};

/** lgamma of x = 1 + y or y, whichever lies in [0.9, 2): the polynomials of three intervals (the first plus 0, for lgamma(1) is not -0). `shifted` where x is y. */
function lgammaBelowTwo(a: Form, shifted: Form): Form {
  const place = select(shifted, add(a, 1), a);
  const from = (point: number) => select(shifted, sub(a, point - 1), sub(a, point)); // exact, which place - point is not
  const [one, minimum, two] = [from(1), from(MINIMUM.place), neg(from(2))];
  const first = add(mul(-0.5, one), div(mul(one, polynomial(one, ABOVE_ONE.p)), polynomial(one, ABOVE_ONE.q)));
  const bowl = mul(mul(minimum, minimum), polynomial(minimum, ABOUT_MINIMUM));
  const second = add(MINIMUM.high, add(bowl, MINIMUM.low));
  const third = sub(mul(two, polynomial(two, BELOW_TWO)), mul(0.5, two));
  return select(lt(place, 1.2316), add(first, 0), select(lt(place, 1.7316), second, third));
}

/** log |gamma(x)|: infinite at 0, -1, -2 …; left of 0 by reflection, log(π / |x sin(πx)|) - lgamma(-x). */
export function lgamma(x: Form): Form {
  const a = abs(x);
  const [low, below, middle] = [lt(a, 0.9), lt(a, 2), lt(a, 8)];
  const nearOne = lgammaBelowTwo(a, low);

  const whole = min(floor(a), 7);
  const y = sub(a, whole);
  const half = add(mul(0.5, y), div(mul(y, polynomial(y, ABOVE_TWO.p)), polynomial(y, ABOVE_TWO.q)));
  const factors = [2, 3, 4, 5, 6].map((k) => select(gt(whole, k), add(y, k), 1));
  const rising = factors.reduce(mul);

  const logarithm = log(select(below, a, select(middle, rising, a)));
  const inverse = div(1, a);
  const series = mul(inverse, polynomial(mul(inverse, inverse), STIRLING.series));
  const large = add(mul(sub(a, 0.5), sub(logarithm, 1)), add(series, STIRLING.constant));
  const beyond = select(middle, add(half, logarithm), large);
  const positive = select(low, sub(nearOne, logarithm), select(below, nearOne, beyond));

  // left of 0; close to it lgamma(-x) + log(-x) is at hand, and -x would cancel
  const sine = abs(sinPi(sub(a, roundHalfEven(a))));
  const reflected = sub(log(div(Math.PI, select(low, sine, mul(sine, a)))), select(low, nearOne, positive));
  const value = select(lt(x, 0), reflected, positive);
  const tiny = select(lt(a, 2 ** -70), neg(logarithm), value);
  return select(eq(a, Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY, tiny);
}

/** The positive zero of digamma, in three parts, and digamma(1 + y) = (1 + y - zero) (SLOPE + p/q) (Boost, digamma.hpp, J. Maddock). */
const ZERO = [1569415565 / 2 ** 30, 381566830 / 2 ** 60, 9.016312093258695e-20] as const;
const SLOPE = 0.9955816268920898;
const ABOUT_ZERO = {
  p: [
    0.25479851061131553, -0.3255503118680449, -0.6503185377089651, -0.28919126444774784, -0.04525132144873906,
    -0.002071332116774595,
  ],
  q: [
    1, 2.076711702373047, 1.4606242909763516, 0.43593529692665967, 0.054151797245674226, 0.0021284987017821146,
    -5.578984132167551e-7,
  ],
};
/** B(2k) / 2k, k = 1 … 8: the asymptotic series in 1/x². */
const BERNOULLI = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160];

/** The derivative of lgamma: NaN at -1, -2 …, infinite against the sign of a zero; left of 0 digamma(1 - x) - π / tan(πx). */
export function digamma(x: Form): Form {
  const negative = le(x, 0);
  const a = select(negative, sub(1, x), x);
  const [low, large] = [lt(a, 1), ge(a, 10)];
  // down or up to 1 + y, y in [0, 1)
  const steps = max(sub(floor(min(a, 10)), 1), 0);
  const y = select(low, a, sub(a, add(steps, 1)));
  const fromZero = sub(sub(sub(y, ZERO[0] - 1), ZERO[1]), ZERO[2]);
  const ratio = div(polynomial(y, ABOUT_ZERO.p), polynomial(y, ABOUT_ZERO.q));
  const base = add(mul(fromZero, SLOPE), mul(fromZero, ratio));
  const terms = [8, 7, 6, 5, 4, 3, 2, 1].map((k) => select(ge(steps, k), div(1, add(y, k)), 0));
  const small = select(low, sub(base, div(1, a)), add(terms.reduce(add), base));

  const inverse = div(1, a);
  const square = mul(inverse, inverse);
  const tail = add(mul(0.5, inverse), mul(square, polynomial(square, BERNOULLI)));
  const positive = select(large, sub(log(a), tail), small);

  const rest = sub(x, roundHalfEven(x));
  const halfway = eq(abs(rest), 0.5); // where the tangent is infinite
  const reflected = select(halfway, positive, sub(positive, div(Math.PI, tanPi(rest))));
  const pole = select(eq(x, 0), div(-1, x), Number.NaN);
  return select(negative, select(eq(rest, 0), pole, reflected), positive);
}

/** The n-th derivative of digamma, n = 0, 1, 2 …; NaN for other n. */
export const polygamma = (n: Form, x: Form): Form => rare(ne(n, 0), "polygamma", [n, x], digamma(x));
