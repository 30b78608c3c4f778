// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { TypedDataEncoder } from "ethers";
import { z } from "zod";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { purposeNumber, type Purpose } from "./purposes.js";
import { TERMS_FIELDS } from "./typed-data.js";

const ALL_COMPARTMENTS = (1n << 64n) - 1n;
const MS_PER_DAY = 86_400_000;
/** uint32: no end. */
const LAST_DAY = 0xffff_ffff;

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>;
const uint = (bits: number) => z.int().nonnegative().max(bits >= 53 ? Number.MAX_SAFE_INTEGER : 2 ** bits - 1);

/** Terms as JSON: what a grant ticket carries. `compartments` is a decimal string, for it has 64 bits. */
export const termsSchema = z.strictObject({
  format: z.literal(1),
  patientId: hex32,
  grantee: uint(32),
  compartments: z.string().regex(/^\d{1,20}$/),
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

/** @throws ERR_USAGE */
export function makeTerms(request: TermsRequest): Terms {
  const { purposes, compartments } = request;
  const notBefore = seconds(request.notBefore ?? new Date(Date.now() - 60_000));
  const notAfter = seconds(request.notAfter);
  if (notBefore > notAfter) throw new ChartsealError("ERR_USAGE", "the terms would end before they begin");
  if (purposes.length === 0) throw new ChartsealError("ERR_USAGE", "the terms name no purpose of use");
  return {
    format: 1,
    patientId: request.patient,
    grantee: request.grantee,
    compartments: String(compartments === undefined ? ALL_COMPARTMENTS : bitmapOf(compartments)),
    purposes: purposes.reduce((bits, purpose) => bits | (1 << purposeNumber(purpose)), 0),
    notBefore,
    notAfter,
    recordedFrom: request.recordedFrom === undefined ? 0 : dayNumber(request.recordedFrom),
    recordedTo: request.recordedTo === undefined ? LAST_DAY : dayNumber(request.recordedTo),
    salt: toHex(randomBytes(32)),
  };
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

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function dayNumber(date: Date): number {
  return Math.max(0, Math.floor(date.getTime() / MS_PER_DAY));
}
