// SPDX-License-Identifier: Apache-2.0
// Writes a journal of the present format with items in every state, and its vault, to test/vectors/old-files: to be run
// before a change of format, with the code of before. node --import tsx test/records/children/make-journal.ts FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "ethers";
import { accountSigner } from "../../../src/index.js";
import { signAs } from "../../../src/consent/index.js";
import { LeafKind } from "../../../src/crypto/index.js";
import { ndjsonSource } from "../../../src/ingest/index.js";
import { JOURNAL_FORMAT } from "../../../src/records/journal-schema.js";
import { observation } from "../../cli/observations.js";
import { Consortium, openHospital } from "../../support/hospital.js";

const [folder = ""] = process.argv.slice(2);
await using consortium = await Consortium.start();
const place = await consortium.hospital("a");
const device = accountSigner(Wallet.createRandom());
const file = join(consortium.folder, "test.ndjson");
const written = (...lines: string[]) => {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return ndjsonSource(file);
};
{
  await using hospital = await openHospital(place);
  const identifiers = [{ system: "fhir:Patient", value: "p" }];
  const patientId = await hospital.patients.enrol({ identifiers, signer: device });
  const four = ["p", "p", "p", "stranger"].map((patient, number) => observation(`o${number + 1}`, patient));
  await hospital.ingest(written(...four, "{not json"));
  await hospital.ingest(written(observation("o1", "p", 2)));
  const act = await hospital.erasures.prepare(2, "patient");
  await hospital.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
  await hospital.retract(3);
  await consortium.chain.rpc("evm_setAutomine", [false]);
  const soon = AbortSignal.timeout(3_000); // sent, and never mined
  const sent = written(observation("o6", "p"), observation("o7", "p"));
  await hospital.ingest(sent, { signal: soon, batchWait: 0 }).catch(() => {});
  const receipt = { mediaType: "application/json", label: "receipt", bytes: Buffer.from("{}") };
  const ref = `0x${"07".repeat(32)}` as const;
  await hospital.fileDocument({ kind: LeafKind.ACCESS_RECEIPT, patientId, ref, ...receipt });
}
await using hospital = await openHospital(place);
hospital.journal.copyTo(join(folder, `busy-journal-${JOURNAL_FORMAT}.db`));
hospital.vault.copyTo(join(folder, `busy-vault-${JOURNAL_FORMAT}.db`));
