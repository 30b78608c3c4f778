// SPDX-License-Identifier: Apache-2.0
// Enrols a patient: a pseudonym on chain, his identifiers in the vault. Prints the patient id.
//   node --import tsx scripts/enrol.ts a/chartseal.json passphrase.txt https://hospital.example/mrn 4711 patient.key
import { readFileSync } from "node:fs";
import { Chartseal, accountSigner, credential, keySigner } from "../src/index.js";

const [config, passphraseFile, system, value, keyFile] = process.argv.slice(2);
if (config === undefined || passphraseFile === undefined || system === undefined || value === undefined) {
  throw new Error("usage: enrol.ts CHARTSEAL_JSON PASSPHRASE_FILE SYSTEM VALUE [KEY_FILE]");
}

await using hospital = await Chartseal.open(config, { unlock: credential(passphraseFile) });

// Records name a patient in several ways: give each as one identifier, and all of them are found.
const identifiers = [{ system, value }];

// The key file stands for the patient's device. In production a PatientSigner asks his phone to sign instead; a
// patient without a device is enrolled without a signer, and consents on paper before two witnesses.
const device =
  keyFile === undefined ? {} : { signer: accountSigner(keySigner(readFileSync(keyFile, "utf8").trim())) };

const patient =
  hospital.patients.find({ system, value }) ?? (await hospital.patients.enrol({ identifiers, ...device }));
await hospital.patients.administrative(); // for resources that are nobody's record, such as Practitioner
console.log(patient);
