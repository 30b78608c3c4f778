// SPDX-License-Identifier: Apache-2.0
import { openDatabase, type Database } from "../sqlite.js";
import type { BodyFiles, TemporaryBody } from "./body-files.js";
import { storeError } from "./store-errors.js";

/** Format number of the store, in SQLite's `user_version`. */
export const STORE_FORMAT = 1;

/** Rows fetched at a time by {@link BlobIndex.list}: no read transaction stays open between pages. */
const LIST_PAGE = 500;

/**
 * blob: one row a body. `body` is null when the body is a file; `blocks` holds the SHA-256 of each 1 MiB block of a
 * body of several. `body` comes last, so that reading the others skips its pages.
 * loose_file: CIDs whose file may be there without a row, because a put or delete has begun and not ended.
 */
const SCHEMA = `
  CREATE TABLE blob (
    cid TEXT PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}),
    blocks BLOB,
    body BLOB
  ) STRICT;
  CREATE TABLE loose_file (cid TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** A body to be committed: in the row, or in a file that waits under its temporary name. */
export interface NewBlob {
  cid: string;
  size: number;
  blocks: Uint8Array | null;
  content: Uint8Array | TemporaryBody;
}

export interface BlobIndexOptions {
  readOnly: boolean;
  /** Undefined: the default of all our databases. */
  lockTimeoutMs: number | undefined;
}

/** What the index says about a body. Nothing here is trusted before it was compared with the CID. */
export interface BlobRow {
  size: number;
  blocks: Uint8Array | undefined;
  /** Undefined when the body is a file. */
  body: Uint8Array | undefined;
}

/** The SQLite side of the embedded store; the one place that decides which bodies are visible. */
export class BlobIndex {
  readonly #database: Database;
  readonly #files: BodyFiles;
  readonly #path: string;

  constructor(path: string, files: BodyFiles, options: BlobIndexOptions) {
    this.#path = path;
    this.#files = files;
    const { readOnly, lockTimeoutMs } = options;
    this.#database = this.#guard(() =>
      openDatabase(path, {
        format: STORE_FORMAT,
        schema: SCHEMA,
        damagedCode: "ERR_STORE_FAILED",
        readOnly,
        ...(lockTimeoutMs === undefined ? {} : { busyTimeoutMs: lockTimeoutMs }),
      }),
    );
  }

  /** Makes all of `blobs` visible and durable, or none. */
  commit(blobs: NewBlob[]): void {
    const placed = blobs.flatMap(({ cid, content }) =>
      content instanceof Uint8Array ? [] : [{ cid, temporary: content }],
    );
    try {
      this.#guard(() => this.#commit(blobs, placed));
    } catch (error) {
      try {
        this.#settle(placed.map(({ cid }) => cid));
      } catch {
        // The next open settles it.
      }
      throw error;
    }
  }

  #commit(blobs: NewBlob[], placed: { cid: string; temporary: TemporaryBody }[]): void {
    const database = this.#database;
    // Said before it is done: a crash between rename and commit leaves a file, and the next open must find it.
    if (placed.length > 0) {
      database.transaction(() => {
        for (const { cid } of placed) database.run("INSERT OR IGNORE INTO loose_file VALUES (?)", cid);
      });
    }
    database.transaction(() => {
      this.#files.place(placed);
      for (const { cid } of placed) database.run("DELETE FROM loose_file WHERE cid = ?", cid);
      for (const blob of blobs) this.#insert(blob);
    });
  }

  /** Repairs a damaged row, and leaves an intact one as it is. */
  #insert({ cid, size, blocks, content }: NewBlob): void {
    const body = content instanceof Uint8Array ? content : null;
    this.#database.run(
      `INSERT INTO blob (cid, size, blocks, body) VALUES (?, ?, ?, ?)
       ON CONFLICT (cid) DO UPDATE SET size = excluded.size, blocks = excluded.blocks, body = excluded.body
       WHERE size IS NOT excluded.size OR blocks IS NOT excluded.blocks OR body IS NOT excluded.body`,
      cid,
      size,
      blocks,
      body,
    );
  }

  find(cid: string): BlobRow | undefined {
    const row = this.#guard(() =>
      this.#database.get("SELECT size, blocks, body FROM blob WHERE cid = ?", cid),
    );
    if (row === undefined) return undefined;
    const { size, blocks, body } = row as {
      size: number;
      blocks: Uint8Array | null;
      body: Uint8Array | null;
    };
    return { size, blocks: blocks ?? undefined, body: body ?? undefined };
  }

  /** Whether a row exists, and a file if the row asks for one. */
  has(cid: string): boolean {
    const row = this.#guard(() =>
      this.#database.get("SELECT body IS NULL AS in_file FROM blob WHERE cid = ?", cid),
    );
    return row !== undefined && (row["in_file"] === 0 || this.#files.has(cid));
  }

  /** Whether as many bytes are there as the row says. */
  holdsAll(cid: string): boolean {
    const row = this.#guard(() =>
      this.#database.get("SELECT size, length(body) AS held FROM blob WHERE cid = ?", cid),
    );
    return row !== undefined && row["size"] === (row["held"] ?? this.#files.sizeOf(cid));
  }

  delete(cid: string): void {
    this.#guard(() => {
      const hasFile = this.#database.transaction(() => {
        const row = this.#database.get("SELECT body IS NULL AS in_file FROM blob WHERE cid = ?", cid);
        this.#database.run("DELETE FROM blob WHERE cid = ?", cid);
        if (row?.["in_file"] !== 1) return false;
        this.#database.run("INSERT OR IGNORE INTO loose_file VALUES (?)", cid);
        return true;
      });
      if (hasFile) this.#settle([cid]);
      // Else the body could still be read there.
      this.#database.truncateLog();
    });
  }

  /** Finishes the puts and deletes that a crash cut off. */
  settleAll(): void {
    this.#guard(() => {
      const rows = this.#database.all("SELECT cid FROM loose_file");
      this.#settle(rows.map((row) => String(row["cid"])));
    });
  }

  *list(): Generator<{ cid: string; size: number }> {
    for (let last = ""; ;) {
      const page = this.#guard(() =>
        this.#database.all("SELECT cid, size FROM blob WHERE cid > ? ORDER BY cid LIMIT ?", last, LIST_PAGE),
      ) as { cid: string; size: number }[];
      for (const { cid, size } of page) yield { cid, size };
      if (page.length < LIST_PAGE) return;
      last = page.at(-1)!.cid;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Removes files that have no row. The write lock keeps out a put of the same body meanwhile. */
  #settle(cids: string[]): void {
    if (cids.length === 0) return;
    this.#database.transaction(() => {
      for (const cid of cids) {
        const row = this.#database.get("SELECT 1 FROM blob WHERE cid = ? AND body IS NULL", cid);
        if (row === undefined) this.#files.remove(cid);
        this.#database.run("DELETE FROM loose_file WHERE cid = ?", cid);
      }
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }
}
