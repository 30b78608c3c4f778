// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { onPaper, readScan } from "../paper.js";
import { patientArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  values: { patient: string; grant: string; form: string; act: string },
): Promise<void> {
  const termsHash = hashArgument(values.grant, "--grant");
  const bytes = await readScan(values.form);
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = patientArgument(chartseal.vault, values.patient);
  const paper = onPaper(chartseal, patientId, { bytes, kind: "CONSENT_DOCUMENT", role: "operator" });
  const file = await chartseal.attestations.revocation(patientId, termsHash, paper);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}
