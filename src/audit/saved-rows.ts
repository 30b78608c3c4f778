// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { auditEventNdjson } from "./audit-event.js";
import { CSV_FIELDS, csv } from "./csv.js";
import type { Report } from "./report.js";

/** A row of a saved report. */
export interface SavedRow {
  /** Which row of the file, as people count: a CSV's header is row 1. */
  row: number;
  /** The event's place on chain; undefined when the row does not say it. */
  key: string | undefined;
  /** Its fields as text, by name. */
  fields: ReadonlyMap<string, string>;
}

export type SavedFormat = "csv" | "fhir" | "json";

/** @throws ERR_USAGE when the text is no report that can be compared row by row */
export function formatOf(text: string): SavedFormat {
  if (withoutMark(text).startsWith(`${CSV_FIELDS[0]},`)) return "csv";
  const [line] = text.trimStart().split("\n", 1);
  const first = parsed(line!) ?? parsed(text);
  if (first?.["resourceType"] === "AuditEvent") return "fhir";
  if (Array.isArray(first?.["entries"]) || Array.isArray(first?.["audits"])) return "json";
  throw new ChartsealError("ERR_USAGE", "the file is no audit in CSV, FHIR NDJSON or JSON", {
    hint: "of a printed report, compare the heads that it shows",
  });
}

/** The rows of a saved report, in the file's order. Whoever had the file may have put anything in it. */
export function savedRows(text: string, format: SavedFormat): SavedRow[] {
  if (format === "csv") return csvRows(withoutMark(text));
  if (format === "fhir") {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, position) => jsonRow(parsed(line), position + 1, (event) => event["id"]));
  }
  const report = parsed(text) ?? {};
  const audits = Array.isArray(report["audits"]) ? (report["audits"] as unknown[]) : [report];
  const patients = audits.flatMap((audit) => {
    const { patientId, entries: of } = (audit ?? {}) as Record<string, unknown>;
    return (Array.isArray(of) ? (of as unknown[]) : []).map((entry) => Object.assign({ patientId }, entry));
  });
  const lookups = Array.isArray(report["lookups"]) ? (report["lookups"] as Record<string, unknown>[]) : [];
  return [...patients, ...lookups].map((entry, position) =>
    jsonRow(entry, position + 1, ({ transactionHash, logIndex }) => placeKey(transactionHash, logIndex)),
  );
}

/** The same report as it would be written now. */
export function expectedRows(report: Report, format: SavedFormat): SavedRow[] {
  const text = { csv, fhir: auditEventNdjson, json: (of: Report) => JSON.stringify(of) }[format](report);
  return savedRows(text, format);
}

/** A line that begins with its place on chain; a quoted field may span lines. */
const CSV_LINE = /(?:"(?:[^"]|"")*"|[^"\r\n]|"(?=[^"]*$))+/g;
/** A quote alone is one that somebody put there. */
const QUOTED = /^".*"$/s;
const CSV_CELL = /("(?:[^"]|"")*"|[^,]*)(?:,|$)/y;

function csvRows(text: string): SavedRow[] {
  const [header = [], ...rows] = (text.match(CSV_LINE) ?? []).map(cellsOf);
  // A name counts once: under a second column of that name the first could say anything.
  const nameOf = (column: number) =>
    header.indexOf(header[column] ?? "") === column ? header[column]! : `column ${column + 1}`;
  return rows.map((cells, position) => {
    const fields = new Map(cells.map((cell, column) => [nameOf(column), cell]));
    const key = placeKey(fields.get("transaction_hash"), fields.get("log_index"));
    return { row: position + 2, key, fields };
  });
}

function cellsOf(line: string): string[] {
  const cells: string[] = [];
  CSV_CELL.lastIndex = 0;
  while (CSV_CELL.lastIndex < line.length) {
    const match = CSV_CELL.exec(line);
    if (match === null) return [...cells, line];
    const [, cell] = match as unknown as [string, string];
    cells.push(QUOTED.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell);
  }
  return line.endsWith(",") ? [...cells, ""] : cells;
}

function jsonRow(
  object: Record<string, unknown> | undefined,
  row: number,
  keyOf: (object: Record<string, unknown>) => unknown,
): SavedRow {
  const key = object === undefined ? undefined : keyOf(object);
  const fields = new Map(Object.entries(object ?? {}).map(([name, value]) => [name, JSON.stringify(value)]));
  return { row, key: typeof key === "string" ? key : undefined, fields };
}

function placeKey(transactionHash: unknown, logIndex: unknown): string | undefined {
  if (typeof transactionHash !== "string" || transactionHash === "") return undefined;
  if (typeof logIndex !== "string" && typeof logIndex !== "number") return undefined;
  return `${transactionHash} log ${logIndex}`;
}

/** The JSON object of a text; undefined when it is none. */
export function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}
