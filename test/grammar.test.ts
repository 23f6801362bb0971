/** What parses, to which tree, and what is said of what does not. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analysis } from "../grammar/analysis.ts";
import type { BinaryOperator, Expr, Statement } from "../grammar/ast.ts";
import { MAX_NESTING } from "../grammar/brackets.ts";
import { formatExpr, formatProgram } from "../grammar/format.ts";
import { analyse } from "../grammar/lookahead.ts";
import { BINARY } from "../grammar/operators.ts";
import { parse, parseExpression } from "../grammar/parser.ts";
import { tokenize } from "../grammar/tokens.ts";
import { DTYPES } from "../src/tensor/dtype.ts";

const { esbuildPlugins } = createRequire(import.meta.url)("../bin/precompute.js");

const source = (text: string) => ({ name: "test.tsym", text });
const read = (text: string) => parse(source(text));

/** The tree without its places. */
const bare = (tree: unknown): unknown =>
  JSON.parse(
    JSON.stringify(tree, (key, value) => {
      if (key === "source" || /^(span|opSpan|nameSpan|pathSpan)$/.test(key)) return undefined;
      if (typeof value === "bigint") return `${value}n`;
      return Object.is(value, Infinity) ? "Infinity" : value;
    }),
  );
const treeOf = (text: string) => {
  const { program, diagnostics } = read(text);
  expect(diagnostics).toEqual([]);
  return bare(program.statements);
};
/** The expression with all its parentheses. */
function explicit(expr: Expr): string {
  if (expr.kind === "binary") return `(${explicit(expr.left)} ${expr.op} ${explicit(expr.right)})`;
  if (expr.kind === "unary") return `(${expr.op} ${explicit(expr.arg)})`;
  if (expr.kind === "index") return `${explicit(expr.base)}[]`;
  return formatExpr(expr);
}

describe("definition", () => {
  test("chevrotain finds no fault with the rules, and in them what the build has put into analysis.ts", () => {
    expect(analyse()).toEqual(analysis);
  });

  test("a text's tokens are the same with and without a character beyond ASCII in it", () => {
    const word = fc.constantFrom(
      "a",
      "_9",
      "input",
      "1.5e3",
      "0x1",
      '"s"',
      "'q'",
      "**",
      "-=",
      "..",
      ".T",
      ". sum",
      "\t",
      "$",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ unit: "binary-ascii" }))), (words) => {
        const text = `${words.join("")}\n`;
        expect(tokenize(`${text}é`).slice(0, -1)).toEqual(tokenize(text));
      }),
    );
  });

  test("tsym.ebnf defines every rule it uses, and its cascade is the table of precedence", () => {
    const text = readFileSync(new URL("../grammar/tsym.ebnf", import.meta.url), "utf8").replace(/\(\*.*?\*\)/gs, "");
    const rules = new Map(
      text
        .split(/;\s*\n/)
        .filter((rule) => rule.trim() !== "")
        .map((rule) => rule.split(/\s=\s/).map((s) => s.trim()) as [string, string]),
    );
    const primitive = new Set(["sep", "letter", "mark", "integer", "digit", "any"]);
    for (const body of rules.values()) {
      const used =
        body
          .replace(/"[^"]*"/g, "")
          .replace(/\?.*\?/, "")
          .match(/[a-zA-Z]\w*/g) ?? [];
      for (const name of used) expect(rules.has(name) || primitive.has(name), name).toBe(true);
    }
    const cascade = ["or", "and", "comparison", "sum", "product", "power"];
    const ranks = Object.keys(BINARY).map((op) => cascade.findIndex((rule) => rules.get(rule)!.includes(`"${op}"`)));
    expect(ranks).not.toContain(-1);
    const ops = Object.keys(BINARY) as BinaryOperator[];
    ops.forEach((a, i) => {
      ops.forEach((b, j) => {
        expect(Math.sign(BINARY[a] - BINARY[b]), `${a} ${b}`).toBe(Math.sign(ranks[i]! - ranks[j]!));
      });
    });
  });
});

describe("precedence", () => {
  test.each([
    ["-x ** 2", "(- (x ** 2))"],
    ["2 ** -1", "(2 ** (- 1))"],
    ["2 ** 3 ** 2", "(2 ** (3 ** 2))"],
    ["2 ** -x ** 2 * 3", "((2 ** (- (x ** 2))) * 3)"],
    ["a - b - c", "((a - b) - c)"],
    ["a / b * c", "((a / b) * c)"],
    ["a - -b", "(a - (- b))"],
    ["a @ b + c @ d", "((a @ b) + (c @ d))"],
    ["not a == b", "(not (a == b))"],
    ["not a and b or c", "(((not a) and b) or c)"],
    ["a or b and c", "(a or (b and c))"],
    ["a < b + 1 and c", "((a < (b + 1)) and c)"],
    ["(a < b) == c", "((a < b) == c)"],
    ["-x.T", "(- x.T)"],
    ["-x[0] ** y[1]", "(- (x[] ** y[]))"],
  ])("%s is %s", (text, expected) => {
    expect(explicit(parseExpression(source(text)))).toBe(expected);
  });
});

describe("forms", () => {
  test.each([
    ["grad (x * x) wrt x", "derivative"],
    ["grad (x * x) * f([1, 2]) wrt x", "derivative"],
    ["grad(E, a)", "call"],
    ["grad (f(a, b)) wrt a", "derivative"],
    ["jacobian(E, a)", "call"],
    ["x.T", "transpose"],
    ["x.shape", "member"],
    ["np.dot(a, b)", "member"],
    ["x.grad", "member"],
    ["5.T", "transpose"],
    ["1_000.5e-3", "number"],
    [".5", "number"],
    ["5.", "number"],
  ])("%s is a %s", (text, kind) => {
    expect(parseExpression(source(text)).kind).toBe(kind);
  });

  test("a number takes its exponent before a member can", () => {
    expect(treeOf("5.e3")).toEqual(treeOf("5000.0"));
    expect(treeOf(formatProgram(read("(5).e3").program))).toEqual(treeOf("(5).e3"));
  });

  test("numbers: ints are exact, floats have a point or an exponent", () => {
    const values = (text: string) => (treeOf(text) as { value: { value: unknown } }[]).map((s) => s.value.value);
    expect(values("1_000; 123456789012345678901; 1.0; 1e3; .5; 5.")).toEqual([
      "1000n",
      "123456789012345678901n",
      1,
      1000,
      0.5,
      5,
    ]);
  });

  test("`wrt` takes the commas that follow only where nothing else can", () => {
    const names = (text: string) =>
      JSON.stringify(treeOf(text))
        .match(/"wrt":(\[.*?\])/)![1]!
        .match(/\w+(?="\})/g);
    for (const whole of [
      "grad E wrt a, b",
      "c, d = grad E wrt a, b",
      "fn f(a, b) = grad E wrt a, b",
      "grad E wrt (a, b)",
    ]) {
      expect(names(whole)).toEqual(["a", "b"]);
    }
    for (const part of ["output d = grad E wrt a, b", "f(grad E wrt a, b)", "[grad E wrt a, b]"]) {
      expect(names(part)).toEqual(["a"]);
    }
  });

  test("a fn's documentation is the comment lines directly above it", () => {
    const doc = (text: string) => (treeOf(text) as { doc?: string[] }[]).at(-1)!.doc;
    expect(doc("# far\n\n# One.\n#\n#   Two # and.\nfn f(x) = x")).toEqual(["One.", "", "  Two # and."]);
    expect(doc("# One.\r\nfn f(x) = x")).toEqual(["One."]);
    expect(doc("# not its own\na = 1; fn f(x) = x")).toEqual([]);
    expect(doc("fn f(x) = x")).toEqual([]);
  });

  test("words of the runtime are ordinary names", () => {
    expect(treeOf("__proto__ = 1; constructor = __proto__; toString(constructor)")).toHaveLength(3);
  });
});

describe("lines", () => {
  test.each([
    ["c = a +\n b", "c = a + b"],
    ["c =\n\n  a", "c = a"],
    ["c = a and\nnot\nb", "c = a and not b"],
    ["c = f(a\n,b\n\n)[\n0\n]", "c = f(a, b)[0]"],
    ["input a,\n  b", "input a, b"],
    ["input a,\ninput b", "input a; input b"],
    ["a,\nb = f(x)", "a, b = f(x)"],
    ["grad f\n\n  # by a\n  wrt a", "grad f wrt a"],
    ["d =\ngrad f wrt a", "d = grad f wrt a"],
    ["a = 1;; b = 2;\n\n;c = 3", "a = 1\nb = 2\nc = 3"],
    ["a = 1\r\nb = 2\rc = 3", "a = 1\nb = 2\nc = 3"],
    ["\uFEFFa = 1", "a = 1"],
    ["a = 1;\n-b", "a = 1; -b"],
    ["fn f(x) {\n  -x\n}", "fn f(x) { -x }"],
    ["fn f(x) {\n  y = g(x,\n    2) +\n 1; y\n}; b", "fn f(x) { y = g(x, 2) + 1; y }\nb"],
    ["f(\nx=3,\ny=4\n)", "f(x=3, y=4)"],
    ["f(\ngrad x wrt y\n)", "f(grad x wrt y)"],
  ])("%j reads like %j", (a, b) => {
    expect(treeOf(a)).toEqual(treeOf(b));
  });
});

describe("text and tree", () => {
  const span = { source: source(""), start: 0, end: 0 };
  const reserved = /^(input|output|fn|import|grad|jacobian|hessian|wrt|and|or|not|true|false|newaxis|pi|inf|nan)$/;
  const word = fc
    .oneof(
      fc.constantFrom("a", "b", "loss", "gradient", "order", "été", "λ", "名", "x_1", "constructor"),
      fc.stringMatching(/^[a-z_][a-z0-9_]{0,5}$/),
    )
    .filter((name) => !reserved.test(name) && !(DTYPES as readonly string[]).includes(name));
  const name = word.map((name) => ({ name, span }));
  const list = <T>(item: fc.Arbitrary<T>, minLength = 0) => fc.array(item, { minLength, maxLength: 3 });
  const optional = <K extends string, T>(key: K, value: fc.Arbitrary<T>) =>
    fc.option(value, { nil: undefined }).map((v) => (v === undefined ? {} : ({ [key]: v } as Record<K, T>)));
  const merged = (...parts: fc.Arbitrary<object>[]) => fc.tuple(...parts).map((all) => Object.assign({}, ...all));
  const node = (kind: string, ...parts: fc.Arbitrary<object>[]) =>
    merged(...parts).map((rest) => ({ kind, ...rest, span }));
  const field = <T>(key: string, value: fc.Arbitrary<T>) => value.map((v) => ({ [key]: v }));

  const { expr } = fc.letrec<{ expr: Expr; arg: object; item: object }>((tie) => {
    const sub = tie("expr");
    const args = field("args", list(tie("arg")));
    const derivative = field("op", fc.constantFrom("grad", "jacobian", "hessian"));
    return {
      arg: merged(optional("name", name), field("value", sub)),
      item: fc.oneof(
        node("at", field("index", sub)),
        node("slice", optional("start", sub), optional("stop", sub), optional("step", sub)),
        node("ellipsis"),
        node("newaxis"),
      ),
      expr: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        word.map((name): Expr => ({ kind: "name", name, span })),
        node(
          "number",
          field("value", fc.oneof(fc.bigInt({ min: 0n }), fc.double({ min: 0, noNaN: true }).map(Math.abs))),
        ),
        node("bool", field("value", fc.boolean())),
        node("string", field("value", fc.string({ unit: "binary" }))),
        node("list", field("items", list(sub))),
        node("unary", field("op", fc.constantFrom("-", "+", "not")), field("arg", sub), fc.constant({ opSpan: span })),
        node(
          "binary",
          field("op", fc.constantFrom(...Object.keys(BINARY))),
          field("left", sub),
          field("right", sub),
          fc.constant({ opSpan: span }),
        ),
        node("call", field("callee", name), args),
        node(
          "call",
          field(
            "callee",
            fc.constantFrom("grad", "jacobian").map((name) => ({ name, span })),
          ),
          field("args", list(tie("arg"), 2)),
        ),
        node("member", field("base", sub), field("member", name), fc.oneof(args, fc.constant({}))).filter(
          ({ member, args }) => args || !/^m?T$/.test(member.name),
        ),
        node("index", field("base", sub), field("items", list(tie("item"), 1))),
        node("transpose", field("base", sub), field("matrix", fc.boolean())),
        node("derivative", derivative, field("of", sub), field("wrt", list(name, 1))),
      ) as fc.Arbitrary<Expr>,
    };
  });
  const { dim } = fc.letrec((tie) => ({
    dim: fc.oneof(
      { depthSize: "small" },
      node("name", field("name", word)),
      node("number", field("value", fc.nat())),
      node(
        "binary",
        field("op", fc.constantFrom("+", "-", "*")),
        field("left", tie("dim") as fc.Arbitrary<object>),
        field("right", tie("dim") as fc.Arbitrary<object>),
      ),
    ),
  }));
  const target = merged(
    name,
    optional("dims", list(fc.oneof(node("unknown"), dim as fc.Arbitrary<object>))),
    optional(
      "dtype",
      fc.constantFrom(...DTYPES).map((dtype) => ({ dtype, span })),
    ),
  );
  const declared = merged(target, optional("default", expr));
  const binding = node("bind", field("targets", list(target, 1)), field("value", expr));
  const body = merged(field("bindings", list(binding)), field("result", expr));
  const statement = fc.oneof(
    node("input", field("inputs", list(declared, 1))),
    node("output", field("outputs", list(merged(field("name", name), optional("value", expr)), 1))),
    node("import", field("path", fc.string())),
    node(
      "fn",
      field("name", word),
      fc.constant({ nameSpan: span }),
      field("params", list(declared)),
      field("body", body),
      field("doc", list(fc.stringMatching(/^[ -~]*$/))),
    ),
    binding,
    node("expr", field("value", expr)),
  ) as fc.Arbitrary<Statement>;

  test("what the formatter writes parses to the tree it was written from", () => {
    fc.assert(
      fc.property(list(statement), (statements) => {
        const text = formatProgram({ source: source(""), statements });
        const { program, diagnostics } = read(text);
        expect(diagnostics).toEqual([]);
        expect(bare(program.statements)).toEqual(bare(statements));
        expect(formatProgram(program)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("spans are the text of what they stand for", () => {
    fc.assert(
      fc.property(expr, (tree) => {
        const text = formatExpr(tree);
        const { span } = parseExpression(source(text));
        expect(text.slice(span.start, span.end)).toBe(text);
      }),
    );
    const text = "c = f(a + 1)[0] ** (b) - g.sum(x)";
    const [{ value }] = read(text).program.statements as [Extract<Statement, { kind: "bind" }>];
    const places: string[] = [];
    JSON.stringify(value, (key, v) => {
      if (key === "span") places.push(text.slice(v.start, v.end));
      return key === "source" || typeof v === "bigint" ? undefined : v;
    });
    expect(new Set(places)).toEqual(
      new Set([
        text.slice(4),
        "f(a + 1)[0] ** (b)",
        "f(a + 1)[0]",
        "f(a + 1)",
        "f",
        "a + 1",
        "a",
        "1",
        "0",
        "(b)",
        "g.sum(x)",
        "g",
        "sum",
        "x",
      ]),
    );
  });

  test("any text at all is parsed, with at most one message a statement, whose places lie in it", () => {
    const scrap = fc.constantFrom(
      ..."()[]{}=,:;\n+-*/@<>.?'\"#_ ",
      "grad ",
      "wrt ",
      "input ",
      "output ",
      "fn ",
      "not ",
      "and ",
      "a",
      "b = ",
      "1",
      "...",
      "λ",
      "\r\n",
      "0x",
      "^",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(scrap).map((all) => all.join("")),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          const { program, diagnostics } = read(text);
          const broken = program.statements.filter(({ kind }) => kind === "broken").length;
          expect(diagnostics.length).toBeGreaterThanOrEqual(broken);
          expect(diagnostics.length).toBeLessThanOrEqual(program.statements.length);
          for (const { span } of diagnostics.flatMap(({ labels }) => labels)) {
            expect(span.start).toBeGreaterThanOrEqual(0);
            expect(span.end).toBeGreaterThanOrEqual(span.start);
            expect(span.end).toBeLessThanOrEqual(text.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("size", () => {
  const codes = (text: string) => read(text).diagnostics.map(({ code }) => code);

  test("long programs, sums and lists parse and print", () => {
    const sum = Array(5000).fill("a").join(" + ");
    expect(formatExpr(parseExpression(source(sum)))).toBe(sum);
    expect(codes("c = exp(a) + b[0] * 2\n".repeat(10_000))).toEqual([]);
    expect(codes(`[${"1, ".repeat(20_000)}]`)).toEqual([]);
  });

  test.each([
    ["(", ")"],
    ["[", "]"],
    ["f(", ")"],
    ["x[", "]"],
    ["f(k=[", "])"],
    ["- 2 ** (", ")"],
    ["grad ", " wrt x"],
  ])("%s nests to the limit, and beyond it is one plain error", (open, close) => {
    const each = open === "f(k=[" ? 2 : 1;
    const nest = (depth: number) => open.repeat(depth / each) + "x" + close.repeat(depth / each);
    expect(codes(nest(MAX_NESTING))).toEqual([]);
    const { diagnostics } = read(nest(MAX_NESTING + 2));
    expect(diagnostics.map(({ code }) => code)).toEqual(["nesting"]);
    const bracket = open.repeat(MAX_NESTING / each).length + (open.search(/[([]/) + 1 || 1) - 1;
    if (each === 1) expect(diagnostics[0]!.labels[0]!.span.start).toBe(bracket);
    expect(codes(nest(100_000))).toEqual(["nesting"]);
  });

  // Here the tests have a larger stack than a command, and warm code, whose frames are smaller.
  test("the deepest nesting fits the stack of a fresh process, with a quarter to spare", async () => {
    const contents = `
      import { parse } from "./grammar/parser.ts";
      const [open, close] = process.argv.slice(2);
      const text = open.repeat(${MAX_NESTING}) + "x" + close.repeat(${MAX_NESTING});
      console.log(parse({ name: "", text }).diagnostics.length);`;
    const stdin = { contents, resolveDir: new URL("..", import.meta.url).pathname };
    const { outputFiles } = await build({
      stdin,
      plugins: esbuildPlugins,
      bundle: true,
      platform: "node",
      format: "cjs",
      write: false,
    });
    for (const brackets of [
      ["(", ")"],
      ["[", "]"],
      ["f(k=", ")"],
      ["x[::", "]"],
      ["x.f(1, ", ")"],
      ["grad ", " wrt x"],
    ]) {
      const options = { input: outputFiles[0]!.text, encoding: "utf8" } as const;
      const { stdout } = spawnSync(process.execPath, ["--stack-size=780", "-", ...brackets], options);
      expect(stdout, brackets[0]).toBe("0\n");
    }
  });

  test.each(["-", "not ", "2 ** ", "- 2 ** "])("a chain of thousands of %s is one plain error", (op) => {
    expect(codes(`${op.repeat(100)}x`)).toEqual([]);
    expect(codes(`${op.repeat(20_000)}x`)).toEqual(["nesting"]);
  });

  test.each([".T", "[0]", ".f(x)"])("so is one of %s", (postfix) => {
    expect(codes(`x${postfix.repeat(100)}`)).toEqual([]);
    expect(codes(`x${postfix.repeat(20_000)}`)).toEqual(["nesting"]);
  });
});

describe("mistakes", () => {
  /** Each: the program with its place in «», the code, and words of the message and of the help. */
  test.each<[marked: string, code: string, says: RegExp, helps: RegExp | undefined]>([
    ["c =«»", "syntax", /an expression after `=`, found the end/, undefined],
    ["c = a +«»; d = 1", "syntax", /an expression after `\+`/, undefined],
    ["x = a * «/» b", "syntax", /found `\/`/, undefined],
    ["f(a «b»)", "syntax", /`,` or `\)`, found `b`/, /comma/],
    ["[1 «2»]", "syntax", /`,` or `\]`, found `2`/, /comma/],
    ["[1, 2«;» 3, 4]", "syntax", /found `;`/, /\[\[1, 2\], \[3, 4\]\]/],
    ["x[«]»", "syntax", /an index/, /x\[0\]/],
    ["a = 1 «b» = 2", "syntax", /end of the statement, found `b`/, /newline or `;`/],
    ["a = b «=» c", "syntax", /found `=`/, /==/],
    ["x «+» 1 = 3", "syntax", /expected `=`/, /names/],
    ["f«(»x) = x", "syntax", /`=`/, /fn f\(x\)/],
    ["x[«:», 0] = 5", "syntax", /a dim/, /where/],
    ["x = a «?» b : c", "syntax", /found `\?`/, /where/],
    ["(a«,» b)", "syntax", /found `,`/, /\[a, b\]/],
    ["2«(»x + 1)", "syntax", /found `\(`/, /`\*`/],
    ["f(x)«(»y)", "syntax", /found `\(`/, /only a function's name/],
    ["2 * «grad» f wrt x", "syntax", /keyword `grad`/, /parentheses/],
    ["grad f«»", "syntax", /`wrt`/, /grad loss wrt w/],
    ["grad f wrt«»", "syntax", /a name/, undefined],
    ["a == «not» b", "syntax", /looser/, /\(not …\)/],
    ["fn f(x) { y = x «}»", "syntax", /block's result/, /ends with the expression/],
    ["fn f(x) {«}»", "syntax", /an expression/, /ends with the expression/],
    ["input x «float64»", "syntax", /found `float64`/, /x: float32/],
    ["output a «+» b", "syntax", /found `\+`/, /output c/],
    ["input a[«n / 2»]", "syntax", /a dim/, /reshape/],
    ["«def» f(x): x", "syntax", /no `def`/, /fn f\(x\)/],
    ["«let» x = 3", "syntax", /no `let`/, /x = …/],
    ["«print» x", "syntax", /no `print`/, /output/],
    ["«for» i in x: i", "syntax", /no `for`/, /loops/],
    ["y = «lambda» x: x", "syntax", /no `lambda`/, /fn/],
    ["y = a «if» c else b", "syntax", /no `if`/, /where/],
    ["a «^» b", "character", /`\^`/, /`\*\*`/],
    ["a «&&» b", "character", /&&/, /and/],
    ["a «|» b", "character", /\|/, /or/],
    ["«!»x", "character", /!/, /not/],
    ["a «÷» b", "character", /÷/, /`\/`/],
    ["a «:=» 3", "character", /:=/, /`=`/],
    ["a «+=» 3", "character", /bound once/, /new name/],
    ["x = «“»a”", "character", /“/, /double quotes/],
    ["a «$» b", "character", /\$/, undefined],
    ["«'abc'»", "string", /double quotes/, /\.T/],
    ['f(«"abc)»', "string", /not finished/, undefined],
    ['«"\\q"»', "string", /escape/, undefined],
    ["«1__0»", "number", /malformed/, /1_000/],
    ["«1_»", "number", /malformed/, /1_000/],
    ["«1.2.3»", "number", /malformed/, /1\.5/],
    ["«1e»", "number", /exponent/, /1e-3/],
    ["«0x10»", "number", /decimal/, undefined],
    ["2 * «3x»", "number", /run together/, /`\*`/],
    ["a < b «<» c", "chained-comparison", /do not chain/, /`a < b and b < c`/],
    ["0 < f(x) «<=» 2 * b and c", "chained-comparison", /do not chain/, /`0 < f\(x\) and f\(x\) <= 2 \* b`/],
    ["«input» = 3", "reserved", /`input`/, /input_/],
    ["a, «true» = f(x)", "reserved", /`true`/, /true_/],
    ["«pi» = 3", "reserved", /`pi`/, /pi_/],
    ["fn f(«float32») = 1", "reserved", /`float32`/, /float32_/],
    ["fn «grad»(x) = x", "reserved", /`grad`/, /grad_/],
    ["input x: «float16»", "dtype", /float16/, /float32/],
    ["c = sum«(»(a + b)", "bracket", /`\(` is never closed/, /`\)`/],
    ["c = (a + b«]»", "bracket", /`\]` does not close `\(`/, /`\)`/],
    ["c = a«)»", "bracket", /closes nothing/, undefined],
    ["c = a\n  «+» b", "line-operator", /cannot begin with `\+`/, /end of the line before/],
    ["c = a\n«and» b\n- c", "line-operator", /cannot begin with `and`/, /parentheses/],
    ["c = a\n«//» b", "line-operator", /cannot begin/, /`#`/],
  ])("%s", (marked, code, says, helps) => {
    const [before, place, after] = marked.split(/[«»]/) as [string, string, string];
    const { diagnostics } = read(before + place + after);
    expect(diagnostics).toHaveLength(1);
    const [found] = diagnostics;
    const { start, end } = found!.labels[0]!.span;
    expect([found!.code, start, end]).toEqual([code, before.length, before.length + place.length]);
    expect(found!.message).toMatch(says);
    if (helps) expect(found!.help).toMatch(helps);
  });

  /** Each: a program and, for each statement, what it is and the names it binds or would have bound. */
  test.each<[string, string[]]>([
    ["a b\nc d\ne = 1", ["broken", "broken", "bind e"]],
    ["c = sum((a + b)\nd = exp(c)\noutput d", ["broken c", "bind d", "output"]],
    ["c = f(a,\n  b\nd = 3\ngrad d wrt a", ["broken c", "bind d", "expr"]],
    ["c = (a + b\nd = [1, 2)\ne = 3", ["broken c", "broken d", "bind e"]],
    ["c = f(a; d = 3", ["broken c", "bind d"]],
    ["c = [a, b)\nd = 1", ["broken c", "bind d"]],
    ["fn f(x) {\n  y = (x + 1\n  y\n}\nz = 3", ["broken f", "bind z"]],
    ["fn f(x) {\n  y = x + 1\nz = 3", ["broken f", "bind z"]],
    ['c = f("abc)\nd = 3', ["broken c", "bind d"]],
    ["c =\nd = 1", ["broken c", "bind d"]],
    ["c = a +\noutput b", ["broken c", "output"]],
    ["input a[3, b[4], c\ninput d", ["broken a", "input d"]],
    ["input a, b[, c = 1 +\nx = 2", ["broken a,b", "bind x"]],
    ["a, b[n] = f(x y)", ["broken a,b"]],
    ["a = b = c", ["broken a,b"]],
    ["output a, b = 1 2", ["broken b"]],
    ["f(k = 1 2)", ["broken"]],
    ["c = a\n+ b\nd = c", ["bind c", "bind d"]],
  ])("in %j only what is broken is lost", (text, expected) => {
    const { program, diagnostics } = read(text);
    const shown = program.statements.map((statement) => {
      const names =
        statement.kind === "broken"
          ? statement.binds
          : statement.kind === "bind"
            ? statement.targets.map(({ name }) => name)
            : statement.kind === "input"
              ? statement.inputs.map(({ name }) => name)
              : [];
      return [statement.kind, names.join(",")].filter(Boolean).join(" ");
    });
    expect(shown).toEqual(expected);
    expect(diagnostics).toHaveLength(expected.filter((s) => s.startsWith("broken")).length || 1);
  });
});
