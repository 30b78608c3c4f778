// SPDX-License-Identifier: Apache-2.0
import { lstat, mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ChartsealError } from "../errors.js";
import { DONE, FAILED, type OutboxFile } from "./outbox-scan.js";

/** Reasons that are written beside a refused file. */
const MOST_REASONS = 100;
/** Ending of the file that holds them. */
const REASONS = ".error.txt";
/** Bytes of a name on the file systems that there are. */
const MOST_NAME_BYTES = 255;

/** An item of a file that could not be stored. */
export interface Reason {
  /** Where in the file: `#line 7`. */
  place: string;
  error: ChartsealError;
}

/**
 * Moves a file to done/, or to failed/ with its reasons beside it; a name that leaves no room for their ending is
 * shortened.
 * @throws the system's error
 */
export async function moveAway(
  folder: string,
  { file, path }: OutboxFile,
  reasons: readonly Reason[],
): Promise<void> {
  const failed = reasons.length > 0;
  const into = dirname(join(folder, failed ? FAILED : DONE, path));
  await mkdir(into, { recursive: true, mode: 0o700 });
  const target = await freeName(into, basename(path), failed ? REASONS.length : 0);
  // The reasons first: a refused file never lies there without them.
  if (failed) await writeFile(`${target}${REASONS}`, textOf(reasons), { mode: 0o600 });
  await rename(file, target);
}

/** Nothing that was moved before is replaced. @param ending Bytes that must fit after the name */
async function freeName(folder: string, name: string, ending: number): Promise<string> {
  for (let number = 0; ; number++) {
    const numbered = number === 0 ? "" : `.${number}`;
    const path = join(folder, fitting(name, MOST_NAME_BYTES - numbered.length - ending) + numbered);
    if ((await lstat(path).catch(() => undefined)) === undefined) return path;
  }
}

/** The beginning of a name, in whole characters. */
function fitting(name: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(name).subarray(0, bytes), { stream: true });
}

/** Codes, places and what to do: nothing of the file's content. */
function textOf(reasons: readonly Reason[]): string {
  const lines = reasons.slice(0, MOST_REASONS).map(({ place, error }) => {
    const where = place === "" ? "" : `${place.slice(1)}: `;
    return `${where}${error.code}${error.hint === undefined ? "" : `: ${error.hint}`}`;
  });
  if (reasons.length > MOST_REASONS) lines.push(`and ${reasons.length - MOST_REASONS} more`);
  return `${lines.join("\n")}\n`;
}
