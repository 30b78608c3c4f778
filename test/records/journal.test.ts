// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { ItemState, Journal, type NewItem } from "../../src/records/index.js";
import { TemporaryVault } from "../vault/temporary-vault.js";
import { errorOf } from "./error-of.js";

describe("Journal", function () {
  this.timeout(20_000);
  let temporary: TemporaryVault;
  let journal: Journal;

  beforeEach(async () => {
    temporary = await TemporaryVault.make();
    journal = Journal.open(temporary.folder.file("journal.db"), temporary.vault);
  });
  afterEach(() => {
    journal[Symbol.dispose]();
    temporary[Symbol.dispose]();
  });

  function item(state: ItemState, key = "Observation/1"): NewItem {
    return {
      itemMac: randomBytes(32),
      sourceMac: journal.macOf("source", key),
      state,
      sealed: { recordId: randomBytes(16), cid: "b", contentDigest: randomBytes(32) },
      details: { sourceKey: key, label: "Anna Beispiel", path: "p", mediaType: "text/plain", size: 1 },
      recordedDay: 19_000,
      receivedAt: 1,
    };
  }

  it("knows an item by its keyed hash and takes it once", () => {
    const first = item(ItemState.SEALED);
    expect(journal.knows(first)).to.equal(false);
    expect(journal.add(first)).to.equal(true);
    expect(journal.add(first)).to.equal(false);
    expect(journal.knows(first)).to.equal(true);
  });

  it("keeps parts of a keyed hash apart", () => {
    expect(journal.macOf("ab", "c")).to.not.deep.equal(journal.macOf("a", "bc"));
  });

  it("opens an item's details only in the row they were written for", () => {
    journal.add(item(ItemState.SEALED));
    journal.add(item(ItemState.SEALED, "Observation/2"));
    expect(journal.details(1).label).to.equal("Anna Beispiel");
    journal.database.run("UPDATE items SET details = (SELECT details FROM items WHERE id = 2) WHERE id = 1");
    expect(errorOf(() => journal.details(1)).code).to.equal("ERR_VAULT_DAMAGED");
    expect(errorOf(() => journal.details(9)).code).to.equal("ERR_USAGE");
  });

  it("takes as amended neither what was refused nor what was retracted", () => {
    const { sourceMac } = item(ItemState.SEALED);
    for (const state of [ItemState.SEALED, ItemState.SEALED, ItemState.DEAD]) journal.add(item(state));
    expect(journal.newestOf(sourceMac)?.id).to.equal(2);
    journal.change(journal.item(2)!, { retracted: true });
    expect(journal.newestOf(sourceMac)?.id).to.equal(1);
  });

  it("reads the items of a state page by page, oldest first", () => {
    for (let number = 0; number < 5; number++) journal.add(item(ItemState.WAITING, `O/${number}`));
    const pages: number[][] = [];
    for (let last = 0; pages.at(-1)?.length !== 0; last = pages.at(-1)?.at(-1) ?? 0) {
      pages.push(journal.itemsIn(ItemState.WAITING, 2, last).map(({ id }) => id));
    }
    expect(pages).to.deep.equal([[1, 2], [3, 4], [5], []]);
    expect(journal.hasIn(ItemState.WAITING)).to.equal(true);
    expect(journal.hasIn(ItemState.SEALED)).to.equal(false);
  });

  it("finds what is not anchored without looking at what is", () => {
    const plan = (sql: string) =>
      journal.database.all(`EXPLAIN QUERY PLAN ${sql}`).map((row) => String(row["detail"]));
    const { database } = journal;
    const asked: string[] = [];
    const all = database.all.bind(database);
    const get = database.get.bind(database);
    const map = database.map.bind(database);
    Object.assign(database, {
      all: (...args: Parameters<typeof all>) => (asked.push(args[0]), all(...args)),
      get: (...args: Parameters<typeof get>) => (asked.push(args[0]), get(...args)),
      map: (...args: Parameters<typeof map>) => (asked.push(args[1]), map(...args)),
    });
    journal.itemsIn(ItemState.SEALED, 10);
    journal.rowsIn(ItemState.SEALED, 10);
    journal.hasIn(ItemState.SEALED);
    journal.openBatches();
    expect(asked).to.have.lengthOf(4);
    for (const sql of asked.slice())
      expect(plan(sql).join(), sql).to.match(/INDEX (items_by_state|batches_open)/);
  });

  it("has one writer at a time, in this process and in others", () => {
    const lock = journal.lock();
    expect(errorOf(() => journal.lock())).to.include({ code: "ERR_JOURNAL_LOCKED", retryable: true });
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    using _ = journal.lock();
    expect(errorOf(() => journal.lock()).code).to.equal("ERR_JOURNAL_LOCKED");
  });

  it("refuses a file of another format", () => {
    const path = temporary.folder.file("other.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE items (id); PRAGMA user_version = 9");
    database.close();
    expect(errorOf(() => Journal.open(path, temporary.vault)).code).to.equal("ERR_FORMAT_UNSUPPORTED");
  });
});
