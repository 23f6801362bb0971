/**
 * A script's text as V8 starts it soonest. V8 reads a function twice, once to skip it and once to run it, unless it stands in
 * parentheses; and it reads an arrow function whole even to skip it (ParserBase::ParseArrowFunctionLiteral in V8's
 * src/parsing/parser-base.h). Methods and function expressions stay as they are.
 */
"use strict";
const { parse } = require("acorn");
const { full, recursive } = require("acorn-walk");
const MagicString = require("magic-string").default;

/** Whether an arrow function may need to be one, for what it has of the function around it. */
function borrows(arrow) {
  let found = false;
  full(arrow, ({ type, name }) => {
    found ||= ["ThisExpression", "Super", "MetaProperty"].includes(type) || name === "arguments";
  });
  return found;
}

/** The functions that stand in no other. */
function outermostFunctions(body) {
  const found = [];
  recursive(body, undefined, { Function: (node) => found.push(node) });
  return found;
}

/** `(a) => b` as `function(a){return b}`. */
function asFunction({ async, params, body }, text) {
  const parameters = params.length > 0 ? text.slice(params[0].start, params.at(-1).end) : "";
  const of = text.slice(body.start, body.end);
  return `${async ? "async " : ""}function(${parameters})${body.type === "BlockStatement" ? of : `{return ${of}}`}`;
}

/**
 * The text of a function in parentheses that does the same, unless code asks whether a function can be constructed or evals names.
 * @param text - as esbuild minifies it: semicolons end all statements, and no arrow function begins one
 * @param isCalled - whether the function that begins at a place of `text` is called in every run
 */
exports.laidOut = (text, isCalled) => {
  const { body } = parse(text, { ecmaVersion: "latest" }).body[0].expression;
  const made = new MagicString(text);
  const first = [];
  for (const node of outermostFunctions(body)) {
    const called = isCalled(node.start);
    if (node.type === "ArrowFunctionExpression" && !borrows(node)) {
      const written = asFunction(node, text);
      const gap = /[\w$]/.test(text[node.start - 1]) ? " " : "";
      made.overwrite(node.start, node.end, called ? `(${written})` : gap + written);
    } else if (node.type === "FunctionDeclaration" && called && body.body.includes(node)) {
      // Declarations hold from the beginning on, and so must these; a name would be another binding inside.
      first.push(`${node.id.name}=(${text.slice(node.start, node.id.start)}${text.slice(node.id.end, node.end)})`);
      made.remove(node.start, node.end);
    }
  }
  const start = body.body.find((statement) => !statement.directive)?.start;
  return (first.length > 0 ? made.appendLeft(start, `var ${first};`) : made).toString();
};
