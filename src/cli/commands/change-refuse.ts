// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(context: Context, values: { patient: string; act: string }): Promise<void> {
  await using chartseal = await openMember(context);
  const patientId = patientArgument(chartseal.vault, values.patient);
  await handOut(context, values.act, await chartseal.acts().refusal(patientId), chartseal.chain.deployment);
}
