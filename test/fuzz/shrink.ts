/** Makes what fails smaller while it still fails. Knows nothing of what fails. */

/** Parts of `items` left out, large ones first, as long as `fails` holds of the rest (Zeller's delta debugging). */
async function fewer<T>(items: readonly T[], fails: (items: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      const rest = kept.toSpliced(at, size);
      if (await fails(rest)) kept = rest;
      else at += size;
    }
  return kept;
}

/** A text that still fails, without lines, words and characters that it fails without too. */
export async function smallerText(text: string, fails: (text: string) => Promise<boolean>): Promise<string> {
  let now = text;
  for (const pieces of [/(?<=[\n;])/u, /(?<![\p{L}\p{N}_])|(?![\p{L}\p{N}_])/u, /(?:)/u])
    now = (await fewer(now.split(pieces), (rest) => fails(rest.join("")))).join("");
  return now;
}

export const smallerBytes = async (
  bytes: Uint8Array,
  fails: (bytes: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> => Uint8Array.from(await fewer(Array.from(bytes), (rest) => fails(Uint8Array.from(rest))));
