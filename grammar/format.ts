/** Tree to canonical text, which parses to the same tree; knows how things are written, not what they mean. */
import { textOf } from "../src/source.ts";
import type { Arg, Block, Declared, DimExpr, Expr, IndexItem, Program, Statement } from "./ast.ts";
import { BINARY, operandPrecedence, POSTFIX, UNARY } from "./operators.ts";

/** The program, a statement a line. Comments are lost, but for those that document a fn; broken statements stay as they are. */
export const formatProgram = ({ statements }: Program): string =>
  statements.map((statement) => `${formatStatement(statement)}\n`).join("");

/** The expression with single spaces and no needless parentheses. */
export const formatExpr = (expr: Expr): string => format(expr, 0);

function formatStatement(statement: Statement): string {
  switch (statement.kind) {
    case "input":
      return `input ${statement.inputs.map(formatDeclared).join(", ")}`;
    case "output":
      return `output ${statement.outputs.map(({ name, value }) => name.name + formatDefault(value)).join(", ")}`;
    case "import":
      return `import ${formatString(statement.path)}`;
    case "fn": {
      const doc = statement.doc.map((line) => (line === "" ? "#\n" : `# ${line}\n`)).join("");
      return `${doc}fn ${statement.name}(${statement.params.map(formatDeclared).join(", ")})${formatBody(statement.body)}`;
    }
    case "bind":
      return `${statement.targets.map(formatDeclared).join(", ")} = ${formatExpr(statement.value)}`;
    case "expr":
      return formatAlone(statement.value);
    case "broken":
      return textOf(statement.span);
    default:
      return statement satisfies never;
  }
}

function formatBody({ bindings, result }: Block): string {
  if (bindings.length === 0) return ` = ${formatExpr(result)}`;
  const lines = [...bindings.map(formatStatement), formatAlone(result)];
  return ` {\n${lines.map((line) => `  ${line}\n`).join("")}}`;
}

/** An expression that begins a line: the parser would take a sign there for one forgotten at the end of the line before. */
function formatAlone(expr: Expr): string {
  const text = formatExpr(expr);
  return /^[-+]/.test(text) ? `(${text})` : text;
}

const formatDefault = (value: Expr | undefined): string => (value ? ` = ${formatExpr(value)}` : "");

function formatDeclared({ name, dims, dtype, default: value }: Declared): string {
  const shape = dims ? `[${dims.map((dim) => formatDim(dim, 0)).join(", ")}]` : "";
  return `${name}${shape}${dtype ? `: ${dtype.dtype}` : ""}${formatDefault(value)}`;
}

/** `least`: the precedence below which the place it stands in needs parentheses. */
function formatDim(dim: DimExpr, least: number): string {
  switch (dim.kind) {
    case "unknown":
      return "?";
    case "number":
      return String(dim.value);
    case "name":
      return dim.name;
    case "binary": {
      const { left, right } = operandPrecedence(dim.op);
      const text = `${formatDim(dim.left, left)} ${dim.op} ${formatDim(dim.right, right)}`;
      return BINARY[dim.op] < least ? `(${text})` : text;
    }
    default:
      return dim satisfies never;
  }
}

function precedenceOf(expr: Expr): number {
  if (expr.kind === "binary") return BINARY[expr.op];
  if (expr.kind === "unary") return UNARY[expr.op];
  return expr.kind === "derivative" ? 0 : POSTFIX;
}

/** `least`: the precedence below which the place it stands in needs parentheses. */
function format(expr: Expr, least: number): string {
  const text = formatBare(expr);
  return precedenceOf(expr) < least ? `(${text})` : text;
}

function formatBare(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return formatNumber(expr.value);
    case "bool":
      return String(expr.value);
    case "string":
      return formatString(expr.value);
    case "name":
      return expr.name;
    case "list":
      return `[${expr.items.map(formatExpr).join(", ")}]`;
    case "unary":
      return `${expr.op}${expr.op === "not" ? " " : ""}${format(expr.arg, UNARY[expr.op])}`;
    case "binary":
      return formatBinary(expr);
    case "call":
      return `${expr.callee.name}${formatArgs(expr.args)}`;
    case "member":
      // `5.e3` would be a number.
      return `${format(expr.base, expr.base.kind === "number" ? POSTFIX + 1 : POSTFIX)}.${expr.member.name}${expr.args ? formatArgs(expr.args) : ""}`;
    case "index":
      return `${format(expr.base, POSTFIX)}[${expr.items.map(formatIndex).join(", ")}]`;
    case "transpose":
      return `${format(expr.base, POSTFIX)}.${expr.matrix ? "mT" : "T"}`;
    case "derivative": {
      const names = expr.wrt.map(({ name }) => name).join(", ");
      return `${expr.op} ${format(expr.of, 1)} wrt ${expr.wrt.length === 1 ? names : `(${names})`}`;
    }
    default:
      return expr satisfies never;
  }
}

/** Goes down the left operands in a loop: a sum of thousands of terms is thousands of nodes deep there. */
function formatBinary(expr: Extract<Expr, { kind: "binary" }>): string {
  const parts: string[] = [];
  let left: Expr = expr;
  let least = 0;
  while (left.kind === "binary" && BINARY[left.op] >= least) {
    const needs = operandPrecedence(left.op);
    parts.push(` ${left.op} ${format(left.right, needs.right)}`);
    least = needs.left;
    left = left.left;
  }
  parts.push(format(left, least));
  return parts.reverse().join("");
}

const formatArgs = (args: readonly Arg[]): string =>
  `(${args.map(({ name, value }) => (name ? `${name.name}=` : "") + formatExpr(value)).join(", ")})`;

function formatIndex(item: IndexItem): string {
  switch (item.kind) {
    case "at":
      return formatExpr(item.index);
    case "slice": {
      const { start, stop, step } = item;
      return `${start ? formatExpr(start) : ""}:${stop ? formatExpr(stop) : ""}${step ? `:${formatExpr(step)}` : ""}`;
    }
    case "ellipsis":
      return "...";
    case "newaxis":
      return "newaxis";
    default:
      return item satisfies never;
  }
}

/** A float keeps a point or an exponent, or it would be read as an int; beyond all floats is 1e999. */
function formatNumber(value: number | bigint): string {
  if (value === Infinity) return "1e999";
  const text = String(value);
  return typeof value === "number" && /^\d+$/.test(text) ? `${text}.0` : text;
}

/** JSON leaves the control characters above ASCII as they are; the language wants every one escaped. */
const formatString = (text: string): string =>
  JSON.stringify(text).replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
