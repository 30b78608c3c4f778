// SPDX-License-Identifier: Apache-2.0

/**
 * What cannot be seen or moves what can: controls, format characters (bidirectional and zero-width ones too), lone
 * surrogates, private use, line and paragraph separators, and whatever else Unicode lets a terminal draw as nothing.
 * Variation selectors choose a letter's shape, in Chinese and Japanese names too.
 */
const UNSAFE =
  /(?!\p{Variation_Selector})[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Marks on one letter: no script needs more than four, a flood of them covers the lines above and below. */
const FLOOD = /(\p{M}{4})\p{M}+/gu;

/**
 * Someone else's text, safe on a terminal and in one line: characters with which a member's name could hide or forge
 * what stands beside it become U+FFFD, and so does what is too much of a heap of marks.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, "\uFFFD").replace(FLOOD, "$1\uFFFD");
}
