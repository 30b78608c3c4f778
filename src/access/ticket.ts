// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Chain } from "../chain/index.js";
import { hashTerms, termsSchema, type GrantTicket } from "../consent/index.js";
import { ChartsealError } from "../errors.js";
import { hexSchema } from "./message.js";

const ticketSchema = z.object({
  terms: termsSchema,
  termsHash: hexSchema(32),
  custodian: z.int().positive(),
});

/**
 * Checks a ticket, which comes from another member: its shape, that the terms have their hash, and that the custodian
 * it names keeps the patient's records. Else anyone's agent could answer with records of his own making.
 * @throws ERR_EXCHANGE_INVALID, ERR_ACCESS_DENIED when the chain knows no such patient, ERR_RPC_UNAVAILABLE
 */
export async function requireTicket(chain: Chain, ticket: GrantTicket): Promise<GrantTicket> {
  const parsed = ticketSchema.safeParse(ticket);
  if (!parsed.success) throw invalid(`it has a bad ${parsed.error.issues[0]?.path.join(".") || "shape"}`);
  const { terms, termsHash, custodian } = parsed.data;
  if (hashTerms(terms) !== termsHash) throw invalid("its terms do not have the terms hash it names");
  const found = await chain.ask(() => chain.patients.custodianOf(terms.patientId), "ERR_ACCESS_DENIED");
  if (Number(found) !== custodian)
    throw invalid(`member ${found} keeps this patient's records, not ${custodian}`);
  return parsed.data;
}

function invalid(why: string): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `the grant ticket is not valid: ${why}`, {
    hint: "have it sent again by who gave it",
  });
}
