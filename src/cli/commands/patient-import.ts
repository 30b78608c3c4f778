// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { readCsv, type CsvRow } from "../csv.js";
import { importLines } from "../import-lines.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [file = ""]: string[]): Promise<number> {
  const rows = await readCsv(file, ["system", "value", "label"]);
  await using chartseal = await openMember(context, { role: "operator" });
  const enrol = async ({ fields }: CsvRow) => {
    const { system = "", value = "", label } = fields;
    const patientId = await chartseal.patients.enrol({
      identifiers: [{ system, value }],
      ...(label === undefined ? {} : { label }),
    });
    return { patientId };
  };
  return await importLines(context, rows, enrol, ({ patientId }) => patientId);
}
