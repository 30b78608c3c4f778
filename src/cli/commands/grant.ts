// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { termsSchema, type PreparedTerms, type Terms } from "../../consent/index.js";
import { ChartsealError, requireFormat } from "../../errors.js";
import { handOut } from "../act-file.js";
import { listArgument, purposeArgument } from "../arguments.js";
import { badField } from "../bad-field.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { expectOneDevice, onBehalf, patientSignature, type DeviceValues } from "../patient-signature.js";
import { readText, writeWhole } from "../private-file.js";
import { termsArguments } from "../terms-argument.js";
import { sendTicket, undelivered } from "../ticket.js";

interface Values extends DeviceValues {
  patient?: string;
  to?: string;
  purpose?: string;
  until?: string;
  compartment?: string[];
  recordedFrom?: string;
  recordedTo?: string;
  terms?: string;
  out?: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  expectOneDevice(values);
  const given = values.terms === undefined ? undefined : await readTerms(values.terms);
  if ((given === undefined) !== (values.signature === undefined)) {
    throw new ChartsealError("ERR_USAGE", "--terms and --signature go together");
  }
  if (given === undefined) expectTermsOptions(values);
  await using chartseal = await openMember(context, { role: "operator" });
  const prepared = given === undefined ? await prepare(chartseal, values) : chartseal.consent.prepared(given);
  if (values.act !== undefined) {
    const { deployment } = chartseal.chain;
    const on = await onBehalf(values, deployment.passkeys);
    await handOut(context, values.act, await chartseal.acts().grant(prepared.terms, on), deployment);
    return ExitCode.DONE;
  }
  if (values.typedData === true) {
    context.print(prepared, JSON.stringify(prepared, null, 2));
    return ExitCode.DONE;
  }
  const signature = await patientSignature(values, prepared.typedData);
  const ticket = await chartseal.consent.grant(prepared, signature);
  if (values.out !== undefined) await writeWhole(values.out, `${JSON.stringify(ticket, null, 2)}\n`);
  const error = await sendTicket(chartseal, ticket);
  context.print(ticket, `Granted to member ${ticket.terms.grantee}: ${ticket.termsHash}`);
  if (error === undefined) return ExitCode.DONE;
  context.note(undelivered(ticket, error));
  return ExitCode.PARTLY;
}

function expectTermsOptions(values: Values): void {
  const missing = (["patient", "to", "purpose", "until"] as const).find((name) => values[name] === undefined);
  if (missing === undefined) return;
  throw new ChartsealError("ERR_USAGE", `required option '--${missing}' not specified`, {
    hint: "or --terms with --signature, to relay what the patient's device signed",
  });
}

async function prepare(chartseal: Chartseal, values: Values): Promise<PreparedTerms> {
  const purposes = listArgument(values.purpose!).map(purposeArgument);
  const { patient, to, until } = values as Required<Values>;
  const request = await termsArguments(chartseal, { ...values, patient, to, until });
  return chartseal.consent.terms({ ...request, purposes });
}

/** What `--typed-data` printed, or its `terms` alone. */
async function readTerms(path: string): Promise<Terms> {
  let json: { terms?: unknown } | null;
  try {
    json = JSON.parse(await readText(path)) as { terms?: unknown } | null;
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw new ChartsealError("ERR_USAGE", `${path} is not JSON`, { values: { path } });
  }
  const terms = json?.terms ?? json;
  requireFormat(terms, `the terms object of ${path}`);
  const parsed = termsSchema.safeParse(terms);
  if (parsed.success) return parsed.data;
  throw new ChartsealError("ERR_USAGE", `${path} holds no terms: bad ${badField(parsed.error)}`, {
    values: { path },
    hint: "`chartseal grant ... --typed-data --json > FILE` writes them",
  });
}
