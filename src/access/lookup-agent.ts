// SPDX-License-Identifier: Apache-2.0
import { ROLES, SUSPENSIONS, type Chain } from "../chain/index.js";
import { blindedDigest, evaluateBlinded, fromHex, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { contradiction, settledBlock } from "./access-event.js";
import { isFinal } from "./answer-request.js";
import { AnsweredLookups } from "./answered-lookups.js";
import { LookupTables, lookupKey } from "./lookup-tables.js";
import { lookupMessageId } from "./lookups.js";
import { parseLookup, type LookupAnswer, type LookupBody } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";
import { REDEEMABLE_SECONDS } from "./permission.js";
import { PutOff } from "./put-off.js";
import type { AgentParts } from "./release-agent.js";
import { RequestLimits } from "./request-limits.js";
import { waitOr } from "./wait-or.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Longest pause, in milliseconds, after a trouble. */
const LONGEST_PAUSE_MS = 30_000;
/** After these, asking again changes nothing. */
const FINAL = ["ERR_EXCHANGE_INVALID", "ERR_FORMAT_UNSUPPORTED", "ERR_CHAIN_REFUSED"];

export interface LookupAgentOptions {
  signal: AbortSignal;
  /** Hears of what is tried again. */
  onError?: (error: unknown) => void;
  /** Shared with whatever else takes this member's requests. Default: of its own. */
  limits?: RequestLimits;
}

/**
 * Answers who looks for a patient of whom he has an identifier: only what is logged on chain first, so within its
 * quotas, and each logged lookup once. Learns neither the identifier nor whether it is one of this member's. Ends when
 * the signal aborts.
 */
export async function runLookupAgent(parts: AgentParts, options: LookupAgentOptions): Promise<void> {
  const { signal, onError } = options;
  const agent = new LookupAgent(parts, options.limits);
  for (let pause = POLL_MS; !signal.aborted;) {
    try {
      await agent.answer(signal, onError);
      pause = POLL_MS;
    } catch (error) {
      onError?.(error);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    await waitOr(pause, signal);
  }
}

/** Answers every waiting lookup once. */
export async function answerLookups(
  parts: AgentParts,
  options: Partial<LookupAgentOptions> = {},
): Promise<void> {
  const { signal = new AbortController().signal, onError, limits } = options;
  await new LookupAgent(parts, limits).answer(signal, onError);
}

/** What a member answers lookups with. */
class LookupAgent {
  readonly #parts: AgentParts;
  readonly #limits: RequestLimits;
  readonly #tables: LookupTables;
  readonly #answered: AnsweredLookups;
  readonly #waiting = new PutOff();

  constructor(parts: AgentParts, limits = new RequestLimits(parts.chain)) {
    this.#parts = parts;
    this.#limits = limits;
    this.#tables = new LookupTables(parts.vault);
    this.#answered = new AnsweredLookups(parts.vault);
  }

  /** Every lookup that is due. What cannot be answered holds up no other. */
  async answer(signal: AbortSignal, onError: (error: unknown) => void = () => {}): Promise<void> {
    await this.#tables.prepare(signal);
    const { exchange, memberId } = this.#parts;
    for (const request of await exchange.receive(memberId, "lookup")) {
      if (this.#waiting.isDue(request.id)) await this.#tryOne(request, onError);
    }
  }

  async #tryOne(request: Message, onError: (error: unknown) => void): Promise<void> {
    try {
      await this.#answerOne(request);
    } catch (error) {
      if (!isFinal(error, FINAL)) {
        onError(error);
        if (this.#waiting.again(request.id)) return;
      }
      // No answer: who logged nothing is told nothing.
    }
    this.#waiting.done(request.id);
    await this.#parts.exchange.remove(request);
  }

  async #answerOne(request: Message): Promise<void> {
    const { chain, exchange, memberId, signer, vault } = this.#parts;
    const { id, from: to } = request;
    await this.#limits.takeFromFolder(request);
    const logged = await loggedLookup(this.#parts, request);
    // Brought again by anybody who saw it: the answer that was sent stands.
    if (this.#answered.has(logged)) return;
    const { evaluated, proof, publicKey } = evaluateBlinded(lookupKey(vault), fromHex(logged.body.blinded));
    const answer: LookupAnswer = {
      format: 1,
      accessId: id,
      evaluated: toHex(evaluated),
      proof: toHex(proof),
      publicKey: toHex(publicKey),
      table: Buffer.from(this.#tables.table()).toString("base64url"),
    };
    const reply = { type: "lookup-answer" as const, id, from: memberId, to, body: JSON.stringify(answer) };
    await exchange.send(await signMessage(chain, signer, reply));
    this.#answered.add(logged);
  }
}

/** A lookup as this member's own node shows it. */
interface LoggedLookup {
  id: Hex;
  transactionHash: Hex;
  /** Unix seconds: until then it may be answered. */
  until: number;
  body: LookupBody;
}

/**
 * A lookup as this member's own node shows it: logged by the very account that asks, over this blinded identifier, some
 * blocks deep.
 */
async function loggedLookup({ chain, memberId }: AgentParts, request: Message): Promise<LoggedLookup> {
  const account = await requireSender(chain, request, ROLES.CLINICIAN);
  const body = parseLookup(request);
  if (lookupMessageId(body.lookupId, memberId) !== request.id)
    throw forged(request, "it is for another custodian");
  const { reader, blindedDigest: digest, loggedAt } = await settledEvent(chain, request, body);
  if (String(reader).toLowerCase() !== account) throw forged(request, "its signer did not log it");
  if (digest !== blindedDigest(fromHex(body.blinded))) throw forged(request, "another identifier was logged");
  const until = Number(loggedAt) + REDEEMABLE_SECONDS;
  if (Math.max(await chain.time(), Math.floor(Date.now() / 1000)) > until)
    throw forged(request, "it was logged more than 15 minutes ago");
  const member = await chain.ask(() =>
    chain.members.authorizedSeasoned(account, ROLES.CLINICIAN, SUSPENSIONS.READING),
  );
  if (Number(member.memberId) !== request.from) throw forged(request, "its signer is of another member");
  return { id: request.id, transactionHash: body.transactionHash, until, body };
}

async function settledEvent(
  chain: Chain,
  request: Message,
  { lookupId, transactionHash }: LookupBody,
): Promise<Record<string, unknown>> {
  const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(transactionHash));
  const block = receipt === null ? undefined : await settledBlock(chain, receipt);
  if (receipt === null || block === undefined) {
    throw new ChartsealError(
      "ERR_EXCHANGE_INVALID",
      `lookup ${request.id} is not ${chain.confirmations} blocks deep yet`,
      { values: { transaction: transactionHash }, retryable: true },
    );
  }
  const abi = chain.emergencies.interface;
  const event = receipt.logs
    .filter(({ address }) => address.toLowerCase() === chain.deployment.emergencies)
    .map((log) => abi.parseLog(log))
    .find((parsed) => parsed?.name === "LookupLogged" && parsed.args["lookupId"] === lookupId);
  if (event === null || event === undefined) throw forged(request, "the chain shows no such lookup");
  if (Number(event.args["loggedAt"]) !== block.timestamp)
    throw contradiction(receipt, "its event is of another time than its block");
  return event.args.toObject() as Record<string, unknown>;
}
