// SPDX-License-Identifier: Apache-2.0
// Opens a vault and its journal, in a process of its own: node open-journal.ts FOLDER
import { join } from "node:path";
import { Journal } from "../../../src/records/index.js";
import { Vault, passphrase } from "../../../src/vault/index.js";

const [folder = ""] = process.argv.slice(2);
using vault = await Vault.open(join(folder, "vault.db"), passphrase("correct horse battery staple"));
using journal = Journal.open(join(folder, "journal.db"), vault);
process.stdout.write(`${JSON.stringify({ opened: journal.database.path })}\n`);
