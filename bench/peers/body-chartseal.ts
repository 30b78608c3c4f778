// SPDX-License-Identifier: Apache-2.0
// chartseal's intake of one file, until it is safe: digest, seal, store, journal. node body-chartseal.ts FILE FOLDER
import { join } from "node:path";
import { Filer } from "../../src/ingest/filing.js";
import { fileSource } from "../../src/ingest/index.js";
import { takeIn } from "../../src/ingest/intake.js";
import { DEFAULT_RULES, Journal } from "../../src/records/index.js";
import { openEmbeddedStore } from "../../src/storage/index.js";
import { Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { UNLOCK, VAULT_COST } from "../../test/support/hospital.js";
import { timed } from "./body-outcome.js";

const [file = "", folder = ""] = process.argv.slice(2);
await createVaultFile(join(folder, "vault.db"), UNLOCK, VAULT_COST);
using vault = await Vault.open(join(folder, "vault.db"), UNLOCK);
using journal = Journal.open(join(folder, "journal.db"), vault);
await using store = await openEmbeddedStore(join(folder, "store"));
const filer = new Filer({ vault, rules: DEFAULT_RULES, compartment: "general" });
await timed(async () => {
  const items = await Array.fromAsync(fileSource(file));
  // Nobody is named in a file that is not looked into: it is sealed and safe, and waits for its patient.
  const { waiting } = await takeIn({ memberId: 1, vault, store, journal, filer }, items);
  if (waiting !== 1) throw new Error("the file was not taken in");
});
