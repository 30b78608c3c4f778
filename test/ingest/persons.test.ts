// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { collectLogs } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { openEvents, settleEvent } from "../../src/ingest/index.js";
import { message, messagesSource, pid, report } from "../support/hl7.js";
import { enrolAs } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { checkLog } from "../support/log-check.js";

describe("A message about who is who", function () {
  this.timeout(60_000);
  let hospital: Chartseal;
  let one: Hex;
  let twin: Hex;

  hospitalForEach(async (own) => {
    ({ hospital } = own);
    await hospital.patients.administrative();
    [one, twin] = [await mrn("one"), await mrn("twin")];
  });

  const mrn = (value: string) => enrolAs(hospital, { system: "GH", value });
  const take = (...messages: string[]) => hospital.ingest(messagesSource(...messages));
  const owner = (value: string) => hospital.vault.patientByIdentifier({ system: "GH", value });
  const patientAt = (index: number) => hospital.journal.itemAt(index)!.patientId;
  const A40 = (into: string, ...from: string[]) =>
    message(
      "ADT^A40^ADT_A39",
      `40${into}${from.join("")}`,
      "EVN|A40",
      pid(into),
      `MRG|${from.map((id) => `${id}^^^GH`).join("~")}`,
    );
  const A37 = (first: string, second: string) =>
    message("ADT^A37^ADT_A37", `37${first}${second}`, "EVN|A37", pid(first), pid(second));
  const A24 = (first: string, second: string) =>
    message("ADT^A24^ADT_A24", `24${first}${second}`, "EVN|A24", pid(first), pid(second));

  it("merges two patients in the vault: from the next message on, records go to the one that stays", async () => {
    const run = await take(
      report("1", "twin", "F1", ["1", "F"]),
      A40("one", "twin"),
      report("2", "twin", "F2", ["2", "F"]),
    );
    expect(run).to.include({ sealed: 3, anchored: 3, followed: 1, events: 0 });
    expect(owner("twin")).to.equal(one);
    expect(hospital.vault.merges.isDuplicate(twin, one)).to.equal(true);
    const administrative = hospital.vault.administrativeId();
    expect([1, 2, 3].map(patientAt), "the message is in no one's chart").to.deep.equal([
      twin,
      administrative,
      one,
    ]);
    await checkLog(hospital);
  });

  it("puts nothing of a merge on chain", async () => {
    await take(report("1", "twin", "F1", ["1", "F"]), report("2", "one", "F2", ["1", "F"]));
    await take(A40("one", "twin"));
    const { chain, memberId } = hospital;
    const logs = await collectLogs(chain, { address: chain.deployment.records, topics: [] });
    const own = logs
      .map((log) => chain.records.interface.parseLog(log)!)
      .filter(({ args }) => Number(args["memberId"]) === memberId);
    expect(own.map(({ name }) => name)).to.deep.equal(["BatchAnchored", "BatchAnchored"]);
  });

  it("is followed once: what a person undid since is not done again by the same message", async () => {
    await take(A40("one", "twin"));
    hospital.vault.merges.unmerge(twin);
    expect(await take(A40("one", "twin"))).to.include({ known: 1, followed: 0 });
    expect(owner("twin")).to.equal(twin);
  });

  it("links two patients and parts them again, each with the identifiers that he had", async () => {
    await take(A24("one", "twin"));
    expect(owner("twin")).to.equal(one);
    const run = await take(A37("one", "twin"), report("1", "twin", "F1", ["1", "F"]));
    expect(run).to.include({ followed: 1, events: 0 });
    expect([owner("one"), owner("twin")]).to.deep.equal([one, twin]);
    expect(patientAt(3)).to.equal(twin);
    expect(await take(A37("one", "twin").replace("37onetwin", "again"))).to.include({ followed: 1 });
  });

  it("parts the one that is named, of several that were merged into one", async () => {
    const third = await mrn("third");
    await take(A40("one", "twin"), A40("one", "third"));
    await take(A37("third", "one"));
    expect([owner("twin"), owner("third")]).to.deep.equal([one, third]);
  });

  it("that names somebody unknown waits until he is enrolled, and is followed before his records are filed", async () => {
    const run = await take(A40("one", "late"), report("1", "late", "F1", ["1", "F"]));
    expect(run).to.include({ followed: 0, events: 1, waiting: 1 });
    const late = await mrn("late");
    expect(await hospital.retry()).to.include({ followed: 1, anchored: 1 });
    expect(owner("late")).to.equal(one);
    expect(hospital.vault.merges.isDuplicate(late, one)).to.equal(true);
    expect(patientAt(2)).to.equal(one);
  });

  it("that names two patients as one identifier list, or a chain of merges, is for a person", async () => {
    await mrn("third");
    const both = await take(A40("third", "one", "twin"));
    expect(both).to.include({ followed: 0, events: 1 });
    expect([owner("one"), owner("twin")]).to.deep.equal([one, twin]);
    await take(A40("one", "twin"));
    expect(await take(A40("third", "one"))).to.include({ followed: 0, events: 1 });
    expect(openEvents(hospital.journal)).to.have.lengthOf(2);
    hospital.vault.merges.unmerge(twin);
    expect(await hospital.retry()).to.include({ followed: 1 });
    expect(settleEvent(hospital.journal, openEvents(hospital.journal)[0]!)).to.equal(true);
    expect(openEvents(hospital.journal)).to.deep.equal([]);
  });

  it("may list the retired identifier with those that stay", async () => {
    const listed = message("ADT^A40", "40", pid("one", "twin"), "MRG|twin^^^GH");
    expect(await take(listed)).to.include({ followed: 1 });
    expect(owner("twin")).to.equal(one);
  });

  it("that moves identifiers or accounts is for a person to follow", async () => {
    const run = await take(message("ADT^A43", "43", "EVN|A43", pid("one"), "MRG|twin^^^GH"));
    expect(run).to.include({ sealed: 1, dead: 0, anchored: 1, followed: 0, events: 1 });
    expect([owner("one"), owner("twin")]).to.deep.equal([one, twin]);
  });

  it("with a new identifier beside a known one (A08) is that patient's record, and teaches the vault nothing", async () => {
    const update = message("ADT^A08^ADT_A01", "8", "EVN|A08", pid("one", "new"));
    expect(await take(update)).to.include({ sealed: 1, anchored: 1, events: 0 });
    expect(patientAt(1)).to.equal(one);
    expect(owner("new")).to.equal(undefined);
    const mixed = message("ADT^A08^ADT_A01", "9", "EVN|A08", pid("one", "twin"));
    expect((await take(mixed)).refused.map(({ error }) => error.code)).to.deep.equal([
      "ERR_PATIENT_AMBIGUOUS",
    ]);
  });
});
