// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { TypedDataEncoder } from "ethers";
import { z } from "zod";
import { ALL_COMPARTMENTS } from "../chain/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { PURPOSES, purposeNumber, type Purpose } from "./purposes.js";
import { TERMS_FIELDS } from "./typed-data.js";

const SECONDS_PER_DAY = 86_400;
/** uint32: no end. */
const LAST_DAY = 0xffff_ffff;
/** Purposes.GRANTABLE: the first seven. */
const GRANTABLE_PURPOSES = 7;

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>;
const uint = (bits: number) =>
  z
    .int()
    .nonnegative()
    .max(2 ** bits - 1);

/** Terms as JSON: what a grant ticket carries. `compartments` is a decimal string, for it has 64 bits. */
export const termsSchema = z.strictObject({
  format: z.literal(1),
  patientId: hex32,
  grantee: uint(32).positive(),
  compartments: z
    .string()
    .refine((text) => /^(0|[1-9]\d{0,19})$/.test(text) && BigInt(text) <= ALL_COMPARTMENTS, "not 64 bits"),
  purposes: uint(16),
  notBefore: uint(48),
  notAfter: uint(48),
  recordedFrom: uint(32),
  recordedTo: uint(32),
  salt: hex32,
});

/** What a patient consents to; field for field the contract's Terms. */
export type Terms = z.output<typeof termsSchema>;

export interface TermsRequest {
  patient: Hex;
  /** Member id of who may read. */
  grantee: number;
  purposes: readonly Purpose[];
  /** Until when, inclusive. */
  notAfter: Date;
  /** From when. Default: one minute ago, for the chain's clock may lag. */
  notBefore?: Date;
  /** Numbers of the patient's compartments; default: all. */
  compartments?: readonly number[];
  /** Records of these days, inclusive; default: all. */
  recordedFrom?: Date;
  recordedTo?: Date;
}

/** @throws ERR_USAGE naming what the contract would not take */
export function makeTerms(request: TermsRequest): Terms {
  const { purposes, compartments, recordedFrom, recordedTo } = request;
  const notBefore = seconds(request.notBefore ?? new Date(Date.now() - 60_000), "notBefore");
  const notAfter = seconds(request.notAfter, "notAfter");
  if (notBefore > notAfter) throw new ChartsealError("ERR_USAGE", "the terms would end before they begin");
  const from = recordedFrom === undefined ? 0 : dayNumber(recordedFrom, "recordedFrom");
  const to = recordedTo === undefined ? LAST_DAY : dayNumber(recordedTo, "recordedTo");
  if (from > to) throw new ChartsealError("ERR_USAGE", "recordedTo lies before recordedFrom");
  if (compartments?.length === 0) throw new ChartsealError("ERR_USAGE", "the terms name no compartment");
  const terms = {
    format: 1,
    patientId: request.patient,
    grantee: request.grantee,
    compartments: String(compartments === undefined ? ALL_COMPARTMENTS : bitmapOf(compartments)),
    purposes: purposeBits(purposes),
    notBefore,
    notAfter,
    recordedFrom: from,
    recordedTo: to,
    salt: toHex(randomBytes(32)),
  };
  const parsed = termsSchema.safeParse(terms);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new ChartsealError("ERR_USAGE", `the terms have a bad ${field}`, {
    values: { field },
    hint: "a patient id is 0x and 64 lower-case hex digits; a member id is a whole number from 1",
  });
}

/** Terms of a legal order: their one purpose is HLEGAL. @throws ERR_USAGE */
export function makeOrderTerms(request: Omit<TermsRequest, "purposes">): Terms {
  return { ...makeTerms({ ...request, purposes: ["TREAT"] }), purposes: 1 << purposeNumber("HLEGAL") };
}

function purposeBits(purposes: readonly Purpose[]): number {
  if (purposes.length === 0) throw new ChartsealError("ERR_USAGE", "the terms name no purpose of use");
  return purposes.reduce((bits, purpose) => {
    const number = purposeNumber(purpose);
    if (number < GRANTABLE_PURPOSES) return bits | (1 << number);
    throw new ChartsealError("ERR_USAGE", `${purpose} is not for a grant to give`, {
      values: { purpose },
      hint: `one of ${PURPOSES.slice(0, GRANTABLE_PURPOSES).join(", ")}`,
    });
  }, 0);
}

/** EIP-712 struct hash: names the grant. */
export function hashTerms(terms: Terms): Hex {
  return TypedDataEncoder.hashStruct("Terms", { Terms: TERMS_FIELDS }, terms) as Hex;
}

/** @throws ERR_USAGE for a number outside 0..63 */
export function bitmapOf(compartments: readonly number[]): bigint {
  return compartments.reduce((bits, number) => {
    if (!Number.isInteger(number) || number < 0 || number > 63) {
      throw new ChartsealError("ERR_USAGE", `a compartment has a number from 0 to 63, got ${number}`);
    }
    return bits | (1n << BigInt(number));
  }, 0n);
}

function seconds(date: Date, field: string): number {
  const value = Math.floor(date.getTime() / 1000);
  if (!Number.isNaN(value)) return value;
  throw new ChartsealError("ERR_USAGE", `${field} is not a date`, { values: { field } });
}

/** What was recorded before 1970 stands under day 0. */
/** Days since 1970-01-01 UTC; before that, 0. @throws ERR_USAGE naming the field */
export function dayNumber(date: Date, field: string): number {
  return Math.max(0, Math.floor(seconds(date, field) / SECONDS_PER_DAY));
}
