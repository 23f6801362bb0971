/** Texts and bytes, damaged: tokens and bits changed, left out, put in, taken from elsewhere. */
import { tokenize } from "../../grammar/tokens.ts";
import type { Random } from "./random.ts";

/** Longest program that is damaged: what is wrong with long ones is wrong with their parts. */
const LONGEST = 1_500;

const STRANGE = [
  "\0",
  "\x1b[31m",
  "\u200b",
  "é",
  "e\u0301",
  "𝑥",
  "\ud800",
  "\u2028",
  "\r",
  "\ufeff",
  "٣",
  "\t",
  '"',
  "'",
  "\\",
  "_",
  "?",
  "9".repeat(40),
  "1e999",
  "0x1F",
  "//",
  "**",
  "...",
  "newaxis",
  "wrt",
  "grad",
  "[".repeat(30),
  "- ".repeat(30),
];

/** A program with some words changed for others of `texts`, or for characters that programs seldom hold. */
export function damagedText(texts: readonly string[], random: Random): string {
  const whole = random.pick(texts);
  const start = whole.length > LONGEST ? whole.lastIndexOf("\n", random.below(whole.length - LONGEST)) + 1 : 0;
  const words = wordsOf(whole.slice(start, start + LONGEST));
  const others = wordsOf(random.pick(texts).slice(0, LONGEST));
  for (const edit of random.times(1, 4, () => random.below(6))) {
    const at = random.below(words.length + 1);
    const count = random.below(3);
    if (edit === 0) words.splice(at, 1 + count);
    else if (edit === 1) words.splice(at, count, random.pick(STRANGE));
    else if (edit === 2) words.splice(at, 0, ...words.slice(random.below(words.length + 1)).slice(0, 6));
    else if (edit === 3) words.splice(at, 0, ...words.splice(random.below(words.length + 1), 1));
    else words.splice(at, Math.min(count, 1), ...others.slice(random.below(others.length + 1)).slice(0, 1 + count));
  }
  return words.join("");
}

/** The tokens and what stands between them: joined they are the text. */
function wordsOf(text: string): string[] {
  const tokens = tokenize(text);
  const ends = [
    0,
    ...tokens.flatMap(({ startOffset, image }) => [startOffset, startOffset + image.length]),
    text.length,
  ];
  return ends.flatMap((end, i) => (i === 0 || end === ends[i - 1] ? [] : text.slice(ends[i - 1], end)));
}

/** Numbers that headers should not hold. */
const HUGE = [0xffffffff, 0x7fffffff, 0x80000000, 0xffff, 0, 1];
const DIGITS = [
  "9007199254740993",
  "18446744073709551616",
  "4294967296",
  "-1",
  "1e400",
  "00",
  "1.5",
  "NaN",
  "",
  "(",
  "null",
];

/** One of `files` with bits flipped, parts cut out, doubled, or spliced from another. */
export function damagedBytes(files: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Buffer.from(random.pick(files));
  const at = () => random.below(bytes.length + 1);
  for (const edit of random.times(1, 3, () => random.below(7))) {
    if (bytes.length === 0) break;
    const [start, end] = [at(), at()].sort((a, b) => a - b) as [number, number];
    const cut = (put: Uint8Array) => {
      bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(end)]);
    };
    if (edit === 0) bytes = bytes.subarray(0, start);
    else if (edit === 1) cut(new Uint8Array());
    else if (edit === 2) cut(Buffer.from(random.pick(files)).subarray(start, end));
    else if (edit === 3 && bytes.length >= 4) bytes.writeUInt32LE(random.pick(HUGE), random.below(bytes.length - 3));
    else if (edit === 4) bytes = Buffer.from(withOtherNumber(bytes, random));
    else
      for (const place of random.times(1, 4, () => random.below(bytes.length))) bytes[place]! ^= 1 << random.below(8);
  }
  return bytes;
}

/** A number that is written in digits becomes another. */
function withOtherNumber(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return bytes;
  const { index, 0: digits } = random.pick(numbers);
  return Buffer.from(text.slice(0, index) + random.pick(DIGITS) + text.slice(index + digits.length), "latin1");
}
