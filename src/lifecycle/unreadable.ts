// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { JournalItem } from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";

/**
 * Why a stored item cannot be opened here, as an error code; undefined when it can. Its body is read before, for half
 * a file cannot be taken back.
 */
export async function unreadable(
  { vault, store }: { vault: Vault; store: BlobStore },
  { recordId, cid }: JournalItem,
): Promise<string | undefined> {
  try {
    vault.keyOf(recordId!).fill(0);
  } catch (error) {
    if (error instanceof ChartsealError && error.code.startsWith("ERR_KEY_")) return error.code;
    throw error;
  }
  const body = await store.verify(cid!);
  if (body.ok) return undefined;
  return body.reason === "missing" ? "ERR_BODY_MISSING" : "ERR_BODY_TAMPERED";
}
