// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ENTRY_STATUS } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { Entries } from "../../src/records/index.js";
import { enrol } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { checkLog } from "../support/log-check.js";
import { linesSource, observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";

const SYSTEM = "fhir:Patient";

describe("A patient who was enrolled twice", function () {
  this.timeout(60_000);
  let hospital: Chartseal;
  let twin: Hex;
  let one: Hex;

  hospitalForEach(async (own) => {
    ({ hospital } = own);
    [twin, one] = (await enrol(hospital, "twin", "one")) as [Hex, Hex];
  });

  const take = (id: string, patient: string, note = "first") =>
    hospital.ingest(linesSource([observation({ id, patient, note })]));
  const patientAt = (index: number) => hospital.journal.itemAt(index)!.patientId;

  it("is one person in the vault: new records go to the id that stays, old ones stay where they are", async () => {
    await take("old", "twin");
    hospital.vault.merges.merge(twin, one);
    expect(hospital.vault.patientByIdentifier({ system: SYSTEM, value: "twin" })).to.equal(one);
    await take("new", "twin");
    expect([patientAt(1), patientAt(2)]).to.deep.equal([twin, one]);
    expect(hospital.vault.merges.idsOf(twin)).to.deep.equal([one, twin]);
    expect(hospital.vault.merges.idsOf(one)).to.deep.equal([one, twin]);
    await checkLog(hospital);
  });

  it("has an old record amended under the id that it lies under, so that nothing ties the two on chain", async () => {
    await take("old", "twin");
    hospital.vault.merges.merge(twin, one);
    const run = await take("old", "twin", "corrected");
    expect(run).to.include({ anchored: 1, superseded: 1 });
    const [older, newer] = [1, 2].map(
      (index) => new Entries(hospital.journal, hospital.memberId).at(index).leaf,
    );
    expect(newer).to.include({ patientId: twin, compartment: older!.compartment, patientSeq: 2 });
    expect(await hospital.chain.records.statusOf(hospital.memberId, 1)).to.equal(
      BigInt(ENTRY_STATUS.SUPERSEDED),
    );
  });

  it("still is refused an amendment that names a stranger", async () => {
    await enrol(hospital, "stranger");
    hospital.vault.merges.merge(twin, one);
    await take("mine", "one");
    const run = await take("mine", "stranger", "corrected");
    expect(run.refused.map(({ error }) => error.code)).to.deep.equal(["ERR_PATIENT_CHANGED"]);
  });

  it("can be named by both identifiers in one item", async () => {
    const both = JSON.parse(observation({ id: "both", patient: "twin" })) as object;
    const line = JSON.stringify({ ...both, performer: [{ reference: "Patient/one" }] });
    const before = await hospital.ingest(linesSource([line]));
    expect(before.refused.map(({ error }) => error.code)).to.deep.equal(["ERR_PATIENT_AMBIGUOUS"]);
    hospital.vault.merges.merge(twin, one);
    expect((await hospital.retry({ dead: true })).anchored).to.equal(1);
    expect(patientAt(1)).to.equal(one);
  });

  it("is two again when the merge is taken back, each with the identifiers it had", async () => {
    const { vault } = hospital;
    vault.merges.merge(twin, one);
    vault.addIdentifier(one, { system: SYSTEM, value: "later" });
    vault.updatePatient(twin, { label: "duplicate" });
    vault.merges.unmerge(twin);
    const identifiers = (id: Hex) =>
      vault
        .patient(id)
        .identifiers.map(({ value }) => value)
        .sort();
    expect([identifiers(twin), identifiers(one)]).to.deep.equal([["twin"], ["later", "one"]]);
    expect(vault.merges.idsOf(one)).to.deep.equal([one]);
    expect(vault.patient(twin)).to.not.have.property("merged");
    await rejected("ERR_USAGE", (async () => vault.merges.unmerge(twin))());
  });

  it("is merged once, into who stays himself, and never with the administrative id", async () => {
    const { vault } = hospital;
    const [third] = (await enrol(hospital, "third")) as [Hex];
    const administrative = vault.administrativeId()!;
    vault.merges.merge(twin, one);
    for (const [from, into] of [
      [one, one],
      [twin, third],
      [third, twin],
      [one, third],
      [third, administrative],
      [administrative, one],
    ] as const) {
      await rejected("ERR_USAGE", (async () => vault.merges.merge(from, into))());
    }
    vault.merges.merge(third, one);
    expect(vault.merges.idsOf(third)).to.deep.equal([one, twin, third]);
    expect(vault.patient(one).identifiers).to.have.length(3);
  });
});
