/**
 * Scalar forms as SIMD code for four elements at a time. Knows forms and lanes; no loops and no kernels.
 *
 * A value has one of seven layouts. float32 arithmetic is written as f64 forms under `fround`; where one operation alone is rounded so,
 * the float32 instruction gives the same bits (Figueroa, "When is double rounding innocuous?", 1995), and stays in one vector.
 */
import type { Form, Operator, ScalarType } from "../../numeric/form.ts";
import type { DType } from "../../tensor/dtype.ts";
import {
  type Code,
  call,
  extractLane,
  type FunctionCode,
  get,
  type Instruction,
  i32Const,
  isInstruction,
  load,
  loadLane,
  loadSplat,
  op,
  replaceLane,
  set,
  shuffle,
  storeLane,
  store as storeTo,
  v128Const,
  type Width,
  when,
} from "./assembler.ts";
import type { Store } from "./kernel.ts";
import {
  ARGUMENT,
  displaced,
  EVEN,
  EVEN_TWICE,
  GROUP,
  HIGH_HALF,
  LAYOUT,
  type Lane,
  type Layout,
  LOW_HALVES,
  laneOf,
  packed,
  SHAPE,
  Unvectorizable,
  unpacked,
  VECTORS,
  WIDTH,
} from "./lanes.ts";
import { importIndex } from "./routines.ts";

/** Operators that round once. */
const ROUNDING: readonly Operator[] = ["add", "sub", "mul", "div", "sqrt"];
/** Operators whose results are among what they are given, up to sign: rounding before or after them is the same. */
const SELECTING: readonly Operator[] = ["neg", "abs", "min", "max", "copysign", "select"];
const INTEGRAL: readonly Operator[] = ["floor", "ceil", "trunc"];

interface Value {
  readonly locals: readonly number[];
  /** Not the same in every iteration. */
  readonly varies: boolean;
}

/** Whether a form is a number that is neither zero nor NaN. */
const isPlainBound = ({ op: name, type, value }: Form): boolean =>
  name === "constant" && type === "f64" && value !== 0 && !Number.isNaN(value);

/** What a value is made of, apart from a condition and what only rare values are made of. */
const chosenFrom = ({ op: name, args }: Form): readonly Form[] =>
  name === "select" ? args.slice(1) : name === "rare" ? args.slice(1, 2) : args;

/** Code for the forms of one loop. Equal forms are computed once, what does not vary before the loop. */
export class Vectorizer {
  /** To run once; before each loop; in each iteration. */
  readonly constants: Code[];
  readonly invariant: Code[];
  readonly body: Code[] = [];
  readonly #fn: FunctionCode;
  readonly #lanes: readonly Lane[];
  readonly #single: boolean;
  readonly #values: Map<string, Value>;
  readonly #ids: Map<string, number>;
  readonly #known = new Map<Form, number>();
  /** Bytes that loads are ahead of the pointers, in elements. */
  #ahead = 0;

  constructor(fn: FunctionCode, lanes: readonly Lane[], from?: Vectorizer, single = false) {
    this.#fn = fn;
    this.#lanes = lanes;
    this.#single = single;
    this.constants = from?.constants ?? [];
    this.invariant = from?.invariant ?? [];
    this.#values = new Map(from ? [...from.#values].filter(([, value]) => !value.varies) : []);
    this.#ids = from ? from.#ids : new Map();
  }

  /** The same forms in another place. */
  again(): Vectorizer {
    return new Vectorizer(this.#fn, this.#lanes, this);
  }

  /** For the elements that do not fill a group: the same forms for one element, in all lanes alike. */
  single(): Vectorizer {
    return new Vectorizer(this.#fn, this.#lanes, this, true);
  }

  /** Goes on to the group that begins `elements` after the pointers. */
  moveTo(elements: number): void {
    this.#ahead = elements;
    for (const [key, value] of this.#values) if (value.varies) this.#values.delete(key);
  }

  /** Locals that hold the form's values in a layout. @throws Unvectorizable */
  value(form: Form, layout: Layout): readonly number[] {
    return this.#value(form, layout).locals;
  }

  /** Stores a value of four elements, or of one, at a pointer. */
  store(dtype: DType, form: Form, { pointer, stride }: Lane): void {
    const value = this.#value(form, LAYOUT[dtype]);
    const width = WIDTH[dtype];
    const vectors = dtype === "bool" ? [this.#put([packed(get(value.locals[0]!))], false).locals[0]!] : value.locals;
    const ahead = this.#ahead * width;
    if (this.#single) this.#emit(storeLane(width, 0, get(pointer), get(vectors[0]!), ahead));
    else if (stride === 1 && dtype === "bool") this.#emit(storeLane(4, 0, get(pointer), get(vectors[0]!), ahead));
    else if (stride === 1)
      for (const [i, v] of vectors.entries()) this.#emit(storeTo("v128.store", get(pointer), get(v), ahead + 16 * i));
    else this.#scatter(width, vectors, pointer, stride);
  }

  /** Stores the value of each of `stores` at its pointer. */
  storeAll(stores: readonly Store[], lanes: readonly Lane[]): void {
    for (const [i, { to, value }] of stores.entries()) this.store(to.dtype, value, lanes[i]!);
  }

  #scatter(width: Width, vectors: readonly number[], pointer: number, stride: number): void {
    const perVector = GROUP / vectors.length;
    for (let i = 0; i < GROUP; i++) {
      const address = displaced(pointer, (this.#ahead + i) * stride * width);
      this.#emit(storeLane(width, i % perVector, address, get(vectors[Math.floor(i / perVector)]!)));
    }
  }

  #emit(code: Code): void {
    this.body.push(code);
  }

  /** Locals for `codes`, a vector each. */
  #put(codes: readonly Code[], invariant: boolean, section = invariant ? this.invariant : this.body): Value {
    const locals = codes.map((code) => {
      const local = this.#fn.local("v128");
      section.push(set(local, code));
      return local;
    });
    return { locals, varies: section === this.body };
  }

  /** A number that equal forms share. */
  #id(form: Form): number {
    let id = this.#known.get(form);
    if (id === undefined) {
      const value = Object.is(form.value, -0) ? "-0" : String(form.value);
      const key = `${form.op} ${form.type} ${value} ${form.args.map((arg) => this.#id(arg))}`;
      id = this.#ids.get(key) ?? this.#ids.size;
      this.#ids.set(key, id);
      this.#known.set(form, id);
    }
    return id;
  }

  #value(form: Form, layout: Layout): Value {
    const key = `${layout} ${this.#id(form)}`;
    let value = this.#values.get(key);
    if (!value) {
      const natural = form.op === "constant" ? layout : this.#natural(form);
      value = layout === natural ? this.#make(form, layout) : this.#convert(form, natural, layout);
      this.#values.set(key, value);
    }
    return value;
  }

  /** The layout that a form's value comes in. */
  #natural(form: Form): Layout {
    switch (form.type) {
      case "f64":
        return this.isSingle(form) ? "f32" : "f64";
      case "i64":
        return "i64";
      case "i32":
        if (form.op === "highWord" || form.op === "lowWord") return "w32";
        if (form.op === "toI32" || form.op === "parameter") return "i32";
        return chosenFrom(form).some((arg) => arg.type === "i32" && this.#natural(arg) === "w32") ? "w32" : "i32";
      case "bool": {
        if (form.op === "parameter" || form.op === "constant") return "m32";
        return form.args.every((arg) => VECTORS[this.#natural(arg)] === 1) ? "m32" : "m64";
      }
    }
  }

  /** Whether an f64 form's values are float32 numbers. */
  isSingle(form: Form): boolean {
    if (form.type !== "f64") return false;
    if (form.op === "parameter") return this.#lanes[form.value as number]!.dtype === "float32";
    if (form.op === "constant") return Number.isNaN(form.value) || Math.fround(form.value as number) === form.value;
    if (form.op === "fround") return true;
    if (form.op === "toF64") return form.args[0]!.type === "bool";
    return (
      (SELECTING.includes(form.op) || INTEGRAL.includes(form.op)) && chosenFrom(form).every((arg) => this.isSingle(arg))
    );
  }

  /** Whether an f64 form rounded to float32 is what float32 instructions make. */
  #roundsOnce(form: Form): boolean {
    if (this.isSingle(form)) return true;
    if (ROUNDING.includes(form.op)) return form.args.every((arg) => this.isSingle(arg));
    if (form.op === "toF64") return form.args[0]!.type === "i32";
    return SELECTING.includes(form.op) && chosenFrom(form).every((arg) => this.#roundsOnce(arg));
  }

  #convert(form: Form, from: Layout, to: Layout): Value {
    const value = this.#value(form, from);
    const [a, b] = value.locals.map(get) as [Code, Code];
    const put = (...codes: Code[]) => this.#put(codes, !value.varies);
    switch (`${from} ${to}`) {
      case "f32 f64":
        return put(op("f64x2.promote_low_f32x4", a), op("f64x2.promote_low_f32x4", shuffle(a, a, HIGH_HALF)));
      case "i32 w32":
      case "m32 m64":
        return put(op("i64x2.extend_low_i32x4_s", a), op("i64x2.extend_high_i32x4_s", a));
      case "w32 i32":
      case "m64 m32":
        return put(shuffle(a, b, EVEN));
      default:
        throw new Unvectorizable(`${form.op}: ${from} as ${to}`);
    }
  }

  #make(form: Form, layout: Layout): Value {
    if (form.op === "constant") return this.#constant(form, layout);
    if (form.op === "parameter") return this.#load(this.#lanes[form.value as number]!);
    if (form.op === "fround") return this.#rounded(form.args[0]!);
    if (form.op === "rare") return this.#rare(form, layout);
    return this.#operation(form, layout);
  }

  #constant({ type, value }: Form, layout: Layout): Value {
    const isMask = layout === "m32" || layout === "m64";
    const lanes = isMask ? "i32" : layout === "w32" ? "i32" : layout;
    const number = type === "bool" ? (value ? (isMask ? -1 : 1) : 0) : (value as number | bigint);
    const code = v128Const(lanes, number);
    const { locals } = this.#put([code], true, this.constants);
    return { locals: VECTORS[layout] === 1 ? locals : [locals[0]!, locals[0]!], varies: false };
  }

  #load({ dtype, pointer, stride }: Lane): Value {
    const width = WIDTH[dtype];
    const layout = LAYOUT[dtype];
    const at = (i: number) => displaced(pointer, (this.#ahead + i) * stride * width);
    const splat = () => {
      const code = loadSplat(width, at(0));
      return dtype === "bool" ? unpacked(code) : code;
    };
    if (stride === 0 || this.#single) {
      const { locals, varies } = this.#put([splat()], stride === 0);
      return { locals: VECTORS[layout] === 1 ? locals : [locals[0]!, locals[0]!], varies };
    }
    const perVector = 16 / width;
    const vectors = Array.from({ length: VECTORS[layout] }, (_, v): Code => {
      if (stride === 1 && dtype === "bool") return load("v128.load32_zero", at(0));
      if (stride === 1) return load("v128.load", get(pointer), this.#ahead * width + 16 * v);
      let code = loadSplat(width, at(v * perVector));
      for (let i = 1; i < Math.min(perVector, GROUP); i++) code = loadLane(width, i, at(v * perVector + i), code);
      return code;
    });
    return this.#put(dtype === "bool" ? vectors.map(unpacked) : vectors, false);
  }

  /** An f64 form rounded to float32. */
  #rounded(form: Form): Value {
    if (this.isSingle(form)) return this.#value(form, "f32");
    if (this.#roundsOnce(form)) return this.#operation(form, "f32");
    const { locals, varies } = this.#value(form, "f64");
    const [a, b] = locals.map((local) => op("f32x4.demote_f64x2_zero", get(local))) as [Code, Code];
    return this.#put([shuffle(a, b, LOW_HALVES)], !varies);
  }

  /** The fast value, but in lanes where the condition holds what a routine gives. */
  #rare({ value: routine, args: [condition, fast, ...args] }: Form, layout: Layout): Value {
    const values = [
      this.#value(condition!, VECTORS[layout] === 1 ? "m32" : "m64"),
      this.#value(fast!, layout),
      ...args.map((arg) => this.#value(arg, ARGUMENT[arg.type as keyof typeof ARGUMENT])),
    ];
    const varies = values.some((value) => value.varies);
    const [mask, , ...operands] = values.map((value) => value.locals) as [readonly number[], ...(readonly number[])[]];
    const result = this.#put(values[1]!.locals.map(get), !varies);
    const perVector = GROUP / VECTORS[layout];
    const lanes = Array.from({ length: this.#single ? 1 : GROUP }, (_, i) => {
      const local = result.locals[Math.floor(i / perVector)]!;
      const taken = operands.map((locals, k) => laneOf(locals, ARGUMENT[args[k]!.type as keyof typeof ARGUMENT], i));
      const holds = extractLane("i32x4", (i % perVector) * (4 / perVector), get(mask[Math.floor(i / perVector)]!));
      const made = call(importIndex(routine as string), ...taken);
      const lane = layout === "w32" ? 2 * (i % perVector) : i % perVector;
      return when(holds, set(local, replaceLane(SHAPE[layout as keyof typeof SHAPE], lane, get(local), made)));
    });
    const any = mask.map((local) => op("v128.any_true", get(local))).reduce((a, b) => op("i32.add", a, b));
    (varies ? this.body : this.invariant).push(when(any, ...lanes));
    return result;
  }

  #operation(form: Form, layout: Layout): Value {
    const { op: name, args } = form;
    const invariants: boolean[] = [];
    const locals = (arg: Form, as: Layout): readonly number[] => {
      // An operand that is still to be rounded is rounded as the whole is.
      const value = as === "f32" && !this.isSingle(arg) ? this.#rounded(arg) : this.#value(arg, as);
      invariants.push(!value.varies);
      return value.locals;
    };
    const done = (codes: readonly Code[]) => this.#put(codes, invariants.every(Boolean));
    /** An instruction for each vector of the operands. */
    const each = (instruction: Instruction, ...operands: readonly (readonly number[])[]): Code[] =>
      operands[0]!.map((_, i) => op(instruction, ...operands.map((o) => get(o[i]!))));
    const same = () => args.map((arg) => locals(arg, layout));
    const shape = SHAPE[layout as keyof typeof SHAPE];
    const mask: Layout = VECTORS[layout] === 1 ? "m32" : "m64";

    switch (name) {
      case "add":
      case "sub":
      case "mul":
      case "div":
      case "sqrt":
      case "neg":
      case "abs":
      case "floor":
      case "ceil":
      case "trunc":
        return done(each(this.#instruction(`${shape}.${name}`), ...same()));
      case "copysign": {
        const [x, y] = same() as [readonly number[], readonly number[]];
        const sign = layout === "f32" ? v128Const("f32", -0) : v128Const("f64", -0);
        return done(x.map((local, i) => op("v128.bitselect", get(y[i]!), get(local), sign)));
      }
      case "min":
      case "max": {
        const bound = args.findIndex(isPlainBound);
        if (bound >= 0 && (layout === "f32" || layout === "f64"))
          // One instruction, which gives its first operand for NaN; the general one takes many.
          return done(
            each(
              `${shape as "f32x4" | "f64x2"}.p${name}`,
              locals(args[1 - bound]!, layout),
              locals(args[bound]!, layout),
            ),
          );
        const [x, y] = same() as [readonly number[], readonly number[]];
        if (layout === "f32" || layout === "f64") return done(each(`${shape as "f32x4" | "f64x2"}.${name}`, x, y));
        if (layout === "i32") return done(each(`i32x4.${name}_s`, x, y));
        const below = each("i64x2.lt_s", x, y);
        if (layout !== "i64") throw new Unvectorizable(name);
        const [low, high] = name === "min" ? [x, y] : [y, x];
        return done(below.map((m, i) => op("v128.bitselect", get(low[i]!), get(high[i]!), m)));
      }
      case "lt":
      case "le":
      case "eq": {
        const layouts = args.map((arg) => this.#natural(arg));
        const as = layouts.find((natural) => VECTORS[natural] === 2) ?? layouts[0]!;
        const [x, y] = args.map((arg) => locals(arg, as)) as [readonly number[], readonly number[]];
        if (args[0]!.type === "bool") return done(each("v128.xor", x, y).map((different) => op("v128.not", different)));
        const suffix = as === "f32" || as === "f64" || name === "eq" ? "" : "_s";
        const codes = each(this.#instruction(`${SHAPE[as as keyof typeof SHAPE]}.${name}${suffix}`), x, y);
        return done(as === "w32" ? codes.map((code) => shuffle(code, code, EVEN_TWICE)) : codes);
      }
      case "and":
      case "or":
      case "xor":
        return done(each(`v128.${name}`, ...same()));
      case "not":
        return done(each("v128.not", ...same()));
      case "shl":
      case "shr": {
        const bits = i32Const(Number(args[1]!.value));
        const instruction = name === "shl" ? "i32x4.shl" : "i32x4.shr_s";
        return done(locals(args[0]!, layout).map((x) => op(instruction, get(x), bits)));
      }
      case "select": {
        const condition = locals(args[0]!, mask);
        return done(each("v128.bitselect", locals(args[1]!, layout), locals(args[2]!, layout), condition));
      }
      case "toF64":
        return done(this.#toF64(args[0]!, layout, locals));
      case "toI32":
        return done(this.#toI32(args[0]!, locals));
      case "toI64":
        return done(this.#toI64(args[0]!, locals));
      case "highWord":
        return done(locals(args[0]!, "f64").map((x) => op("i64x2.shr_u", get(x), i32Const(32))));
      case "lowWord":
        return done(locals(args[0]!, "f64").map(get));
      case "fromWords": {
        const [high, low] = args.map((arg) => locals(arg, "w32")) as [readonly number[], readonly number[]];
        const lower = v128Const("i64", 0xffffffffn);
        return done(
          high.map((h, i) => op("v128.or", op("i64x2.shl", get(h), i32Const(32)), op("v128.and", get(low[i]!), lower))),
        );
      }
      case "pow2": {
        const bias = v128Const("i32", 1023);
        return done(locals(args[0]!, "w32").map((n) => op("i64x2.shl", op("i32x4.add", get(n), bias), i32Const(52))));
      }
      default:
        throw new Unvectorizable(`${name} of ${args[0]!.type}`);
    }
  }

  #instruction(name: string): Instruction {
    if (!isInstruction(name)) throw new Unvectorizable(name);
    return name;
  }

  #toF64(from: Form, layout: Layout, locals: (arg: Form, as: Layout) => readonly number[]): Code[] {
    const type: ScalarType = from.type;
    if (type === "bool") {
      const one = v128Const(layout === "f32" ? "f32" : "f64", 1);
      return locals(from, layout === "f32" ? "m32" : "m64").map((m) => op("v128.and", get(m), one));
    }
    if (type === "i64")
      return locals(from, "i64").map((x) =>
        [0, 1].reduce<Code>(
          (v, lane) => replaceLane("f64x2", lane, v, op("f64.convert_i64_s", extractLane("i64x2", lane, get(x)))),
          get(x),
        ),
      );
    const x = get(locals(from, "i32")[0]!);
    if (layout === "f32") return [op("f32x4.convert_i32x4_s", x)];
    return [op("f64x2.convert_low_i32x4_s", x), op("f64x2.convert_low_i32x4_s", shuffle(x, x, HIGH_HALF))];
  }

  #toI32(from: Form, locals: (arg: Form, as: Layout) => readonly number[]): Code[] {
    if (from.type === "bool") return [op("v128.and", get(locals(from, "m32")[0]!), v128Const("i32", 1))];
    if (from.type === "i64") {
      const [a, b] = locals(from, "i64").map(get) as [Code, Code];
      return [shuffle(a, b, EVEN)];
    }
    const [a, b] = locals(from, "f64").map((x) => op("i32x4.trunc_sat_f64x2_s_zero", get(x))) as [Code, Code];
    return [shuffle(a, b, LOW_HALVES)];
  }

  #toI64(from: Form, locals: (arg: Form, as: Layout) => readonly number[]): Code[] {
    if (from.type === "bool") return locals(from, "m64").map((m) => op("v128.and", get(m), v128Const("i64", 1n)));
    if (from.type === "i32") {
      const x = get(locals(from, "i32")[0]!);
      return [op("i64x2.extend_low_i32x4_s", x), op("i64x2.extend_high_i32x4_s", x)];
    }
    return locals(from, "f64").map((x) =>
      [0, 1].reduce<Code>(
        (v, lane) => replaceLane("i64x2", lane, v, op("i64.trunc_sat_f64_s", extractLane("f64x2", lane, get(x)))),
        get(x),
      ),
    );
  }
}
