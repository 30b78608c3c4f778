// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(context: Context, values: { patient: string }): Promise<void> {
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = patientArgument(chartseal.vault, values.patient);
  const standing = await chartseal.acts().complete(patientId);
  await chartseal.patients.noteSigner(patientId);
  const from = new Date(standing.loosensFrom * 1000).toISOString();
  context.print(standing, `Done for ${patientId}. What lets others see more is taken from ${from} on.`);
}
