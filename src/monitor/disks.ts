// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.js";
import { foldersOf } from "../storage/index.js";

/** The room where one part of a member's data lies. */
export interface Disk {
  part: "vault" | "journal" | "exchange" | "store" | `store-${number}`;
  /** Bytes that this user may still write. */
  free: number;
  /** Bytes in all. */
  size: number;
}

/** A part whose folder cannot be asked is left out. */
export async function readDisks(config: Config): Promise<Disk[]> {
  const folders: [Disk["part"], string][] = [
    ["vault", dirname(config.vault)],
    ["journal", dirname(config.journal)],
    ["exchange", config.exchange.folder],
    ...foldersOf(config.store).map((folder, place): [Disk["part"], string] => [
      place === 0 ? "store" : `store-${place + 1}`,
      existsSync(folder) ? folder : dirname(folder), // made by the first record
    ]),
  ];
  const read = folders.map(async ([part, folder]): Promise<Disk[]> => {
    try {
      const { bavail, blocks, bsize } = await statfs(folder);
      return [{ part, free: bavail * bsize, size: blocks * bsize }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}
