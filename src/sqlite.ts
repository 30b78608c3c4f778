// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { ChartsealError, type ErrorCode } from "./errors.js";

/** How long a statement waits for another process of this member before ERR_TIMEOUT. */
const BUSY_TIMEOUT_MS = 10_000;

/** SQLite's page cache, in KiB (a negative `cache_size` is in KiB): an index of some 125,000 record ids. */
const CACHE_KIB = 4 * 1024;

/** Primary result codes, https://www.sqlite.org/rescode.html (the low byte of an extended one). */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

export type SqlValue = SQLInputValue;
export type SqlRow = Record<string, SQLOutputValue>;

export interface DatabaseOptions {
  /** Format number of the file, 1 or more, kept in SQLite's `user_version`. */
  format: number;
  /** SQL that makes the tables; run once, in a new file. */
  schema: string;
  /** SQL that brings a file of an older format to the next one, by its format. Run when the file is opened. */
  migrations?: ReadonlyMap<number, string>;
  /** Does what SQL cannot, in the migrations' transaction and after them. `from` is the format that the file had. */
  migrated?: (database: Database, from: number) => void;
  /** Code thrown when the file is not a readable database. */
  damagedCode: ErrorCode;
  /** False: a missing or empty file is an error instead of a new database. Default true. */
  create?: boolean;
  /** Default false. */
  readOnly?: boolean;
  /** Milliseconds to wait for another process's lock; default 10,000. */
  busyTimeoutMs?: number;
}

/**
 * One SQLite file, with its errors made ours. Write-ahead log, `synchronous = FULL` (a commit survives power
 * loss), foreign keys, `secure_delete` (freed cells and pages are zeroed), temporary tables in memory.
 */
export class Database implements Disposable {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #damagedCode: ErrorCode;
  readonly #statements = new Map<string, StatementSync>();

  /** Use {@link openDatabase}. */
  constructor(path: string, sqlite: DatabaseSync, damagedCode: ErrorCode) {
    this.path = path;
    this.#sqlite = sqlite;
    this.#damagedCode = damagedCode;
  }

  get isOpen(): boolean {
    return this.#sqlite.isOpen;
  }

  /** Runs a statement; the count of rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values));
  }

  /** As {@link all}, but of each row is kept only what `make` makes of it. `make` may not ask the database. */
  map<Made>(make: (row: SqlRow) => Made, sql: string, ...values: SqlValue[]): Made[] {
    return this.#guard(() => Array.from(this.#prepare(sql).iterate(...values), (row) => make(row)));
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#guard(() => this.#prepare(sql).all(...values));
  }

  /** Runs several statements without values (a schema, a pragma). */
  exec(sql: string): void {
    this.#guard(() => this.#sqlite.exec(sql));
  }

  /**
   * Runs `work` in one immediate transaction (the write lock first, so that a read in it cannot go stale) and
   * commits; an error rolls back and is thrown on. Inside another transaction it joins that one.
   */
  transaction<T>(work: () => T): T {
    if (this.#sqlite.isOpen && this.#sqlite.isTransaction) return work();
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#sqlite.isOpen && this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  /** Another number whenever another connection, of this process or another, has committed something. */
  version(): number {
    return Number(this.get("PRAGMA data_version")?.["data_version"]);
  }

  /**
   * Moves the write-ahead log into the file and cuts it to nothing, so that no earlier version of a page is left
   * in it.
   * @throws ERR_TIMEOUT (retryable) while another process reads or writes for longer than the busy timeout
   */
  truncateLog(): void {
    const row = this.get("PRAGMA wal_checkpoint(TRUNCATE)");
    if (row?.["busy"] === 0) return;
    throw new ChartsealError("ERR_TIMEOUT", `another process keeps ${this.path} busy; call again`, {
      values: { path: this.path },
      retryable: true,
    });
  }

  /**
   * Writes a copy, as the file is at one moment, to a new file that only its owner may read. What was freed is not
   * copied.
   */
  copyTo(path: string): void {
    makePrivate(path, true);
    this.run("VACUUM INTO ?", path);
  }

  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw databaseError(error, this.path, this.#damagedCode);
    }
  }
}

/**
 * Opens the SQLite file at `path`, the one place that does. A new file gets mode 0600 and the schema; a file that
 * group or others may read is made 0600 (`-wal` and `-shm` follow it).
 * @throws ERR_FORMAT_UNSUPPORTED when the file's format is not `options.format` and no migration leads there
 * @throws ERR_CONFIG_INVALID when the file or its folder is missing
 * @throws ERR_STORE_FULL, ERR_STORE_FAILED, ERR_TIMEOUT from the file system or another process's lock
 * @throws `options.damagedCode` when it is no readable SQLite file
 */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  let sqlite: DatabaseSync | undefined;
  try {
    const readOnly = options.readOnly ?? false;
    if (readOnly) statSync(path);
    else makePrivate(path, options.create ?? true);
    sqlite = new DatabaseSync(path, { readOnly, timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS });
    const database = new Database(path, sqlite, options.damagedCode);
    // trusted_schema: a tampered schema must not call functions with side effects.
    database.exec(`PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
      PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${CACHE_KIB}`);
    if (isEmpty(database)) {
      if (readOnly || options.create === false) {
        throw new ChartsealError(options.damagedCode, `${path} is empty`, { values: { path } });
      }
      useWriteAheadLog(database);
      fill(database, options);
    }
    if (!readOnly) migrate(database, options);
    checkFormat(database, options.format);
    if (!readOnly) useWriteAheadLog(database);
    return database;
  } catch (error) {
    if (sqlite?.isOpen === true) sqlite.close();
    throw databaseError(error, path, options.damagedCode);
  }
}

/** Makes the file before SQLite does, so that it is never readable by others, not even for a moment. */
function makePrivate(path: string, create: boolean): void {
  try {
    if (create) closeSync(openSync(path, "ax", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

function formatOf(database: Database): number {
  return Number(database.get("PRAGMA user_version")?.["user_version"]);
}

function isEmpty(database: Database): boolean {
  return formatOf(database) === 0 && database.get("SELECT 1 FROM sqlite_schema LIMIT 1") === undefined;
}

function fill(database: Database, options: DatabaseOptions): void {
  database.transaction(() => {
    if (!isEmpty(database)) return; // another process was first
    database.exec(options.schema);
    database.exec(`PRAGMA user_version = ${options.format}`);
  });
}

/** All steps or none: a process killed in between leaves the file as it was. */
function migrate(database: Database, { format, migrations, migrated }: DatabaseOptions): void {
  if (migrations === undefined || formatOf(database) >= format) return;
  database.transaction(() => {
    const from = formatOf(database);
    for (let found = from; found < format; found++) {
      const step = migrations.get(found);
      if (step === undefined) return;
      database.exec(step);
      database.exec(`PRAGMA user_version = ${found + 1}`);
    }
    // Another process may have been first.
    if (from < format) migrated?.(database, from);
  });
}

function checkFormat(database: Database, format: number): void {
  const found = formatOf(database);
  if (found === format) return;
  throw new ChartsealError(
    "ERR_FORMAT_UNSUPPORTED",
    `${database.path} has format ${found}, this version of chartseal reads format ${format}`,
    { values: { path: database.path, found, format } },
  );
}

/** SQLite does not wait when two connections switch a new file at the same moment, so this does. */
function useWriteAheadLog(database: Database): void {
  const giveUp = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      const mode = database.get("PRAGMA journal_mode = WAL")?.["journal_mode"];
      if (mode === "wal") return;
      throw new ChartsealError("ERR_STORE_FAILED", `${database.path} cannot use a write-ahead log`, {
        values: { path: database.path },
        hint: "keep it on a local disk, not on a network share",
      });
    } catch (error) {
      const busy = error instanceof ChartsealError && error.code === "ERR_TIMEOUT";
      if (!busy || performance.now() > giveUp) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // milliseconds
    }
  }
}

/** node:sqlite puts SQLite's result code in `errcode`; file system errors have a `code`. */
function databaseError(error: unknown, path: string, damagedCode: ErrorCode): unknown {
  if (error instanceof ChartsealError || !(error instanceof Error)) return error;
  const details = { values: { path }, cause: error };
  const { code, errcode } = error as { code?: string; errcode?: number };
  const damaged = () =>
    new ChartsealError(damagedCode, `${path} is damaged or not what it should be`, details);
  if (code === "ENOENT") return new ChartsealError("ERR_CONFIG_INVALID", `${path} does not exist`, details);
  if (code === "ERR_INVALID_STATE") return new ChartsealError("ERR_USAGE", `${path} was closed`, details);
  if (code === "ERR_OUT_OF_RANGE") return damaged(); // an integer past 2^53: chartseal writes none
  if (code !== "ERR_SQLITE_ERROR") {
    const errno = (error as NodeJS.ErrnoException).syscall !== undefined;
    return errno ? new ChartsealError("ERR_STORE_FAILED", `${path}: ${code ?? error.name}`, details) : error;
  }
  switch ((errcode ?? 0) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new ChartsealError("ERR_TIMEOUT", `another process keeps ${path} locked; call again`, {
        ...details,
        retryable: true,
      });
    case SQLITE_FULL:
      return new ChartsealError("ERR_STORE_FULL", `no space left for ${path}`, {
        ...details,
        retryable: true,
      });
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return new ChartsealError("ERR_STORE_FAILED", `${path} cannot be read or written`, details);
    default:
      return damaged();
  }
}
