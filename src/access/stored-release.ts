// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import type { Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import type { AccessEvent } from "./access-event.js";

/** What an agent remembers: what it gave, and what patients withdrew. */
export type AgentState = Pick<Vault, "releases" | "withdrawals">;

/** A release as it is kept: with the log indices that it shows or opens. */
export interface StoredRelease {
  format: 1;
  /** Of the access that it was made for: {@link accessDigest}. */
  access: Hex;
  indices: number[];
  release: string;
  /** The receipt that is filed before it leaves: always the same, so that an access has one. */
  receipt: string;
}

/** An access id is the patient's and a number: after a reorganisation another access can have it. */
export function accessDigest(access: AccessEvent): Hex {
  const { accessId, reader, memberId, basis, basisRef, purpose, extent, indices, scope } = access;
  const said = [accessId, reader, memberId, basis, basisRef, purpose, extent, indices, scope];
  const text = JSON.stringify(said, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return toHex(createHash("sha256").update(text).digest());
}

/** @throws ERR_FORMAT_UNSUPPORTED */
export function storedRelease(json: string): StoredRelease {
  const stored = JSON.parse(json) as StoredRelease;
  requireFormat(stored, "the stored release");
  return stored;
}

/**
 * A stored release without its capsules and its index page, if an entry that was erased is among them: it would be
 * refused anyhow. Which entries it held stays, for the audit.
 * @returns undefined when the entry is not in it
 */
export function withoutErased(json: string, index: number): string | undefined {
  const stored = storedRelease(json);
  if (!stored.indices.includes(index) || stored.release === "") return undefined;
  return JSON.stringify({ ...stored, release: "" });
}

/** As {@link withoutErased}, for all that this member erased, as far as its vault and journal (or a copy) know. */
export function withoutErasedHere(parts: { vault: Vault; journal: Journal }, json: string): string {
  const index = storedRelease(json).indices.find((each) => isErasedHere(parts, each));
  return index === undefined ? json : (withoutErased(json, index) ?? json);
}

/** An erasure takes the key first, and marks the journal last. */
function isErasedHere({ vault, journal }: { vault: Vault; journal: Journal }, index: number): boolean {
  const item = journal.itemAt(index);
  if (item?.recordId === undefined) return false;
  try {
    vault.keyOf(item.recordId).fill(0);
    return item.erased;
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_KEY_ERASED") return true;
    throw error;
  }
}
