/** How diagnostics look: text and picture side by side, and properties that hold of every picture. */
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diagnosticToJson, renderDiagnostics } from "../src/render.ts";
import type { Diagnostic, Label, SourceText } from "../src/source.ts";

/** The labels of a text in which `«part»` is labelled with the words that follow in `words`, in the order of `order`. */
function labelled(marked: string, words: readonly string[], order: readonly number[] = words.map((_, i) => i)) {
  const source: SourceText = { name: "demo.tsym", text: marked.replace(/[«»]/g, "") };
  const spans = [...marked.matchAll(/«|»/g)].map(({ index }, i) => index - i);
  const labels = order.map(
    (i): Label => ({ span: { source, start: spans[2 * i]!, end: spans[2 * i + 1]! }, text: words[i]! }),
  );
  return { source, labels };
}
const diagnostic = (labels: readonly Label[], more: Partial<Diagnostic> = {}): Diagnostic => ({
  severity: "error",
  code: "shape",
  message: "inner sizes of `@` differ: 3 and 4",
  labels,
  ...more,
});
const plain = (...diagnostics: Diagnostic[]) => renderDiagnostics(diagnostics, { color: false });
const picture = (marked: string, words: readonly string[], order?: readonly number[]) =>
  plain(diagnostic(labelled(marked, words, order).labels));

test("labels of one line are drawn together, the rightmost beside its underline", () => {
  const { labels } = labelled(
    "input a[2, 3], b[4, 5]\nc = «a» «@» «b»\n",
    ["shape (2, 3)", "", "shape (4, 5)"],
    [1, 0, 2],
  );
  expect(`\n${plain(diagnostic(labels, { help: "transpose one of them" }))}`).toBe(`
error[shape]: inner sizes of \`@\` differ: 3 and 4
 --> demo.tsym:2:7
  |
2 | c = a @ b
  |     - ^ - shape (4, 5)
  |     |
  |     shape (2, 3)
help: transpose one of them
`);
});

test("more than one label hangs below", () => {
  expect(`\n${picture("«f»(«x», «yy»)", ["one", "two", "three"])}`).toBe(`
error[shape]: inner sizes of \`@\` differ: 3 and 4
 --> demo.tsym:1:1
  |
1 | f(x, yy)
  | ^ -  -- three
  | | |
  | | two
  | one
`);
});

test("labels that overlap have rows of their own, the place first", () => {
  const { source, labels } = labelled("c = «ab» + «d»", ["shape (2)", "shape (3)"]);
  const whole = { span: { source, start: 4, end: 10 }, text: "" };
  expect(`\n${plain(diagnostic([whole, ...labels]))}`).toBe(`
error[shape]: inner sizes of \`@\` differ: 3 and 4
 --> demo.tsym:1:5
  |
1 | c = ab + d
  |     ^^^^^^
  |     --   - shape (3)
  |     |
  |     shape (2)
`);
});

test("lines come in order, with dots between distant ones; other files have their own header", () => {
  const { labels } = labelled(`«a»\n${"\n".repeat(8)}b\n«c»`, ["first", "here"], [1, 0]);
  const other = labelled("x = «y»", ["there"]).labels;
  const renamed = other.map(({ span, text }) => ({
    span: { ...span, source: { ...span.source, name: "lib.tsym" } },
    text,
  }));
  expect(`\n${plain(diagnostic([...labels, ...renamed]))}`).toBe(`
error[shape]: inner sizes of \`@\` differ: 3 and 4
  --> demo.tsym:11:1
   |
 1 | a
   | - first
...
11 | c
   | ^ here
  ::: lib.tsym:1:5
   |
 1 | x = y
   |     - there
`);
});

test("of a span over several lines the first is shown", () => {
  expect(picture("a = «f(\n  b)» + c", ["this call"])).toContain("1 | a = f(\n  |     ^^... this call\n");
});

test("a place after the last character is a single caret", () => {
  expect(picture("c = «»", ["here"])).toContain("1 | c =\n  |     ^ here\n");
});

test("columns count code points; underlines follow the terminal's columns", () => {
  const shown = picture("\t名前 = «é» + 名", ["wide"]);
  expect(shown).toContain("demo.tsym:1:7\n");
  expect(shown).toContain("1 |     名前 = é + 名\n  |            ^ wide\n");
  expect(picture("\uFEFF«a»\r\nb", [""])).toContain("demo.tsym:1:1\n  |\n1 | a\n  | ^\n");
});

test("a long line is cut around its first label", () => {
  const term = "abcdefgh + ";
  const shown = picture(`x = ${term.repeat(1000)}«oops» + ${term.repeat(1000)}`, ["here"]);
  const [line, marks] = shown.split("\n").slice(3);
  expect(line!.length).toBeLessThan(200);
  expect(line).toMatch(/^1 \| ….*….*$/u);
  expect(marks!.indexOf("^^^^ here")).toBe(line!.indexOf("oops"));
  const far = picture(`«a» = ${term.repeat(1000)}«oops»`, ["first", "last"], [1, 0]);
  expect(far).toContain("oops");
  expect(far.split("\n").every((row) => row.length < 250)).toBe(true);
});

test("diagnostics without labels are message and help", () => {
  const warning: Diagnostic = { severity: "warning", code: "feed", message: "not needed", labels: [], help: "drop it" };
  expect(plain(warning, { ...warning, help: undefined })).toBe(
    "warning[feed]: not needed\nhelp: drop it\n\nwarning[feed]: not needed\n",
  );
  expect(plain()).toBe("");
});

describe("every picture", () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom("\n", "\t", "\r\n", "\x1b[31m", "\u202E", "名", "é", "abc", " "),
        fc.string({ unit: "binary" }),
      ),
    )
    .map((parts) => parts.join(""));
  const anyDiagnostic = fc
    .tuple(text, fc.array(fc.tuple(fc.nat(), fc.nat(), text), { maxLength: 4 }), text, text)
    .map(([text, places, message, help]): Diagnostic => {
      const source = { name: message, text };
      const clamp = (offset: number) => offset % (text.length + 1);
      const labels = places.map(([a, b, words]) => {
        const [start, end] = [clamp(a), clamp(b)].sort((x, y) => x - y) as [number, number];
        return { span: { source, start, end }, text: words };
      });
      return diagnostic(labels, { message, help });
    });

  test("says nothing to the terminal, and with colours says the same", () => {
    fc.assert(
      fc.property(anyDiagnostic, (d) => {
        const shown = plain(d);
        expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        const coloured = renderDiagnostics([d], { color: true });
        expect(coloured).not.toBe(shown);
        expect(stripVTControlCharacters(coloured)).toBe(shown);
      }),
    );
  });

  test("has its columns as JSON gives them", () => {
    fc.assert(
      fc.property(anyDiagnostic, (d) => {
        const json = diagnosticToJson(d);
        expect(JSON.parse(JSON.stringify(json))).toEqual(json);
        json.labels.forEach(({ start, end }, i) => {
          const { span } = d.labels[i]!;
          expect([start.offset, end.offset]).toEqual([span.start, span.end]);
          for (const place of [start, end]) {
            const lines = span.source.text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
            expect(place.line).toBeLessThanOrEqual(lines.length);
            expect(place.column).toBeLessThanOrEqual([...lines[place.line - 1]!].length + 2);
          }
        });
        if (json.labels[0])
          expect(plain(d)).toContain(`:${json.labels[0].start.line}:${json.labels[0].start.column}\n`);
      }),
    );
  });
});

test("JSON holds every field", () => {
  const { labels } = labelled("a\n名 = «a b»", ["here"]);
  expect(diagnosticToJson(diagnostic(labels))).toEqual({
    severity: "error",
    code: "shape",
    message: "inner sizes of `@` differ: 3 and 4",
    help: null,
    labels: [
      {
        file: "demo.tsym",
        start: { line: 2, column: 5, offset: 6 },
        end: { line: 2, column: 8, offset: 9 },
        text: "here",
      },
    ],
  });
});
