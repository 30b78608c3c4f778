// SPDX-License-Identifier: Apache-2.0
import type { Act, ActFile } from "../../acts/index.js";
import type { Acting } from "../../acting.js";
import type { Chartseal } from "../../chartseal.js";
import { hashTerms, type GrantTicket } from "../../consent/index.js";
import { ChartsealError } from "../../errors.js";
import { readAct } from "../act-file.js";
import { ExitCode, type Context } from "../context.js";
import { isEmergency, openEmergency } from "../emergency.js";
import { openMember } from "../open-member.js";
import { openOwn } from "../own-request.js";
import { writeWhole } from "../private-file.js";
import { sendTicket, undelivered } from "../ticket.js";

export async function run(
  context: Context,
  { out }: { out?: string },
  [path = ""]: string[],
): Promise<number> {
  const file = await readAct(path);
  const role = roleFor(file.act);
  const { kind } = file.act;
  const opens = kind === "own-request" || isEmergency(file.act);
  if (opens && out === undefined) {
    throw new ChartsealError("ERR_USAGE", "--out is needed: where what this act opens is written");
  }
  const chain = kind === "emergency-release" ? "unused" : "required";
  await using chartseal = await openMember(context, { role, chain });
  if (kind === "own-request") return await openOwn(context, chartseal, file, out!);
  if (opens) return await openEmergency(context, chartseal, file, out!);
  await chartseal.acts(role).relay(file);
  const { act } = file;
  const patientId = "terms" in act ? act.terms.patientId : act.patientId;
  if (act.kind === "enrolment" || act.kind === "rotation") await chartseal.patients.noteSigner(patientId);
  const ticket = await ticketOf(chartseal, file);
  const error = ticket === undefined ? undefined : await handOn(chartseal, ticket, out);
  context.print(
    { kind: act.kind, patientId, ...(ticket === undefined ? {} : { ticket }) },
    `Done for ${patientId}: ${act.kind}${ticket === undefined ? "" : ` ${ticket.termsHash}`}`,
  );
  if (error === undefined) return ExitCode.DONE;
  context.note(undelivered(ticket!, error));
  return ExitCode.PARTLY;
}

function roleFor(act: Act): keyof Acting {
  if (isEmergency(act)) return "clinician";
  const { kind } = act;
  return kind === "order" || kind === "order-lift" ? "reviewer" : "operator";
}

/** What the reader needs, where the act lets one read. */
async function ticketOf({ chain }: Chartseal, { act }: ActFile): Promise<GrantTicket | undefined> {
  if (!("terms" in act)) return undefined;
  const { terms } = act;
  const custodian = await chain.ask(() => chain.patients.custodianOf(terms.patientId));
  return { format: 1, terms, termsHash: hashTerms(terms), custodian: Number(custodian) };
}

/** Over the Exchange only from the custodian: readers take a ticket from nobody else. */
async function handOn(
  chartseal: Chartseal,
  ticket: GrantTicket,
  out: string | undefined,
): Promise<ChartsealError | undefined> {
  if (out !== undefined) await writeWhole(out, `${JSON.stringify(ticket, null, 2)}\n`);
  return ticket.custodian === chartseal.memberId ? await sendTicket(chartseal, ticket) : undefined;
}
