// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { expectOneDevice, onBehalf, patientSignature, type DeviceValues } from "../patient-signature.js";

export async function run(
  context: Context,
  values: DeviceValues & { patient: string; grant: string },
): Promise<void> {
  expectOneDevice(values);
  const termsHash = hashArgument(values.grant, "--grant");
  await using chartseal = await openMember(context, { role: "operator" });
  const { consent, vault, chain } = chartseal;
  const patientId = patientArgument(vault, values.patient);
  if (values.act !== undefined) {
    const on = await onBehalf(values, chain.deployment.passkeys);
    const file = await chartseal.acts().revocation(patientId, termsHash, on);
    return await handOut(context, values.act, file, chain.deployment);
  }
  const typedData = consent.revocation(patientId, termsHash);
  if (values.typedData === true) {
    const answer = { patientId, termsHash, typedData };
    return context.print(answer, JSON.stringify(answer, null, 2));
  }
  await consent.revoke(patientId, termsHash, await patientSignature(values, typedData));
  context.print({ patientId, termsHash, revoked: true }, `Revoked ${termsHash}`);
}
