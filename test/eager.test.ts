import { expect, test } from "vitest";
import { laidOut } from "../bin/eager.js";

const never = () => false;
const always = () => true;
const evaluated = (text: string): unknown => new Function(`return ${text}`)()();

test("an arrow function of the outermost scope becomes a function, one inside another stays", () => {
  expect(laidOut("(function(){var f=a=>b=>a+b;return f(1)(2)})", never)).toBe(
    "(function(){var f=function(a){return b=>a+b};return f(1)(2)})",
  );
  expect(laidOut("(function(){var f=async(a,b=1)=>{await a};f()})", never)).toBe(
    "(function(){var f=async function(a,b=1){await a};f()})",
  );
});

test("an arrow function that has something of the function around it stays", () => {
  const text = "(function(){var f=()=>this,g=()=>arguments[0],h=()=>new.target;return f})";
  expect(laidOut(text, never)).toBe(text);
});

test("what every run calls stands in parentheses, declarations from the beginning on", () => {
  expect(laidOut('(function(){"use strict";var x=f();function f(){return g(1)}var g=a=>a})', always)).toBe(
    '(function(){"use strict";var f=(function (){return g(1)});var x=f();var g=(function(a){return a})})',
  );
});

test("a declaration inside a block stays there", () => {
  const text = "(function(){if(x){function f(){}}})";
  expect(laidOut(text, always)).toBe(text);
});

test.each([never, always])("the text does the same", (isCalled) => {
  const text =
    "(function(){var r=[early(2)];function early(a){return a*k()}function k(){return 3}" +
    "function once(){once=function(){return 5};return 4}r.push(once(),once());for(const x of[1,2])r.push((y=>({x,y}))(x));class C{v=1;w=()=>this.v}r.push(new C().w());return JSON.stringify(r)})";
  expect(evaluated(laidOut(text, isCalled))).toBe(evaluated(text));
});
