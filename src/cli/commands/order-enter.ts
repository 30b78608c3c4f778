// SPDX-License-Identifier: Apache-2.0
import { makeOrderTerms } from "../../consent/index.js";
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { onPaper, readScan } from "../paper.js";
import { termsArguments, type TermsValues } from "../terms-argument.js";

export async function run(
  context: Context,
  values: TermsValues & { order: string; act: string },
): Promise<void> {
  const bytes = await readScan(values.order);
  await using chartseal = await openMember(context, { role: "reviewer" });
  const request = await termsArguments(chartseal, values);
  const paper = onPaper(chartseal, request.patient, { bytes, kind: "LEGAL_ORDER", role: "reviewer" });
  const file = await chartseal.attestations.order(makeOrderTerms(request), paper);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}
