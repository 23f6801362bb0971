/** Whether a result is what was expected, within a tolerance; where it is not, how far off and where most. */
import { TsymError } from "../source.ts";
import type { DType } from "../tensor/dtype.ts";
import { showSizes, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { elementText } from "./digits.ts";
import { fits, readTensor, type Source, unravel } from "./source.ts";

export interface Tolerance {
  /** Relative to the expected value. */
  readonly rtol?: number | undefined;
  /** Absolute. */
  readonly atol?: number | undefined;
}

/** The defaults of torch.testing.assert_close; ints and bools are compared exactly. */
const DEFAULT: Readonly<Record<DType, { rtol: number; atol: number }>> = {
  bool: { rtol: 0, atol: 0 },
  int32: { rtol: 0, atol: 0 },
  int64: { rtol: 0, atol: 0 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float64: { rtol: 1e-7, atol: 1e-7 },
};

/**
 * Compares by the rule of NumPy's allclose, |actual - expected| ≤ atol + rtol · |expected|; nan equals nan, an infinity
 * only itself. Undefined if they agree. Throws TsymError for expected values that cannot be read.
 */
export function compare(actual: Tensor, expected: Source, tolerance: Tolerance = {}): { message: string } | undefined {
  const { shape, dtype } = actual;
  const rtol = tolerance.rtol ?? DEFAULT[dtype].rtol;
  const atol = tolerance.atol ?? DEFAULT[dtype].atol;
  if (!fits(expected, shape)) {
    return { message: `expected shape ${showSizes(expected.shape)}, as in ${expected.label}, got ${showSizes(shape)}` };
  }
  if (dtype === "bool" && expected.dtype !== "bool") {
    return { message: `expected numbers, as in ${expected.label}, got bools` };
  }
  const { data: wanted, dtype: wantedDType } = readExpected(expected, dtype, shape);
  let differing = 0;
  let most = -1;
  let worst = 0;
  for (let i = 0; i < actual.data.length; i++) {
    const difference = distance(actual.data[i]!, wanted[i]!);
    if (difference === 0) continue;
    if (difference <= atol + rtol * Math.abs(Number(wanted[i])) && difference < Infinity) continue;
    differing++;
    if (difference > most) {
      most = difference;
      worst = i;
    }
  }
  if (differing === 0) return undefined;
  const tolerated = rtol > 0 || atol > 0 ? ` by more than rtol ${rtol}, atol ${atol}` : "";
  const [want, got] = [elementText(wantedDType, WORDS)(wanted[worst]!), elementText(dtype, WORDS)(actual.data[worst]!)];
  const values = `expected ${want}, got ${got}`;
  return {
    message:
      shape.length === 0
        ? `it differs from ${expected.label}${tolerated}: ${values}`
        : `${differing} of ${sizeOf(shape)} elements differ from ${expected.label}${tolerated}, ` +
          `most at [${unravel(worst, shape).join(", ")}]: ${values}`,
  };
}

const WORDS = { nan: "nan", infinity: "inf", negativeInfinity: "-inf" };

/** The expected values in a dtype that holds them and the actual ones exactly, but for an int64 beside floats. */
function readExpected(expected: Source, actual: DType, shape: readonly number[]): Tensor {
  if (actual === "bool") return readTensor(expected, "bool", shape);
  if (actual !== "int64" || expected.dtype === "float32" || expected.dtype === "float64")
    return readTensor(expected, "float64", shape);
  try {
    return readTensor(expected, "int64", shape);
  } catch (error) {
    if (!(error instanceof TsymError)) throw error;
    return readTensor(expected, "float64", shape); // a number in text that is no int64
  }
}

/** How far apart; nothing is a finite distance from nan or an infinity, but these are none from themselves. */
function distance(actual: number | bigint, expected: number | bigint): number {
  if (actual === expected) return 0;
  if (typeof actual === "bigint" && typeof expected === "bigint") return Math.abs(Number(actual - expected));
  const [a, b] = [Number(actual), Number(expected)];
  if (Number.isNaN(a) && Number.isNaN(b)) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Infinity : difference;
}
