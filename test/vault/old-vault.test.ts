// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { keySigner } from "../../src/chain/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { VAULT_FORMAT } from "../../src/vault/schema.js";
import { TemporaryFolder } from "./temporary-vault.js";

const OLD_FILES = join(import.meta.dirname, "../vectors/old-files");
const FORMATS = Array.from({ length: VAULT_FORMAT }, (_, place) => place + 1);

describe("A vault that a released version wrote", () => {
  it("is committed here for every format up to this one", () => {
    for (const format of FORMATS) expect(existsSync(join(OLD_FILES, `vault-${format}.db`))).to.equal(true);
  });

  for (const format of FORMATS) {
    it(`opens, of format ${format}, with its patients, keys of staff and member, and nothing new needed`, async () => {
      using folder = new TemporaryFolder();
      copyFileSync(join(OLD_FILES, `vault-${format}.db`), folder.file("vault.db"));
      const unlock = passphrase("correct horse battery staple");
      for (const time of ["first", "second"]) {
        using vault = await Vault.open(folder.file("vault.db"), unlock);
        expect(vault.staffKeyNames(), time).to.deep.equal(["clinician", "operator", "releaser"]);
        expect(keySigner(vault.staffKey("operator")).address).to.match(/^0x[0-9a-f]{40}$/i);
        const patient = vault.patientByIdentifier({ system: "fhir:Patient", value: "p" })!;
        expect(vault.patient(patient).identifiers).to.deep.include({ system: "fhir:Patient", value: "p" });
        expect(vault.patients().map(({ patientId }) => patientId)).to.include(vault.administrativeId());
        expect(vault.memberSecretKey(vault.currentEpoch()!)).to.have.lengthOf(32);
        expect(vault.backups.restored).to.equal(false);
        expect(vault.backups.all()).to.deep.equal([]);
      }
    });
  }
});
