// SPDX-License-Identifier: Apache-2.0
import { auditEventNdjson, csv, timeline, type Audit, type Language } from "../../audit/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { Hex } from "../../crypto/index.js";
import { dateArgument, endArgument } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { writeWhole } from "../private-file.js";

interface Values {
  patient: string;
  format?: "timeline" | "csv" | "fhir";
  language?: Language;
  out?: string;
  from?: string;
  to?: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  const { from, to } = values;
  const filter = {
    ...(from === undefined ? {} : { from: dateArgument(from, "--from") }),
    ...(to === undefined ? {} : { to: endArgument(to, "--to") }),
  };
  await using chartseal = await openMember(context);
  const patient = patientArgument(chartseal.vault, values.patient);
  const audit = await chartseal.audit.disclosures({ patient, ...filter });
  const text = textOf(audit, values);
  if (values.out !== undefined) {
    await writeWhole(values.out, text);
    const { complete, total, entries } = audit;
    const answer = { patientId: patient, complete, total, shown: entries.length, file: values.out };
    context.print(
      answer,
      `Wrote ${entries.length} of ${total} events to ${values.out}${complete ? "" : "; INCOMPLETE"}`,
    );
  } else context.print(audit, text.trimEnd());
  noteOthers(context, chartseal, patient);
  return audit.complete ? ExitCode.DONE : ExitCode.FAILED;
}

/** An audit is of one id, as its heads are: a person with several has several. */
function noteOthers(context: Context, { vault }: Chartseal, patient: Hex): void {
  if (!vault.patients().some(({ patientId }) => patientId === patient)) return;
  const others = vault.merges.idsOf(patient).filter((id) => id !== patient);
  if (others.length > 0) context.note(`The same person, each with an audit of its own: ${others.join(", ")}`);
}

function textOf(audit: Audit, { format = "timeline", language = "en" }: Values): string {
  if (format === "csv") return csv(audit);
  if (format === "fhir") return auditEventNdjson(audit);
  return timeline(audit, { language });
}
