// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { expect } from "chai";
import { LeafKind, toHex } from "../../src/crypto/index.js";
import { ItemState, Journal, isAlteredRow, takeBack, type NewItem } from "../../src/records/index.js";
import { UNPLACED, setAside } from "../../src/records/item-changes.js";
import { TemporaryVault } from "../vault/temporary-vault.js";
import { errorOf } from "./error-of.js";

/** What each column of an item may be changed to by who can write the file. */
const OTHER: Record<string, SQLInputValue> = {
  id: 7,
  item_mac: randomBytes(32),
  source_mac: randomBytes(32),
  state: ItemState.WAITING,
  reason: "ERR_ITEM_INVALID",
  record_id: randomBytes(16),
  cid: "other",
  content_digest: randomBytes(32),
  recorded_day: 19_001,
  kind: LeafKind.CONSENT_DOCUMENT,
  ref: randomBytes(32),
  patient_id: randomBytes(32),
  compartment: 4,
  amends: 2,
  batch_id: 2,
  log_index: 9,
  patient_seq: 9,
  amended_index: 9,
  salt: randomBytes(32),
  leaf_hash: randomBytes(32),
  superseded_by: 9,
  retracted: 1,
  erased: 1,
  withdrawn: 3,
  event: 1,
  row_mac: randomBytes(32),
};
/** Shown, sealed to the row's `item_mac`, or decided by nothing. */
const NOT_COVERED = ["details", "received_at"];

const OTHER_OF_BATCH: Record<string, SQLInputValue> = {
  id: 7,
  first_index: 5,
  count: 5,
  root: randomBytes(32),
  manifest_digest: randomBytes(32),
  manifest_cid: "other",
  row_mac: null,
};
/** What the chain says of a batch, and how far it is. */
const OF_THE_CHAIN = [
  ...["state", "raw_transaction", "transaction_hash", "block_number", "block_hash", "gas_used"],
];

describe("A journal whose file somebody wrote past chartseal", function () {
  this.timeout(20_000);
  let temporary: TemporaryVault;
  let journal: Journal;
  let path: string;

  beforeEach(async () => {
    temporary = await TemporaryVault.make();
    path = temporary.folder.file("journal.db");
    journal = Journal.open(path, temporary.vault);
    for (const key of ["first", "second"]) journal.add(item(key));
    insertBatch(1, 1);
    insertBatch(2, 3);
    journal.change(journal.item(1)!, {
      ...{ state: ItemState.BATCHED, batchId: 1, logIndex: 1, patientSeq: 1 },
      ...{ amendedIndex: undefined, salt: randomBytes(32), leafHash: randomBytes(32) },
    });
  });
  afterEach(() => {
    journal[Symbol.dispose]();
    temporary[Symbol.dispose]();
  });

  function item(key: string): NewItem {
    return {
      itemMac: randomBytes(32),
      sourceMac: journal.macOf("source", key),
      state: ItemState.SEALED,
      sealed: { recordId: randomBytes(16), cid: "b", contentDigest: randomBytes(32) },
      details: { sourceKey: key, label: key, path: "p", mediaType: "text/plain", size: 1 },
      recordedDay: 19_000,
      receivedAt: 1,
      patient: { patientId: toHex(randomBytes(32)), compartment: 3 },
    };
  }

  function insertBatch(id: number, firstIndex: number): void {
    const facts = { id, firstIndex, count: 1, root: randomBytes(32), manifestDigest: randomBytes(32) };
    const mac = journal.rows.macOfBatch({ ...facts, manifestCid: "b" });
    journal.database.run(
      `INSERT INTO batches (id, state, first_index, count, root, manifest_digest, manifest_cid, row_mac)
       VALUES (?, 3, ?, ?, ?, ?, 'b', ?)`,
      ...[id, firstIndex, 1, facts.root, facts.manifestDigest, mac],
    );
  }

  /** As the database administrator does it: in another connection, without the vault. */
  function tamper(sql: string, ...values: SQLInputValue[]): void {
    const database = new DatabaseSync(path);
    try {
      database.exec("PRAGMA foreign_keys = OFF");
      expect(database.prepare(sql).run(...values).changes, sql).to.be.greaterThan(0);
    } finally {
      database.close();
    }
  }

  function columnsOf(table: string): string[] {
    return journal.database
      .all("SELECT name FROM pragma_table_info(?)", table)
      .map(({ name }) => String(name));
  }

  it("shows nothing while the rows are as they were written", () => {
    expect(journal.rows.findAltered(journal.database)).to.deep.equal({ items: [], batches: [] });
  });

  it("has no column that is neither authenticated nor known to decide nothing", () => {
    expect([...Object.keys(OTHER), ...NOT_COVERED].sort()).to.deep.equal(columnsOf("items").sort());
    expect([...Object.keys(OTHER_OF_BATCH), ...OF_THE_CHAIN].sort()).to.deep.equal(
      columnsOf("batches").sort(),
    );
  });

  for (const [column, value] of Object.entries(OTHER)) {
    it(`refuses an item whose ${column} was changed, by its number, and gives the others`, () => {
      tamper(`UPDATE items SET ${column} = ? WHERE id = 1`, value);
      const id = column === "id" ? 7 : 1;
      const error = errorOf(() => journal.item(id));
      expect(error.code).to.equal("ERR_STORE_FAILED");
      expect(error.values).to.deep.equal({ table: "item", row: id });
      expect(error.message).to.equal(`the journal's item ${id} was altered past chartseal`);
      expect(journal.rows.findAltered(journal.database).items).to.deep.equal([id]);
      expect(journal.item(2)!.state).to.equal(ItemState.SEALED);
    });
  }

  for (const [column, value] of Object.entries(OTHER_OF_BATCH)) {
    it(`refuses a batch whose ${column} was changed, by its number`, () => {
      tamper(`UPDATE batches SET ${column} = ? WHERE id = 1`, value);
      const id = column === "id" ? 7 : 1;
      const error = errorOf(() => journal.batch(id));
      expect(error.code).to.equal("ERR_STORE_FAILED");
      expect(error.values).to.deep.equal({ table: "batch", row: id });
      expect(errorOf(() => journal.openBatches()).values).to.deep.equal(error.values);
      expect(journal.rows.findAltered(journal.database).batches).to.deep.equal([id]);
      expect(journal.batch(2)!.firstIndex).to.equal(3);
    });
  }

  it("refuses a field that was emptied, and one that holds what chartseal cannot have written", () => {
    for (const [column, value] of [
      ["record_id", null],
      ["patient_id", new Uint8Array(0)],
      ["recorded_day", -1],
      ["recorded_day", 19_000 - 2 ** 32],
      ["recorded_day", 19_000 + 2 ** 32],
    ] as const) {
      const before = journal.database.get(`SELECT ${column} AS value FROM items WHERE id = 1`)!["value"]!;
      tamper(`UPDATE items SET ${column} = ? WHERE id = 1`, value);
      expect(errorOf(() => journal.item(1)).code, column).to.equal("ERR_STORE_FAILED");
      tamper(`UPDATE items SET ${column} = ? WHERE id = 1`, before);
      expect(journal.item(1)!.id).to.equal(1);
    }
    tamper("UPDATE items SET recorded_day = ? WHERE id = 1", 2n ** 60n);
    expect(errorOf(() => journal.item(1)).code).to.equal("ERR_STORE_FAILED");
  });

  it("refuses two rows that changed places, whole as they are", () => {
    for (const [from, to] of [
      [1, 100],
      [2, 1],
      [100, 2],
    ] as const)
      tamper("UPDATE items SET id = ? WHERE id = ?", to, from);
    for (const id of [1, 2]) expect(errorOf(() => journal.item(id)).values["row"]).to.equal(id);
  });

  it("refuses a row that was made up, and one with another row's MAC", () => {
    tamper(`INSERT INTO items (id, item_mac, source_mac, state, details, recorded_day, received_at, row_mac)
      SELECT 3, x'00', source_mac, state, details, recorded_day, received_at, row_mac FROM items WHERE id = 2`);
    expect(errorOf(() => journal.item(3)).values["row"]).to.equal(3);
    tamper("UPDATE items SET row_mac = (SELECT row_mac FROM items WHERE id = 1) WHERE id = 2");
    expect(errorOf(() => journal.item(2)).values["row"]).to.equal(2);
  });

  it("takes an anchored item neither for a sealed one, nor a refused one", () => {
    tamper("UPDATE items SET state = 5 WHERE id = 1");
    expect(journal.item(1)!.state).to.equal(ItemState.ANCHORED);
    for (const state of [ItemState.WAITING, ItemState.SEALED, ItemState.DEAD]) {
      tamper("UPDATE items SET state = ? WHERE id = 1", state);
      expect(journal.rowsIn(state).filter(isAlteredRow), String(state)).to.deep.equal([
        { id: 1, altered: true },
      ]);
      expect(errorOf(() => journal.itemsIn(state)).values["row"]).to.equal(1);
    }
  });

  it("changes no item that is not as it was read", () => {
    const read = journal.item(2)!;
    journal.change(read, { state: ItemState.WAITING });
    expect(errorOf(() => journal.change(read, { retracted: true }))).to.include({
      code: "ERR_JOURNAL_LOCKED",
      retryable: true,
    });
    expect(journal.item(2)!.retracted).to.equal(false);
  });

  it("gives an item that was set aside another chance once its row is put back, and not before", () => {
    const patient = Buffer.from(journal.item(2)!.patientId!.slice(2), "hex");
    tamper("UPDATE items SET patient_id = ? WHERE id = 2", randomBytes(32));
    setAside(journal, 2);
    expect(takeBack(journal, 2)).to.equal(false);
    expect(errorOf(() => journal.itemsIn(ItemState.DEAD)).values["row"]).to.equal(2);
    tamper("UPDATE items SET patient_id = ? WHERE id = 2", patient);
    expect(takeBack(journal, 2)).to.equal(true);
    expect(journal.item(2)).to.include({ state: ItemState.SEALED, reason: undefined });
    expect(takeBack(journal, 2)).to.equal(false);
    // Of a placed one nobody knows the place any more.
    expect(journal.item(1)).to.not.include(UNPLACED);
    tamper("UPDATE items SET compartment = 1 WHERE id = 1");
    setAside(journal, 1);
    expect(takeBack(journal, 1)).to.equal(false);
  });
});
