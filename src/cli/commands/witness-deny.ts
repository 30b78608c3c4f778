// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { onPaper, readScan } from "../paper.js";
import { patientArgument } from "../patient-argument.js";

interface Values {
  patient: string;
  denyAll?: boolean;
  denyEmergency?: boolean;
  deny?: string[];
  form: string;
  act: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const { denyAll = false, denyEmergency = false, deny = [] } = values;
  if (!denyAll && !denyEmergency && deny.length === 0) {
    throw new ChartsealError("ERR_USAGE", "give --deny-all, --deny-emergency or --deny", {
      hint: "witnesses take no denial back; who signs for the patient does, by `chartseal directive`",
    });
  }
  const bytes = await readScan(values.form);
  await using chartseal = await openMember(context, { role: "operator" });
  const { vault } = chartseal;
  const patient = patientArgument(vault, values.patient);
  const deniedCompartments = deny.map((name) => vault.compartmentOf(patient, name));
  const paper = onPaper(chartseal, patient, { bytes, kind: "CONSENT_DOCUMENT", role: "operator" });
  const request = { patient, denyAll, denyEmergency, deniedCompartments };
  const file = await chartseal.attestations.denial(request, paper);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}
