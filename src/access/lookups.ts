// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, keccak256, solidityPackedKeccak256 } from "ethers";
import { ROLES, type Chain, type StaffSigner, type Writer } from "../chain/index.js";
import {
  blindIdentifier,
  findInTable,
  finishLookup,
  fromHex,
  toHex,
  type BlindedIdentifier,
  type Hex,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { normalIdentifier, type PatientIdentifier } from "../vault/index.js";
import { ask } from "./ask.js";
import type { Exchange } from "./exchange.js";
import { parseLookupAnswer } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";

/** Milliseconds that the custodians have. */
const ANSWER_TIMEOUT_MS = 30_000;

export interface LookupParts {
  memberId: number;
  chain: Chain;
  exchange: Exchange;
  /** A CLINICIAN of this member. */
  reader: () => { writer: Writer; signer: StaffSigner };
}

/** Which custodians are asked, and for how long. */
export interface LookupOptions {
  /** Member ids. */
  custodians: readonly number[];
  signal?: AbortSignal;
  /** Milliseconds. Default 30 s. */
  timeoutMs?: number;
}

/** What one custodian's answer says. */
export interface LookupResult {
  custodian: number;
  /** The patient's pseudonym there; left out when the custodian does not know the identifier, or did not answer. */
  patient?: Hex;
  answered: boolean;
  /** Why the answer that he signed does not count. */
  error?: ChartsealError;
}

/**
 * Asks custodians for a patient of whom there is only an identifier. It is logged on chain first, once for all of them;
 * a custodian that does not hold the identifier learns nothing of it, and none learns whether it was found.
 * @throws ERR_ACCESS_DENIED with the contract's reason, ERR_RPC_UNAVAILABLE, ERR_USAGE; an answer that does not hold is
 * its custodian's own result
 */
export async function lookUp(
  parts: LookupParts,
  identifier: PatientIdentifier,
  options: LookupOptions,
): Promise<LookupResult[]> {
  const { chain, memberId } = parts;
  const { writer, signer } = parts.reader();
  const { system, value } = normalIdentifier(identifier);
  const asked = blindIdentifier(system, value);
  const call = await chain.ask(() => chain.emergencies.logLookup.populateTransaction(asked.digest));
  const { hash: transactionHash } = await writer.execute(call, "ERR_ACCESS_DENIED");
  const lookupId = lookupIdOf(chain, signer.address, asked.digest);
  // Side by side: one that does not answer holds up no other.
  return await Promise.all(
    options.custodians.map(async (to) => {
      const id = lookupMessageId(lookupId, to);
      const content = { format: 1, accessId: id, lookupId, transactionHash, blinded: toHex(asked.blinded) };
      const message = { type: "lookup" as const, id, from: memberId, to, body: JSON.stringify(content) };
      const answer = await answerTo(parts, await signMessage(chain, signer, message), options);
      return answer === undefined ? { custodian: to, answered: false } : resultOf(answer, asked);
    }),
  );
}

/** One of a lookup for one custodian: so that no answer takes another's place. */
export function lookupMessageId(lookupId: Hex, custodian: number): Hex {
  return solidityPackedKeccak256(["bytes32", "uint32"], [lookupId, custodian]) as Hex;
}

function lookupIdOf({ chainId, deployment }: Chain, reader: string, digest: Hex): Hex {
  const types = ["uint256", "address", "address", "bytes32"];
  const words = [chainId, deployment.emergencies, reader, digest];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, words)) as Hex;
}

async function answerTo(
  parts: LookupParts,
  message: Message,
  { signal, timeoutMs = ANSWER_TIMEOUT_MS }: LookupOptions,
): Promise<Message | undefined> {
  const send = async (until: AbortSignal) => {
    // A custodian that takes no lookup has not answered: the others may.
    await parts.exchange.send(message, until).catch(passOver);
  };
  return await ask({ send, look: () => answerOf(parts, message.id, message.to) }, { timeoutMs, signal });
}

/** What a RELEASER of the custodian signed; anything else is passed over. */
async function answerOf(
  { chain, exchange, memberId }: LookupParts,
  id: Hex,
  custodian: number,
): Promise<Message | undefined> {
  try {
    const message = await exchange.find(memberId, "lookup-answer", id);
    if (message === undefined) return undefined;
    if (message.from !== custodian) throw forged(message, `member ${custodian} was asked`);
    await requireSender(chain, message, ROLES.RELEASER);
    return message;
  } catch (error) {
    return passOver(error);
  }
}

function passOver(error: unknown): undefined {
  const passedOver = ["ERR_EXCHANGE_INVALID", "ERR_FORMAT_UNSUPPORTED"];
  if (!(error instanceof ChartsealError) || !passedOver.includes(error.code)) throw error;
}

/** One whose answer does not hold takes no other's away. */
function resultOf(message: Message, asked: BlindedIdentifier): LookupResult {
  const { from: custodian } = message;
  try {
    const patient = patientIn(message, asked);
    return { custodian, ...(patient === undefined ? {} : { patient }), answered: true };
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    return { custodian, answered: false, error };
  }
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
function patientIn(message: Message, asked: BlindedIdentifier): Hex | undefined {
  const { evaluated, proof, publicKey, table } = parseLookupAnswer(message);
  const evaluation = { evaluated: fromHex(evaluated), proof: fromHex(proof), publicKey: fromHex(publicKey) };
  return findInTable(Uint8Array.from(Buffer.from(table, "base64url")), finishLookup(asked, evaluation));
}
