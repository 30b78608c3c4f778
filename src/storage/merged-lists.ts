// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "./blob-store.js";
import { askFailed, type Failure } from "./replica-errors.js";

/** A body, and which replicas say that they hold it. */
export interface Presence {
  cid: string;
  /** Bytes, as the first of them says. */
  size: number;
  /** By place among the replicas. */
  holders: number[];
}

interface Cursor {
  name: string;
  place: number;
  entries: AsyncIterator<{ cid: string; size: number }>;
  head: { cid: string; size: number } | undefined;
}

/**
 * Walks several lists in CID order as one, holding one entry of each.
 * @throws ERR_STORE_FAILED (retryable) after all others' entries, naming the replicas whose list broke off
 */
export async function* mergedLists(
  replicas: readonly { name: string; store: BlobStore }[],
): AsyncGenerator<Presence> {
  const failures: Failure[] = [];
  const cursors = replicas.map(({ name, store }, place): Cursor => {
    return { name, place, entries: store.list()[Symbol.asyncIterator](), head: undefined };
  });
  const advance = async (cursor: Cursor): Promise<void> => {
    const before = cursor.head?.cid ?? "";
    cursor.head = undefined;
    try {
      const next = await cursor.entries.next();
      if (next.done === true) return;
      if (next.value.cid <= before) throw new ChartsealError("ERR_STORE_FAILED", "its list is out of order");
      cursor.head = next.value;
    } catch (error) {
      failures.push({ replica: cursor.name, error });
    }
  };
  try {
    await Promise.all(cursors.map(advance));
    for (;;) {
      const least = cursors.reduce<string | undefined>(
        (cid, { head }) => (head !== undefined && (cid === undefined || head.cid < cid) ? head.cid : cid),
        undefined,
      );
      if (least === undefined) break;
      const holding = cursors.filter(({ head }) => head?.cid === least);
      yield { cid: least, size: holding[0]!.head!.size, holders: holding.map(({ place }) => place) };
      await Promise.all(holding.map(advance));
    }
  } finally {
    for (const { entries } of cursors) entries.return?.().then(undefined, () => {});
  }
  if (failures.length > 0) throw askFailed("not every replica could be listed", failures);
}
