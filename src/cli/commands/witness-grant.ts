// SPDX-License-Identifier: Apache-2.0
import { handOut } from "../act-file.js";
import { listArgument, purposeArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { onPaper, readScan } from "../paper.js";
import { termsArguments, type TermsValues } from "../terms-argument.js";

export async function run(
  context: Context,
  values: TermsValues & { purpose: string; form: string; act: string },
): Promise<void> {
  const bytes = await readScan(values.form);
  const purposes = listArgument(values.purpose).map(purposeArgument);
  await using chartseal = await openMember(context, { role: "operator" });
  const request = await termsArguments(chartseal, values);
  const { terms } = chartseal.consent.terms({ ...request, purposes });
  const paper = onPaper(chartseal, request.patient, { bytes, kind: "CONSENT_DOCUMENT", role: "operator" });
  const file = await chartseal.attestations.grant(terms, paper);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}
