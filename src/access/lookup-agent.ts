// SPDX-License-Identifier: Apache-2.0
import { ROLES, SUSPENSIONS } from "../chain/index.js";
import {
  blindedDigest,
  concatBytes,
  evaluateBlinded,
  fromHex,
  lookupRow,
  makeLookupKey,
  makeLookupTable,
  toHex,
  type Hex,
  type LookupKey,
  type LookupRow,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import type { AgentParts } from "./answer-request.js";
import { lookupMessageId } from "./lookups.js";
import { parseLookup, type LookupAnswer, type LookupBody } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";
import { REDEEMABLE_SECONDS } from "./permission.js";
import { waitOr } from "./wait-or.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Longest pause, in milliseconds, after a trouble. */
const LONGEST_PAUSE_MS = 30_000;
const SECRET = "lookup-key";
/** ristretto255: a scalar, and an element. */
const SECRET_KEY_LENGTH = 32;

/**
 * Answers who looks for a patient of whom he has an identifier: only what is logged on chain first, so within its
 * quotas. Learns neither the identifier nor whether it is one of this member's. Ends when the signal aborts.
 */
export async function runLookupAgent(
  parts: AgentParts,
  { signal, onError }: { signal: AbortSignal; onError?: (error: unknown) => void },
): Promise<void> {
  const tables = new LookupTables(parts.vault);
  const waitingSince = new Map<Hex, number>();
  for (let pause = POLL_MS; !signal.aborted;) {
    try {
      await tables.prepare(signal);
      for (const request of await parts.exchange.receive(parts.memberId, "lookup")) {
        await answerLookup(parts, tables, request).catch(async (error: unknown) => {
          onError?.(error);
          await putOff(parts, waitingSince, request);
        });
      }
      pause = POLL_MS;
    } catch (error) {
      onError?.(error);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    await waitOr(pause, signal);
  }
}

/** What cannot be answered holds up no other, and is dropped when it can no longer be redeemed. */
async function putOff(
  { exchange }: AgentParts,
  waitingSince: Map<Hex, number>,
  request: Message,
): Promise<void> {
  const now = performance.now();
  for (const [id, since] of waitingSince) {
    if (now - since > 2 * REDEEMABLE_SECONDS * 1_000) waitingSince.delete(id);
  }
  const since = waitingSince.get(request.id) ?? now;
  waitingSince.set(request.id, since);
  if (now - since > REDEEMABLE_SECONDS * 1_000) await exchange.remove(request);
}

/** The rows of this member's patients. Each costs milliseconds, so they are made once in a process. */
class LookupTables {
  readonly #vault: Vault;
  readonly #rows = new Map<string, LookupRow>();
  #keyOfRows: Hex | undefined;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Rows of the patients that are new, with pauses for the rest of the process. */
  async prepare(signal: AbortSignal): Promise<void> {
    const key = lookupKey(this.#vault);
    if (toHex(key.publicKey) !== this.#keyOfRows) this.#rows.clear();
    this.#keyOfRows = toHex(key.publicKey);
    for (const { system, value } of identifiersOf(this.#vault)) {
      if (signal.aborted) return;
      const name = JSON.stringify([system, value]);
      if (this.#rows.has(name)) continue;
      this.#rows.set(name, lookupRow(key, system, value));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  table(): Uint8Array {
    const rows = identifiersOf(this.#vault).flatMap(({ system, value, patientId }) => {
      const row = this.#rows.get(JSON.stringify([system, value]));
      return row === undefined ? [] : [{ ...row, patientId: fromHex(patientId, 32) }];
    });
    return makeLookupTable(rows);
  }
}

function identifiersOf(vault: Vault) {
  return vault
    .patients()
    .filter(({ administrative }) => !administrative)
    .flatMap(({ patientId, identifiers }) => identifiers.map((identifier) => ({ ...identifier, patientId })));
}

function lookupKey(vault: Vault): LookupKey {
  const kept = vault.getSecret(SECRET);
  if (kept !== undefined) {
    return { secretKey: kept.slice(0, SECRET_KEY_LENGTH), publicKey: kept.slice(SECRET_KEY_LENGTH) };
  }
  const { secretKey, publicKey } = makeLookupKey();
  vault.setSecret(SECRET, concatBytes(secretKey, publicKey));
  // Another agent may have made one at the same time: what is stored last counts for both.
  return lookupKey(vault);
}

async function answerLookup(parts: AgentParts, tables: LookupTables, request: Message): Promise<void> {
  const { chain, exchange, memberId, signer, vault } = parts;
  const { id, from: to } = request;
  try {
    const body = await loggedLookup(parts, request);
    const { evaluated, proof, publicKey } = evaluateBlinded(lookupKey(vault), fromHex(body.blinded));
    const answer: LookupAnswer = {
      format: 1,
      accessId: id,
      evaluated: toHex(evaluated),
      proof: toHex(proof),
      publicKey: toHex(publicKey),
      table: Buffer.from(tables.table()).toString("base64url"),
    };
    const reply = { type: "lookup-answer" as const, id, from: memberId, to, body: JSON.stringify(answer) };
    await exchange.send(await signMessage(chain, signer, reply));
  } catch (error) {
    const final = ["ERR_EXCHANGE_INVALID", "ERR_FORMAT_UNSUPPORTED", "ERR_CHAIN_REFUSED"];
    if (!(error instanceof ChartsealError) || error.retryable || !final.includes(error.code)) throw error;
    // No answer: who logged nothing is told nothing.
  }
  await exchange.remove(request);
}

/** A lookup as this member's own node shows it: logged by the very account that asks, over this blinded identifier. */
async function loggedLookup({ chain, memberId }: AgentParts, request: Message): Promise<LookupBody> {
  const account = await requireSender(chain, request, ROLES.CLINICIAN);
  const body = parseLookup(request);
  if (lookupMessageId(body.lookupId, memberId) !== request.id)
    throw forged(request, "it is for another custodian");
  const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(body.transactionHash));
  if (receipt === null) {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", `lookup ${request.id} is not mined yet`, {
      retryable: true,
    });
  }
  const abi = chain.emergencies.interface;
  const event = receipt.logs
    .filter(({ address }) => address.toLowerCase() === chain.deployment.emergencies)
    .map((log) => abi.parseLog(log))
    .find((parsed) => parsed?.name === "LookupLogged" && parsed.args["lookupId"] === body.lookupId);
  if (event === null || event === undefined) throw forged(request, "the chain shows no such lookup");
  const { reader, blindedDigest: digest, loggedAt } = event.args.toObject() as Record<string, unknown>;
  if (String(reader).toLowerCase() !== account) throw forged(request, "its signer did not log it");
  if (digest !== blindedDigest(fromHex(body.blinded))) throw forged(request, "another identifier was logged");
  const now = Math.max(await chain.time(), Math.floor(Date.now() / 1000));
  if (now - Number(loggedAt) > REDEEMABLE_SECONDS)
    throw forged(request, "it was logged more than 15 minutes ago");
  await chain.ask(() => chain.members.authorizedSeasoned(account, ROLES.CLINICIAN, SUSPENSIONS.READING));
  return body;
}
