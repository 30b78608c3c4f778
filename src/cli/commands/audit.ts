// SPDX-License-Identifier: Apache-2.0
import {
  auditEventNdjson,
  compareReport,
  csv,
  html,
  timeline,
  viewCsv,
  viewOf,
  type Language,
  type Report,
  type View,
} from "../../audit/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { addressArgument, dateArgument, endArgument, wholeNumber } from "../arguments.js";
import { AuditProgress } from "../audit-progress.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { readText, writeWhole } from "../private-file.js";
import { table } from "../table.js";

interface Values {
  patient?: string;
  clinician?: string;
  member?: string;
  format?: "timeline" | "csv" | "fhir" | "html";
  view?: View;
  verify?: string;
  language?: Language;
  timeZone?: string;
  out?: string;
  from?: string;
  to?: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  requireOneQuestion(values);
  await using chartseal = await openMember(context);
  const report = await reportOf(context, chartseal, values);
  const { complete } = report;
  if (values.verify !== undefined) return await verify(context, report, values.verify);
  const { answer, text } =
    values.view === undefined
      ? { answer: report, text: textOf(report, values) }
      : await viewed(chartseal, report, values.view, values);
  if (values.out === undefined) context.print(answer, text.trimEnd());
  else {
    await writeWhole(values.out, text);
    context.print({ complete, file: values.out }, `Wrote ${values.out}${complete ? "" : "; INCOMPLETE"}`);
  }
  if (values.patient !== undefined) noteOthers(context, chartseal, patientArgument(chartseal.vault, values.patient));
  return complete ? ExitCode.DONE : ExitCode.FAILED;
}

/** An audit is of one id, as its heads are: a person with several has several. */
function noteOthers(context: Context, { vault }: Chartseal, patient: Hex): void {
  if (!vault.patients().some(({ patientId }) => patientId === patient)) return;
  const others = vault.merges.idsOf(patient).filter((id) => id !== patient);
  if (others.length > 0) context.note(`The same person, each with an audit of its own: ${others.join(", ")}`);
}

function requireOneQuestion({ patient, clinician, member, format, view, verify: file, out }: Values): void {
  const given = (...options: unknown[]) => options.filter((one) => one !== undefined).length;
  const problem =
    given(patient, clinician, member) > 1
      ? "give --patient, --clinician or --member, not two of them"
      : file !== undefined && given(format, view, out) > 0
        ? "--verify takes neither --format nor --view nor --out: it reads a file"
        : view !== undefined && (format === "fhir" || format === "html")
          ? `--view is a table or --format csv, not ${format}`
          : undefined;
  if (problem !== undefined) throw new ChartsealError("ERR_USAGE", problem);
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
  if (format === "html") return html(report, { language, ...zoneOf(timeZone) });
  if (format === "csv") return csv(report);
  if (format === "fhir") return auditEventNdjson(report);
  return timeline(report, { language });
}

async function viewed({ chain }: Chartseal, report: Report, view: View, { format, timeZone }: Values) {
  const { justifyWithin, reviewWithin } = await chain.ask(() => chain.emergencies.limits());
  const limits = { justifyWithin: Number(justifyWithin), reviewWithin: Number(reviewWithin) };
  const found = viewOf(report, view, { limits, ...zoneOf(timeZone) });
  const { rule, findings, header, rows } = found;
  const { complete } = report;
  const lines = rows.length === 0 ? "Nothing found." : table(header, rows);
  const warning = complete ? [] : ["INCOMPLETE: the node hides or alters events. Ask another member's node."];
  const text = format === "csv" ? viewCsv(found) : [lines, rule, ...warning].join("\n");
  return { answer: { view, rule, complete, findings }, text };
}

async function verify(context: Context, report: Report, path: string): Promise<number> {
  const { format, rows, findings } = compareReport(report, await readText(path));
  const { complete } = report;
  const lines = findings.map(({ what, row, event, fields }) => [
    what,
    row,
    event,
    fields === undefined ? undefined : fields.join(" "),
  ]);
  const chain = complete ? "" : " The node's own list is INCOMPLETE: ask another member's node.";
  const verdict =
    findings.length === 0
      ? `All ${rows} rows of ${path} are as on chain, and none is missing.${chain}`
      : `${table(["FINDING", "ROW", "EVENT", "FIELDS"], lines)}\n${findings.length} differences in ${rows} rows. ` +
        `MISSING: after that row. What is newer than the file is missing in it too: give --to.${chain}`;
  const ok = findings.length === 0 && complete;
  context.print({ file: path, format, rows, findings, complete, ok }, verdict);
  return ok ? ExitCode.DONE : ExitCode.FAILED;
}

function zoneOf(timeZone: string | undefined): { timeZone?: string } {
  return timeZone === undefined ? {} : { timeZone };
}
