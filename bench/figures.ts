// SPDX-License-Identifier: Apache-2.0

export function median(figures: readonly number[]): number {
  const ordered = figures.toSorted((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

/** The figure that `percent` of all do not exceed (nearest rank). */
export function percentile(figures: readonly number[], percent: number): number {
  const ordered = figures.toSorted((a, b) => a - b);
  return ordered[Math.max(0, Math.ceil((percent / 100) * ordered.length) - 1)]!;
}

/** Middle and high figure of many. */
export interface Spread {
  p50: number;
  p95: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  return { p50: percentile(figures, 50), p95: percentile(figures, 95) };
}

/** Rows under a title: the first column to the left, all others to the right. The first row names the columns. */
export function tableOf(title: string, rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column)))),
  );
  return `${title}\n${lines.map((cells) => cells.join("  ").trimEnd()).join("\n")}\n`;
}
