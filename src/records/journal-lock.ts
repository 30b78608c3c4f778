// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from "node:fs";
import { ChartsealError } from "../errors.js";
import { openDatabase, type Database } from "../sqlite.js";

/** Journals that this process has locked, by their real path. */
const held = new Set<string>();

/**
 * The lock of a journal: a write transaction on a file beside it, which the operating system ends with its process.
 * @throws ERR_JOURNAL_LOCKED while another has it, in this process or another
 */
export function lockJournal(journal: string): Disposable {
  const path = `${realpathSync(journal)}.lock`;
  if (held.has(path)) throw locked(journal);
  const database = begin(path, journal);
  held.add(path);
  let released = false;
  return {
    [Symbol.dispose]() {
      if (released) return;
      released = true;
      held.delete(path);
      database.close();
    },
  };
}

function begin(path: string, journal: string): Database {
  let database: Database | undefined;
  try {
    const options = { format: 1, schema: "", damagedCode: "ERR_STORE_FAILED", busyTimeoutMs: 1 } as const;
    database = openDatabase(path, options);
    database.exec("BEGIN IMMEDIATE");
    return database;
  } catch (error) {
    database?.close();
    const busy = error instanceof ChartsealError && error.code === "ERR_TIMEOUT";
    throw busy ? locked(journal, error) : error;
  }
}

function locked(path: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_JOURNAL_LOCKED", `another ingest writes ${path}`, {
    values: { path },
    hint: "wait for it to end; its lock does not outlive it",
    retryable: true,
    cause,
  });
}
