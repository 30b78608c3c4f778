// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { ExitCode, type Context } from "./context.js";
import type { CsvRow } from "./csv.js";

/** What became of one line of a file. */
export type LineOutcome<T> = { line: number } & (T | { error: ChartsealError });

/** Does each line's work; a line that fails does not stop the next, a chain that is down does. */
export async function importLines<T extends object>(
  rows: readonly CsvRow[],
  work: (row: CsvRow) => Promise<T>,
): Promise<LineOutcome<T>[]> {
  const outcomes: LineOutcome<T>[] = [];
  for (const row of rows) {
    try {
      outcomes.push({ line: row.line, ...(await work(row)) });
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      outcomes.push({ line: row.line, error });
      if (error.code === "ERR_RPC_UNAVAILABLE") break;
    }
  }
  return outcomes;
}

/** Prints all lines' outcomes; the exit code says whether some failed. */
export function reportImport<T extends object>(
  context: Context,
  lines: readonly LineOutcome<T>[],
  describe: (done: T) => string,
): number {
  const failed = lines.filter((line) => "error" in line).length;
  const enrolled = lines.length - failed;
  const texts = lines.map((line) =>
    "error" in line
      ? `line ${line.line}: ${line.error.message} (${line.error.code})`
      : `line ${line.line}: ${describe(line)}`,
  );
  context.print({ enrolled, failed, lines }, [...texts, `${enrolled} enrolled, ${failed} failed`].join("\n"));
  if (failed === 0) return ExitCode.DONE;
  return enrolled === 0 ? ExitCode.FAILED : ExitCode.PARTLY;
}
