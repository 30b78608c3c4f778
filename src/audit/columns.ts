// SPDX-License-Identifier: Apache-2.0

/** Marks of width 0, and characters that East Asian terminals draw two columns wide (UAX #11, W and F). */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}]$/u;
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u;

/** Columns that a printable text takes. */
export function columns(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Cuts a text to at most `most` columns, an ellipsis at its end if something was cut. */
export function cut(text: string, most: number): string {
  if (columns(text) <= most) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += columnsOf(character);
    if (width > most - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Cuts or pads a text to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const kept = cut(text, width);
  return kept + " ".repeat(Math.max(0, width - columns(kept)));
}

/** 0x1234…abcd */
export function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 6)}…${id.slice(-4)}`;
}

function columnsOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Breaks a text into lines of at most `width` columns, at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (columns(rest) > width) {
    const most = cut(rest, width).slice(0, -1);
    const space = most.lastIndexOf(" ");
    const line = space > most.length / 2 ? rest.slice(0, space) : most;
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  return [...lines, rest];
}
