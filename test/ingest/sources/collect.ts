// SPDX-License-Identifier: Apache-2.0
import { isBadItem } from "../../../src/records/index.js";
import type { BadItem, SourceItem } from "../../../src/records/index.js";

export interface Collected {
  readonly items: SourceItem[];
  readonly bad: BadItem[];
}

/** Reads a source to its end. */
export async function collect(source: AsyncIterable<SourceItem | BadItem>): Promise<Collected> {
  const items: SourceItem[] = [];
  const bad: BadItem[] = [];
  for await (const item of source) {
    if (isBadItem(item)) bad.push(item);
    else items.push(item);
  }
  return { items, bad };
}

/** All bytes of an item, through `open()`. */
export async function bytesOf(item: SourceItem): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of item.open()) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

export async function textOf(item: SourceItem): Promise<string> {
  return (await bytesOf(item)).toString("utf8");
}
