// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  values: { patient: string; grant: string; act: string },
): Promise<void> {
  const termsHash = hashArgument(values.grant, "--grant");
  await using chartseal = await openMember(context, { role: "reviewer" });
  const patientId = patientArgument(chartseal.vault, values.patient);
  const first = chartseal.signer("reviewer").address;
  const file = await chartseal.attestations.orderLift(patientId, termsHash, first);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}
