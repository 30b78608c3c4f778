// SPDX-License-Identifier: Apache-2.0
import { auditEventNdjson, csv, html, timeline, type Language, type Report } from "../../audit/index.js";
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import { addressArgument, dateArgument, endArgument, wholeNumber } from "../arguments.js";
import { AuditProgress } from "../audit-progress.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { writeWhole } from "../private-file.js";

interface Values {
  patient?: string;
  clinician?: string;
  member?: string;
  format?: "timeline" | "csv" | "fhir" | "html";
  language?: Language;
  timeZone?: string;
  out?: string;
  from?: string;
  to?: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  const { patient, clinician, member } = values;
  if ([patient, clinician, member].filter((one) => one !== undefined).length > 1) {
    throw new ChartsealError("ERR_USAGE", "give --patient, --clinician or --member, not two of them");
  }
  await using chartseal = await openMember(context);
  const report = await reportOf(context, chartseal, values);
  const text = textOf(report, values);
  const { complete } = report;
  if (values.out === undefined) context.print(report, text.trimEnd());
  else {
    await writeWhole(values.out, text);
    context.print({ complete, file: values.out }, `Wrote ${values.out}${complete ? "" : "; INCOMPLETE"}`);
  }
  return complete ? ExitCode.DONE : ExitCode.FAILED;
}

async function reportOf(context: Context, chartseal: Chartseal, values: Values): Promise<Report> {
  const { patient, clinician, member, from, to } = values;
  const period = {
    ...(from === undefined ? {} : { from: dateArgument(from, "--from") }),
    ...(to === undefined ? {} : { to: endArgument(to, "--to") }),
  };
  if (patient !== undefined) {
    return await chartseal.audit.disclosures({
      patient: patientArgument(chartseal.vault, patient),
      ...period,
    });
  }
  const subject =
    clinician === undefined
      ? { member: member === undefined ? chartseal.memberId : wholeNumber(member, "--member", 1) }
      : { clinician: addressArgument(clinician, "--clinician") };
  using progress = new AuditProgress(context);
  return await chartseal.audit.accounting({ subject, ...period, onProgress: progress.update });
}

function textOf(report: Report, { format = "timeline", language = "en", timeZone }: Values): string {
  if (format === "html") return html(report, { language, ...(timeZone === undefined ? {} : { timeZone }) });
  if (format === "csv") return csv(report);
  if (format === "fhir") return auditEventNdjson(report);
  return timeline(report, { language });
}
