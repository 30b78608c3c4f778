// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(context: Context, values: { patient: string }): Promise<void> {
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = patientArgument(chartseal.vault, values.patient);
  await chartseal.acts().withdraw(patientId);
  context.print({ patientId, withdrawn: true }, `Withdrawn for ${patientId}`);
}
