// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context, { chain: "unused" });
  const patients = chartseal.patients
    .list()
    .map(({ patientId, label, identifiers, signer, administrative }) => ({
      patientId,
      ...(label === undefined ? {} : { label }),
      identifiers,
      ...(signer === undefined ? {} : { signer }),
      administrative,
    }));
  const rows = patients.map(({ patientId, label, identifiers, signer, administrative }) => [
    patientId,
    label,
    identifiers.map(({ system, value }) => `${system}|${value}`).join(" "),
    administrative ? "administrative" : signer === undefined ? "no device" : "device",
  ]);
  context.print({ patients }, table(["PATIENT", "LABEL", "IDENTIFIERS", "KIND"], rows));
}
