// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { readText } from "./private-file.js";

export interface CsvRow {
  /** In the file, from 1. */
  line: number;
  /** By the header's names; an empty field is left out. */
  fields: Readonly<Record<string, string>>;
}

/**
 * Reads a CSV file (RFC 4180: quoted fields, "" for a quote) with a header.
 * @param columns Allowed names, the first of which must be there
 * @throws ERR_USAGE naming the line
 */
export async function readCsv(path: string, columns: readonly string[]): Promise<CsvRow[]> {
  const [header, ...rows] = parse(await readText(path), path);
  const names = header?.cells.map((cell) => cell.trim()) ?? [];
  const unknown = names.find((name) => !columns.includes(name));
  if (unknown !== undefined || !names.includes(columns[0]!)) {
    throw new ChartsealError("ERR_USAGE", `${path}: the header must be ${columns.join(",")}`, {
      values: { path },
    });
  }
  return rows.map(({ line, cells }) => {
    if (cells.length > names.length) throw bad(path, line, "has more fields than the header");
    const fields = names.map((name, column) => [name, cells[column]?.trim() ?? ""] as const);
    return { line, fields: Object.fromEntries(fields.filter(([, value]) => value !== "")) };
  });
}

interface Row {
  line: number;
  cells: string[];
}

function parse(text: string, path: string): Row[] {
  const rows: Row[] = [];
  let row: Row = { line: 1, cells: [] };
  let line = 1;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) throw bad(path, line, "is not CSV: a quote stands where none may");
    const [whole, quoted, plain, end] = match;
    row.cells.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    if (row.cells.some((cell) => cell !== "")) rows.push(row); // else an empty line
    row = { line, cells: [] };
  }
  if (row.cells.length > 0) rows.push(row); // the last field was empty
  return rows;
}

function bad(path: string, line: number, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path}: line ${line} ${why}`, { values: { path, line } });
}
