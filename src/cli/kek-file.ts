// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { z } from "zod";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import type { WrappedKek } from "../vault/index.js";
import { badField } from "./bad-field.js";
import { readText, writeWhole } from "./private-file.js";

const uint = z.int().nonnegative();
const hex = z.string().refine((text): text is Hex => isHex(text), "lower-case 0x hex");
const schema = z.strictObject({
  format: z.literal(1),
  keks: z.array(z.strictObject({ kekId: uint, wrapped: hex, createdAt: uint })),
});

/** The key-encryption keys of a file that is kept apart from backups. @throws ERR_USAGE, ERR_FORMAT_UNSUPPORTED */
export async function readKeks(path: string): Promise<WrappedKek[]> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw bad(path, "is not JSON");
  }
  requireFormat(json, path);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data.keks;
  throw bad(path, `has a bad ${badField(parsed.error)}`);
}

/** Replaces the file; with `keep`, those stay that only it holds. */
export async function writeKeks(path: string, keks: readonly WrappedKek[], keep: boolean): Promise<void> {
  const known = new Set(keks.map(({ kekId }) => kekId));
  const older = keep && existsSync(path) ? await readKeks(path) : [];
  const all = [...older.filter(({ kekId }) => !known.has(kekId)), ...keks];
  await writeWhole(path, `${JSON.stringify({ format: 1, keks: all }, null, 2)}\n`);
}

function bad(path: string, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} ${why}: not a file of key-encryption keys`, {
    values: { path },
    hint: "`chartseal backup DIR --keks FILE` writes one",
  });
}
