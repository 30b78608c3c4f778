// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { ALL_COMPARTMENTS } from "../chain/index.js";
import { termsSchema } from "../consent/index.js";
import { isHex, leafFromJson, type Hex, type Leaf } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";

/** IPatientRegistry.ChangeKind, in the order of its numbers. */
export const CHANGE_KINDS = ["SIGNER", "GUARDIANS", "INCAPABLE", "CAPABLE", "DEAD"] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** PatientProxies.MOST_GUARDIANS. */
const MOST_KEYS = 8;
/** Who signs one act: the guardians at most, and each new key. */
const MOST_SIGNATURES = 2 * MOST_KEYS;

const hex = (bytes?: number) => z.string().refine((text): text is Hex => isHex(text, bytes));
const uint = (bits: number) =>
  z
    .int()
    .nonnegative()
    .max(2 ** bits - 1);
/** ERC-7913: an account, or a verifier and a key behind it. */
const key = z.string().refine((text): text is Hex => isHex(text) && text.length >= 42 && text.length <= 514);
const keys = z.array(key).max(MOST_KEYS);
const bitmap = z
  .string()
  .refine((text) => /^(0|[1-9]\d{0,19})$/.test(text) && BigInt(text) <= ALL_COMPARTMENTS, "not 64 bits");
const leaf = z.unknown().transform((value, context): Leaf => {
  try {
    return leafFromJson(value);
  } catch {
    context.addIssue("not a leaf");
    return z.NEVER;
  }
});

const patientId = hex(32);
const deadline = uint(48);
const nonce = uint(32);
const document = z.strictObject({
  leaf,
  firstIndex: z.int().positive(),
  count: uint(32).positive(),
  proof: z.array(hex(32)).max(32),
});
const denial = { denyAll: z.boolean(), denyEmergency: z.boolean(), deniedCompartments: bitmap };
const set = { guardians: keys, threshold: uint(8), until: uint(48) };
const emergency = { patientId, initiator: hex(20), reasonDigest: hex(32), nonce: hex(32), deadline };
const witnessed = { document, first: hex(20), deadline };

const actSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("enrolment"),
    patientId,
    seed: hex(32),
    key: key.nullable(),
    ...set,
    deadline,
  }),
  z.strictObject({ kind: z.literal("grant"), terms: termsSchema }),
  z.strictObject({ kind: z.literal("revocation"), patientId, termsHash: hex(32) }),
  z.strictObject({ kind: z.literal("directive"), patientId, ...denial, nonce: uint(53), deadline }),
  z.strictObject({ kind: z.literal("rotation"), patientId, key, nonce, deadline }),
  z.strictObject({ kind: z.literal("guardians"), patientId, ...set, nonce, deadline }),
  z.strictObject({ kind: z.literal("delegation"), patientId, key, until: uint(48), nonce, deadline }),
  z.strictObject({
    kind: z.literal("change"),
    patientId,
    change: z.enum(CHANGE_KINDS),
    keys,
    threshold: uint(8),
    until: uint(48),
    document: hex(32),
    nonce,
    deadline,
  }),
  z.strictObject({ kind: z.literal("refusal"), patientId, changeHash: hex(32), readyAt: uint(48) }),
  z.strictObject({ kind: z.literal("witnessed-grant"), terms: termsSchema, ...witnessed }),
  z.strictObject({ kind: z.literal("witnessed-revocation"), patientId, termsHash: hex(32), ...witnessed }),
  z.strictObject({
    kind: z.literal("witnessed-denial"),
    patientId,
    ...denial,
    nonce: uint(53),
    ...witnessed,
  }),
  z.strictObject({ kind: z.literal("order"), terms: termsSchema, ...witnessed }),
  z.strictObject({ kind: z.literal("order-lift"), patientId, termsHash: hex(32), first: hex(20), deadline }),
  z.strictObject({ kind: z.literal("emergency"), ...emergency }),
  z.strictObject({ kind: z.literal("emergency-release"), ...emergency, colleague: hex(20) }),
  z.strictObject({
    kind: z.literal("own-request"),
    patientId,
    extent: uint(1),
    compartments: bitmap,
    recordedFrom: uint(32),
    recordedTo: uint(32),
    upTo: uint(53),
    recipientKey: hex(32),
    nonce: uint(53),
    deadline,
  }),
]);

/** What is to happen, in the words of the contract that decides it. */
export type Act = z.output<typeof actSchema>;
export type ActKind = Act["kind"];
export type ActOf<Kind extends ActKind> = Extract<Act, { kind: Kind }>;

const signatureSchema = z.strictObject({ struct: z.string(), key, signature: hex() });

/** One person's part of an act. */
export interface ActSignature extends z.output<typeof signatureSchema> {
  /** Name of the EIP-712 struct that was signed. */
  struct: string;
  /** ERC-7913 signer. */
  key: Hex;
  signature: Hex;
}

/** Who decides an act; a key that the act names shows besides that its holder has it. */
export const AUTHORITIES = [
  "patient",
  "guardians",
  "delegate",
  "reviewer",
  "witness",
  "colleague",
  "custodian",
] as const;
export type Authority = (typeof AUTHORITIES)[number];

const actFileSchema = z.strictObject({
  format: z.literal(1),
  chainId: z.int().positive(),
  act: actSchema,
  authority: z.enum(AUTHORITIES),
  /** ERC-7913 signers, as the chain had them when the act was prepared; empty: whoever holds the role. */
  signers: keys,
  /** How many of them must sign. */
  threshold: uint(8),
  signatures: z.array(signatureSchema).max(MOST_SIGNATURES),
});

/** An act with what was signed of it so far: handed from one to the next as a file. It holds no secret. */
export type ActFile = z.output<typeof actFileSchema>;

/** Longest act file: eight passkeys' assertions, each of them a few hundred bytes, and a consent document's proof. */
const MOST_CHARACTERS = 200_000;

/**
 * Reads an act file, which comes from somebody else: its shape only.
 * @param what The file as a message names it
 * @throws ERR_ACT_INVALID, ERR_FORMAT_UNSUPPORTED
 */
export function parseActFile(text: string, what = "the act"): ActFile {
  if (text.length > MOST_CHARACTERS) throw invalidAct(`${what} is too long to be an act`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalidAct(`${what} is not JSON`);
  }
  const parsed = actFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  requireFormat(json, what, issues);
  throw invalidAct(`${what} is not an act: it has a bad ${issues[0]?.path.join(".") || "shape"}`);
}

export function patientOf(act: Act): Hex {
  return "terms" in act ? act.terms.patientId : act.patientId;
}

export function invalidAct(
  message: string,
  values: Record<string, string | number> = {},
  hint = "have it prepared again",
): ChartsealError {
  return new ChartsealError("ERR_ACT_INVALID", message, { values, hint });
}
