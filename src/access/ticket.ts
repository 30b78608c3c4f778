// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { badTicket, parseTicket, type GrantTicket } from "../consent/index.js";

const WHAT = "the grant ticket";

/**
 * Checks a ticket, which comes from another member: its shape, that the terms have their hash, and that the custodian
 * it names keeps the patient's records. Else anyone's agent could answer with records of his own making.
 * @throws ERR_FORMAT_UNSUPPORTED, ERR_EXCHANGE_INVALID, ERR_ACCESS_DENIED when the chain knows no such patient,
 * ERR_RPC_UNAVAILABLE
 */
export async function requireTicket(chain: Chain, given: GrantTicket): Promise<GrantTicket> {
  const ticket = parseTicket(given, WHAT);
  const { terms, custodian } = ticket;
  const found = await chain.ask(() => chain.patients.custodianOf(terms.patientId), "ERR_ACCESS_DENIED");
  if (Number(found) === custodian) return ticket;
  throw badTicket(WHAT, `member ${found} keeps this patient's records, not ${custodian}`);
}
