// SPDX-License-Identifier: Apache-2.0
import { TypedDataEncoder } from "ethers";
import { z } from "zod";
import type { Call, Chain } from "../chain/index.js";
import { typedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Withdrawal } from "../vault/index.js";
import { hexSchema, readJson } from "./message.js";
import type { AgentState } from "./stored-release.js";

const uint = (bits: number) =>
  z.string().refine((text) => /^(0|[1-9]\d{0,19})$/.test(text) && BigInt(text) < 1n << BigInt(bits));
/** ECDSA, a passkey's, a contract account's, or those of several guardians. */
const LONGEST_SIGNATURE_BYTES = 8 * 1024;
export const signatureSchema = z
  .string()
  .regex(/^0x(?:[0-9a-f]{2})+$/)
  .max(2 + 2 * LONGEST_SIGNATURE_BYTES) as unknown as z.ZodType<Hex>;

const revocationSchema = z.strictObject({
  format: z.literal(1),
  kind: z.literal("revocation"),
  patientId: hexSchema(32),
  termsHash: hexSchema(32),
  /** Over ConsentRegistry's Revocation. */
  signature: signatureSchema,
  /** ERC-7913 signer, when a delegate signed. */
  delegate: signatureSchema.optional(),
});

const directiveSchema = z.strictObject({
  format: z.literal(1),
  kind: z.literal("directive"),
  patientId: hexSchema(32),
  denyAll: z.boolean(),
  denyEmergency: z.boolean(),
  /** Bitmap. */
  deniedCompartments: uint(64),
  nonce: uint(64),
  /** Unix seconds. */
  deadline: z
    .int()
    .nonnegative()
    .max(2 ** 48 - 1),
  /** Over ConsentRegistry's Directive. */
  signature: signatureSchema,
});

export type RevocationTold = z.output<typeof revocationSchema>;
export type DirectiveTold = z.output<typeof directiveSchema>;

/** A revocation or directive as the patient signed it for the chain, told to the custodian directly. */
export type Told = RevocationTold | DirectiveTold;

const toldSchema = z.discriminatedUnion("kind", [revocationSchema, directiveSchema]);

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseTold(text: string): Told {
  return readJson(text, toldSchema, "a withdrawal");
}

/** By which it is known again: what was signed, whatever the signature's bytes. */
export function toldKey(chain: Chain, told: Told): Hex {
  const { kind, signature: _, ...rest } = told;
  const [name, message] =
    kind === "revocation"
      ? ["Revocation", { patientId: told.patientId, termsHash: told.termsHash }]
      : ["Directive", rest];
  const { domain, types, message: value } = typedData(chain.deployment, "consents", name, message);
  return TypedDataEncoder.hash(domain, types, value) as Hex;
}

/** The transaction by which anybody tells the chain. */
export async function toldCall({ consents }: Chain, told: Told): Promise<Call> {
  if (told.kind === "directive") {
    const { patientId, denyAll, denyEmergency, deniedCompartments, deadline } = told;
    const deny = [denyAll, denyEmergency, deniedCompartments] as const;
    return await consents.setDirective.populateTransaction(patientId, ...deny, deadline, told.signature);
  }
  const { patientId, termsHash, delegate } = told;
  if (delegate === undefined)
    return await consents.revoke.populateTransaction(patientId, termsHash, told.signature);
  return await consents.revokeByDelegate.populateTransaction(patientId, termsHash, delegate, told.signature);
}

/**
 * Whether the chain knows what was told, or what came after it.
 * @param block As of which; default: the newest
 */
export async function isOnChain(
  chain: Chain,
  told: Told,
  block: number | "latest" = "latest",
): Promise<boolean> {
  const { patientId } = told;
  const at = { blockTag: block };
  if (told.kind === "directive") {
    const { nonce } = await chain.ask(() => chain.consents.directiveOf(patientId, at));
    return nonce > BigInt(told.nonce);
  }
  const { revokedAt } = await chain.ask(() => chain.consents.grantOf(patientId, told.termsHash, at));
  return revokedAt !== 0n;
}

/** Whether the chain knows it {@link Chain.confirmations} blocks deep: no reorganisation takes it back. */
export async function isSettled(chain: Chain, told: Told): Promise<boolean> {
  const known = await isOnChain(chain, told);
  if (!known || chain.confirmations === 1) return known;
  const head = await chain.ask(() => chain.provider.getBlockNumber());
  return await isOnChain(chain, told, head - chain.confirmations + 1);
}

/**
 * Takes what a patient tells this member directly, if the contract would: it alone knows who signs for whom.
 * @param count Called once it is proven, and new
 * @throws ERR_EXCHANGE_INVALID when the contract refuses it, or another member keeps the records
 */
export async function takeWithdrawal(
  { chain, state, memberId }: { chain: Chain; state: AgentState; memberId: number },
  told: Told,
  count: () => void = () => {},
): Promise<void> {
  const { patientId } = told;
  const key = toldKey(chain, told);
  if (state.withdrawals.of(patientId).some((known) => known.key === key)) return;
  const custodian = await chain.ask(() => chain.patients.custodianOf(patientId));
  if (Number(custodian) !== memberId) throw notTaken(told, "another member keeps this patient's records");
  if (told.kind === "directive" && (await isOnChain(chain, told)))
    throw notTaken(told, "a later directive stands");
  if (await isSettled(chain, told)) return;
  const call = await chain.ask(() => toldCall(chain, told));
  // What is on chain already proves who signed it once more: it is kept until it is settled.
  await chain
    .ask(() => chain.provider.call({ to: call.to, data: call.data }))
    .catch((error: unknown) => {
      const reason = error instanceof ChartsealError ? error.values["reason"] : undefined;
      throw reason === undefined ? error : notTaken(told, `the contract says ${reason}`, error);
    });
  count();
  state.withdrawals.add({ patientId, key, json: JSON.stringify(told) });
}

export function toldIn({ json }: Withdrawal): Told {
  return parseTold(json);
}

function notTaken(told: Told, why: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `the ${told.kind} is not taken: ${why}`, {
    values: { patientId: told.patientId },
    cause,
  });
}
