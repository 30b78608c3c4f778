// SPDX-License-Identifier: Apache-2.0

export type Cell = string | number | boolean | undefined;

/**
 * What spreadsheets may take for the start of a formula, in ASCII and in the full-width forms that East Asian
 * editions take too (OWASP, CSV Injection).
 */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/**
 * Rows under a header as CSV: RFC 4180 with CRLF, UTF-8 with a byte order mark (else Excel takes it for the local code
 * page). A field that a spreadsheet would take for a formula has an apostrophe before it.
 */
export function csvText(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `\uFEFF${[header, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("")}`;
}

function quoted(cell: Cell): string {
  if (cell === undefined) return "";
  const text = String(cell);
  const safe = FORMULA_START.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
