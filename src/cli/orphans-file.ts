// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { requireFormat } from "../errors.js";
import { writeWhole } from "./private-file.js";

const schema = z.strictObject({
  format: z.literal(1),
  /** CID to Unix seconds: when `chartseal store gc` first saw it without a name. */
  seen: z.record(z.string().min(1), z.number().nonnegative()),
});

/** Where `chartseal store gc` keeps what it saw. */
export function orphansFile(journal: string): string {
  return `${journal}.orphans.json`;
}

/**
 * When earlier runs first saw which orphan. A file that is missing or damaged says nothing: every orphan is then seen for
 * the first time.
 * @throws ERR_FORMAT_UNSUPPORTED
 */
export async function readOrphans(path: string): Promise<Map<string, number>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch {
    return new Map();
  }
  requireFormat(json, path);
  const { data } = schema.safeParse(json);
  return new Map(Object.entries(data?.seen ?? {}));
}

export async function writeOrphans(path: string, seen: ReadonlyMap<string, number>): Promise<void> {
  await writeWhole(path, `${JSON.stringify({ format: 1, seen: Object.fromEntries(seen) }, null, 2)}\n`);
}
