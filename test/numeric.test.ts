import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floorDivide, fmod, integerPower, remainder, roundHalfEven } from "../src/numeric/arithmetic.ts";
import { quotient, twoProduct, twoSum } from "../src/numeric/double.ts";
import { add, convert, type Form, mul, parameter, type ScalarType, sub } from "../src/numeric/form.ts";
import { FUNCTIONS, type FunctionName } from "../src/numeric/functions.ts";
import { compileScalar, emit } from "../src/numeric/javascript.ts";
import { float32Errors, float64Errors, readOracle } from "./oracles/numeric.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const compiled = new Map<FunctionName, (...args: number[]) => number>();
/** A function of the table at one point, in float64. */
function at(name: FunctionName, ...args: number[]): number {
  const { float64, parameters } = FUNCTIONS[name];
  const f =
    compiled.get(name) ??
    compileScalar(
      float64 as (...forms: Form[]) => Form,
      parameters.map(() => "f64" as const),
    );
  compiled.set(name, f);
  return f(...args);
}

/** The largest errors promised for float64, in units in the last place. */
const BOUNDS: [number, string][] = [
  [0.5, "floor_divide remainder"],
  [1, "exp exp2 expm1 log log2 log10 log1p pow cbrt sin cos tan asin acos atan erf"],
  [2, "xlogy rsqrt hypot atan2 sinh cosh tanh asinh acosh atanh sigmoid softplus logaddexp"],
  [4, "erfc lgamma digamma polygamma"],
];
const BOUND_OF = BOUNDS.flatMap(([bound, names]) =>
  names.split(" ").map((name) => [name as FunctionName, bound] as const),
);

describe.each(BOUND_OF)("%s", (name, bound) => {
  const oracle = readOracle(name);
  test(`is within ${bound} ulp of the true value`, () => {
    expect(float64Errors(name, oracle).max).toBeLessThanOrEqual(bound);
  });
  test("is within 0.6 ulp in float32", () => {
    expect(float32Errors(name, oracle.points).max).toBeLessThanOrEqual(0.6);
  });
});

/** Arguments and results, as C99's annex F and NumPy have them. */
const EDGES = `
exp: nan -> nan; inf -> inf; -inf -> 0; 0 -> 1; -0 -> 1; 710 -> inf; -746 -> 0; -745 -> 5e-324; 1 -> 2.718281828459045
exp2: nan -> nan; inf -> inf; -inf -> 0; -0 -> 1; 1024 -> inf; -1074 -> 5e-324; -1076 -> 0
expm1: nan -> nan; inf -> inf; -inf -> -1; 0 -> 0; -0 -> -0; 5e-324 -> 5e-324; -1e-300 -> -1e-300; -100 -> -1
log: nan -> nan; inf -> inf; 0 -> -inf; -0 -> -inf; -1 -> nan; -inf -> nan; 1 -> 0; 2 -> 0.6931471805599453
log2: nan -> nan; inf -> inf; 0 -> -inf; -1 -> nan; 1 -> 0; 5e-324 -> -1074
log10: nan -> nan; inf -> inf; 0 -> -inf; -1 -> nan; 1 -> 0; 1000 -> 3
log1p: nan -> nan; inf -> inf; -1 -> -inf; -2 -> nan; -inf -> nan; 0 -> 0; -0 -> -0; 5e-324 -> 5e-324
xlogy: 0, 0 -> 0; 0, inf -> 0; 0, -1 -> 0; 0, nan -> nan; nan, 1 -> nan; 2, 0 -> -inf; 1, -1 -> nan
sqrt: nan -> nan; inf -> inf; -1 -> nan; -0 -> -0; 4 -> 2
rsqrt: nan -> nan; inf -> 0; 0 -> inf; -1 -> nan; 4 -> 0.5
cbrt: nan -> nan; inf -> inf; -inf -> -inf; -0 -> -0; -27 -> -3; 5e-324 -> 1.7031839360032603e-108
reciprocal: nan -> nan; inf -> 0; -inf -> -0; 0 -> inf; -0 -> -inf
hypot: inf, nan -> inf; nan, -inf -> inf; nan, 1 -> nan; 3, 4 -> 5; -0, -0 -> 0; 1e300, 1e300 -> 1.4142135623730952e300;
    5e-324, 0 -> 5e-324
sin: nan -> nan; inf -> nan; -inf -> nan; 0 -> 0; -0 -> -0; 5e-324 -> 5e-324; 1e22 -> -0.8522008497671888
cos: nan -> nan; inf -> nan; -inf -> nan; 0 -> 1; -0 -> 1;
    5.319372648326541e255 -> -4.6871659242546277e-19
tan: nan -> nan; inf -> nan; -0 -> -0; 1.5707963267948966 -> 16331239353195370
asin: nan -> nan; 2 -> nan; -1.0000000000000002 -> nan; -0 -> -0; 1 -> 1.5707963267948966; -1 -> -1.5707963267948966
acos: nan -> nan; 2 -> nan; 1 -> 0; -1 -> 3.141592653589793; 0 -> 1.5707963267948966
atan: nan -> nan; inf -> 1.5707963267948966; -inf -> -1.5707963267948966; -0 -> -0; 1 -> 0.7853981633974483
atan2: 0, 0 -> 0; -0, 0 -> -0; 0, -0 -> 3.141592653589793; -0, -0 -> -3.141592653589793; 0, -1 -> 3.141592653589793;
    -0, -1 -> -3.141592653589793; 0, 1 -> 0; -0, 1 -> -0; 1, 0 -> 1.5707963267948966; 1, -0 -> 1.5707963267948966;
    -1, 0 -> -1.5707963267948966; 1, -inf -> 3.141592653589793; 1, inf -> 0; -1, inf -> -0; inf, 1 -> 1.5707963267948966;
    inf, -1 -> 1.5707963267948966; inf, inf -> 0.7853981633974483; inf, -inf -> 2.356194490192345;
    -inf, -inf -> -2.356194490192345; nan, 1 -> nan; 1, nan -> nan; 0, nan -> nan; -1e-300, 1e300 -> -0
sinh: nan -> nan; inf -> inf; -inf -> -inf; -0 -> -0; 711 -> inf; 5e-324 -> 5e-324
cosh: nan -> nan; inf -> inf; -inf -> inf; -0 -> 1; -711 -> inf
tanh: nan -> nan; inf -> 1; -inf -> -1; -0 -> -0; 30 -> 1; 5e-324 -> 5e-324
asinh: nan -> nan; inf -> inf; -inf -> -inf; -0 -> -0; 5e-324 -> 5e-324
acosh: nan -> nan; inf -> inf; 1 -> 0; 0.5 -> nan; -2 -> nan; -inf -> nan
atanh: nan -> nan; 1 -> inf; -1 -> -inf; 1.5 -> nan; -inf -> nan; -0 -> -0; 5e-324 -> 5e-324
sigmoid: nan -> nan; inf -> 1; -inf -> 0; 0 -> 0.5; -745 -> 5e-324
softplus: nan -> nan; inf -> inf; -inf -> 0; 0 -> 0.6931471805599453; 1000 -> 1000
logaddexp: inf, inf -> inf; -inf, -inf -> -inf; -inf, 3 -> 3; inf, -inf -> inf; nan, 1 -> nan; 0, 0 -> 0.6931471805599453
erf: nan -> nan; inf -> 1; -inf -> -1; -0 -> -0; 7 -> 1
erfc: nan -> nan; inf -> 0; -inf -> 2; 0 -> 1; 28 -> 0; -7 -> 2
lgamma: nan -> nan; inf -> inf; -inf -> inf; 0 -> inf; -0 -> inf; -3 -> inf; -1e300 -> inf; 1 -> 0; 2 -> 0
digamma: nan -> nan; inf -> inf; 0 -> -inf; -0 -> inf; -3 -> nan; 1 -> -0.5772156649015329; -0.5 -> 0.03648997397857652; -2.5 -> 1.103156640645243
polygamma: 0, 1 -> -0.5772156649015329; 1, inf -> 0; 1, 0 -> inf; 1, -2 -> inf; 2, -2 -> nan; 1.5, 1 -> nan; -1, 1 -> nan;
    1, nan -> nan; 3, 1 -> 6.493939402266829
sign: nan -> nan; -0 -> 0; -inf -> -1; 5e-324 -> 1
copysign: 1, -0 -> -1; -inf, 1 -> inf; -0, 3 -> 0
round: 0.5 -> 0; 1.5 -> 2; 2.5 -> 2; -0.5 -> -0; -0 -> -0; inf -> inf; nan -> nan; 0.49999999999999994 -> 0;
    4503599627370497 -> 4503599627370497
floor_divide: 1, 0 -> inf; -1, 0 -> -inf; 0, 0 -> nan; -5, inf -> -1; 5, inf -> 0; inf, 2 -> nan; -0, 5 -> -0; 7, -2 -> -4;
    1, nan -> nan; 1e308, 1e-300 -> inf
remainder: 5, 0 -> nan; -5, inf -> inf; 5, inf -> 5; inf, 2 -> nan; -0, 5 -> 0; 0, -5 -> -0; 7, -2 -> -1; -7, 7 -> 0;
    1, nan -> nan; 1e308, 3e-308 -> 5.476144900572913e-309
pow: 0, -3 -> inf; -0, -3 -> -inf; 0, -2 -> inf; -0, -2.5 -> inf; -0, 3 -> -0; 0, 3 -> 0; -0, 2 -> 0; -0, 0.5 -> 0;
    -1, inf -> 1; -1, -inf -> 1; 1, nan -> 1; nan, 0 -> 1; inf, -0 -> 1; nan, 1 -> nan; 2, nan -> nan;
    -8, 0.3333333333333333 -> nan; 0.5, -inf -> inf; 2, -inf -> 0; 0.5, inf -> 0; -2, inf -> inf; -inf, -3 -> -0; -inf, -2 -> 0;
    -inf, 3 -> -inf; -inf, 2 -> inf; -inf, 0.5 -> inf; inf, -1 -> 0; inf, 1 -> inf; -2, 3 -> -8; -2, -1 -> -0.5; 2, 1024 -> inf;
    -2, 1025 -> -inf; 2, -1075 -> 0; -2, -1077 -> -0; 10, 22 -> 1e22; 10, 308 -> 1e308; 1.0000000000000002, 1e300 -> inf;
    0.9999999999999999, 1e300 -> 0; 5e-324, 0.5 -> 2.2227587494850775e-162
`;
const numberOf = (text: string): number => Number(text.trim().replace("inf", "Infinity").replace("nan", "NaN"));
const EDGES_OF = EDGES.trim()
  .split(/\n(?! )/)
  .map((lines) => {
    const [name, rows] = lines.split(":") as [FunctionName, string];
    return [name, rows.split(";").map((row) => row.split(/,|->/).map(numberOf))] as const;
  });

test.each(EDGES_OF)("%s at the edges", (name, rows) => {
  for (const row of rows) expect([...row.slice(0, -1), at(name, ...row.slice(0, -1))]).toEqual(row);
});

test("every function has its edges tested", () => {
  expect(EDGES_OF.map(([name]) => name).sort()).toEqual(Object.keys(FUNCTIONS).sort());
});

describe("pow", () => {
  test("is exact where the result is", () => {
    for (let n = -1074; n < 1024; n++) expect(at("pow", 2, n)).toBe(2 ** n);
    for (let n = 0; n <= 33; n++) expect(at("pow", 3, n)).toBe(Number(3n ** BigInt(n)));
    fc.assert(
      fc.property(fc.double(), (x) => {
        expect(at("pow", x, 2)).toBe(x * x);
      }),
    );
    fc.assert(
      fc.property(fc.double(), (x) => {
        expect(at("pow", x, 1)).toBe(x);
      }),
    );
  });
});

describe("exact cases", () => {
  test("powers and logarithms of 2 and 10", () => {
    for (let n = -1074; n < 1024; n++) expect([at("exp2", n), at("log2", 2 ** n)]).toEqual([2 ** n, n]);
    for (let n = -307; n <= 308; n++) expect(at("log10", Number(`1e${n}`))).toBe(n);
  });
  test("cubes", () => {
    for (let n = -1000; n <= 1000; n++) expect(at("cbrt", n ** 3)).toBe(n);
  });
});

describe("symmetry", () => {
  const odd = ["sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "cbrt", "round"] as const;
  const even = ["cos", "cosh"] as const;
  test.each(odd)("%s is odd", (name) => {
    fc.assert(
      fc.property(fc.double(), (x) => {
        expect(at(name, -x)).toBe(-at(name, x));
      }),
    );
  });
  test.each(even)("%s is even", (name) => {
    fc.assert(
      fc.property(fc.double(), (x) => {
        expect(at(name, -x)).toBe(at(name, x));
      }),
    );
  });
});

/** A function of two arguments of one type. */
const binary = <T extends "f64" | "i32" | "i64">(f: (x: Form, y: Form) => Form, type: T) =>
  compileScalar(f, [type, type] as const, type);
const int32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -20, max: 20 }),
  fc.constant(-(2 ** 31)),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -20n, max: 20n }),
  fc.constant(-(2n ** 63n)),
);
const floorOf = (x: bigint, y: bigint) => x / y - (x % y !== 0n && x < 0n !== y < 0n ? 1n : 0n);

describe("division", () => {
  test("fmod is ECMAScript's exact %", () => {
    const f = binary(fmod, "f64");
    const near = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(fc.double(), near), fc.oneof(fc.double(), near), (x, y) => {
        expect(f(x, y)).toBe(x % y);
      }),
    );
    fc.assert(
      fc.property(near, fc.integer({ min: 1, max: 2 ** 31 }), (x, k) => {
        expect(f(x * k, x)).toBe((x * k) % x);
      }),
    );
  });
  test("of floats rounds down, and the remainder goes with it", () => {
    const [divide, modulo] = [binary(floorDivide, "f64"), binary(remainder, "f64")];
    const small = fc.integer({ min: -(2 ** 26), max: 2 ** 26 });
    fc.assert(
      fc.property(
        small,
        small.filter((y) => y !== 0),
        (x, y) => {
          const whole = Number(floorOf(BigInt(x), BigInt(y)));
          expect(divide(x, y) + 0).toBe(whole);
          expect(modulo(x, y) + 0).toBe(x - whole * y);
        },
      ),
    );
  });
  test("of int32 floors and wraps", () => {
    const [divide, modulo] = [binary(floorDivide, "i32"), binary(remainder, "i32")];
    fc.assert(
      fc.property(int32, int32, (x, y) => {
        const whole = y === 0 ? 0n : floorOf(BigInt(x), BigInt(y));
        expect(divide(x, y)).toBe(Number(BigInt.asIntN(32, whole)));
        expect(modulo(x, y)).toBe(y === 0 ? 0 : Number(BigInt(x) - whole * BigInt(y)));
      }),
    );
  });
  test("of int64 floors and wraps", () => {
    const [divide, modulo] = [binary(floorDivide, "i64"), binary(remainder, "i64")];
    fc.assert(
      fc.property(int64, int64, (x, y) => {
        const whole = y === 0n ? 0n : floorOf(x, y);
        expect(divide(x, y)).toBe(BigInt.asIntN(64, whole));
        expect(modulo(x, y)).toBe(y === 0n ? 0n : x - whole * y);
      }),
    );
  });
});

test("integer powers wrap", () => {
  const exponent = fc.integer({ min: 0, max: 200 });
  const [narrow, wide] = [binary(integerPower, "i32"), binary(integerPower, "i64")];
  fc.assert(
    fc.property(int32, exponent, (x, n) => {
      expect(narrow(x, n)).toBe(Number(BigInt.asIntN(32, BigInt(x) ** BigInt(n))));
    }),
  );
  fc.assert(
    fc.property(int64, exponent, (x, n) => {
      expect(wide(x, BigInt(n))).toBe(BigInt.asIntN(64, x ** BigInt(n)));
    }),
  );
});

test("integers wrap in every primitive", () => {
  const wrapped = (f: (x: Form, y: Form) => Form, exact: (x: bigint, y: bigint) => bigint) => {
    const [narrow, wide] = [binary(f, "i32"), binary(f, "i64")];
    fc.assert(
      fc.property(int32, int32, (x, y) => {
        expect(narrow(x, y)).toBe(Number(BigInt.asIntN(32, exact(BigInt(x), BigInt(y)))));
      }),
    );
    fc.assert(
      fc.property(int64, int64, (x, y) => {
        expect(wide(x, y)).toBe(BigInt.asIntN(64, exact(x, y)));
      }),
    );
  };
  wrapped(add, (x, y) => x + y);
  wrapped(sub, (x, y) => x - y);
  wrapped(mul, (x, y) => x * y);
});

test("conversions go towards zero and stop at the bounds", () => {
  const to = <T extends ScalarType>(type: T) => compileScalar((x) => convert(x, type), ["f64"] as const, type);
  expect([2.9, -2.9, nan, inf, -inf, 1e10, -0].map(to("i32"))).toEqual([
    2,
    -2,
    0,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31 - 1,
    0,
  ]);
  expect([2.9, -2.9, nan, inf, -inf, 1e30].map(to("i64"))).toEqual([
    2n,
    -2n,
    0n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 63n - 1n,
  ]);
  expect([0, -0, nan, 0.5].map(to("bool"))).toEqual([false, false, true, true]);
});

test("rounding goes to the even neighbour", () => {
  const round = compileScalar(roundHalfEven, ["f64"]);
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (n) => {
      expect(round(n + 0.5) % 2).toBe(0 * n);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: -(2 ** 50), max: 2 ** 50, noNaN: true }), (x) => {
      expect(Math.abs(round(x) - x)).toBeLessThanOrEqual(0.5);
    }),
  );
});

describe("double-double", () => {
  const integer = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  const both = (f: (x: Form, y: Form) => { high: Form; low: Form }) =>
    [binary((x, y) => f(x, y).high, "f64"), binary((x, y) => f(x, y).low, "f64")] as const;
  test("sums and products lose nothing", () => {
    for (const [f, exact] of [
      [twoSum, (x: bigint, y: bigint) => x + y],
      [twoProduct, (x: bigint, y: bigint) => x * y],
    ] as const) {
      const [high, low] = both(f);
      fc.assert(
        fc.property(integer, integer, (x, y) => {
          expect(BigInt(high(x, y)) + BigInt(low(x, y))).toBe(exact(BigInt(x), BigInt(y)));
        }),
      );
    }
  });
  test("a quotient has a hundred bits", () => {
    const [high, low] = both((x, y) => quotient({ high: x, low: mul(x, 0) }, { high: y, low: mul(y, 0) }));
    fc.assert(
      fc.property(
        integer,
        integer.filter((y) => y !== 0),
        (x, y) => {
          const scaled = (part: number) =>
            BigInt(Math.trunc(part * 2 ** 60)) * 2n ** 60n + BigInt(Math.trunc(((part * 2 ** 60) % 1) * 2 ** 60));
          const error = (scaled(high(x, y)) + scaled(low(x, y))) * BigInt(y) - BigInt(x) * 2n ** 120n;
          const magnitude = BigInt(Math.abs(x)) + BigInt(Math.abs(y));
          expect(error < 0n ? -error : error).toBeLessThanOrEqual(magnitude * 2n ** 22n);
        },
      ),
    );
  });
});

describe("emitted code", () => {
  test("computes equal expressions once", () => {
    const x = parameter(0, "f64");
    const { statements } = emit(add(mul(x, x), mul(x, x)), ["x"]);
    expect(statements.match(/x \* x/g)).toHaveLength(1);
  });
  test("declares names with the prefix it is given, and nothing else", () => {
    const { statements, result } = emit(FUNCTIONS.erfc.float64(parameter(0, "f64")), ["x"], "v");
    for (const line of statements.split("\n")) expect(line).toMatch(/^const v\d+ = .*;$/);
    expect(result).toMatch(/^v\d+$/);
  });
});
