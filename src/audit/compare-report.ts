// SPDX-License-Identifier: Apache-2.0
import type { Report } from "./report.js";
import { compareFacts } from "./compare-facts.js";
import type { RowFinding } from "./row-finding.js";
import { expectedRows, formatOf, savedRows, type SavedFormat, type SavedRow } from "./saved-rows.js";

/** How a saved report compares with the chain. */
export interface ReportComparison {
  format: SavedFormat;
  /** In the file. */
  rows: number;
  findings: RowFinding[];
}

/**
 * Holds a saved report against one that was just made by the same question: every row of the file that is altered, out
 * of order, repeated or made up, and every event that it lacks. What came after the file was made is lacking too:
 * ask for the period up to then.
 * @param report `report.complete` says whether it is itself what the chain counts
 * @throws ERR_USAGE when the text is no report in CSV, FHIR NDJSON or JSON
 */
export function compareReport(report: Report, text: string): ReportComparison {
  const format = formatOf(text);
  const rows = savedRows(text, format);
  const expected = expectedRows(report, format);
  const places = new Map(expected.map(({ key }, place) => [key, place]));
  const findings: RowFinding[] = format === "json" ? compareFacts(report, text) : [];
  const met = new Map<number, SavedRow>();
  for (const found of rows) {
    const { row, key } = found;
    const event = key === undefined ? {} : { event: key };
    const place = key === undefined ? undefined : places.get(key);
    if (place === undefined) findings.push({ what: "UNKNOWN", row, ...event });
    else if (met.has(place)) findings.push({ what: "REPEATED", row, ...event });
    else {
      met.set(place, found);
      const fields = differing(found, expected[place]!);
      if (fields.length > 0) findings.push({ what: "ALTERED", row, ...event, fields });
    }
  }
  const order = [...met.keys()];
  const inOrder = longestRising(order);
  for (const place of order) {
    const { row, key } = met.get(place)!;
    if (!inOrder.has(place)) findings.push({ what: "MOVED", row, event: key! });
  }
  const first = format === "csv" ? 1 : 0;
  let before = first;
  for (const [place, { key }] of expected.entries()) {
    const found = met.get(place);
    if (found === undefined) findings.push({ what: "MISSING", row: before, event: key! });
    else if (inOrder.has(place)) before = found.row;
  }
  findings.sort((a, b) => a.row - b.row);
  return { format, rows: rows.length, findings };
}

function differing({ fields: found }: SavedRow, { fields: expected }: SavedRow): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => found.get(name) !== expected.get(name));
}

/** The longest part of a list whose numbers rise: what is not in it was moved (patience sorting). */
function longestRising(numbers: readonly number[]): Set<number> {
  const tails: number[] = [];
  const previous = new Map<number, number | undefined>();
  for (const number of numbers) {
    let low = 0;
    for (let high = tails.length; low < high;) {
      const middle = (low + high) >> 1;
      if (tails[middle]! < number) low = middle + 1;
      else high = middle;
    }
    previous.set(number, tails[low - 1]);
    tails[low] = number;
  }
  const rising = new Set<number>();
  for (let at = tails.at(-1); at !== undefined; at = previous.get(at)) rising.add(at);
  return rising;
}
