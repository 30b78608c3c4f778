// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { expectSet, guardianArguments, type GuardianValues } from "../guardian-arguments.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  values: GuardianValues & { patient: string; act: string },
): Promise<void> {
  expectSet(values);
  await using chartseal = await openMember(context);
  const { deployment } = chartseal.chain;
  const patientId = patientArgument(chartseal.vault, values.patient);
  const request = await guardianArguments(values, deployment.passkeys);
  await handOut(context, values.act, await chartseal.acts().guardians(patientId, request), deployment);
}
