// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { readCsv } from "../csv.js";
import { importLines, reportImport } from "../import-lines.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [file = ""]: string[]): Promise<number> {
  const rows = await readCsv(file, ["system", "value", "label"]);
  await using chartseal = await openMember(context, { role: "operator" });
  const outcome = await importLines(rows, async ({ fields }) => {
    const { system = "", value = "", label } = fields;
    const patientId = await chartseal.patients.enrol({
      identifiers: [{ system, value }],
      ...(label === undefined ? {} : { label }),
    });
    return { patientId };
  });
  return reportImport(context, outcome, ({ patientId }) => patientId);
}
