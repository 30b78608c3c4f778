// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Vault } from "../vault/index.js";

const NAME = "answered-lookups";

/** A lookup that was answered. The same one logged again, in another transaction, is another. */
interface Answered {
  id: Hex;
  transactionHash: Hex;
  /** Unix seconds: from then on it is answered no more anyhow. */
  until: number;
}

/** Which lookups were answered, until they can be answered no more: each is once, also after a new start. */
export class AnsweredLookups {
  readonly #vault: Pick<Vault, "getSecret" | "setSecret">;

  constructor(vault: Pick<Vault, "getSecret" | "setSecret">) {
    this.#vault = vault;
  }

  has({ id, transactionHash }: Omit<Answered, "until">): boolean {
    return this.#all().some((one) => one.id === id && one.transactionHash === transactionHash);
  }

  /** Durable when it returns. */
  add({ id, transactionHash, until }: Answered): void {
    const kept = this.#all().filter((one) => one.until >= Math.floor(Date.now() / 1_000));
    this.#vault.setSecret(NAME, Buffer.from(JSON.stringify([...kept, { id, transactionHash, until }])));
  }

  #all(): Answered[] {
    const kept = this.#vault.getSecret(NAME);
    return kept === undefined ? [] : (JSON.parse(Buffer.from(kept).toString()) as Answered[]);
  }
}
