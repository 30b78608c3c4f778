// SPDX-License-Identifier: Apache-2.0
import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../../config.js";
import { foldersOf } from "../../storage/index.js";
import type { Diagnosis } from "./diagnosis.js";

/** The oldest release line whose node:sqlite, `await using` and type stripping chartseal relies on. */
const LEAST_NODE = 24;
const MIB = 1024 * 1024;
const SCARCE_BYTES = 1024 * MIB;
const EXHAUSTED_BYTES = 64 * MIB;

export function checkNodeVersion(diagnosis: Diagnosis, version = process.versions.node): void {
  if (Number.parseInt(version, 10) >= LEAST_NODE) diagnosis.ok("node", `Node.js ${version}`);
  else diagnosis.fail("node", `Node.js ${version} is too old`, `install Node.js ${LEAST_NODE} or newer`);
}

/** Before the files are opened, for opening makes them private. */
export async function checkModes(diagnosis: Diagnosis, config: Config): Promise<void> {
  if (process.platform === "win32") return;
  for (const path of [config.vault, config.journal]) {
    const mode = await modeOf(path);
    if (mode === undefined || (mode & 0o077) === 0) continue;
    diagnosis.fail("file modes", `others may read ${path} (mode ${mode.toString(8)})`, `chmod 600 ${path}`);
  }
  for (const path of [config.path, dirname(config.path), dirname(config.vault)]) {
    const mode = await modeOf(path);
    // Who may write the folder can put another vault there; a sticky folder (/tmp) does not let him.
    if (mode === undefined || (mode & 0o022) === 0 || (mode & 0o1000) !== 0) continue;
    diagnosis.fail(
      "file modes",
      `others may change ${path} (mode ${mode.toString(8)})`,
      `chmod go-w ${path}`,
    );
  }
  if (!diagnosis.findings.some(({ check }) => check === "file modes")) {
    diagnosis.ok("file modes", "vault, journal and configuration are this user's alone");
  }
}

export async function checkExchange(diagnosis: Diagnosis, { exchange }: Config): Promise<void> {
  const { folder } = exchange;
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    diagnosis.ok("exchange", `${folder} can be written`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint =
      code === "ENOENT" ? `mkdir ${folder}, or mount it` : "let this user read and write the folder";
    diagnosis.fail("exchange", `${folder} cannot be used (${code})`, hint);
  }
}

export async function checkDisk(
  diagnosis: Diagnosis,
  config: Config,
  freeBytes: (path: string) => Promise<number> = freeOn,
): Promise<void> {
  const paths = [dirname(config.vault), dirname(config.journal)];
  for (const folder of foldersOf(config.store))
    paths.push((await modeOf(folder)) === undefined ? dirname(folder) : folder);
  for (const path of new Set(paths)) {
    const free = await freeBytes(path);
    const detail = `${Math.floor(free / MIB)} MiB free at ${path}`;
    const hint = "make room before the next ingest";
    if (free < EXHAUSTED_BYTES) diagnosis.fail("disk", detail, hint);
    else if (free < SCARCE_BYTES) diagnosis.warn("disk", detail, hint);
    else diagnosis.ok("disk", detail);
  }
}

async function freeOn(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function modeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : found.mode & 0o7777;
}
