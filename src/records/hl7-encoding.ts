// SPDX-License-Identifier: Apache-2.0

/**
 * HL7 v2 table 0211 and names found in the field, as labels of the WHATWG Encoding Standard. Part 12 of ISO 8859 was
 * given up: no encoding has that name.
 */
const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ["ASCII", "us-ascii"],
  ["UNICODE UTF-8", "utf-8"],
  ["UTF-8", "utf-8"],
  ["UTF8", "utf-8"],
  ["GB 18030-2000", "gb18030"],
  ["GB18030", "gb18030"],
  ["GBK", "gb18030"],
  ["GB2312", "gb18030"],
  ["BIG-5", "big5"],
  ["KS X 1001", "euc-kr"],
  ["ISO IR87", "iso-2022-jp"],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15].map(
    (part) => [`8859/${part}`, `iso-8859-${part}`] as const,
  ),
]);

/** Every value of MSH-18 that is understood. */
export const KNOWN_ENCODINGS: readonly string[] = [...ENCODINGS.keys()];

/** The encoding of an MSH-18 value, as the WHATWG Encoding Standard names it; undefined when nobody knows it. */
export function encodingOf(name: string): string | undefined {
  return ENCODINGS.get(name.trim().toUpperCase());
}
