// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { open, type FileHandle, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { storeError } from "./store-errors.js";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Marks files that are still being written. */
const TEMPORARY = ".tmp";

/** A file that nobody wrote to for this long is left over, even if its process cannot be asked. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/** Names of the files this process writes now. */
const beingWritten = new Set<string>();

/** Process ids mean something on one host only; containers have host names of their own. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 12);

/** A body on its way to disk, under a temporary name. */
export class TemporaryBody {
  readonly path: string;
  readonly #name: string;
  readonly #handle: FileHandle;

  constructor(path: string, name: string, handle: FileHandle) {
    this.path = path;
    this.#name = name;
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done);
        done += bytesWritten;
      }
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  /** Makes the contents durable and closes the file. */
  async seal(): Promise<void> {
    try {
      await this.#handle.datasync();
      await this.#handle.close();
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  /** Removes what is left under the temporary name; after a successful {@link BodyFiles.place}, nothing. */
  async discard(): Promise<void> {
    beingWritten.delete(this.#name);
    await this.#handle.close().catch(() => {});
    await unlink(this.path).catch(() => {});
  }
}

/** Large bodies, one flat file each, named by CID in sharded folders. */
export class BodyFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder and removes what crashed processes were writing. */
  prepare(): void {
    this.#guard(() => {
      mkdirSync(this.#folder, { recursive: true, mode: PRIVATE_FOLDER });
      for (const name of readdirSync(this.#folder)) {
        const path = join(this.#folder, name);
        if (name.startsWith(TEMPORARY) && isStale(name, path)) removeIfThere(path);
      }
    });
  }

  async begin(): Promise<TemporaryBody> {
    const name = [TEMPORARY, HOST, process.pid, randomBytes(8).toString("hex")].join("-");
    const path = join(this.#folder, name);
    beingWritten.add(name);
    try {
      return new TemporaryBody(path, name, await open(path, "wx", PRIVATE_FILE));
    } catch (error) {
      beingWritten.delete(name);
      throw storeError(error, path);
    }
  }

  /** Moves bodies to their final names, durably. Synchronous, to run inside a transaction. */
  place(bodies: { cid: string; temporary: TemporaryBody }[]): void {
    this.#guard(() => {
      const shards = new Set<string>();
      for (const { cid, temporary } of bodies) {
        const path = this.#pathOf(cid);
        const shard = dirname(path);
        if (!existsSync(shard)) {
          mkdirSync(shard, { recursive: true, mode: PRIVATE_FOLDER });
          syncFolder(this.#folder);
        }
        renameSync(temporary.path, path);
        shards.add(shard);
      }
      for (const shard of shards) syncFolder(shard);
    });
  }

  /** Opens a body for reading; undefined when there is no such file. */
  async open(cid: string): Promise<FileHandle | undefined> {
    const path = this.#pathOf(cid);
    try {
      return await open(path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw storeError(error, path);
    }
  }

  has(cid: string): boolean {
    return existsSync(this.#pathOf(cid));
  }

  /** Bytes of a body's file; undefined when there is none. */
  sizeOf(cid: string): number | undefined {
    const path = this.#pathOf(cid);
    try {
      return statSync(path, { throwIfNoEntry: false })?.size;
    } catch (error) {
      throw storeError(error, path);
    }
  }

  /** Removes a body durably. */
  remove(cid: string): void {
    this.#guard(() => {
      const path = this.#pathOf(cid);
      if (removeIfThere(path)) syncFolder(dirname(path));
    });
  }

  /** The first characters of a CID are the same for all, so the shard is taken from near the end, as Kubo does. */
  #pathOf(cid: string): string {
    return join(this.#folder, cid.slice(-3, -1), cid);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw storeError(error, this.#folder);
    }
  }
}

function isStale(name: string, path: string): boolean {
  if (beingWritten.has(name)) return false;
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changed === undefined) return false;
  if (changed < Date.now() - STALE_AFTER_MS) return true;
  const [, host, pid] = name.split("-");
  if (host !== HOST) return false;
  // In a container our own id may be that of the process that crashed.
  if (Number(pid) === process.pid) return changed < Date.now() - process.uptime() * 1000;
  return !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function removeIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A new or removed name is durable only once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
