// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { OpenedEntry } from "../access/index.js";
import { toHex, type Hex, type Receipt } from "../crypto/index.js";
import { writeWhole } from "./private-file.js";
import { recordFileName } from "../records/index.js";

export interface WrittenRecord {
  index: number;
  file: string;
  accessId: Hex;
  /** Of the source bytes written. */
  sha256: Hex;
  /** Bytes. */
  size: number;
}

/**
 * Writes a record's source bytes and its receipt, if there is one. A body that fails at its end leaves no file: what came before is
 * provisional until then.
 */
export async function writeRecord(
  folder: string,
  { leaf, manifest, body, accessId }: OpenedEntry,
  receipt?: Receipt,
): Promise<WrittenRecord> {
  const { index } = leaf;
  const file = join(folder, recordFileName(index, manifest.sourceKey, manifest.mediaType));
  const digest = createHash("sha256");
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      digest.update(piece);
      size += piece.length;
      yield piece;
    }
  }
  await writeWhole(file, counted());
  if (receipt !== undefined) {
    await writeWhole(join(folder, "receipts", `${index}.json`), `${JSON.stringify(receipt, null, 2)}\n`);
  }
  return { index, file, accessId, sha256: toHex(digest.digest()), size };
}
