// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ENTRY_STATUS, collectLogs } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { Entries, ItemState } from "../../src/records/index.js";
import { enrol } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { allItems, checkLog, openItem } from "../support/log-check.js";
import { linesSource, observation } from "../support/observations.js";

const NO_REF = `0x${"00".repeat(32)}`;

describe("A record filed under the wrong patient", function () {
  this.timeout(60_000);
  let hospital: Chartseal;
  let p: Hex;
  let q: Hex;

  hospitalForEach(async (own) => {
    ({ hospital } = own);
    [p, q] = (await enrol(hospital, "p", "q")) as [Hex, Hex];
  });

  const rulesFor = (patient: string) => ({
    rules: [{ path: "**", patient: { system: "fhir:Patient", value: patient } }],
    administrative: [],
    bases: [],
  });
  const leafAt = (index: number) => new Entries(hospital.journal, hospital.memberId).at(index).leaf;

  it("is retracted, and the same bytes are anchored under the right one, with no link between the two", async () => {
    const line = observation({ id: "misfiled", patient: "p" });
    await hospital.ingest(linesSource([line]), { rules: rulesFor("p") });
    await hospital.retract(1);
    const run = await hospital.ingest(linesSource([line]), { rules: rulesFor("q") });
    expect(run).to.include({ known: 0, anchored: 1, superseded: 0 });
    await expectApart(1, 2);
    expect((await openItem(hospital, hospital.journal.itemAt(2)!)).body.toString()).to.equal(line);
    await checkLog(hospital);
  });

  it("whose correction names another patient waits as refused until the first is retracted", async () => {
    await hospital.ingest(linesSource([observation({ id: "corrected", patient: "p" })]));
    const correction = observation({ id: "corrected", patient: "q", note: "of another person" });
    const refused = await hospital.ingest(linesSource([correction]));
    expect(refused.refused.map(({ error }) => error.code)).to.deep.equal(["ERR_PATIENT_CHANGED"]);
    expect((await hospital.retry({ dead: true })).anchored).to.equal(0);
    await hospital.retract(1);
    expect((await hospital.retry({ dead: true })).anchored).to.equal(1);
    await expectApart(1, 2);
    expect(allItems(hospital).map(({ state }) => state)).to.deep.equal([
      ItemState.ANCHORED,
      ItemState.ANCHORED,
    ]);
    await checkLog(hospital);
  });

  it("with a correction of its own is retracted with it, version by version", async () => {
    await hospital.ingest(linesSource([observation({ id: "both", patient: "p" })]));
    await hospital.ingest(linesSource([observation({ id: "both", patient: "p", note: "second" })]));
    for (const index of [2, 1]) await hospital.retract(index);
    const run = await hospital.ingest(
      linesSource([observation({ id: "both", patient: "q", note: "second" })]),
    );
    expect(run).to.include({ anchored: 1, superseded: 0 });
    await expectApart(1, 3);
    await expectApart(2, 3);
  });

  /** Neither leaf nor any event says that the two have to do with each other. */
  async function expectApart(wrong: number, right: number): Promise<void> {
    const { chain, memberId, journal } = hospital;
    expect(Number(await chain.records.statusOf(memberId, wrong)) & ENTRY_STATUS.RETRACTED).to.not.equal(0);
    expect(await chain.records.statusOf(memberId, right)).to.equal(0n);
    expect(leafAt(wrong)).to.include({ patientId: p });
    expect(leafAt(right)).to.include({ patientId: q, patientSeq: 1, ref: NO_REF });
    expect(leafAt(right).salt).not.to.equal(leafAt(wrong).salt);
    expect(leafAt(right).contentDigest).not.to.equal(leafAt(wrong).contentDigest);
    expect(journal.itemAt(right)!.amends).to.equal(undefined);
    const logs = await collectLogs(chain, { address: chain.deployment.records, topics: [] });
    const ofEntries = logs
      .map((log) => chain.records.interface.parseLog(log)!)
      .filter(({ name, args }) => name !== "BatchAnchored" && Number(args["memberId"]) === memberId);
    for (const { args } of ofEntries) expect(args["patientId"]).to.equal(p);
    for (const { name } of ofEntries.filter(({ args }) => Number(args["byIndex"] ?? 0) === right))
      expect.fail(`${name} links to entry ${right}`);
  }
});
