// SPDX-License-Identifier: Apache-2.0
import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSkipped } from "../ingest/index.js";

/** Where files go that were taken, or refused: folders of the outbox itself, so that moving is renaming. */
export const DONE = "done";
export const FAILED = "failed";
/** Milliseconds for which size and time must not change. */
const REST_MS = 2_000;

/** A file of the outbox. */
export interface OutboxFile {
  /** On disk, as the system spells it. */
  file: string;
  /** Inside the outbox, with slashes, Unicode NFC. */
  path: string;
  /** By which a change is seen. */
  state: string;
  /** The same under whatever name; the number of a file that was deleted may be given to a new one. */
  identity: string;
  modified: number;
  /** A file, and nothing that leads elsewhere. */
  plain: boolean;
}

export interface Scan {
  /** To be taken, oldest first. */
  files: OutboxFile[];
  /** Identities of those that are still being written under another name. */
  unfinished: Set<string>;
  /** What cannot be looked at: names that are no UTF-8, folders that this user may not enter. */
  unreadable: string[];
}

/** In the place of bytes that are no UTF-8. */
const REPLACEMENT = "\uFFFD";
/** Why what a folder listed is not there: somebody moved it away meanwhile. */
const GONE: readonly unknown[] = ["ENOENT", "ENOTDIR"];

/** Everything in the outbox. @throws the system's error when the outbox itself cannot be read */
export async function scan(folder: string): Promise<Scan> {
  const found: Scan = { files: [], unfinished: new Set(), unreadable: [] };
  await walk(folder, "", found);
  found.files.sort(oldestFirst);
  return found;
}

async function walk(folder: string, prefix: string, found: Scan): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry;
    if (prefix === "" && (name === DONE || name === FAILED)) continue;
    const file = join(folder, name);
    const path = prefix + name.normalize("NFC");
    if (entry.isDirectory() && isSkipped(name)) continue;
    try {
      if (entry.isDirectory()) await walk(file, `${path}/`, found);
      else see({ file, path, ...stateOf(await lstat(file)) }, name, found);
    } catch (cause) {
      if (!isSkipped(name) && !isGone(name, cause)) found.unreadable.push(file);
    }
  }
}

function see(file: OutboxFile, name: string, { files, unfinished }: Scan): void {
  if (isSkipped(name)) unfinished.add(file.identity);
  else files.push(file);
}

/** Nothing is found under a name that cannot be told, though it is there. */
function isGone(name: string, cause: unknown): boolean {
  return GONE.includes((cause as NodeJS.ErrnoException).code) && !name.includes(REPLACEMENT);
}

export function stateOf(status: Stats): Omit<OutboxFile, "file" | "path"> {
  const { dev, ino, birthtimeMs, size, mtimeMs } = status;
  const identity = [dev, ino, birthtimeMs].join(":");
  return { state: [dev, ino, size, mtimeMs].join(":"), identity, modified: mtimeMs, plain: status.isFile() };
}

/** Of two versions of one document the later written amends the earlier. */
function oldestFirst(a: OutboxFile, b: OutboxFile): number {
  return a.modified - b.modified || (a.path < b.path ? -1 : 1);
}

/** Knows which files are whole: those that were renamed into place, or have not changed for two seconds. */
export class Resting {
  readonly #seen = new Map<string, { state: string; since: number }>();
  #unfinished = new Set<string>();

  /** The files that may be taken now, of what a scan found; `now` in milliseconds of a clock that never steps. */
  ready({ files, unfinished }: Pick<Scan, "files" | "unfinished">, now: number): OutboxFile[] {
    const ready = files.filter(({ file, state, identity }) => {
      // Whoever wrote it under another name has finished it.
      if (this.#unfinished.has(identity)) return true;
      const seen = this.#seen.get(file);
      if (seen?.state === state) return now - seen.since >= REST_MS;
      this.#seen.set(file, { state, since: now });
      return false;
    });
    const there = new Set(files.map(({ file }) => file));
    for (const file of this.#seen.keys()) if (!there.has(file)) this.#seen.delete(file);
    // A file that was renamed into place stays ready until it is moved away.
    const renamed = ready.flatMap(({ identity }) => (this.#unfinished.has(identity) ? [identity] : []));
    this.#unfinished = new Set([...unfinished, ...renamed]);
    return ready;
  }
}
