// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import { toHex } from "../../src/crypto/index.js";
import { ItemState, Journal, figuresOf, UNPLACED, type JournalBatch } from "../../src/records/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { Consortium, enrol, openHospital, type Hospital } from "../support/hospital.js";
import { linesSource, observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import { PatientDevice } from "../support/sharing-acts.js";

const PASSPHRASE = "correct horse battery staple";

describe("A backup", function () {
  this.timeout(60_000);
  let consortium: Consortium;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("taken while records come in names no record whose key it lacks", async () => {
    const place = await consortium.hospital("a");
    await using hospital = await openHospital(place);
    await using another = await openHospital(place);
    await enrol(hospital, "p");
    const folders: string[] = [];
    const onProgress = () => {
      const folder = join(place.folder, `backup-${folders.length}`);
      mkdirSync(folder);
      another.journal.copyTo(join(folder, "journal.db"));
      const { backups } = another.vault;
      backups.copyTo(join(folder, "vault.db"), backups.begin({ now: 1, expiresAt: 2 }));
      folders.push(folder);
    };
    await hospital.ingest(linesSource(observations("p", 500)), { onProgress, batchItems: 100 });
    expect(folders.length).to.be.greaterThan(2);
    const counts: number[] = [];
    for (const folder of folders) {
      using vault = await Vault.open(join(folder, "vault.db"), passphrase(PASSPHRASE));
      vault.backups.addKeks(hospital.vault.backups.keks());
      vault.backups.reconciled();
      using journal = Journal.open(join(folder, "journal.db"), vault);
      const items = journal.database.all("SELECT record_id FROM items");
      for (const { record_id: recordId } of items)
        expect(vault.keyOf(recordId as Uint8Array)).to.have.length(32);
      counts.push(items.length);
    }
    expect(Math.max(...counts)).to.be.greaterThan(0);
  });

  for (const [erased, what] of [
    [2, "nothing else in place of an erased entry"],
    [3, "an entry"],
  ] as const) {
    it(`erases ${what} whose number was still open when it was taken`, async () => {
      const place = await consortium.hospital(`b${erased}`);
      const device = new PatientDevice();
      await using hospital = await openHospital(place);
      await hospital.patients.enrol({
        identifiers: [{ system: "fhir:Patient", value: "p" }],
        signer: device,
      });
      for (const id of [1, 2, 3]) await hospital.ingest(linesSource(observations("p", 1, id)));
      const folder = copyOf(hospital, place);
      const act = await hospital.erasures.prepare(erased, "patient");
      await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });

      await using copy = await openCopy(place, folder);
      copy.vault.backups.addKeks(hospital.vault.backups.keks());
      // As if the third record's batch had been built as entry 2 and not been sent, when another took its place.
      const { journal, vault } = copy;
      journal.change(journal.itemAt(2)!, { ...UNPLACED, state: ItemState.SEALED });
      journal.change(journal.itemAt(3)!, { logIndex: 2, state: ItemState.BATCHED });
      const [, second, third] = journal.batches() as [JournalBatch, JournalBatch, JournalBatch];
      journal.database.run("DELETE FROM batches WHERE id = ?", second.id);
      journal.database.run(
        "UPDATE batches SET first_index = 2, state = 3, row_mac = ? WHERE id = ?",
        journal.rows.macOfBatch({ ...third, firstIndex: 2 }),
        third.id,
      );
      expect(await copy.erasures.reconcile()).to.deep.include({ erased: 1 });
      const recordIds = [2, 3].map((index) => hospital.journal.itemAt(index)!.recordId!);
      const gone = recordIds[erased - 2]!;
      expect(vault.keyOf(recordIds[3 - erased]!)).to.have.length(32);
      expect(() => vault.keyOf(gone))
        .to.throw()
        .with.property("code", "ERR_KEY_ERASED");
      // Its batch is taken apart: the others get new places, it gets none.
      expect(await copy.retry()).to.deep.include({ anchored: 1 });
      const row = journal.database.get("SELECT * FROM items WHERE record_id = ?", gone)!;
      expect(row).to.include({ state: ItemState.DEAD, erased: 1, reason: "ERR_KEY_ERASED", log_index: null });
    });
  }

  for (const state of ["SEALED", "WAITING"] as const) {
    it(`erases what was ${state} when it was taken, and was anchored and erased since`, async () => {
      const place = await consortium.hospital(state);
      const device = new PatientDevice();
      await using hospital = await openHospital(place);
      await hospital.patients.administrative();
      const enrolled = (at = hospital, signer = device) =>
        at.patients.enrol({ identifiers: [{ system: "fhir:Patient", value: "p" }], signer });
      const lines = observations("p", 2);
      if (state === "SEALED") {
        await enrolled();
        await using alone = await openHospital({ config: configOf(place, { chain: DEAD_CHAIN }) });
        await alone.ingest(linesSource(lines), { chainWait: 0 });
      } else await hospital.ingest(linesSource(lines));
      expect(hospital.journal.countIn(ItemState[state], 9)).to.equal(2);
      const folder = copyOf(hospital, place);
      if (state === "WAITING") await enrolled();
      await hospital.retry();
      const { recordId, cid } = hospital.journal.itemAt(1)!;
      const body = Buffer.concat(await Array.fromAsync(hospital.store.get(cid!)));
      const act = await hospital.erasures.prepare(1, "patient");
      await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });

      await using copy = await openCopy(place, folder);
      const { vault, journal, store } = copy;
      vault.backups.addKeks(hospital.vault.backups.keks());
      await store.putMany([body]);
      expect(await copy.erasures.reconcile()).to.deep.include({ erased: 1 });
      expect(() => vault.keyOf(recordId!))
        .to.throw()
        .with.property("code", "ERR_KEY_ERASED");
      expect(await store.has(cid!)).to.equal(false);
      expect(figuresOf(journal.database)).to.deep.include({ deadLetters: [] });

      // The other one gets its place again; the erased one never does, not even read anew from its source.
      if (state === "WAITING") await enrolled(copy, new PatientDevice());
      const before = await hospital.chain.records.headOf(place.memberId);
      expect(await copy.ingest(linesSource(lines))).to.deep.include({ known: 2 });
      await copy.retry({ dead: true });
      expect(await hospital.chain.records.headOf(place.memberId)).to.equal(before + 1n);
      const rows = journal.database.all("SELECT record_id FROM items WHERE log_index > ?", Number(before));
      expect(rows.map((row) => toHex(row["record_id"] as Uint8Array))).not.to.include(toHex(recordId!));
    });
  }

  it("of another log gives no key, and erases nothing", async () => {
    const place = await consortium.hospital("c");
    await using hospital = await openHospital(place);
    const device = new PatientDevice();
    await hospital.patients.enrol({ identifiers: [{ system: "fhir:Patient", value: "p" }], signer: device });
    await hospital.ingest(linesSource(observations("p", 2)));
    const act = await hospital.erasures.prepare(1, "patient");
    const other = hospital.journal.itemAt(2)!.recordId!;
    await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
    // The two entries change places, as in another log's journal.
    const { journal } = hospital;
    const [first, second] = [journal.itemAt(1)!, journal.itemAt(2)!];
    journal.change(second, { logIndex: 100 });
    journal.change(first, { logIndex: 2 });
    journal.change(journal.itemAt(100)!, { logIndex: 1 });
    await rejected("ERR_CHAIN_MISMATCH", hospital.erasures.reconcile());
    await rejected("ERR_CHAIN_MISMATCH", hospital.erasures.finish(1));
    expect(hospital.vault.keyOf(other)).to.have.length(32);
  });

  it("erases what was on its way when it was taken, and was anchored and erased since", async () => {
    const place = await consortium.hospital("d");
    await using hospital = await openHospital(place);
    const device = new PatientDevice();
    await hospital.patients.enrol({ identifiers: [{ system: "fhir:Patient", value: "p" }], signer: device });
    await hospital.ingest(linesSource(observations("p", 2)));
    const act = await hospital.erasures.prepare(1, "patient");
    const { recordId } = hospital.journal.itemAt(1)!;
    await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
    // The journal as it was before it knew: its vault's copy would still hold the key.
    const { journal } = hospital;
    const { database } = journal;
    for (const item of journal.itemsIn(ItemState.ANCHORED))
      journal.change(item, { state: ItemState.SUBMITTED, erased: false });
    database.run("UPDATE batches SET state = 4 WHERE first_index = 1");
    expect(await hospital.erasures.reconcile()).to.deep.include({ erased: 1 });
    expect(hospital.journal.itemAt(1)).to.deep.include({ erased: true, recordId });
  });
});

const DEAD_CHAIN = { url: "http://127.0.0.1:9", deployment: "../deployment.json" };

/** Another configuration of a hospital's. @returns its path */
function configOf({ config, folder }: Hospital, changes: object): string {
  const path = join(folder, `${randomUUID()}.json`);
  writeFileSync(
    path,
    JSON.stringify({ ...(JSON.parse(readFileSync(config, "utf8")) as object), ...changes }),
  );
  return path;
}

/** Copies journal and vault as a backup does. @returns the folder */
function copyOf({ journal, vault }: Chartseal, place: Hospital): string {
  const folder = join(place.folder, "copy");
  mkdirSync(folder);
  journal.copyTo(join(folder, "journal.db"));
  const { backups } = vault;
  backups.copyTo(join(folder, "vault.db"), backups.begin({ now: 1, expiresAt: 2 }));
  return folder;
}

async function openCopy(place: Hospital, folder: string): Promise<Chartseal> {
  const paths = { vault: join(folder, "vault.db"), journal: join(folder, "journal.db") };
  return await openHospital({ config: configOf(place, paths) });
}
