// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { ExitCode, type Context } from "./context.js";
import type { CsvRow } from "./csv.js";
import type { Interruption } from "./io.js";

/** What became of one line of a file. */
type LineOutcome<T> = { line: number } & (T | { error: ChartsealError });

/**
 * Does each line's work and prints all lines' outcomes. A line that fails does not stop the next, a chain that is down
 * does. Ctrl-C lets the line in hand be finished, and says how far it came.
 * @returns the exit code, which says whether some failed
 * @throws Interruption when it was stopped with lines left
 */
export async function importLines<T extends object>(
  context: Context,
  rows: readonly CsvRow[],
  work: (row: CsvRow) => Promise<T>,
  describe: (done: T) => string,
): Promise<number> {
  const signal = context.io.interruption();
  const outcomes: LineOutcome<T>[] = [];
  for (const row of rows) {
    if (signal.aborted) break;
    try {
      outcomes.push({ line: row.line, ...(await work(row)) });
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      outcomes.push({ line: row.line, error });
      if (error.code === "ERR_RPC_UNAVAILABLE") break;
    }
  }
  const next = signal.aborted ? rows[outcomes.length]?.line : undefined;
  const code = report(context, outcomes, describe, next);
  if (next !== undefined) throw signal.reason as Interruption;
  return code;
}

/** @param next The first line that was left when it was stopped */
function report<T extends object>(
  context: Context,
  lines: readonly LineOutcome<T>[],
  describe: (done: T) => string,
  next: number | undefined,
): number {
  const failed = lines.filter((line) => "error" in line).length;
  const enrolled = lines.length - failed;
  const texts = lines.map((line) =>
    "error" in line
      ? `line ${line.line}: ${line.error.message} (${line.error.code})`
      : `line ${line.line}: ${describe(line)}`,
  );
  texts.push(`${enrolled} enrolled, ${failed} failed`);
  if (next !== undefined) texts.push(`Stopped: line ${next} and what follows it are not done.`);
  context.print({ enrolled, failed, lines, ...(next === undefined ? {} : { next }) }, texts.join("\n"));
  if (failed === 0) return ExitCode.DONE;
  return enrolled === 0 ? ExitCode.FAILED : ExitCode.PARTLY;
}
