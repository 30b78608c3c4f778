// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import {
  DEFAULT_RULES,
  Entries,
  FHIR_PATIENT,
  ItemState,
  type JournalItem,
} from "../../src/records/index.js";
import { enrol, enrolAs } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { allItems, checkLog, openItem } from "../support/log-check.js";
import { linesSource, observation, observations } from "../support/observations.js";

const SUPERSEDED = 1;

describe("An item that was taken before", function () {
  this.timeout(60_000);
  let hospital: Chartseal;

  hospitalForEach((own) => {
    ({ hospital } = own);
  });

  it("is known again by its bytes, in the same run and in the next", async () => {
    await enrol(hospital, "p");
    const lines = observations("p", 5);
    const first = await hospital.ingest(linesSource([...lines, lines[0]!]));
    const second = await hospital.ingest(linesSource(lines));
    expect(first).to.include({ read: 6, sealed: 5, known: 1, anchored: 5 });
    expect(second).to.include({ read: 5, sealed: 0, known: 5, anchored: 0 });
  });

  it("and has other bytes now is amended: the new entry names the old, which is marked on chain", async () => {
    await enrol(hospital, "p");
    await hospital.ingest(linesSource(observations("p", 3)));
    const run = await hospital.ingest(linesSource(observations("p", 2, 1, "second")));
    expect(run).to.include({ sealed: 2, anchored: 2, superseded: 2 });
    expect(await statuses(hospital, 5)).to.deep.equal([SUPERSEDED, SUPERSEDED, 0, 0, 0]);
    const [, , , fourth] = allItems(hospital);
    const { ref } = new Entries(hospital.journal, hospital.memberId).at(4).leaf;
    expect(BigInt(ref)).to.equal(1n);
    expect(fourth).to.include({ amends: 1, amendedIndex: 1 });
    await checkLog(hospital);
  });

  it("amends what came before it, also within one group and whatever the sizes", async () => {
    await enrol(hospital, "p");
    // Above 1 MiB an item is not held in memory and takes another way into the store.
    const large = observation({ id: 1, patient: "p", note: "x".repeat(1_100_000) });
    const small = observation({ id: 1, patient: "p", note: "last" });
    const middle = observation({ id: 1, patient: "p", note: "middle" });
    await hospital.ingest(linesSource([middle, large, small]));
    const items = allItems(hospital);
    expect(items.map((item) => item.amends)).to.deep.equal([undefined, 1, 2]);
    const bodies = await Promise.all(
      items.map(async (item) => (await openItem(hospital, item)).body.toString()),
    );
    expect(bodies).to.deep.equal([middle, large, small]);
    expect(await statuses(hospital, 3)).to.deep.equal([SUPERSEDED, SUPERSEDED, 0]);
  });

  it("and was misfiled is anchored anew under the right patient, once it was retracted", async () => {
    const [wrong, right] = await enrol(hospital, "p", "q");
    const lines = observations("q", 2);
    const patient = { system: FHIR_PATIENT, value: "p" };
    const misfiling = { ...DEFAULT_RULES, rules: [{ path: "**", patient }] };
    await hospital.ingest(linesSource(lines), { rules: misfiling });
    expect(allItems(hospital).map((item) => item.patientId)).to.deep.equal([wrong, wrong]);
    await hospital.retract(1);
    await hospital.retract(1);
    const run = await hospital.ingest(linesSource(lines));
    expect(run).to.include({ sealed: 1, known: 1, anchored: 1, superseded: 0, dead: 0 });
    const anew = allItems(hospital)[2]!;
    expect(anew).to.include({ patientId: right, amends: undefined, logIndex: 3 });
    expect((await openItem(hospital, anew)).body.toString()).to.equal(lines[0]);
    expect(hospital.journal.details(1).sourceKey).to.equal(hospital.journal.details(anew.id).sourceKey);
    expect(await statuses(hospital, 3)).to.deep.equal([2, 0, 0]);
  });

  it("but names another patient now is a dead letter, and the old entry stays as it is", async () => {
    await enrol(hospital, "p", "q");
    await hospital.ingest(linesSource(observations("p", 2)));
    const moved = observation({ id: 1, patient: "q" });
    const run = await hospital.ingest(linesSource([moved, observation({ id: 3, patient: "q" })]));
    expect(run).to.include({ sealed: 1, dead: 1, anchored: 1, superseded: 0 });
    expect(run.refused[0]!.error.code).to.equal("ERR_PATIENT_CHANGED");
    expect(await statuses(hospital, 3)).to.deep.equal([0, 0, 0]);

    await hospital.retract(1);
    const again = await hospital.retry({ dead: true });
    expect(again.anchored, "after the misfiled entry was retracted").to.equal(1);
    const anew = allItems(hospital).find((item) => item.logIndex === 4)!;
    expect(anew).to.include({ amends: undefined, amendedIndex: undefined });
    await checkLog(hospital);
  });

  it("waits while the item that it amends waits, and both are anchored in order", async () => {
    await enrol(hospital, "p");
    const unknown = observation({ id: 1, patient: "later" });
    const amending = observation({ id: 1, patient: "later", note: "second" });
    const third = observation({ id: 1, patient: "later", note: "third" });
    const run = await hospital.ingest(linesSource([unknown, amending, ...observations("p", 3, 10), third]), {
      batchItems: 1,
    });
    expect(run).to.include({ waiting: 3, sealed: 3, anchored: 3 });
    await enrolAs(hospital, { system: "fhir:Patient", value: "later" });
    const retried = await hospital.retry({ batchItems: 1 });
    expect(retried).to.include({ anchored: 3, superseded: 2 });
    expect(byId(hospital).map((item) => item.amendedIndex)).to.deep.equal([
      undefined,
      4,
      undefined,
      undefined,
      undefined,
      5,
    ]);
    expect(await statuses(hospital, 6)).to.deep.equal([0, 0, 0, SUPERSEDED, SUPERSEDED, 0]);
    await checkLog(hospital);
  });

  it("gives way when the item that it amends is refused later", async () => {
    const [p] = await enrol(hospital, "p");
    await hospital.ingest(linesSource(observations("p", 1)));
    // The second names a person nobody knows yet; he turns out to be another patient than the first's.
    await hospital.ingest(linesSource([observation({ id: 1, patient: "unclear" })]));
    await hospital.ingest(linesSource([observation({ id: 1, patient: "p", note: "third" })]));
    expect(byId(hospital).map((item) => item.state)).to.deep.equal([
      ItemState.ANCHORED,
      ItemState.WAITING,
      ItemState.WAITING,
    ]);
    await enrolAs(hospital, { system: "fhir:Patient", value: "unclear" });
    const run = await hospital.retry();
    expect(run).to.include({ anchored: 1, superseded: 1 });
    const [, second, third] = byId(hospital);
    expect(second).to.include({ state: ItemState.DEAD, reason: "ERR_PATIENT_CHANGED" });
    expect(third).to.include({ amends: 1, patientId: p, logIndex: 2 });
    await checkLog(hospital);
  });

  it("is not revived once a newer version of it was anchored", async () => {
    await enrol(hospital, "p", "q");
    const bothPatients = JSON.stringify({
      ...JSON.parse(observation({ id: 1, patient: "p" })),
      performer: [{ reference: "Patient/q" }],
    });
    const first = await hospital.ingest(linesSource([bothPatients]));
    expect(first.refused.map(({ error }) => error.code)).to.deep.equal(["ERR_PATIENT_AMBIGUOUS"]);
    await hospital.ingest(linesSource(observations("p", 1, 1, "corrected")));
    const path = { path: "**", patient: { system: "fhir:Patient", value: "p" } };
    const rules = { rules: [path], administrative: [], bases: [] };
    const run = await hospital.retry({ dead: true, rules });
    expect(run.anchored).to.equal(0);
    expect(run.failure).to.equal(undefined);
    expect(byId(hospital).map((item) => item.state)).to.deep.equal([ItemState.DEAD, ItemState.ANCHORED]);
  });
});

function byId(hospital: Chartseal): JournalItem[] {
  return allItems(hospital);
}

async function statuses({ chain, memberId }: Chartseal, upTo: number): Promise<number[]> {
  const found: number[] = [];
  for (let index = 1; index <= upTo; index++)
    found.push(Number(await chain.records.statusOf(memberId, index)));
  return found;
}
