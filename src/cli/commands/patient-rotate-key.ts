// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { keyArgument } from "../key-argument.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  values: { patient: string; key: string; act: string },
): Promise<void> {
  await using chartseal = await openMember(context);
  const { deployment } = chartseal.chain;
  const patientId = patientArgument(chartseal.vault, values.patient);
  const key = await keyArgument(values.key, "--key", deployment.passkeys);
  await handOut(context, values.act, await chartseal.acts().rotation(patientId, key), deployment);
}
