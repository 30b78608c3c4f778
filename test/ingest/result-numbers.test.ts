// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ENTRY_STATUS } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { dryRun } from "../../src/cli/dry-run.js";
import { openEvents, settleEvent, type Source } from "../../src/ingest/index.js";
import { EventState, isBadItem } from "../../src/records/index.js";
import { message, messagesSource, pid } from "../support/hl7.js";
import { enrolAs } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { checkLog } from "../support/log-check.js";

const { SUPERSEDED, RETRACTED } = ENTRY_STATUS;

/** A report of several orders: each filler number with its result's value and status. */
function reportOf(control: string, mrn: string, ...orders: [string, string, string][]): string {
  return message(
    "ORU^R01^ORU_R01",
    control,
    pid(mrn),
    ...orders.flatMap(([filler, value, status], at) => [
      `OBR|${at + 1}||${filler}|GLU^Glucose^L`,
      `OBX|1|NM|R^Result^L||${value}|mmol/L|||||${status}`,
    ]),
  );
}

describe("A report of several orders", function () {
  this.timeout(60_000);
  let hospital: Chartseal;

  hospitalForEach(async (own) => {
    ({ hospital } = own);
    for (const value of ["p", "q"]) await enrolAs(hospital, { system: "GH", value });
    await enrolAs(hospital, { system: "東", value: "p" });
  });

  const take = (...messages: (string | Uint8Array)[]) => hospital.ingest(messagesSource(...messages));
  const statuses = async () => {
    const head = Number(await hospital.chain.records.headOf(hospital.memberId));
    const all = Array.from({ length: head }, (_, at) =>
      hospital.chain.records.statusOf(hospital.memberId, at + 1),
    );
    return (await Promise.all(all)).map(Number);
  };

  it("is amended by the same orders in another order", async () => {
    await take(reportOf("1", "p", ["F1", "5", "F"], ["F2", "6", "F"]));
    await take(reportOf("2", "p", ["F2", "6", "F"], ["F1", "5.5", "C"]));
    expect(await statuses()).to.deep.equal([SUPERSEDED, 0]);
    await take(reportOf("3", "p", ["F2", "6", "W"], ["F1", "5.5", "W"]));
    expect(await statuses()).to.deep.equal([SUPERSEDED | RETRACTED, RETRACTED, RETRACTED]);
    await checkLog(hospital);
  });

  it("stands when a correction has but one of them, of which one result was wrong: a person is told", async () => {
    await take(reportOf("1", "p", ["F1", "5", "F"], ["F2", "6", "F"]));
    const run = await take(reportOf("2", "p", ["F2", "6", "F"], ["F2", "7", "W"]));
    expect(run).to.include({ sealed: 1, anchored: 1, retracted: 0, events: 1 });
    expect(await statuses()).to.deep.equal([0, 0]);
    const [open] = openEvents(hospital.journal);
    expect(hospital.journal.details(open!).event).to.deep.equal({ kind: "withdraw", itself: false });
    expect(settleEvent(hospital.journal, open!)).to.equal(true);
    expect(await take(reportOf("3", "p", ["F2", "6", "C"])), "which stands, and is amended").to.include({
      superseded: 1,
      events: 0,
    });
  });

  it("and whose patient is not known yet, is told likewise once he is", async () => {
    await take(reportOf("1", "new", ["F2", "6", "F"], ["F2", "7", "W"]));
    await enrolAs(hospital, { system: "GH", value: "new" });
    await hospital.retry();
    const [open] = openEvents(hospital.journal);
    expect(hospital.journal.item(open!)).to.deep.include({ event: EventState.OPEN, withdrawn: undefined });
    expect(await statuses()).to.deep.equal([0]);
  });

  describe("that was taken when the order of its numbers still counted", () => {
    const first = reportOf("1", "p", ["F2", "6", "F"], ["F1", "5", "F"]);

    /** As {@link messagesSource}, each message known by its numbers as they stand. */
    function asBefore(...messages: string[]): Source {
      const source = messagesSource(...messages);
      return {
        totalBytes: undefined,
        bytesRead: 0,
        async *[Symbol.asyncIterator]() {
          for await (const item of source) {
            if (isBadItem(item)) throw item.error;
            const { replaces, event: _, ...rest } = item;
            yield { ...rest, sourceKey: replaces?.[0] ?? expect.fail("its numbers are sorted") };
          }
        },
      };
    }

    beforeEach(async () => {
      await hospital.ingest(asBefore(first));
      expect(hospital.journal.details(1).sourceKey).to.equal("GH/OBR-3/F2+F1");
    });

    it("is known when its feed is read again, and to who only tries", async () => {
      const tried = await dryRun(hospital, messagesSource(first), { onProgress: () => {} });
      expect(tried).to.include({ known: 1, sealed: 0 });
      expect(await take(first)).to.include({ known: 1, sealed: 0 });
    });

    it("is amended, and taken back with every later version", async () => {
      await take(reportOf("2", "p", ["F2", "6", "F"], ["F1", "5.5", "C"]));
      expect(await statuses()).to.deep.equal([SUPERSEDED, 0]);
      const run = await take(reportOf("3", "p", ["F2", "6", "W"], ["F1", "5.5", "W"]));
      expect(run).to.include({ retracted: 3, events: 0 });
      expect(await statuses()).to.deep.equal([SUPERSEDED | RETRACTED, RETRACTED, RETRACTED]);
      expect(await take(first), "for good").to.include({ known: 1, sealed: 0 });
      await checkLog(hospital);
    });

    it("is taken back at once, in part or once the patient of the message is known", async () => {
      expect(await take(reportOf("2", "p", ["F2", "6", "F"], ["F1", "5", "W"]))).to.include({
        retracted: 1,
        events: 0,
      });
      await hospital.ingest(asBefore(reportOf("3", "new", ["G2", "6", "F"], ["G1", "5", "F"])));
      await take(reportOf("4", "new", ["G2", "6", "W"], ["G1", "5", "W"]));
      await enrolAs(hospital, { system: "GH", value: "new" });
      expect(await hospital.retry()).to.include({ anchored: 2, retracted: 2 });
      expect(await statuses()).to.deep.equal([RETRACTED, 0, RETRACTED, RETRACTED]);
      expect(openEvents(hospital.journal)).to.deep.equal([]);
    });

    it("is not taken from its patient by another's message", async () => {
      const wrong = reportOf("2", "q", ["F2", "6", "W"], ["F1", "5", "W"]);
      const run = await take(wrong);
      expect(run.refused.map(({ error }) => error.code)).to.deep.equal(["ERR_PATIENT_CHANGED"]);
      // The same numbers are another patient's, too: his own report is what his message takes back.
      await take(reportOf("3", "q", ["F1", "5", "F"], ["F2", "6", "F"]));
      await take(reportOf("4", "q", ["F2", "6", "W"], ["F1", "5", "W"]));
      expect(await statuses()).to.deep.equal([0, RETRACTED, RETRACTED]);
    });
  });

  it("from a facility whose name in GB18030 has a delimiter in it is taken back", async () => {
    const east = (control: string, status: string) => {
      const text = reportOf(control, "p", ["F1", "5", status]).replace("^^^GH^MR", "");
      // 東 is 0x96 0x7C: its second byte is "|".
      return Buffer.from(
        text.replace("|APP|GH|", "|APP|\x96\x7c|").replace("|P|2.5.1", "|P|2.5.1||||||GB18030"),
        "latin1",
      );
    };
    expect(await take(east("1", "F"), east("2", "W"))).to.include({ sealed: 2, retracted: 2, events: 0 });
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED]);
    expect(hospital.journal.details(1).sourceKey).to.equal("東/OBR-3/F1");
  });
});
