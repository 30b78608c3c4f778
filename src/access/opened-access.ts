// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import {
  leafHash,
  openCapsule,
  openRecord,
  toHex,
  type Capsule,
  type Hex,
  type Leaf,
  type Manifest,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Chain } from "../chain/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import type { Chart, ChartEntry } from "./chart.js";
import type { Release } from "./message-bodies.js";

/** What a reader opens records with. */
export interface OpeningParts {
  chain: Chain;
  /** Where the secret key of each epoch comes from. */
  vault: Pick<Vault, "memberSecretKey">;
  store: BlobStore;
}

/**
 * One record, opened. The body is provisional until it was read to its end without an error. Dispose of it
 * (`await using`) if the body may not be read to its end.
 */
export interface OpenedEntry extends AsyncDisposable {
  accessId: Hex;
  leaf: Leaf;
  manifest: Manifest;
  body: AsyncIterable<Uint8Array>;
}

/** A logged access whose capsules have come. */
export class OpenedAccess {
  readonly chart: Chart;
  readonly accessIds: readonly Hex[];
  readonly #parts: OpeningParts;
  readonly #capsules: ReadonlyMap<Hex, { capsule: Capsule; accessId: Hex }>;

  constructor(parts: OpeningParts, chart: Chart, answers: readonly Release[]) {
    this.#parts = parts;
    this.chart = chart;
    this.#capsules = new Map(
      answers.flatMap(({ accessId, capsules }) =>
        capsules.map((capsule) => [capsule.leafHash, { capsule, accessId }] as const),
      ),
    );
    this.accessIds = answers.map((answer) => answer.accessId);
  }

  get entries(): readonly ChartEntry[] {
    return this.chart.entries;
  }

  /**
   * Opens record after record, in the order of the entries. A record's body can be read until the next is asked for.
   * @throws ERR_BODY_MISSING, ERR_BODY_TAMPERED or ERR_CAPSULE_REFUSED, naming the entry and what differs; while a body
   * is read, too
   */
  async *open(): AsyncGenerator<OpenedEntry> {
    for (const entry of this.entries) {
      await using opened = await this.openEntry(entry);
      yield opened;
    }
  }

  /** Opens one of the entries, whatever became of the others. Throws as {@link open}. */
  async openEntry({ leaf }: Pick<ChartEntry, "leaf">): Promise<OpenedEntry> {
    const found = this.#capsules.get(toHex(leafHash(leaf)));
    if (found === undefined) {
      throw new ChartsealError(
        "ERR_CAPSULE_REFUSED",
        `the custodian sent no capsule for entry ${leaf.index}`,
        {
          values: { index: leaf.index },
        },
      );
    }
    try {
      return await this.#openOne(leaf, found.capsule, found.accessId);
    } catch (error) {
      throw ofEntry(error, leaf.index);
    }
  }

  async #openOne(leaf: Leaf, capsule: Capsule, accessId: Hex): Promise<OpenedEntry> {
    const { chain, vault, store } = this.#parts;
    const binding = { chainId: chain.chainId, accessLog: chain.deployment.accessLog, accessId };
    const secretKey = vault.memberSecretKey(capsule.keyEpoch);
    try {
      const { contentKey, recordId, cid } = await openCapsule(capsule, { ...binding, leaf, secretKey });
      try {
        const sealed = anchored(store.get(cid), leaf);
        const record = await openRecord(sealed, { contentKey, recordId, memberId: leaf.memberId });
        const dispose = () => record[Symbol.asyncDispose]();
        const body = named(record.body, leaf.index);
        return { accessId, leaf, manifest: record.manifest, body, [Symbol.asyncDispose]: dispose };
      } finally {
        contentKey.fill(0);
      }
    } finally {
      secretKey.fill(0);
    }
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
    throw new ChartsealError("ERR_BODY_TAMPERED", "the body is not the one anchored", {
      values: { contentDigest: leaf.contentDigest },
    });
  }
}

async function* named(body: AsyncIterable<Uint8Array>, index: number): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw ofEntry(error, index);
  }
}

/** Says which of many records it was. */
function ofEntry(error: unknown, index: number): unknown {
  if (!(error instanceof ChartsealError)) return error;
  const { code, message, values, hint, retryable } = error;
  return new ChartsealError(code, `entry ${index}: ${message}`, {
    values: { ...values, index },
    ...(hint === undefined ? {} : { hint }),
    retryable,
    cause: error,
  });
}
