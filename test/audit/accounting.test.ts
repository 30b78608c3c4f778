// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import {
  accounting,
  auditEvents,
  csv,
  timeline,
  type Accounting,
  type Act,
  type AccountingProgress,
} from "../../src/audit/index.js";
import { rowsOf } from "../../src/audit/report.js";
import { Chain } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { rejection } from "../vault/temporary-vault.js";
import { parseCsv } from "./csv-parser.js";
import { startLyingNode, type Lie, type LyingNode } from "./lying-node.js";
import { JUSTIFICATION, REASON, threeHospitals, type ThreeHospitals } from "./three-hospitals.js";

describe("accounting", function () {
  this.timeout(60_000);
  let s: ThreeHospitals;
  before(async () => {
    s = await threeHospitals();
  });

  const nameOf = (patientId: Hex) =>
    Object.entries(s.patients).find(([, patient]) => patient === patientId)?.[0];
  const shown = (report: Accounting) =>
    rowsOf(report).map(({ entry, audit }) => {
      const reader =
        entry.kind === "access" ? (entry.reader === s.clinician ? " clinician" : " colleague") : "";
      return `${entry.kind} ${nameOf(audit.patientId)}${reader}`;
    });

  it("shows every access and emergency of a clinician, of all patients, in chain order", async () => {
    const report = await s.a.audit.accounting({ subject: { clinician: s.clinician } });
    expect(shown(report)).to.deep.equal([
      "access consented clinician",
      "access consented clinician",
      "access elsewhere clinician",
      "glass-broken emergency",
      "access emergency clinician",
      "glass-justified emergency",
      "glass-reviewed emergency",
      "glass-broken consented",
      "glass-late offline",
    ]);
    expect(report.complete).to.equal(true);
    expect(report.subject).to.deep.equal({ clinician: s.clinician });
  });

  it("shows an emergency to the accounting of the colleague who signed for it", async () => {
    const report = await s.a.audit.accounting({ subject: { clinician: s.colleague } });
    expect(shown(report)).to.deep.equal([
      "access consented colleague",
      "glass-broken emergency",
      "glass-justified emergency",
      "glass-reviewed emergency",
      "glass-broken consented",
      "glass-late offline",
    ]);
  });

  it("shows of a member what its staff read, and what others read of its patients", async () => {
    const reader = await s.a.audit.accounting({ subject: { member: s.b.memberId } });
    const custodian = await s.a.audit.accounting({ subject: { member: s.a.memberId } });
    const elsewhere = await s.a.audit.accounting({ subject: { member: s.c.memberId } });
    expect(shown(reader)).to.have.length(10);
    expect(shown(custodian)).to.deep.equal(shown(reader).filter((line) => !line.includes("elsewhere")));
    expect(shown(elsewhere)).to.deep.equal(["access elsewhere clinician"]);
  });

  it("says of how many patients the lists were checked: all of the own, and of others those whom the node showed", async () => {
    const own = (await s.a.audit.accounting({ subject: { clinician: s.clinician } })).checked;
    expect(own).to.deep.equal({ own: s.a.vault.patients().length, others: 1 });
    const reader = (await s.b.audit.accounting({ subject: { clinician: s.clinician } })).checked;
    expect(reader).to.deep.equal({ own: s.b.vault.patients().length, others: 4 });
  });

  it("shows a period, and still checks whole lists", async () => {
    const all = await s.a.audit.accounting({ subject: { clinician: s.clinician } });
    const times = rowsOf(all).map(({ entry }) => entry.at);
    const from = new Date(times[3]! * 1000);
    const late = await s.a.audit.accounting({ subject: { clinician: s.clinician }, from });
    expect(shown(late)).to.deep.equal(shown(all).filter((_, position) => times[position]! >= times[3]!));
    expect(late.checked).to.deep.equal({ own: all.checked.own, others: 0 });
    const justified = rowsOf(all).find(({ entry }) => entry.kind === "glass-justified")!.entry.at;
    const after = await s.b.audit.accounting({
      subject: { clinician: s.clinician },
      from: new Date(justified * 1000),
    });
    expect(shown(after)).to.include("glass-justified emergency");
    const none = await s.a.audit.accounting({ subject: { clinician: s.clinician }, to: new Date(0) });
    expect(none.audits).to.deep.equal([]);
    expect(none.complete).to.equal(true);
  });

  it("names this member's own patients, and others by pseudonym", async () => {
    for (const [hospital, known] of [
      [s.a, ["consented", "emergency", "offline"]],
      [s.c, ["elsewhere"]],
      [s.b, []],
    ] as const) {
      const report = await hospital.audit.accounting({ subject: { clinician: s.clinician } });
      const named = report.audits.flatMap(({ local, patientId }) =>
        local?.patient === undefined ? [] : [nameOf(patientId)],
      );
      expect(named.toSorted((one, other) => (one! < other! ? -1 : 1))).to.deep.equal(known);
    }
    const text = timeline(await s.a.audit.accounting({ subject: { clinician: s.clinician } }));
    expect(text).to.match(/ACCESS +2 b +fhir:Patient\|co… /);
    expect(text).to.match(new RegExp(`ACCESS +2 b +${s.patients.elsewhere.slice(0, 6)}…`));
  });

  it("knows what each access rests on, and what became of an emergency", async () => {
    const report = await s.b.audit.accounting({ subject: { clinician: s.clinician } });
    const grounds = report.audits.map(({ grounds: found }) => Object.values(found));
    const [consented, , emergency] = ["consented", "elsewhere", "emergency"].map(
      (name) => grounds[report.audits.findIndex(({ patientId }) => nameOf(patientId) === name)]!,
    );
    expect(consented!.map(({ givenBy }) => givenBy)).to.deep.equal(["PATIENT", undefined]);
    expect(consented![1]!.emergency)
      .to.include({ overdue: false })
      .and.not.to.have.any.keys("justified", "reviewed");
    const [{ persons, emergency: state }] = emergency as [(typeof emergency & object)[0]];
    expect(persons).to.deep.equal([s.clinician, s.colleague]);
    expect(state!.reviewed).to.include({ verdict: "APPROPRIATE" });
    expect(state!.justified!.officer).to.equal(s.stage.officerB.address.toLowerCase());
  });

  it("says of what was filed late who read it and when it was released", async () => {
    const report = await s.a.audit.accounting({ subject: { member: s.b.memberId } });
    const { entries, grounds } = report.audits.find(({ patientId }) => patientId === s.patients.offline)!;
    const [late] = entries as Act[];
    expect(late).to.include({ kind: "glass-late", member: s.b.memberId });
    expect(late!.details).to.include({ reader: s.clinician, second: s.colleague, release: id("bytes") });
    const [ground] = Object.values(grounds);
    expect(ground!.emergency!.late).to.deep.equal({ released: late!.details.released, release: id("bytes") });
    expect(timeline(report, { width: 200 })).to.match(
      /LATE +2 b .*released [-\dT:Z]+ while the chain was down/,
    );
  });

  it("shows a statement of the own vault only where it is what the chain's digest says", async () => {
    const state = (report: Accounting) =>
      report.audits.find(({ patientId }) => patientId === s.patients.emergency)!;
    const before = state(await s.b.audit.accounting({ subject: { clinician: s.clinician } }));
    const { windowId, reason } = Object.values(before.grounds)[0]!.emergency!;
    const { justified } = Object.values(before.grounds)[0]!.emergency!;
    expect(before.local!.statements).to.deep.equal({ [justified!.statement]: JUSTIFICATION });
    const name = `statement/${windowId}/${reason}`;
    s.b.vault.setSecret(name, Buffer.from(JSON.stringify({ salt: `0x${"00".repeat(32)}`, text: REASON })));
    const forged = state(await s.b.audit.accounting({ subject: { clinician: s.clinician } }));
    expect(forged.local!.statements).to.deep.equal(before.local!.statements);
    const elsewhere = state(await s.a.audit.accounting({ subject: { clinician: s.clinician } }));
    expect(elsewhere.local!.statements).to.deep.equal({});
  });

  it("tells how far it is: blocks searched, then patients checked", async () => {
    const seen: AccountingProgress[] = [];
    await s.b.audit.accounting({ subject: { member: s.b.memberId }, onProgress: (one) => seen.push(one) });
    const searching = seen.filter(({ step }) => step === "searching");
    expect(searching.at(-1)).to.include({ done: searching[0]!.total, total: searching[0]!.total });
    expect(seen.at(-1)).to.deep.equal({ step: "checking", done: 0, total: 4 });
  });

  it("refuses an account that is none, and a period that ends before it begins", async () => {
    await rejection("ERR_USAGE", s.a.audit.accounting({ subject: { clinician: "0x12" } }));
    const wrong = { from: new Date(2), to: new Date(1) };
    await rejection("ERR_USAGE", s.a.audit.accounting({ subject: { member: 1 }, ...wrong }));
  });

  it("gives CSV and FHIR the pseudonym and custodian of each event's patient", async () => {
    const report = await s.a.audit.accounting({ subject: { clinician: s.clinician } });
    const [header, ...rows] = parseCsv(csv(report).slice(1));
    const column = (name: string) => rows.map((row) => row[header!.indexOf(name)]);
    expect(column("patient_id")).to.deep.equal(rowsOf(report).map(({ audit }) => audit.patientId));
    expect(column("custodian")[2]).to.equal(String(s.c.memberId));
    expect(csv(report)).not.to.contain("consented-1");
    const events = JSON.stringify(auditEvents(report));
    expect(events)
      .to.contain(`urn:chartseal:patient:${s.patients.elsewhere}`)
      .and.not.to.contain("consented-1");
  });

  describe("from a lying node", () => {
    let node: LyingNode;
    let chain: Chain;
    before(async () => {
      node = await startLyingNode(s.stage.consortium.chain.url);
      chain = Chain.open({ url: node.url, deployment: s.stage.consortium.deployment });
    });
    after(async () => {
      chain[Symbol.dispose]();
      await node[Symbol.asyncDispose]();
    });

    async function withLie(lie: Lie): Promise<Accounting> {
      node.lie = lie;
      const own = s.a.vault.patients().map(({ patientId }) => patientId);
      return await accounting({ chain, subject: { clinician: s.clinician }, own });
    }
    const isAccessTo = (patient: Hex) => (log: { address: string; topics: string[] }) =>
      log.address.toLowerCase() === chain.deployment.accessLog && log.topics[2] === patient;
    const wrong = (report: Accounting) =>
      report.audits.flatMap(({ patientId, heads }) =>
        heads.flatMap(({ complete, registry, finding }) =>
          complete ? [] : [`${nameOf(patientId)} ${registry} ${finding}`],
        ),
      );

    it("names the own patient of whom everything was hidden", async () => {
      const report = await withLie((logs) =>
        logs.filter((log) => !log.topics.includes(s.patients.consented)),
      );
      expect(report.complete).to.equal(false);
      expect(wrong(report)).to.deep.equal(
        ["PatientRegistry", "ConsentRegistry", "BreakGlass", "AccessLog"].map(
          (name) => `consented ${name} MISSING`,
        ),
      );
      expect(timeline(report)).to.contain("INCOMPLETE for 1 patient").and.to.contain(s.patients.consented);
      expect(timeline(report, { language: "zh" })).to.contain("不完整：1 名患者");
    });

    it("names another custodian's patient of whom one event was altered", async () => {
      const report = await withLie((logs) =>
        logs.map((log) =>
          isAccessTo(s.patients.elsewhere)(log) ? { ...log, data: `${log.data.slice(0, -1)}9` } : log,
        ),
      );
      expect(wrong(report)).to.deep.equal(["elsewhere AccessLog ALTERED"]);
    });

    it("names reordered events", async () => {
      const report = await withLie((logs) =>
        logs[0]?.address.toLowerCase() === chain.deployment.emergencies ? logs.toReversed() : logs,
      );
      expect(wrong(report)).to.deep.equal(["emergency BreakGlass REORDERED"]);
    });

    it("names a justification that was made up for another window", async () => {
      const justified = chain.emergencies.interface.getEvent("WindowJustified").topicHash;
      const report = await withLie((logs) => {
        const [source] = logs.filter(({ topics }) => topics[0] === justified);
        if (source === undefined) return logs;
        const [topic, , , officer] = source.topics as [string, string, string, string];
        const window = logs.find(({ topics }) => topics[2] === s.patients.consented)!.topics[1]!;
        return [...logs, { ...source, topics: [topic, window, s.patients.consented, officer] }];
      });
      expect(wrong(report)).to.deep.equal(["consented BreakGlass SURPLUS"]);
    });

    it("says that it cannot name what the node hid of another custodian's patient from the start", async () => {
      const report = await withLie((logs) =>
        logs.filter((log) => !log.topics.includes(s.patients.elsewhere)),
      );
      expect(report.complete).to.equal(true);
      expect(report.checked.others).to.equal(0);
      expect(timeline(report).replaceAll(/\s+/g, " ")).to.contain(
        "COMPLETE patients checked: 4 of this member's vault, 0 others of whom the node showed something " +
          "Not proven: of another custodian's patient, the node could hide every event.",
      );
    });

    it("ignores a patient whom nobody asked about, and names one whom nobody registered", async () => {
      const invented = `0x${"ee".repeat(32)}`;
      const report = await withLie((logs) => {
        const [source] = logs.filter(isAccessTo(s.patients.elsewhere));
        if (source === undefined) return logs;
        const topics = source.topics.map((topic) => (topic === s.patients.elsewhere ? invented : topic));
        return [...logs, { ...source, topics }];
      });
      expect(report.complete).to.equal(false);
      expect(
        report.audits.filter(({ complete }) => !complete).map(({ custodian }) => custodian),
      ).to.deep.equal([0]);
    });
  });
});
