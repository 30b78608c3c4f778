// SPDX-License-Identifier: Apache-2.0
import { requireSender, signMessage } from "../access/index.js";
import type { Chartseal } from "../chartseal.js";
import { parseTicket, type GrantTicket } from "../consent/index.js";
import { isHex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { ROLES } from "../chain/index.js";
import { printable } from "../printable.js";
import { readText } from "./private-file.js";

/**
 * Sends a ticket to the grantee, signed by this member's operator.
 * @returns why he does not have it; the grant stands all the same
 */
export async function sendTicket(
  chartseal: Chartseal,
  ticket: GrantTicket,
): Promise<ChartsealError | undefined> {
  const message = await signMessage(chartseal.chain, chartseal.signer("operator"), {
    type: "ticket",
    id: ticket.termsHash,
    from: chartseal.memberId,
    to: ticket.terms.grantee,
    body: JSON.stringify(ticket),
  });
  try {
    await chartseal.exchange.send(message);
    return undefined;
  } catch (error) {
    if (error instanceof ChartsealError) return error;
    throw error;
  }
}

/** What to do with a ticket that did not reach its grantee: nobody can read without it. */
export function undelivered(ticket: GrantTicket, error: ChartsealError): string {
  return [
    `Member ${ticket.terms.grantee} does not have the ticket: ${printable(error.message)} (${error.code}).`,
    "Hand it over as a file:",
    JSON.stringify(ticket, null, 2),
  ].join("\n");
}

/**
 * The ticket that `--grant` names: the terms hash of one that came over the Exchange, or a file.
 * @throws ERR_USAGE, ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED
 */
export async function ticketArgument(chartseal: Chartseal, text: string): Promise<GrantTicket> {
  if (!/^0x/i.test(text)) return readTicket(await readText(text), `the ticket file ${text}`);
  const termsHash = text.toLowerCase();
  if (!isHex(termsHash, 32)) {
    throw new ChartsealError(
      "ERR_USAGE",
      "--grant is neither a terms hash (0x and 64 digits) nor a ticket file",
    );
  }
  const message = await chartseal.exchange.find(chartseal.memberId, "ticket", termsHash);
  if (message === undefined) {
    throw new ChartsealError("ERR_USAGE", `no ticket for the grant ${termsHash} came over the exchange`, {
      values: { termsHash },
      hint: "ask the custodian for it, or give the ticket file that `chartseal grant --out` wrote",
    });
  }
  await requireSender(chartseal.chain, message, ROLES.OPERATOR);
  const ticket = readTicket(message.body, `the ticket ${termsHash}`);
  if (ticket.termsHash === termsHash && ticket.custodian === message.from) return ticket;
  throw new ChartsealError(
    "ERR_EXCHANGE_INVALID",
    `the ticket ${termsHash} does not say what its envelope says`,
    {
      values: { termsHash, from: message.from },
    },
  );
}

function readTicket(text: string, what: string): GrantTicket {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", `${what} is not JSON`);
  }
  return parseTicket(json, what);
}
