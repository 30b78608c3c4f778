// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ItemState, Journal, readJournalFigures, type JournalItem } from "../../src/records/index.js";
import { JOURNAL_FORMAT } from "../../src/records/journal-schema.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { runChild } from "../support/child.js";
import { TemporaryFolder, TemporaryVault, refusal } from "../vault/temporary-vault.js";

/** Files as released versions wrote them before each change of format; their vaults' passphrase is no secret. */
const OLD_FILES = join(import.meta.dirname, "../vectors/old-files");

/** A journal as it was committed, and the vault that it belongs to. */
const FILES = readdirSync(OLD_FILES).flatMap((name) => {
  const [, busy = "", format] = /^(busy-)?journal-(\d+)\.db$/.exec(name) ?? [];
  return format === undefined
    ? []
    : [{ name, format: Number(format), vault: busy === "" ? "vault-1.db" : `busy-vault-${format}.db` }];
});

type Row = Record<string, unknown>;

/** Every row of every table, by the names of the columns that `of` has. */
function rowsOf(
  path: string,
  of: ReadonlyMap<string, readonly string[]> = columnsOf(path),
): Record<string, Row[]> {
  using database = new DatabaseSync(path, { readOnly: true });
  const rows = [...of].map(([table, columns]): [string, Row[]] => {
    const names = columns.join(", ");
    const all = database.prepare(`SELECT ${names} FROM ${table} ORDER BY ${names}`).all();
    return [table, all.map((row) => ({ ...row }))]; // SQLite's rows have no prototype
  });
  return Object.fromEntries(rows);
}

function columnsOf(path: string): Map<string, string[]> {
  using database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return new Map(
    tables.map(({ name }) => [
      String(name),
      database
        .prepare(`SELECT name FROM pragma_table_info(?)`)
        .all(String(name))
        .map((row) => String(row["name"])),
    ]),
  );
}

/** Tables, columns and indexes, whatever the order in which they came. */
function shapeOf(path: string): unknown {
  using database = new DatabaseSync(path, { readOnly: true });
  const objects = database.prepare("SELECT type, name FROM sqlite_schema ORDER BY type, name").all() as Row[];
  return objects.map(({ type, name }) => {
    const what = type === "table" ? "table_info" : "index_xinfo";
    const parts = database.prepare(`SELECT * FROM pragma_${what}(?)`).all(String(name)) as Row[];
    const said = parts.map(({ cid: _, seqno: __, ...part }) => part);
    return { type, name, parts: said.toSorted((a, b) => String(a["name"]).localeCompare(String(b["name"]))) };
  });
}

function formatOf(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true });
  return Number(database.prepare("PRAGMA user_version").get()!["user_version"]);
}

describe("A journal of an older format", () => {
  it("is committed here for every format before this one", () => {
    const older = Array.from({ length: JOURNAL_FORMAT - 1 }, (_, place) => place + 1);
    expect(FILES.map(({ format }) => format)).to.include.members(older);
  });
});

for (const { name, format, vault: ofIt } of FILES) {
  describe(`A journal of format ${format} (${name})`, () => {
    let folder: TemporaryFolder;
    let vault: Vault;
    const journal = () => folder.file("journal.db");
    beforeEach(async () => {
      folder = new TemporaryFolder();
      copyFileSync(join(OLD_FILES, name), journal());
      copyFileSync(join(OLD_FILES, ofIt), folder.file("vault.db"));
      vault = await Vault.open(folder.file("vault.db"), passphrase("correct horse battery staple"));
    });
    afterEach(() => {
      vault[Symbol.dispose]();
      folder[Symbol.dispose]();
    });

    it("is brought to this version's when it is opened, with every row as it was", () => {
      expect(formatOf(journal())).to.equal(format);
      const columns = columnsOf(journal());
      const before = rowsOf(journal(), columns);
      expect(before["items"]).not.to.be.empty;
      Journal.open(journal(), vault)[Symbol.dispose]();
      expect(formatOf(journal())).to.equal(JOURNAL_FORMAT);
      expect(rowsOf(journal(), columns)).to.deep.equal(before);
      const once = rowsOf(journal());
      Journal.open(journal(), vault)[Symbol.dispose]();
      expect(rowsOf(journal())).to.deep.equal(once);
    });

    it("then has the tables, columns and indexes of a new one", async () => {
      Journal.open(journal(), vault)[Symbol.dispose]();
      using other = await TemporaryVault.make();
      Journal.open(folder.file("new.db"), other.vault)[Symbol.dispose]();
      expect(shapeOf(journal())).to.deep.equal(shapeOf(folder.file("new.db")));
    });

    it("gives all its items, with their labels and keys", () => {
      using opened = Journal.open(journal(), vault);
      const items = Object.values(ItemState).flatMap((state): JournalItem[] => opened.itemsIn(state));
      const { items: counted } = readJournalFigures(journal());
      expect(items).to.have.lengthOf(Object.values(counted).reduce((sum, count) => sum + count, 0));
      for (const { id, recordId, state, erased } of items) {
        expect(opened.details(id).label).not.to.equal("");
        if (recordId !== undefined && state === ItemState.ANCHORED && !erased)
          expect(vault.keyOf(recordId)).to.have.lengthOf(32);
      }
    });

    if (format < JOURNAL_FORMAT) {
      it("is as it was when the process is killed in the middle, and opens the next time", async function () {
        this.timeout(120_000); // two processes of their own
        vault[Symbol.dispose]();
        const columns = columnsOf(journal());
        const before = rowsOf(journal(), columns);
        const child = new URL("children/open-journal.ts", import.meta.url);
        const killed = await runChild(child, [folder.path], {
          imports: [new URL("../support/kill-point.ts", import.meta.url)],
          env: { KILL_AT: "1", KILL_WHAT: "before commit to journal.db" },
        });
        expect(killed.signal, killed.output).to.equal("SIGKILL");
        expect(formatOf(journal())).to.equal(format);
        expect(rowsOf(journal(), columns)).to.deep.equal(before);
        const again = await runChild(child, [folder.path]);
        expect(again.lines.at(-1), again.output).to.have.property("opened");
        expect(formatOf(journal())).to.equal(JOURNAL_FORMAT);
        expect(rowsOf(journal(), columns)).to.deep.equal(before);
      });

      it("is left alone by who reads it without keys", () => {
        refusal("ERR_FORMAT_UNSUPPORTED", () => readJournalFigures(journal()));
        expect(formatOf(journal())).to.equal(format);
      });
    }
  });
}

describe("A journal of a newer format", () => {
  it("is refused, and not touched", async () => {
    using made = await TemporaryVault.make();
    const path = made.folder.file("journal.db");
    Journal.open(path, made.vault)[Symbol.dispose]();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${JOURNAL_FORMAT + 1}`);
    newer.close();
    refusal("ERR_FORMAT_UNSUPPORTED", () => Journal.open(path, made.vault));
    expect(formatOf(path)).to.equal(JOURNAL_FORMAT + 1);
  });
});
