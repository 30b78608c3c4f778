// SPDX-License-Identifier: Apache-2.0
// Prints who read a patient's records, when, why and on whose consent, as FHIR AuditEvents (NDJSON). Ends with 1 when
// the node's list is not what the chain counted.
//   node --import tsx scripts/audit.ts a/chartseal.json passphrase.txt 0x5e1f... > disclosures.ndjson
import { Chartseal, auditEventNdjson, credential, type Hex } from "../src/index.js";

const [config, passphraseFile, patient] = process.argv.slice(2);
if (config === undefined || passphraseFile === undefined || patient === undefined) {
  throw new Error("usage: audit.ts CHARTSEAL_JSON PASSPHRASE_FILE PATIENT_ID");
}

await using hospital = await Chartseal.open(config, { unlock: credential(passphraseFile) });
const audit = await hospital.audit.disclosures({ patient: patient as Hex });

// Every event moves the patient's head on chain: the heads that these events lead to are compared with the chain's.
for (const { registry, complete, detail } of audit.heads) {
  console.error(`${registry}: ${complete ? "complete" : "INCOMPLETE"}, ${detail}`);
}
for (const entry of audit.entries) {
  if (entry.kind !== "access") continue;
  const when = new Date(entry.at * 1000).toISOString(); // the block's time
  console.error(`${when} member ${entry.memberId} read for ${entry.purpose}: ${entry.extent.toLowerCase()}`);
}

process.stdout.write(auditEventNdjson(audit));
process.exitCode = audit.complete ? 0 : 1;
