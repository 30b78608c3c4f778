// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { readCsv, type CsvRow } from "../csv.js";
import { enrolStaff, notAfterArgument, type StaffRequest } from "../enrol-staff.js";
import { importLines } from "../import-lines.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [file = ""]: string[]): Promise<number> {
  const rows = await readCsv(file, ["name", "roles", "notAfter", "personId"]);
  await using chartseal = await openMember(context, { role: "admin" });
  return await importLines(
    context,
    rows,
    (row) => enrolLine(chartseal, row),
    ({ name, account }) => `${name} ${account}`,
  );
}

async function enrolLine(chartseal: Chartseal, { fields }: CsvRow) {
  const { name = "", roles = "", notAfter, personId } = fields;
  const request: StaffRequest = {
    name,
    roles: roles
      .split(";")
      .map((role) => role.trim())
      .filter(Boolean),
  };
  if (notAfter !== undefined) request.notAfter = notAfterArgument(notAfter);
  if (personId !== undefined) request.personId = hashArgument(personId, "personId");
  return await enrolStaff(chartseal, request);
}
