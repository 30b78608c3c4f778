// SPDX-License-Identifier: Apache-2.0
import { ROLES } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { receiptDocument } from "./access-receipt.js";
import type { AnsweringParts } from "./answer-request.js";
import { parseMessage, type Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";
import { parseNotice, sha256, type ReplicaAgreed, type ReplicaNotice } from "./peers.js";
import { storedRelease } from "./stored-release.js";

/** Takes what the member's other agents stored. */
export class PeerDesk {
  readonly #parts: AnsweringParts;

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
  }

  /**
   * Who sends a stored release, before it is read.
   * @throws ERR_EXCHANGE_INVALID unless it is a RELEASER of this very member
   */
  async sender(header: string | undefined): Promise<ReplicaNotice> {
    const { chain, memberId } = this.#parts;
    const message = parseMessage(Buffer.from(header ?? "", "base64url").toString());
    if (message.type !== "replica" || message.from !== memberId || message.to !== memberId)
      throw forged(message, "it is no agent of this member's");
    await requireSender(chain, message, ROLES.RELEASER);
    return parseNotice(message);
  }

  /** Keeps a stored release, unless there is one already: what both give from now on. */
  async keep({ accessId, patientId, digest }: ReplicaNotice, stored: string): Promise<Message> {
    const { chain, memberId, signer, fileReceipt, files } = this.#parts;
    if (sha256(stored) !== digest)
      throw new ChartsealError(
        "ERR_EXCHANGE_INVALID",
        "the stored release is not the one that was signed for",
      );
    const agreed = this.#agreed(accessId, stored);
    if (files) await fileReceipt(receiptDocument({ accessId, patientId }, storedRelease(agreed).receipt));
    const answer: ReplicaAgreed = { format: 1, accessId, stored: agreed, filed: files };
    const place = { type: "replica" as const, id: accessId, from: memberId, to: memberId };
    return await signMessage(chain, signer, { ...place, body: JSON.stringify(answer) });
  }

  #agreed(accessId: ReplicaNotice["accessId"], stored: string): string {
    const { state } = this.#parts;
    const mine = state.releases.put(accessId, stored);
    if (mine === stored) return stored;
    // Two made it at the same moment, or a reorganised access had its id: both come to the same.
    const same = storedRelease(mine).access === storedRelease(stored).access;
    if (same && mine < stored) return mine;
    return state.releases.replace(accessId, mine, stored);
  }
}
