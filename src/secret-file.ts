// SPDX-License-Identifier: Apache-2.0
import type { Stats } from "node:fs";
import { realpath } from "node:fs/promises";
import { sep } from "node:path";

/**
 * Whether others than its owner may read an open file that holds a secret. What systemd put into
 * `$CREDENTIALS_DIRECTORY` is as private as systemd makes it. On Windows the permissions are not checked.
 */
export async function othersMayRead(path: string, { mode }: Pick<Stats, "mode">): Promise<boolean> {
  if ((mode & 0o077) === 0 || process.platform === "win32") return false;
  return !(await isSystemdCredential(path));
}

async function isSystemdCredential(path: string): Promise<boolean> {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  if (folder === undefined || folder === "") return false;
  // Both resolved, so that neither ".." nor a link leads out of the folder.
  return (await realpath(path)).startsWith((await realpath(folder)) + sep);
}
