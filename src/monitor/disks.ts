// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.js";

/** The room where one part of a member's data lies. */
export interface Disk {
  part: "vault" | "journal" | "store" | "exchange";
  /** Bytes that this user may still write. */
  free: number;
  /** Bytes in all. */
  size: number;
}

/** A part whose folder cannot be asked is left out. */
export async function readDisks(config: Config): Promise<Disk[]> {
  const folders = {
    vault: dirname(config.vault),
    journal: dirname(config.journal),
    // Made by the first record.
    store: existsSync(config.store) ? config.store : dirname(config.store),
    exchange: config.exchange.folder,
  } as const;
  const read = Object.entries(folders).map(async ([part, folder]): Promise<Disk[]> => {
    try {
      const { bavail, blocks, bsize } = await statfs(folder);
      return [{ part: part as Disk["part"], free: bavail * bsize, size: blocks * bsize }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}
