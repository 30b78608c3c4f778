// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { type Database, type DatabaseOptions, openDatabase } from "../src/sqlite.js";
import { refusal, TemporaryFolder } from "./vault/temporary-vault.js";

const OPTIONS: DatabaseOptions = {
  format: 3,
  schema:
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, note BLOB); CREATE TABLE marks (id INTEGER REFERENCES notes)",
  damagedCode: "ERR_STORE_FAILED",
};

describe("openDatabase", () => {
  let folder: TemporaryFolder;
  let path: string;
  beforeEach(() => {
    folder = new TemporaryFolder();
    path = folder.file("a.db");
  });
  afterEach(() => folder[Symbol.dispose]());

  const mode = (file: string): number => statSync(file).mode & 0o777;

  it("makes the file and its companions readable by the owner only", () => {
    using database = openDatabase(path, OPTIONS);
    database.run("INSERT INTO notes (note) VALUES (?)", Buffer.from("x"));
    expect([path, `${path}-wal`, `${path}-shm`].map(mode)).to.deep.equal([0o600, 0o600, 0o600]);
  });

  it("takes the rights of others away from an existing file", () => {
    openDatabase(path, OPTIONS).close();
    chmodSync(path, 0o644);
    openDatabase(path, OPTIONS).close();
    expect(mode(path)).to.equal(0o600);
  });

  it("uses a write-ahead log, full synchronisation, foreign keys and secure deletion", () => {
    using database = openDatabase(path, OPTIONS);
    const pragma = (name: string): unknown => Object.values(database.get(`PRAGMA ${name}`) ?? {})[0];
    expect(["journal_mode", "synchronous", "foreign_keys", "secure_delete"].map(pragma)).to.deep.equal([
      "wal",
      2,
      1,
      1,
    ]);
    refusal("ERR_STORE_FAILED", () => database.run("INSERT INTO marks VALUES (7)"));
  });

  describe("brings an older file to its format", () => {
    const NEW: DatabaseOptions = {
      ...OPTIONS,
      format: 5,
      migrations: new Map([
        [3, "ALTER TABLE notes ADD COLUMN colour TEXT DEFAULT 'red'"],
        [4, "ALTER TABLE marks ADD COLUMN size INTEGER"],
      ]),
    };

    beforeEach(() => {
      using database = openDatabase(path, OPTIONS);
      database.run("INSERT INTO notes (note) VALUES (?)", Buffer.from("kept"));
    });

    it("step by step, and loses nothing", () => {
      {
        using database = openDatabase(path, NEW);
        expect(database.get("SELECT colour, note FROM notes")).to.deep.include({ colour: "red" });
        expect(database.all("SELECT size FROM marks")).to.deep.equal([]);
      }
      using again = openDatabase(path, NEW);
      expect(again.get("PRAGMA user_version")).to.deep.include({ user_version: 5 });
      refusal("ERR_FORMAT_UNSUPPORTED", () => openDatabase(path, OPTIONS));
    });

    it("by all steps or none", () => {
      const broken = new Map([...NEW.migrations!, [4, "ALTER TABLE nowhere ADD COLUMN size INTEGER"]]);
      refusal("ERR_STORE_FAILED", () => openDatabase(path, { ...NEW, migrations: broken }));
      using database = openDatabase(path, OPTIONS);
      expect(database.all("SELECT * FROM notes")).to.have.lengthOf(1);
    });

    it("not where a step is missing, and not when it is opened to be read", () => {
      refusal("ERR_FORMAT_UNSUPPORTED", () => openDatabase(path, { ...NEW, migrations: new Map() }));
      refusal("ERR_FORMAT_UNSUPPORTED", () => openDatabase(path, { ...NEW, readOnly: true }));
      openDatabase(path, OPTIONS).close();
    });
  });

  it("keeps what was written for the next opening, also read-only", () => {
    {
      using database = openDatabase(path, OPTIONS);
      database.run("INSERT INTO notes (note) VALUES (?)", Buffer.from("kept"));
    }
    using database = openDatabase(path, { ...OPTIONS, readOnly: true });
    expect(Buffer.from(database.get("SELECT note FROM notes")?.["note"] as Uint8Array).toString()).to.equal(
      "kept",
    );
    refusal("ERR_STORE_FAILED", () => database.run("DELETE FROM notes"));
  });

  it("refuses another format, naming both", () => {
    openDatabase(path, OPTIONS).close();
    const error = refusal("ERR_FORMAT_UNSUPPORTED", () => openDatabase(path, { ...OPTIONS, format: 4 }));
    expect(error.values).to.deep.equal({ path, found: 3, format: 4 });
  });

  it("refuses a file that is not SQLite, a truncated one, and an empty one it may not fill", () => {
    const damaged = { ...OPTIONS, damagedCode: "ERR_VAULT_DAMAGED" } as const;
    openDatabase(path, OPTIONS).close();
    truncateSync(path, 4096);
    refusal("ERR_VAULT_DAMAGED", () => openDatabase(path, damaged));
    writeFileSync(
      path,
      "this is a text file, and a longer one than SQLite's header of a hundred bytes".repeat(9),
    );
    refusal("ERR_VAULT_DAMAGED", () => openDatabase(path, damaged));
    writeFileSync(path, "");
    refusal("ERR_VAULT_DAMAGED", () => openDatabase(path, { ...damaged, create: false }));
    expect(readFileSync(path).length).to.equal(0);
  });

  it("names a missing file, a missing folder and a folder in the file's place", () => {
    refusal("ERR_CONFIG_INVALID", () => openDatabase(path, { ...OPTIONS, create: false }));
    refusal("ERR_CONFIG_INVALID", () => openDatabase(path, { ...OPTIONS, readOnly: true, create: false }));
    refusal("ERR_CONFIG_INVALID", () => openDatabase(folder.file("none/a.db"), OPTIONS));
    mkdirSync(path, { mode: 0o700 });
    refusal("ERR_STORE_FAILED", () => openDatabase(path, OPTIONS));
  });

  it("lets two processes make the same file at once", async () => {
    const script = `import { openDatabase } from "./src/sqlite.ts";
      const database = openDatabase(process.argv[1], ${JSON.stringify(OPTIONS)});
      database.run("INSERT INTO notes (note) VALUES (x'00')");`;
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, path], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, NODE_NO_WARNINGS: "1" },
      }),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number));
    expect(codes).to.deep.equal([0, 0, 0]);
    using database = openDatabase(path, OPTIONS);
    expect(database.all("SELECT id FROM notes")).to.have.lengthOf(3);
  }).timeout(20_000);
});

describe("Database", () => {
  let folder: TemporaryFolder;
  let database: Database;
  beforeEach(() => {
    folder = new TemporaryFolder();
    database = openDatabase(folder.file("a.db"), OPTIONS);
  });
  afterEach(() => {
    database.close();
    folder[Symbol.dispose]();
  });

  const insert = (id: number): number => database.run("INSERT INTO notes (id) VALUES (?)", id);
  const ids = (): unknown[] => database.all("SELECT id FROM notes").map((row) => row["id"]);

  it("commits a transaction as a whole and gives back its result", () => {
    const result = database.transaction(() => insert(1) + insert(2));
    expect(result).to.equal(2);
    expect(ids()).to.deep.equal([1, 2]);
  });

  it("rolls a failed transaction back, inner ones with it", () => {
    const failure = new Error("stop");
    expect(() =>
      database.transaction(() => {
        database.transaction(() => insert(1));
        throw failure;
      }),
    ).to.throw(failure);
    expect(ids()).to.deep.equal([]);
    insert(3);
    expect(ids()).to.deep.equal([3]);
  });

  it("reports another connection's lock as a time-out that can be tried again", () => {
    using other = openDatabase(database.path, { ...OPTIONS, busyTimeoutMs: 20 });
    database.transaction(() => {
      const error = refusal("ERR_TIMEOUT", () => other.run("DELETE FROM notes"));
      expect(error.retryable).to.equal(true);
    });
    expect(other.run("DELETE FROM notes")).to.equal(0);
  });

  it("cuts the write-ahead log, or says that another connection still needs it", () => {
    insert(1);
    expect(statSync(`${database.path}-wal`).size).to.be.greaterThan(0);
    database.truncateLog();
    expect(statSync(`${database.path}-wal`).size).to.equal(0);
    using other = openDatabase(database.path, { ...OPTIONS, busyTimeoutMs: 20 });
    database.exec("BEGIN");
    database.get("SELECT * FROM notes"); // an older view of the file
    other.run("DELETE FROM notes");
    expect(refusal("ERR_TIMEOUT", () => other.truncateLog()).retryable).to.equal(true);
    database.exec("COMMIT");
    other.truncateLog();
  });

  it("reports a full disk as such", () => {
    database.exec("PRAGMA max_page_count = 5");
    const error = refusal("ERR_STORE_FULL", () => {
      database.transaction(() => database.run("INSERT INTO notes (note) VALUES (zeroblob(100000))"));
    });
    expect(error.values).to.deep.equal({ path: database.path });
    expect(ids()).to.deep.equal([]);
  });

  it("refuses work after it was closed", () => {
    insert(1);
    database.close();
    database.close();
    refusal("ERR_USAGE", () => insert(2));
    refusal("ERR_USAGE", () => database.transaction(() => insert(2)));
    expect(database.isOpen).to.equal(false);
  });
});
