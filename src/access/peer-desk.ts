// SPDX-License-Identifier: Apache-2.0
import { ROLES } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { fileRefusal, receiptDocument, refusedAccess } from "./access-receipt.js";
import type { AnsweringParts } from "./answer-request.js";
import { parseMessage, type Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";
import { parseHandOn, parseNotice, sha256, type ReplicaAgreed, type ReplicaNotice } from "./peers.js";
import { storedRelease, withoutErasedHere, type AgentState } from "./stored-release.js";
import { parseTold, takeWithdrawal, toldKey } from "./withdrawal.js";

/** Takes what the member's other agents stored. */
export class PeerDesk {
  readonly #parts: AnsweringParts;

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
  }

  /**
   * Who sends something, before it is read.
   * @throws ERR_EXCHANGE_INVALID unless it is a RELEASER of this very member
   */
  async sender(header: string | undefined): Promise<Message> {
    const { chain, memberId } = this.#parts;
    const message = parseMessage(Buffer.from(header ?? "", "base64url").toString());
    if (message.type !== "replica" || message.from !== memberId || message.to !== memberId)
      throw forged(message, "it is no agent of this member's");
    await requireSender(chain, message, ROLES.RELEASER);
    return message;
  }

  /**
   * Keeps a stored release, unless there is one already: what both give from now on. The receipt of a refusal is filed.
   * @param sender As {@link sender} gives it
   * @throws ERR_EXCHANGE_INVALID when it is not what was signed for
   */
  async keep(sender: Message, stored: string): Promise<Message> {
    const { fileReceipt, files } = this.#parts;
    const { accessId, patientId, digest, refused } = parseNotice(sender);
    requireSigned(stored, digest);
    if (refused && refusedAccess(stored) !== accessId)
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "the receipt is of another access");
    const agreed = refused ? stored : this.#agreed(accessId, stored);
    const about = { accessId, patientId };
    if (files && refused) await fileRefusal(this.#parts, about, stored);
    else if (files) await fileReceipt(receiptDocument(about, storedRelease(agreed).receipt));
    const answer: ReplicaAgreed = { format: 1, accessId, stored: agreed, filed: files };
    return await this.#answer(sender, JSON.stringify(answer));
  }

  /**
   * Takes a withdrawal that another agent hands on: it goes no further.
   * @param sender As {@link sender} gives it
   * @throws ERR_EXCHANGE_INVALID when it is not what was signed for, or not taken
   */
  async withdraw(sender: Message, text: string): Promise<Message> {
    requireSigned(text, parseHandOn(sender).digest);
    const told = parseTold(text);
    if (toldKey(this.#parts.chain, told) !== sender.id) throw forged(sender, "the withdrawal is another one");
    await takeWithdrawal(this.#parts, told);
    return await this.#answer(sender, sender.body);
  }

  async #answer({ id }: Message, body: string): Promise<Message> {
    const { chain, memberId, signer } = this.#parts;
    return await signMessage(chain, signer, { type: "replica", id, from: memberId, to: memberId, body });
  }

  /** Of what was erased here nothing is kept: whoever sends it may not know yet. */
  #agreed(accessId: ReplicaNotice["accessId"], sent: string): string {
    const { state } = this.#parts;
    const stored = withoutErasedHere(this.#parts, sent);
    const agreed = chosen(state, accessId, stored);
    // An erasure may have looked through what is stored just before.
    const clean = withoutErasedHere(this.#parts, agreed);
    return clean === agreed ? agreed : state.releases.replace(accessId, agreed, clean);
  }
}

function chosen(state: AgentState, accessId: ReplicaNotice["accessId"], stored: string): string {
  const mine = state.releases.put(accessId, stored);
  if (mine === stored) return stored;
  // Two made it at the same moment, or a reorganised access had its id: both come to the same.
  const same = storedRelease(mine).access === storedRelease(stored).access;
  if (same && mine < stored) return mine;
  return state.releases.replace(accessId, mine, stored);
}

function requireSigned(text: string, digest: string): void {
  if (sha256(text) === digest) return;
  throw new ChartsealError("ERR_EXCHANGE_INVALID", "what was sent is not what was signed for");
}
