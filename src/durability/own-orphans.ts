// SPDX-License-Identifier: Apache-2.0
import {
  SEALED_HEADER_LENGTH,
  decodeBatchManifest,
  isSealedUnder,
  parseCid,
  type RecordKeys,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { BlobStore, CidSet } from "../storage/index.js";
import type { Vault } from "../vault/index.js";

interface OrphanParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
}

/**
 * Tells what this member left in a store that others may share: a sealed record by a key of this vault that no item of
 * the journal has, a batch manifest by the member that it names.
 */
export class OwnOrphans implements Disposable {
  readonly #parts: OrphanParts;
  /** Of records that have a key and no item. */
  readonly #keys: RecordKeys[] = [];

  /** @param named record ids of the journal's items */
  constructor(parts: OrphanParts, named: CidSet) {
    this.#parts = parts;
    const { vault, memberId } = parts;
    for (const { recordId, erased } of vault.records()) {
      if (erased || named.hasBytes(recordId)) continue;
      this.#keys.push({ contentKey: vault.keyOf(recordId), memberId, recordId });
    }
  }

  /** @param body one that the journal does not name */
  async has({ cid }: { cid: string }): Promise<boolean> {
    const header = await this.#read(cid, SEALED_HEADER_LENGTH);
    if (header === undefined) return false;
    if (this.#keys.some((keys) => isSealedUnder(header, keys))) return true;
    return (
      this.#mayBeManifest(header) && parseCid(cid)?.oneBlock === true && (await this.#isOwnManifest(cid))
    );
  }

  [Symbol.dispose](): void {
    for (const { contentKey } of this.#keys) contentKey.fill(0);
  }

  /** Its format number and member id stand first: docs/formats.md. */
  #mayBeManifest(header: Uint8Array): boolean {
    const start = Buffer.from(header.buffer, header.byteOffset, header.length);
    return start.readUInt16BE(0) === 1 && start.readUInt32BE(2) === this.#parts.memberId;
  }

  async #isOwnManifest(cid: string): Promise<boolean> {
    const bytes = await this.#read(cid);
    try {
      return bytes !== undefined && decodeBatchManifest(bytes).memberId === this.#parts.memberId;
    } catch (error) {
      if (error instanceof ChartsealError) return false;
      throw error;
    }
  }

  /** Undefined when it is gone, shorter than asked for, or damaged: whose it is cannot be told then. */
  async #read(cid: string, length?: number): Promise<Uint8Array | undefined> {
    const range = length === undefined ? undefined : { offset: 0, length };
    try {
      return Buffer.concat(await Array.fromAsync(this.#parts.store.get(cid, range)));
    } catch (error) {
      const unjudged = ["ERR_BODY_MISSING", "ERR_BODY_TAMPERED", "ERR_USAGE"];
      if (error instanceof ChartsealError && unjudged.includes(error.code)) return undefined;
      throw error;
    }
  }
}
