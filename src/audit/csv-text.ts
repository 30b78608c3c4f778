// SPDX-License-Identifier: Apache-2.0

export type Cell = string | number | boolean | undefined;

/**
 * What spreadsheets may take for the start of a formula, in ASCII and in the full-width forms that East Asian
 * editions take too (OWASP, CSV Injection).
 */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/**
 * Where a spreadsheet begins a cell that splits at semicolons or tabs, as the list separator of many countries has it:
 * a quote counts for it only at a cell's beginning, so that ours, between commas, keep neither these nor lines together.
 */
const INNER_START = /(?<=[;\t\r\n])(?=[" ]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/**
 * Rows under a header as CSV: RFC 4180 with CRLF, UTF-8 with a byte order mark (else Excel takes it for the local code
 * page). Where a spreadsheet would begin a formula, at a field's beginning or within it, stands an apostrophe before it.
 */
export function csvText(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `\uFEFF${[header, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("")}`;
}

function quoted(cell: Cell): string {
  if (cell === undefined) return "";
  const text = String(cell);
  const safe = `${FORMULA_START.test(text) ? "'" : ""}${text.replaceAll(INNER_START, "'")}`;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
