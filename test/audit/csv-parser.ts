// SPDX-License-Identifier: Apache-2.0

/** A strict reader of RFC 4180: CRLF ends every row, a quote inside a quoted field is doubled, none stands alone. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const quotedField = /"((?:[^"]|"")*)"/y;
    const bareField = /[^",\r\n]*/y;
    const pattern = text[at] === '"' ? quotedField : bareField;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`no field at ${at}`);
    row.push(pattern === quotedField ? match[1]!.replaceAll('""', '"') : match[0]);
    at += match[0].length;
    if (text[at] === ",") {
      at++;
    } else if (text.startsWith("\r\n", at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else {
      throw new Error(`neither comma nor CRLF at ${at}`);
    }
  }
  if (row.length > 0) throw new Error("the last row does not end");
  return rows;
}
