// SPDX-License-Identifier: Apache-2.0
// A patient lets another member read his records for treatment, for 30 days. Prints the ticket for that member.
//   node --import tsx scripts/grant.ts a/chartseal.json passphrase.txt 0x5e1f... patient.key 2 > ticket.json
import { readFileSync } from "node:fs";
import { Chartseal, credential, keySigner, signAs, type Hex } from "../src/index.js";

const [config, passphraseFile, patient, keyFile, grantee] = process.argv.slice(2);
if (config === undefined || passphraseFile === undefined || patient === undefined || keyFile === undefined) {
  throw new Error("usage: grant.ts CHARTSEAL_JSON PASSPHRASE_FILE PATIENT_ID KEY_FILE GRANTEE_MEMBER_ID");
}

await using hospital = await Chartseal.open(config, { unlock: credential(passphraseFile) });

const prepared = hospital.consent.terms({
  patient: patient as Hex,
  grantee: Number(grantee),
  purposes: ["TREAT"],
  notAfter: new Date(Date.now() + 30 * 86_400_000), // milliseconds
  // Left out, all of the patient's compartments and days are meant. One compartment only:
  // compartments: [hospital.vault.compartmentOf(patient, "general")],
});

// What the patient signs is EIP-712 typed data: his device shows him who may read what, why and until when. The key
// file stands for that device.
const signature = await signAs(keySigner(readFileSync(keyFile, "utf8").trim()), prepared.typedData);

// The hospital relays it; it cannot change a word of it.
const ticket = await hospital.consent.grant(prepared, signature);
console.log(JSON.stringify(ticket, null, 2));

// He ends it at any time, with hospital.consent.revocation(...), signed in the same way, and hospital.consent.revoke.
