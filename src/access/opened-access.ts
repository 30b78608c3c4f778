// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { leafHash, openCapsule, openRecord, toHex, type Hex, type Leaf, type Manifest } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { AccessParts } from "./access.js";
import type { ChartEntry } from "./chart.js";
import type { Release } from "./release.js";

/** One record, opened. The body is provisional until it was read to its end without an error. */
export interface OpenedEntry {
  accessId: Hex;
  leaf: Leaf;
  manifest: Manifest;
  body: AsyncIterable<Uint8Array>;
}

/** A logged access whose capsules have come. */
export class OpenedAccess {
  readonly entries: readonly ChartEntry[];
  readonly accessIds: readonly Hex[];
  readonly #parts: Pick<AccessParts, "chain" | "vault" | "store">;
  readonly #answers: readonly Release[];

  constructor(
    parts: Pick<AccessParts, "chain" | "vault" | "store">,
    entries: readonly ChartEntry[],
    answers: readonly Release[],
  ) {
    this.#parts = parts;
    this.entries = entries;
    this.#answers = answers;
    this.accessIds = answers.map((answer) => answer.accessId);
  }

  /**
   * Opens record after record, in the order of the entries.
   * @throws ERR_BODY_MISSING, ERR_BODY_TAMPERED naming what differs, ERR_CAPSULE_REFUSED
   */
  async *open(): AsyncGenerator<OpenedEntry> {
    const capsules = new Map(
      this.#answers.flatMap((answer) =>
        answer.capsules.map((capsule) => [capsule.leafHash, { capsule, accessId: answer.accessId }] as const),
      ),
    );
    for (const { leaf } of this.entries) {
      const found = capsules.get(toHex(leafHash(leaf)));
      if (found === undefined) {
        throw new ChartsealError("ERR_CAPSULE_REFUSED", `the custodian sent no capsule for entry ${leaf.index}`, {
          values: { index: leaf.index },
        });
      }
      yield await this.#openOne(leaf, found.capsule, found.accessId);
    }
  }

  async #openOne(leaf: Leaf, capsule: Release["capsules"][number], accessId: Hex): Promise<OpenedEntry> {
    const { chain, vault, store } = this.#parts;
    const binding = { chainId: chain.chainId, accessLog: chain.deployment.accessLog, accessId };
    const secretKey = vault.memberSecretKey(capsule.keyEpoch);
    const content = await openCapsule(capsule, { ...binding, leaf, secretKey });
    secretKey.fill(0);
    const sealed = anchored(store.get(content.cid), leaf);
    const { manifest, body } = await openRecord(sealed, { ...content, memberId: leaf.memberId });
    return { accessId, leaf, manifest, body };
  }
}

/** Passes a sealed body on and compares it, at its end, with the digest that is anchored. */
async function* anchored(sealed: AsyncIterable<Uint8Array>, leaf: Leaf): AsyncGenerator<Uint8Array> {
  const digest = createHash("sha256");
  for await (const piece of sealed) {
    digest.update(piece);
    yield piece;
  }
  if (toHex(digest.digest()) !== leaf.contentDigest) {
    throw new ChartsealError("ERR_BODY_TAMPERED", `the body of entry ${leaf.index} is not the one anchored`, {
      values: { index: leaf.index },
    });
  }
}
