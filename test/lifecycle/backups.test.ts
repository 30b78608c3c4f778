// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signAs } from "../../src/consent/index.js";
import { ItemState, Journal, UNPLACED, type JournalBatch } from "../../src/records/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
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
      another.vault.backups.copyTo(join(folder, "vault.db"), { now: 1, expiresAt: 2 });
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

  it("erases nothing else in place of an erased entry whose number was still open when it was taken", async () => {
    const place = await consortium.hospital("b");
    const folder = join(place.folder, "copy");
    mkdirSync(folder);
    const device = new PatientDevice();
    await using hospital = await openHospital(place);
    await hospital.patients.enrol({ identifiers: [{ system: "fhir:Patient", value: "p" }], signer: device });
    for (const id of [1, 2, 3]) await hospital.ingest(linesSource(observations("p", 1, id)));
    hospital.journal.copyTo(join(folder, "journal.db"));
    hospital.vault.backups.copyTo(join(folder, "vault.db"), { now: 1, expiresAt: 2 });
    const act = await hospital.erasures.prepare(2, "patient");
    await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });

    const config = JSON.parse(readFileSync(place.config, "utf8")) as object;
    const paths = { vault: join(folder, "vault.db"), journal: join(folder, "journal.db") };
    writeFileSync(join(place.folder, "copy.json"), JSON.stringify({ ...config, ...paths }));
    await using copy = await openHospital({ config: join(place.folder, "copy.json") });
    copy.vault.backups.addKeks(hospital.vault.backups.keks());
    // As if the third record's batch had been built as entry 2 and not been sent, when another took its place.
    const { journal } = copy;
    journal.change(journal.itemAt(2)!, { ...UNPLACED, state: ItemState.SEALED });
    journal.change(journal.itemAt(3)!, { logIndex: 2, state: ItemState.BATCHED });
    const [, erased, third] = journal.batches() as [JournalBatch, JournalBatch, JournalBatch];
    journal.database.run("DELETE FROM batches WHERE id = ?", erased.id);
    journal.database.run(
      "UPDATE batches SET first_index = 2, state = 3, row_mac = ? WHERE id = ?",
      journal.rows.macOfBatch({ ...third, firstIndex: 2 }),
      third.id,
    );
    const other = journal.itemAt(2)!.recordId!;
    expect(await copy.erasures.reconcile()).to.deep.include({ erased: 0 });
    expect(copy.vault.keyOf(other)).to.have.length(32);
  });

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
