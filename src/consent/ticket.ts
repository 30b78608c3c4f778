// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import { hashTerms, termsSchema } from "./terms.js";

const ticketSchema = z.strictObject({
  format: z.literal(1),
  terms: termsSchema,
  termsHash: z.string().refine((text): text is Hex => isHex(text, 32)),
  /** Member id of who keeps the records. */
  custodian: z.int().positive(),
});

/** What the grantee needs to use a grant. */
export type GrantTicket = z.output<typeof ticketSchema>;

/**
 * Checks the shape of a ticket, which comes from another member, and that its terms have the hash it names.
 * @param what The ticket as a message names it
 * @throws ERR_FORMAT_UNSUPPORTED for a ticket or terms of another format, ERR_EXCHANGE_INVALID
 */
export function parseTicket(json: unknown, what: string): GrantTicket {
  const parsed = ticketSchema.safeParse(json);
  if (!parsed.success) {
    const { issues } = parsed.error;
    requireFormat(json, what, issues);
    throw badTicket(what, `it has a bad ${issues[0]?.path.join(".") || "shape"}`);
  }
  if (hashTerms(parsed.data.terms) === parsed.data.termsHash) return parsed.data;
  throw badTicket(what, "its terms do not have the terms hash it names");
}

/** The error for a ticket that cannot be used. */
export function badTicket(what: string, why: string): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `${what} is not valid: ${why}`, {
    hint: "have it sent again by who gave it",
  });
}
