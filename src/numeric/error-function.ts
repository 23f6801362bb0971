/** erf and erfc. Intervals and coefficients of FDLIBM (Sun Microsystems, s_erf.c). */
import { twoSum } from "./double.ts";
import { expOfSum } from "./exp.ts";
import { abs, add, copysign, div, type Form, head, lt, min, mul, neg, polynomial, select, sub } from "./form.ts";

/** erf(x) = x + x p/q in x², up to 0.84375. */
const CENTRE = {
  p: [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-5],
  q: [1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164, -3.960228278775368e-6],
};
/** erf(|x|) = ONE_ISH + p/q in |x| - 1, up to 1.25. */
const ONE_ISH = 0.8450629115104675;
const SHOULDER = {
  p: [
    -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668,
    0.035478304325618236, -0.002166375594868791,
  ],
  q: [
    1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905,
    0.011984499846799107,
  ],
};
/** erfc(|x|) = e^(-x² - 0.5625 + p/q) / |x| in 1/x²: up to 1 / 0.35, and beyond. */
const NEAR_TAIL = {
  p: [
    -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347,
    -184.60509290671104, -81.2874355063066, -9.814329344169145,
  ],
  q: [
    1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
    108.63500554177944, 6.570249770319282, -0.0604244152148581,
  ],
};
const FAR_TAIL = {
  p: [
    -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896,
    -1025.0951316110772, -483.5191916086514,
  ],
  q: [
    1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
    474.52854120695537, -22.44095244658582,
  ],
};

interface Rational {
  readonly p: readonly number[];
  readonly q: readonly number[];
}

/** Where |x| lies, the quotient for that interval, and erfc(|x|) from the tails. */
function pieces(x: Form) {
  const a = min(abs(x), 28); // erfc is 0 from there on
  const square = mul(x, x);
  const inverse = div(1, mul(a, a));
  const [central, shoulder, near] = [lt(a, 0.84375), lt(a, 1.25), lt(a, 1 / 0.35)];
  const evaluate = (part: "p" | "q") => {
    const at = (z: Form, rational: Rational) => polynomial(z, rational[part]);
    const tail = select(near, at(inverse, NEAR_TAIL), at(inverse, FAR_TAIL));
    return select(central, at(square, CENTRE), select(shoulder, at(sub(a, 1), SHOULDER), tail));
  };
  const quotient = div(evaluate("p"), evaluate("q"));
  // -x² in two parts, the first exact
  const short = head(a);
  const rest = add(mul(sub(short, a), add(short, a)), sub(quotient, 0.5625));
  const exponent = twoSum(neg(mul(short, short)), rest);
  return { central, shoulder, quotient, tail: div(expOfSum(exponent.high, exponent.low), a) };
}

export function erf(x: Form): Form {
  const { central, shoulder, quotient, tail } = pieces(x);
  const outer = select(shoulder, add(ONE_ISH, quotient), sub(1, tail));
  return select(central, add(x, mul(x, quotient)), copysign(outer, x));
}

export function erfc(x: Form): Form {
  const { central, shoulder, quotient, tail } = pieces(x);
  const negative = lt(x, 0);
  const product = mul(x, quotient);
  const inner = select(lt(x, 0.25), sub(1, add(x, product)), sub(0.5, add(sub(x, 0.5), product)));
  const middle = select(negative, add(1, add(ONE_ISH, quotient)), sub(1 - ONE_ISH, quotient));
  const outer = select(negative, sub(2, tail), tail);
  return select(central, inner, select(shoulder, middle, outer));
}
