// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Vault } from "../vault/index.js";
import type { AccessReceipt } from "./access-receipt.js";
import type { Peers } from "./peers.js";

const NAME = "owed-receipts";

interface Owed {
  accessId: Hex;
  patientId: Hex;
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
  add({ ref: accessId, patientId }: Pick<AccessReceipt, "ref" | "patientId">): void {
    if (this.#peers.hasFiled(accessId) || this.all().some((each) => each.accessId === accessId)) return;
    this.#write([...this.all(), { accessId, patientId }]);
  }

  all(): Owed[] {
    const kept = this.#state.getSecret(NAME);
    return kept === undefined ? [] : (JSON.parse(Buffer.from(kept).toString()) as Owed[]);
  }

  /** Hands them to an agent that answers. */
  async pay(): Promise<void> {
    for (const owed of this.all()) {
      const stored = this.#state.releases.get(owed.accessId);
      if (stored !== undefined) await this.#peers.agree(owed, stored);
      if (stored === undefined || this.#peers.hasFiled(owed.accessId))
        this.#write(this.all().filter(({ accessId }) => accessId !== owed.accessId));
    }
  }

  #write(owed: readonly Owed[]): void {
    this.#state.setSecret(NAME, Buffer.from(JSON.stringify(owed)));
  }
}
