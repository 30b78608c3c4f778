// SPDX-License-Identifier: Apache-2.0
import { SEALED_RECORD_FORMAT, dayOf, toHex, type Manifest } from "../crypto/index.js";
import type { SourceItem } from "../records/index.js";

/** An item with what its manifest says besides. */
interface Read {
  item: SourceItem;
  /** Of its bytes. */
  sha256: Uint8Array;
  receivedAt: Date;
}

export function manifestOf({ item, sha256, receivedAt }: Read): Manifest {
  const { sourceKey, label, mediaType, size, recordedAt, resourceType, encoding, author } = item;
  return {
    format: SEALED_RECORD_FORMAT,
    sourceKey,
    label,
    mediaType,
    size,
    sha256: toHex(sha256),
    receivedAt: receivedAt.toISOString(),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(author === undefined ? {} : { author }),
  };
}

/** The day that an item's leaf says it is of: days count from 1970; without a usable date it is the day of receipt. */
export function recordedDayOf({ recordedAt }: SourceItem, receivedAt: Date): number {
  const date = recordedAt === undefined ? undefined : new Date(recordedAt);
  const usable = date !== undefined && !Number.isNaN(date.getTime()) && date.getTime() >= 0;
  return dayOf(usable ? date : receivedAt);
}
