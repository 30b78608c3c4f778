// SPDX-License-Identifier: Apache-2.0
import { printable } from "../printable.js";

export type Cell = string | number | undefined;

/** Rows under a header, in aligned columns; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(String(cell ?? "-"))));
  const widths = header.map((title, column) =>
    Math.max(width(title), ...cells.map((row) => width(row[column] ?? ""))),
  );
  const numeric = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column]!, numeric[column]!))
      .join("  ")
      .trimEnd();
  return [line(header), ...cells.map(line)].join("\n");
}

function pad(text: string, to: number, left: boolean): string {
  const spaces = " ".repeat(Math.max(0, to - width(text)));
  return left ? spaces + text : text + spaces;
}

/** Columns on a terminal: East Asian wide and full-width letters take two (UAX #11, the common ranges). */
function width(text: string): number {
  let columns = 0;
  for (const letter of text) {
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
        letter,
      )
        ? 2
        : 1;
  }
  return columns;
}
