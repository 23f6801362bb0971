/** Forms: scalar functions as data, which the emitters turn into code. Knows types and operators; nothing of any target or of tensors. */

export type ScalarType = "f64" | "i32" | "i64" | "bool";

/** The primitives. Each is exact or rounded once as IEEE 754 says, so every target gives the same bits. */
export type Operator =
  | "parameter"
  | "constant"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "rem"
  | "neg"
  | "abs"
  | "min"
  | "max"
  | "copysign"
  | "sqrt"
  | "floor"
  | "ceil"
  | "trunc"
  | "fround"
  | "lt"
  | "le"
  | "eq"
  | "and"
  | "or"
  | "xor"
  | "not"
  | "shl"
  | "shr"
  | "select"
  | "rare"
  | "toF64"
  | "toI32"
  | "toI64"
  | "highWord"
  | "lowWord"
  | "fromWords"
  | "pow2";

/** A node of an expression graph; a node used twice is computed once. */
export interface Form {
  readonly op: Operator;
  readonly type: ScalarType;
  readonly args: readonly Form[];
  /** A constant's value, a parameter's place, or the name of the routine that a `rare` node calls. */
  readonly value?: number | bigint | boolean | string;
}

/** A number stands for a constant of the other operand's type, f64 if there is none. */
export type Operand = Form | number;

const node = (op: Operator, type: ScalarType, ...args: Form[]): Form => ({ op, type, args });

export const parameter = (place: number, type: ScalarType): Form => ({ op: "parameter", type, args: [], value: place });

/** A constant; a fractional number cannot be an integer. */
export function constant(value: number | bigint | boolean, type: ScalarType = "f64"): Form {
  const typed = type === "bool" ? Boolean(value) : type === "i64" ? BigInt(value) : Number(value);
  return { op: "constant", type, args: [], value: typed };
}

/** Operands as forms of one type. A mixture is a mistake in a definition, not in a user's program. */
function alike(...operands: Operand[]): Form[] {
  const type = operands.find((operand) => typeof operand !== "number")?.type ?? "f64";
  const forms = operands.map((operand) => (typeof operand === "number" ? constant(operand, type) : operand));
  const other = forms.find((form) => form.type !== type);
  if (other) throw new TypeError(`a form of ${type} met one of ${other.type}`);
  return forms;
}

const homogeneous = (op: Operator, ...operands: Operand[]): Form => {
  const args = alike(...operands);
  return { op, type: args[0]!.type, args };
};

// Arithmetic: f64 is IEEE 754, i32 and i64 wrap.
export const add = (a: Operand, b: Operand): Form => homogeneous("add", a, b);
export const sub = (a: Operand, b: Operand): Form => homogeneous("sub", a, b);
export const mul = (a: Operand, b: Operand): Form => homogeneous("mul", a, b);
/** Quotient: IEEE 754 for f64; towards zero for integers, where x / 0 is 0 (whoever runs it must look for zeros first). */
export const div = (a: Operand, b: Operand): Form => homogeneous("div", a, b);
/** Integer remainder with the dividend's sign; 0 for a zero divisor. */
export const rem = (a: Operand, b: Operand): Form => homogeneous("rem", a, b);
export const neg = (a: Operand): Form => homogeneous("neg", a);
export const abs = (a: Operand): Form => homogeneous("abs", a);
/** NaN wins and -0 < +0, as in IEEE 754-2019 `minimum`. */
export const min = (a: Operand, b: Operand): Form => homogeneous("min", a, b);
/** NaN wins and -0 < +0, as in IEEE 754-2019 `maximum`. */
export const max = (a: Operand, b: Operand): Form => homogeneous("max", a, b);
/** |a| with b's sign bit. f64 only. */
export const copysign = (a: Operand, b: Operand): Form => homogeneous("copysign", a, b);
export const sqrt = (a: Operand): Form => homogeneous("sqrt", a);
export const floor = (a: Operand): Form => homogeneous("floor", a);
export const ceil = (a: Operand): Form => homogeneous("ceil", a);
export const trunc = (a: Operand): Form => homogeneous("trunc", a);
/** The nearest float32, still as f64. */
export const fround = (a: Operand): Form => homogeneous("fround", a);

// Comparisons: false when an operand is NaN, `ne` excepted.
export const lt = (a: Operand, b: Operand): Form => node("lt", "bool", ...alike(a, b));
export const le = (a: Operand, b: Operand): Form => node("le", "bool", ...alike(a, b));
export const eq = (a: Operand, b: Operand): Form => node("eq", "bool", ...alike(a, b));
export const gt = (a: Operand, b: Operand): Form => lt(b, a);
export const ge = (a: Operand, b: Operand): Form => le(b, a);
export const ne = (a: Operand, b: Operand): Form => not(eq(a, b));
export const isnan = (a: Form): Form => ne(a, a);

// Logic on bool, bits on i32 and i64.
export const and = (a: Operand, b: Operand): Form => homogeneous("and", a, b);
export const or = (a: Operand, b: Operand): Form => homogeneous("or", a, b);
export const xor = (a: Operand, b: Operand): Form => homogeneous("xor", a, b);
export const not = (a: Form): Form => homogeneous("not", a);
/** i32 shifted left by a constant number of bits. */
export const shl = (a: Form, bits: number): Form => homogeneous("shl", a, bits);
/** i32 shifted right by a constant number of bits, the sign filling in. */
export const shr = (a: Form, bits: number): Form => homogeneous("shr", a, bits);

/** `condition ? a : b`; both sides are computed. */
export const select = (condition: Form, a: Operand, b: Operand): Form => {
  const [x, y] = alike(a, b) as [Form, Form];
  return node("select", x.type, condition, x, y);
};

/** `fast`, but where `condition` holds what the scalar routine of that name (routines.ts) makes of `args`. */
export const rare = (condition: Form, routine: string, args: readonly Form[], fast: Form): Form => ({
  op: "rare",
  type: fast.type,
  args: [condition, fast, ...args],
  value: routine,
});

/** Converts; floats go towards zero into integers and stop at their bounds, NaN gives 0; to bool is `!= 0`. */
export function convert(a: Form, type: ScalarType): Form {
  if (a.type === type) return a;
  if (type === "bool") return ne(a, 0);
  return node(type === "f64" ? "toF64" : type === "i32" ? "toI32" : "toI64", type, a);
}

// Bits of an f64, as two i32 words.
/** Sign, exponent and the first 20 bits of the fraction. */
export const highWord = (a: Form): Form => node("highWord", "i32", a);
/** The last 32 bits of the fraction. */
export const lowWord = (a: Form): Form => node("lowWord", "i32", a);
export const fromWords = (high: Operand, low: Operand): Form => {
  const [h, l] = [high, low].map((word) => (typeof word === "number" ? constant(word, "i32") : word)) as [Form, Form];
  return node("fromWords", "f64", h, l);
};
/** 2^n for an i32 n in [-1022, 1023]; what it is outside is up to the target. */
export const pow2 = (n: Form): Form => node("pow2", "f64", n);

/** The first 21 significant bits of x: a product of two such is exact. */
export const head = (x: Form): Form => fromWords(highWord(x), 0);

/** c[0] + c[1] x + c[2] x² + …, from the inside out. */
export function polynomial(x: Form, coefficients: readonly Operand[]): Form {
  const [last, ...rest] = coefficients.toReversed();
  return rest.reduce<Form>((sum, c) => add(c, mul(x, sum)), typeof last === "number" ? constant(last) : last!);
}
