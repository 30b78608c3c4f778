// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { ChartsealError } from "../errors.js";
import { concatBytes, toHex, uintBytes, type Hex } from "./bytes.js";

/** RFC 9497, ristretto255-SHA512, verifiable mode. */
const { voprf } = ristretto255_oprf;
/** Evaluate of RFC 9497, 3.3.2: in the library, left out of its types. */
const { evaluate } = voprf as unknown as {
  evaluate: (this: void, secretKey: Uint8Array, input: Uint8Array) => Uint8Array;
};

/** Bytes of a group element, a scalar, a proof of two scalars (RFC 9497, 4.1). */
export const ELEMENT_LENGTH = 32;
export const PROOF_LENGTH = 64;
const INPUT_LABEL = "chartseal/lookup/v1";
const ENTRY_LABEL = "chartseal/lookup-entry/v1";
const TAG_LENGTH = 16;
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const PATIENT_LENGTH = 32;
const AUTH_TAG_LENGTH = 16;
/** Bytes of one row of a table. */
export const LOOKUP_ENTRY_LENGTH = TAG_LENGTH + NONCE_LENGTH + PATIENT_LENGTH + AUTH_TAG_LENGTH;
/** Rows of the smallest table. Larger ones double: their number says little. */
const LEAST_ROWS = 1_024;

export interface LookupKey {
  secretKey: Uint8Array;
  publicKey: Uint8Array;
}

/** An identifier on its way to custodians, of which they learn nothing. */
export interface BlindedIdentifier {
  input: Uint8Array;
  /** Secret. */
  blind: Uint8Array;
  blinded: Uint8Array;
  /** What is logged on chain. */
  digest: Hex;
}

/** A custodian's evaluation, with the proof that it was done with the key of `publicKey`. */
export interface LookupEvaluation {
  evaluated: Uint8Array;
  proof: Uint8Array;
  publicKey: Uint8Array;
}

/** Under which row an identifier is found, and what opens it: nobody without the identifier has either. */
export interface LookupRow {
  tag: Uint8Array;
  key: Uint8Array;
}

export function makeLookupKey(): LookupKey {
  return voprf.generateKeyPair();
}

/** Blinds a normalised identifier anew: two of one identifier cannot be told for the same. */
export function blindIdentifier(system: string, value: string): BlindedIdentifier {
  const input = inputOf(system, value);
  const { blind, blinded } = voprf.blind(input);
  return { input, blind, blinded, digest: blindedDigest(blinded) };
}

/** SHA-256. */
export function blindedDigest(blinded: Uint8Array): Hex {
  return toHex(createHash("sha256").update(blinded).digest());
}

/** The custodian's part. @throws ERR_EXCHANGE_INVALID for what is no element of the group */
export function evaluateBlinded(key: LookupKey, blinded: Uint8Array): LookupEvaluation {
  try {
    const { evaluated, proof } = voprf.blindEvaluate(key.secretKey, key.publicKey, blinded);
    return { evaluated, proof, publicKey: key.publicKey };
  } catch (cause) {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "the blinded identifier is no element of the group", {
      cause,
    });
  }
}

/** The asker's part. @throws ERR_EXCHANGE_INVALID when the proof does not hold */
export function finishLookup(asked: BlindedIdentifier, answer: LookupEvaluation): LookupRow {
  const { input, blind, blinded } = asked;
  const { evaluated, publicKey, proof } = answer;
  try {
    return rowOf(voprf.finalize(input, blind, evaluated, blinded, publicKey, proof));
  } catch (cause) {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "the custodian's evaluation does not hold", { cause });
  }
}

/** The row of an identifier of one's own: the same as an asker comes to. */
export function lookupRow({ secretKey }: LookupKey, system: string, value: string): LookupRow {
  return rowOf(evaluate(secretKey, inputOf(system, value)));
}

/** A table of rows, sorted, and filled up with rows that nobody can open to a power of two. */
export function makeLookupTable(rows: readonly (LookupRow & { patientId: Uint8Array })[]): Uint8Array {
  const sealed = rows.map(({ tag, key, patientId }) => {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: AUTH_TAG_LENGTH });
    cipher.setAAD(tag);
    return concatBytes(tag, nonce, cipher.update(patientId), cipher.final(), cipher.getAuthTag());
  });
  const size = Math.max(LEAST_ROWS, 2 ** Math.ceil(Math.log2(Math.max(1, rows.length))));
  const padding = Array.from({ length: size - rows.length }, () => randomBytes(LOOKUP_ENTRY_LENGTH));
  return concatBytes(...[...sealed, ...padding].sort((a, b) => Buffer.compare(a, b)));
}

/**
 * The patient id in a custodian's table; undefined when the identifier is in none of its rows.
 * @throws ERR_EXCHANGE_INVALID for a table or row that is damaged
 */
export function findInTable(table: Uint8Array, { tag, key }: LookupRow): Hex | undefined {
  if (table.length % LOOKUP_ENTRY_LENGTH !== 0) throw damaged();
  for (let at = 0; at < table.length; at += LOOKUP_ENTRY_LENGTH) {
    const row = Buffer.from(table.subarray(at, at + LOOKUP_ENTRY_LENGTH));
    if (row.compare(tag, 0, TAG_LENGTH, 0, TAG_LENGTH) !== 0) continue;
    const sealedAt = TAG_LENGTH + NONCE_LENGTH;
    const authTagAt = sealedAt + PATIENT_LENGTH;
    try {
      const nonce = row.subarray(TAG_LENGTH, sealedAt);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: AUTH_TAG_LENGTH });
      decipher.setAAD(tag);
      decipher.setAuthTag(row.subarray(authTagAt));
      return toHex(concatBytes(decipher.update(row.subarray(sealedAt, authTagAt)), decipher.final()));
    } catch (cause) {
      throw damaged(cause);
    }
  }
  return undefined;
}

/** The system's length keeps `a|bc` from `ab|c`. */
function inputOf(system: string, value: string): Uint8Array {
  const [first, second] = [Buffer.from(system), Buffer.from(value)];
  if (first.length + second.length > 4_096) {
    throw new ChartsealError("ERR_USAGE", "the identifier is too long to be looked up");
  }
  return concatBytes(Buffer.from(INPUT_LABEL), uintBytes(first.length, 2), first, second);
}

function rowOf(output: Uint8Array): LookupRow {
  const bytes = new Uint8Array(hkdfSync("sha256", output, "", ENTRY_LABEL, TAG_LENGTH + KEY_LENGTH));
  return { tag: bytes.slice(0, TAG_LENGTH), key: bytes.slice(TAG_LENGTH) };
}

function damaged(cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", "the custodian's lookup table is damaged", { cause });
}
