// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Vault } from "../vault/index.js";
import { isRefusal, type AccessReceipt } from "./access-receipt.js";
import type { Peers } from "./peers.js";

const NAME = "owed-receipts";

interface Owed {
  accessId: Hex;
  patientId: Hex;
  /** The receipt itself, when it is of a refusal; that of a release is in the stored release. */
  refusal?: string;
}

/** Receipts of an agent that has no journal of its own, until one that has files them. */
export class OwedReceipts {
  readonly #state: Vault;
  readonly #peers: Peers;

  constructor(state: Vault, peers: Peers) {
    this.#state = state;
    this.#peers = peers;
  }

  /** Durable when it returns: filed by another agent, or owed. */
  add({ ref: accessId, patientId, bytes }: Pick<AccessReceipt, "ref" | "patientId" | "bytes">): void {
    const text = Buffer.from(bytes).toString();
    const owed = isRefusal(text) ? { accessId, patientId, refusal: text } : { accessId, patientId };
    const filed = owed.refusal === undefined && this.#peers.hasFiled(accessId);
    if (filed || this.all().some((each) => isSame(each, owed))) return;
    this.#write([...this.all(), owed]);
  }

  all(): Owed[] {
    const kept = this.#state.getSecret(NAME);
    return kept === undefined ? [] : (JSON.parse(Buffer.from(kept).toString()) as Owed[]);
  }

  /** Hands them to an agent that answers. One that cannot be handed over holds up no other: `onError` hears of it. */
  async pay(onError: (error: unknown) => void = () => {}): Promise<void> {
    for (const owed of this.all()) {
      try {
        if (await this.#isPaid(owed)) this.#write(this.all().filter((each) => !isSame(each, owed)));
      } catch (error) {
        onError(error);
      }
    }
  }

  async #isPaid(owed: Owed): Promise<boolean> {
    if (owed.refusal !== undefined) return await this.#peers.file(owed, owed.refusal);
    const stored = this.#state.releases.get(owed.accessId);
    if (stored === undefined) return true;
    const agreed = await this.#peers.agree(owed, stored);
    if (agreed !== stored) this.#state.releases.replace(owed.accessId, stored, agreed);
    return this.#peers.hasFiled(owed.accessId);
  }

  #write(owed: readonly Owed[]): void {
    this.#state.setSecret(NAME, Buffer.from(JSON.stringify(owed)));
  }
}

function isSame(one: Owed, other: Owed): boolean {
  return one.accessId === other.accessId && one.refusal === other.refusal;
}
