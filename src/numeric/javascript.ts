/** Forms as scalar JavaScript: what the reference engine, constant folding and tests run. Knows no single function. */
import { type Form, type Operator, parameter, type ScalarType } from "./form.ts";
import { ROUTINES } from "./routines.ts";

type Template = (...args: string[]) => string;
type ByType = Partial<Record<ScalarType, Template>>;

const call =
  (name: string): Template =>
  (...args) =>
    `${name}(${args.join(", ")})`;
const infix =
  (symbol: string): Template =>
  (a, b) =>
    `${a} ${symbol} ${b}`;
const wrap32 =
  (symbol: string): Template =>
  (a, b) =>
    `(${a} ${symbol} ${b}) | 0`;
const wrap64 =
  (symbol: string): Template =>
  (a, b) =>
    `BigInt.asIntN(64, ${a} ${symbol} ${b})`;

const arithmetic = (symbol: string): ByType => ({ f64: infix(symbol), i32: wrap32(symbol), i64: wrap64(symbol) });
const comparison = (symbol: string): ByType => ({ f64: infix(symbol), i32: infix(symbol), i64: infix(symbol) });
const extremum = (name: string, symbol: string): ByType => ({
  f64: call(`Math.${name}`),
  i32: call(`Math.${name}`),
  i64: (a, b) => `${a} ${symbol} ${b} ? ${a} : ${b}`,
});
const float = (name: string): ByType => ({ f64: call(`Math.${name}`) });
const bitwise = (symbol: string, bool: Template): ByType => ({ i32: infix(symbol), i64: infix(symbol), bool });
const unlessZero =
  (symbol: string): Template =>
  (a, b) =>
    `${b} === 0n ? 0n : ${wrap64(symbol)(a, b)}`;

/** Each primitive by the type of its first argument. A bool is anything truthy or falsy, so bytes 0 and 1 will do. */
const TEMPLATES: Record<Exclude<Operator, "parameter" | "constant" | "rare">, ByType> = {
  add: arithmetic("+"),
  sub: arithmetic("-"),
  mul: { f64: infix("*"), i32: call("Math.imul"), i64: wrap64("*") },
  div: { f64: infix("/"), i32: wrap32("/"), i64: unlessZero("/") },
  rem: { i32: wrap32("%"), i64: unlessZero("%") },
  neg: { f64: (a) => `-${a}`, i32: (a) => `-${a} | 0`, i64: (a) => `BigInt.asIntN(64, -${a})` },
  abs: {
    f64: call("Math.abs"),
    i32: (a) => `Math.abs(${a}) | 0`,
    i64: (a) => `BigInt.asIntN(64, ${a} < 0n ? -${a} : ${a})`,
  },
  min: extremum("min", "<"),
  max: extremum("max", ">"),
  copysign: { f64: (a, b) => `(F64[0] = ${b}, I32[1] < 0) ? -Math.abs(${a}) : Math.abs(${a})` },
  sqrt: float("sqrt"),
  floor: float("floor"),
  ceil: float("ceil"),
  trunc: float("trunc"),
  fround: float("fround"),
  lt: comparison("<"),
  le: comparison("<="),
  eq: { ...comparison("==="), bool: (a, b) => `!${a} === !${b}` },
  and: bitwise("&", infix("&&")),
  or: bitwise("|", infix("||")),
  xor: bitwise("^", (a, b) => `!${a} !== !${b}`),
  not: { i32: (a) => `~${a}`, i64: (a) => `~${a}`, bool: (a) => `!${a}` },
  shl: { i32: infix("<<") },
  shr: { i32: infix(">>") },
  select: { bool: (condition, a, b) => `${condition} ? ${a} : ${b}` },
  toF64: { i32: (a) => a, i64: call("Number"), bool: (a) => `${a} ? 1 : 0` },
  toI32: {
    f64: (a) => `Math.max(-2147483648, Math.min(2147483647, ${a})) | 0`,
    i64: (a) => `Number(BigInt.asIntN(32, ${a}))`,
    bool: (a) => `${a} ? 1 : 0`,
  },
  toI64: { f64: call("truncate64"), i32: call("BigInt"), bool: (a) => `${a} ? 1n : 0n` },
  highWord: { f64: (a) => `(F64[0] = ${a}, I32[1])` },
  lowWord: { f64: (a) => `(F64[0] = ${a}, I32[0])` },
  fromWords: { i32: (high, low) => `(I32[1] = ${high}, I32[0] = ${low}, F64[0])` },
  pow2: { i32: (n) => `POW2[${n} + 1074]` },
};

/** f64 to i64: towards zero, held within bounds, NaN to 0. */
const truncate64 = (x: number): bigint =>
  Number.isNaN(x) ? 0n : x >= 2 ** 63 ? 2n ** 63n - 1n : x <= -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(x));

/** 2^-1074 … 2^1023. */
function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2098);
  for (let i = 0, power = 2 ** -1074; i < powers.length; i++, power *= 2) powers[i] = power;
  return powers;
}

/** What emitted code refers to. */
export interface Scope {
  /** Two views of the same eight bytes (little-endian, as every host of Node's is). */
  readonly F64: Float64Array;
  readonly I32: Int32Array;
  readonly POW2: Float64Array;
  readonly truncate64: typeof truncate64;
  readonly routines: typeof ROUTINES;
}

let shared: Scope | undefined;

/** The names that emitted code uses freely, with their values: `new Function(...Object.keys(scope()), code)(...Object.values(scope()))`. */
export function scope(): Scope {
  if (!shared) {
    const F64 = new Float64Array(1);
    shared = { F64, I32: new Int32Array(F64.buffer), POW2: powersOfTwo(), truncate64, routines: ROUTINES };
  }
  return shared;
}

/** A constant as source text; negative ones stand in parentheses so that any operator may come before. */
function literal(value: Form["value"]): string {
  const text = Object.is(value, -0) ? "-0" : `${value}${typeof value === "bigint" ? "n" : ""}`;
  return text.startsWith("-") ? `(${text})` : text;
}

export interface Emitted {
  /** `const t0 = …; const t1 = …;`, one statement a node. */
  readonly statements: string;
  /** A name or literal that holds the value after them. */
  readonly result: string;
}

/**
 * JavaScript for `form`, to be spliced into a block or a loop body.
 * @param parameters source text (names, best) for the form's parameters, by place
 * @param prefix of the names it declares
 */
export function emit(form: Form, parameters: readonly string[], prefix = "t"): Emitted {
  const atoms = new Map<Form, string>();
  const names = new Map<string, string>(); // by the text they stand for, so equal expressions are computed once
  const statements: string[] = [];
  const expression = ({ op, type, args, value }: Form): string => {
    const texts = args.map(visit);
    if (op === "rare") return `${texts[0]} ? routines.${value}(${texts.slice(2).join(", ")}) : ${texts[1]}`;
    const template = TEMPLATES[op as keyof typeof TEMPLATES][args[0]!.type];
    if (!template) throw new TypeError(`${op} of ${args[0]!.type} is no primitive (type ${type})`);
    return template(...texts);
  };
  const name = (text: string): string => {
    const known = names.get(text) ?? `${prefix}${names.size}`;
    if (!names.has(text)) statements.push(`const ${known} = ${text};`);
    names.set(text, known);
    return known;
  };
  const visit = (current: Form): string => {
    let atom = atoms.get(current);
    if (atom === undefined) {
      if (current.op === "parameter") atom = parameters[current.value as number]!;
      else atom = current.op === "constant" ? literal(current.value) : name(expression(current));
      atoms.set(current, atom);
    }
    return atom;
  };
  const result = visit(form);
  return { statements: statements.join("\n"), result };
}

type Value = { f64: number; i32: number; i64: bigint; bool: boolean };

/** A callable function from one on forms, for tests and single values: number for f64 and i32, bigint for i64, boolean for bool. */
export function compileScalar<const T extends readonly ScalarType[], R extends ScalarType = "f64">(
  define: (...parameters: Form[]) => Form,
  types: T,
  resultType: R = "f64" as R,
): (...args: { [I in keyof T]: Value[T[I]] }) => Value[R] {
  const names = types.map((_, i) => `x${i}`);
  const form = define(...types.map((type, i) => parameter(i, type)));
  if (form.type !== resultType) throw new TypeError(`the form is of ${form.type}, not ${resultType}`);
  const { statements, result } = emit(form, names);
  const body = `return (${names.join(", ")}) => {\n${statements}\nreturn ${result};\n}`;
  return new Function(...Object.keys(scope()), body)(...Object.values(scope()));
}
