// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LeafKind } from "../../src/crypto/index.js";
import { ItemState, Journal, journalTrust, type JournalItem } from "../../src/records/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { TemporaryFolder } from "../vault/temporary-vault.js";
import { errorOf } from "./error-of.js";

const OLD_FILES = join(import.meta.dirname, "../vectors/old-files");

/** Files as version 0.1.0 wrote them before each change of format; their vault's passphrase is no secret. */
describe("A journal of an older format", function () {
  this.timeout(20_000);
  let folder: TemporaryFolder;
  let vault: Vault;
  beforeEach(async () => {
    folder = new TemporaryFolder();
    copyFileSync(join(OLD_FILES, "vault-1.db"), folder.file("vault.db"));
    vault = await Vault.open(folder.file("vault.db"), passphrase("correct horse battery staple"));
  });
  afterEach(() => {
    vault[Symbol.dispose]();
    folder[Symbol.dispose]();
  });

  function open(format: 1 | 2): Journal {
    copyFileSync(join(OLD_FILES, `journal-${format}.db`), folder.file("journal.db"));
    return Journal.open(folder.file("journal.db"), vault);
  }

  function itemsOf(journal: Journal): JournalItem[] {
    return Object.values(ItemState).flatMap((state) => journal.itemsIn(state));
  }

  /** As who can write the file, without the vault. */
  function tamper(sql: string): void {
    const database = new DatabaseSync(folder.file("journal.db"));
    database.exec(sql);
    database.close();
  }

  it("1 opens with all its items, as records", () => {
    using journal = open(1);
    const items = itemsOf(journal);
    expect(items.map(({ state }) => state)).to.deep.equal([1, 5, 5, 5, 6]);
    for (const item of items)
      expect(item).to.include({ kind: LeafKind.RECORD, ref: undefined, withdrawn: undefined });
    expect(items.map(({ id }) => journal.details(id).label)).to.deep.equal([
      "test.ndjson#line 4",
      "test.ndjson#line 1",
      "test.ndjson#line 2",
      "test.ndjson#line 3",
      "test.ndjson#line 5",
    ]);
    for (const { recordId } of items.slice(1, 4)) expect(vault.keyOf(recordId!)).to.have.lengthOf(32);
  });

  it("2 opens with all its items as they stood, authenticated from then on", () => {
    using journal = open(2);
    const items = itemsOf(journal);
    expect(items.map(({ state }) => state)).to.deep.equal([1, 2, 5, 5, 5, 6]);
    expect(items[1]).to.include({ kind: LeafKind.CONSENT_DOCUMENT });
    expect(items[1]!.ref).to.match(/^0x[0-9a-f]{64}$/);
    expect(items.slice(2, 5).map(({ retracted, erased }) => [retracted, erased])).to.deep.equal([
      [false, false],
      [true, false],
      [false, true],
    ]);
    expect(journal.batches().map(({ firstIndex, count }) => [firstIndex, count])).to.deep.equal([[1, 3]]);
    expect(journal.rows.findAltered(journal.database)).to.deep.equal({ items: [], batches: [] });
    const trust = journalTrust(vault)!;
    expect(trust).to.include({ format: 1, taken: 6 });
    expect(Math.abs(trust.since - Date.now() / 1_000) < 60, "not of now").to.equal(true);
    tamper("UPDATE items SET record_id = zeroblob(16) WHERE log_index = 1");
    expect(errorOf(() => journal.itemAt(1)).code).to.equal("ERR_STORE_FAILED");
  });

  it("is left as it was when opening it is cut short, and opens the next time", () => {
    copyFileSync(join(OLD_FILES, "journal-2.db"), folder.file("journal.db"));
    // Half of the rows are done when it fails, as on a full disk.
    tamper(`CREATE TRIGGER full BEFORE UPDATE ON items WHEN old.id = 4
      BEGIN SELECT RAISE(ABORT, 'full'); END`);
    expect(errorOf(() => Journal.open(folder.file("journal.db"), vault)).code).to.equal("ERR_STORE_FAILED");
    expect(journalTrust(vault)).to.equal(undefined);
    const database = new DatabaseSync(folder.file("journal.db"));
    expect(database.prepare("PRAGMA user_version").get()).to.deep.include({ user_version: 2 });
    database.exec("DROP TRIGGER full");
    database.close();
    using journal = Journal.open(folder.file("journal.db"), vault);
    expect(itemsOf(journal)).to.have.length(6);
  });

  it("is taken on trust once: one that was made older again, to change its rows, is refused", () => {
    open(2)[Symbol.dispose]();
    tamper(`DROP INDEX items_by_source; CREATE INDEX items_by_source ON items (source_mac, id); DROP INDEX items_dead;
      CREATE UNIQUE INDEX items_by_mac ON items (item_mac); DROP TABLE controls; DROP INDEX items_withdrawn; DROP INDEX items_with_event; ALTER TABLE items DROP COLUMN withdrawn;
      ALTER TABLE items DROP COLUMN event; ALTER TABLE items DROP COLUMN row_mac; ALTER TABLE batches DROP COLUMN row_mac;
      UPDATE items SET record_id = zeroblob(16) WHERE log_index = 1; PRAGMA user_version = 2`);
    const error = errorOf(() => Journal.open(folder.file("journal.db"), vault));
    expect(error.code).to.equal("ERR_STORE_FAILED");
    expect(error.values).to.deep.equal({ path: folder.file("journal.db"), format: 2 });
    // An older file in a new one's place is no better.
    copyFileSync(join(OLD_FILES, "journal-1.db"), folder.file("journal.db"));
    expect(errorOf(() => Journal.open(folder.file("journal.db"), vault)).values["format"]).to.equal(1);
  });

  it("is not authenticated by emptying its rows' MACs", () => {
    open(2)[Symbol.dispose]();
    tamper("UPDATE items SET row_mac = NULL; UPDATE batches SET row_mac = NULL");
    using journal = Journal.open(folder.file("journal.db"), vault);
    expect(journal.rows.findAltered(journal.database)).to.deep.equal({
      items: [1, 2, 3, 4, 5, 6],
      batches: [1],
    });
  });
});
