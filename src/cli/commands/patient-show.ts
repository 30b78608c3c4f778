// SPDX-License-Identifier: Apache-2.0
import type { PatientStanding } from "../../acts/index.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(context: Context, values: { patient: string }): Promise<void> {
  await using chartseal = await openMember(context);
  const patientId = patientArgument(chartseal.vault, values.patient);
  const standing = await chartseal.acts().standing(patientId);
  context.print(standing, wordsOf(standing));
}

function wordsOf(standing: PatientStanding): string {
  const { patientId, custodian, condition, signer, guardians, threshold, pending } = standing;
  const rows = [
    ["patient", patientId],
    ["custodian", `member ${custodian}`],
    ["condition", condition],
    ["own key", signer ?? "none"],
    [
      "guardians",
      threshold === 0
        ? "none"
        : `${threshold} of ${guardians.length} must sign, until ${timeOf(standing.guardiansUntil)}`,
    ],
    ...guardians.map((key) => ["", key]),
    ["loosens from", standing.loosensFrom === 0 ? "now" : timeOf(standing.loosensFrom)],
    [
      "waiting",
      pending === undefined
        ? "nothing"
        : `${pending.change}, may be completed from ${timeOf(pending.readyAt)}`,
    ],
    ...(pending?.keys ?? []).map((key) => ["", key]),
  ];
  return rows.map(([name, value]) => `${name!.padEnd(12)}  ${value!}`).join("\n");
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
