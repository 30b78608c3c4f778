// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Journal } from "../../src/records/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { linesSource, observations } from "../support/observations.js";

const PASSPHRASE = "correct horse battery staple";

describe("A backup taken while records come in", function () {
  this.timeout(60_000);
  let consortium: Consortium;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("names no record whose key it lacks, and holds none half", async () => {
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
});
