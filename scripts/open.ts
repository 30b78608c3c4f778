// SPDX-License-Identifier: Apache-2.0
// Reads what a patient of another member granted: lists it, requests records of one type, writes their exact bytes.
// The list and the request are on chain before the first byte, and the custodian's release agent must run.
//   node --import tsx scripts/open.ts b/chartseal.json passphrase.txt ticket.json Observation records/
import { mkdirSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Chartseal, credential, verifyReceipt, type GrantTicket } from "../src/index.js";

const [config, passphraseFile, ticketFile, type, folder] = process.argv.slice(2);
if (config === undefined || passphraseFile === undefined || ticketFile === undefined || type === undefined) {
  throw new Error("usage: open.ts CHARTSEAL_JSON PASSPHRASE_FILE TICKET_FILE RESOURCE_TYPE FOLDER");
}
const out = folder ?? "records";
mkdirSync(out, { recursive: true, mode: 0o700 });

await using hospital = await Chartseal.open(config, { unlock: credential(passphraseFile) });
const ticket = JSON.parse(readFileSync(ticketFile, "utf8")) as GrantTicket;

const chart = await hospital.access.list(ticket, { purpose: "TREAT" });
// Numbers that are missing lie in compartments or days that the grant leaves out, or were withdrawn.
if (chart.gaps.length > 0)
  console.error(`the list leaves out the patient's entries ${chart.gaps.join(", ")}`);

// `current` leaves out what a later record replaced.
const wanted = chart.filter({ type, current: true });
const opened = await hospital.access.request(wanted, { purpose: "TREAT" });

for await (const { leaf, manifest, body } of opened.open()) {
  // Until its end a body is provisional: it becomes the record's file only once it was read without an error. A name
  // from another hospital never becomes a path: the index is enough.
  const file = join(out, `${leaf.index}.record`);
  await writeFile(`${file}.tmp`, body, { mode: 0o600 });
  await rename(`${file}.tmp`, file);

  // Evidence for later: what was read is what the custodian anchored.
  const receipt = chart.receipt(leaf.index);
  await writeFile(join(out, `${leaf.index}.receipt.json`), JSON.stringify(receipt), { mode: 0o600 });
  const { ok } = await verifyReceipt(receipt);
  console.log(
    JSON.stringify({ index: leaf.index, mediaType: manifest.mediaType, bytes: manifest.size, verified: ok }),
  );
}
