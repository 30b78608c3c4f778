// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { lookUp } from "../../src/access/lookups.js";
import {
  accounting,
  auditEventNdjson,
  auditEvents,
  compareReport,
  csv,
  html,
  timeline,
  viewOf,
  type Accounting,
} from "../../src/audit/index.js";
import { Chain, Writer, type StaffSigner } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { emergencyStage, pass, type EmergencyStage } from "../support/emergency.js";
import { balpFaultsOf } from "./balp.js";
import { parseCsv } from "./csv-parser.js";
import { schemaFaultsOf } from "./fhir-schema.js";
import { faultsOf } from "./fhir-structure.js";
import { startLyingNode } from "./lying-node.js";

const DAY = 86_400;

describe("lookups in an accounting", function () {
  this.timeout(120_000);
  let s: EmergencyStage;
  let clinician: Hex;
  let colleague: Hex;
  const lower = ({ address }: StaffSigner) => address.toLowerCase() as Hex;

  before(async () => {
    s = await emergencyStage();
    clinician = lower(s.b.signer("clinician"));
    colleague = lower(s.colleague);
    await look(s.b.signer("clinician"), 2);
    await pass(s, DAY);
    await look(s.colleague, 1);
  });
  after(() => s[Symbol.asyncDispose]());

  async function look(signer: StaffSigner, times: number): Promise<void> {
    const { memberId, chain, exchange } = s.b;
    const parts = {
      memberId,
      chain,
      exchange,
      reader: () => ({ writer: new Writer(chain, signer), signer }),
    };
    for (let time = 0; time < times; time++)
      await lookUp(parts, { system: "fhir:Patient", value: `looked-for-${time}` }, { custodians: [] });
  }

  const ofClinician = () => s.a.audit.accounting({ subject: { clinician } });
  const readers = ({ lookups }: Accounting) => lookups.map(({ reader }) => reader);

  it("are a clinician's own", async () => {
    const report = await ofClinician();
    expect(readers(report)).to.deep.equal([clinician, clinician]);
    expect(report.lookups[0]).to.deep.include({ memberId: s.b.memberId, contract: "BreakGlass" });
    expect(new Set(report.lookups.map(({ lookupId }) => lookupId)).size).to.equal(2);
  });

  it("are those of a member's staff, in chain order, and of no other member's", async () => {
    const report = await s.a.audit.accounting({ subject: { member: s.b.memberId } });
    expect(readers(report)).to.deep.equal([clinician, clinician, colleague]);
    expect(readers(await s.b.audit.accounting({ subject: { member: s.a.memberId } }))).to.deep.equal([]);
  });

  it("are those of the period", async () => {
    const subject = { member: s.b.memberId };
    const all = await s.a.audit.accounting({ subject });
    const day = new Date((all.lookups[2]!.at - DAY / 2) * 1000);
    expect(readers(await s.a.audit.accounting({ subject, from: day }))).to.deep.equal([colleague]);
    expect(readers(await s.a.audit.accounting({ subject, to: day }))).to.deep.equal([clinician, clinician]);
  });

  it("are of no patient, and say in every form and both languages that no head counts them", async () => {
    const report = await ofClinician();
    const patient = await s.a.audit.disclosures({ patient: s.patient });
    expect(timeline(patient)).to.not.contain("LOOKUP");
    const english = timeline(report);
    expect(english.match(/LOOKUP +2 b +by 0x/g)).to.have.length(2);
    expect(english.replaceAll(/\s+/g, " ")).to.contain("No head counts lookups: the node could hide some.");
    const chinese = timeline(report, { language: "zh" }).replaceAll(/\s+/g, "");
    expect(chinese).to.contain("身份查找").and.to.contain("没有链上计数");
    expect(html(report)).to.contain(report.lookups[0]!.lookupId).and.to.contain(clinician);
    expect(html(report, { language: "zh" })).to.contain("不指明患者");
    const [header, ...rows] = parseCsv(csv(report).slice(1));
    const cells = (name: string) => rows.map((row) => row[header!.indexOf(name)]);
    expect(header!.at(-1)).to.equal("lookup_id");
    expect(cells("event")).to.deep.equal(["lookup", "lookup"]);
    expect(cells("lookup_id")).to.deep.equal(report.lookups.map(({ lookupId }) => lookupId));
    expect(cells("reader")).to.deep.equal([clinician, clinician]);
    expect(cells("patient_id")).to.deep.equal(["", ""]);
    expect(cells("contract_address")[0]).to.equal(s.a.chain.deployment.emergencies);
  });

  it("are FHIR queries of no patient, by IHE BALP", async () => {
    const events = auditEvents(await ofClinician());
    expect(events.map(({ meta }) => meta!.profile[0]!.split("IHE.BasicAudit.")[1])).to.deep.equal([
      "Query",
      "Query",
    ]);
    for (const event of events) {
      const resource = { ...event } as unknown as Record<string, unknown>;
      expect(schemaFaultsOf(resource)).to.deep.equal([]);
      expect(faultsOf(resource)).to.deep.equal([]);
      expect(balpFaultsOf(event)).to.deep.equal([]);
      expect(JSON.stringify(event)).to.contain(`urn:chartseal:account:${clinician}`);
    }
  });

  it("are compared with a saved report: one that is missing is named, and one that was altered", async () => {
    const report = await ofClinician();
    const altered = {
      ...report,
      lookups: report.lookups.slice(0, 1).map((one) => ({ ...one, reader: colleague })),
    };
    for (const write of [csv, auditEventNdjson, (one: Accounting) => JSON.stringify(one)]) {
      expect(compareReport(report, write(report)).findings).to.deep.equal([]);
      const { findings } = compareReport(report, write(altered));
      expect(findings.map(({ what }) => what)).to.have.members(["ALTERED", "MISSING"]);
    }
  });

  it("are shown to a privacy officer where they were at night", async () => {
    const report = await ofClinician();
    const hour = new Date(report.lookups[0]!.at * 1000).getUTCHours();
    const ahead = ((2 - hour + 36) % 24) - 12; // there it was two o'clock
    const timeZone = ahead === 0 ? "UTC" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
    const limits = { justifyWithin: DAY, reviewWithin: DAY };
    const { header, rows } = viewOf(report, "unusual-hours", { limits, timeZone });
    const shown = rows.map((row) => row[header.indexOf("lookup_id")]);
    expect(shown).to.deep.equal(report.lookups.map(({ lookupId }) => lookupId));
  });

  it("are doubtful since their reader's key was compromised", async () => {
    const { lookups } = await ofClinician();
    const since = new Date(lookups[1]!.at * 1000);
    await s.b.members.revokeStaff(s.hospitals.b.admin, clinician, since, "KEY_COMPROMISED");
    const report = await ofClinician();
    expect(report.lookups[1]!.suspects).to.deep.equal([
      { role: "READER", account: clinician, since: lookups[1]!.at },
    ]);
    expect(timeline(report)).to.contain("SUSPECT: key of reader");
    expect(csv(report)).to.contain(`READER ${clinician} since`);
    expect(JSON.stringify(auditEvents(report))).to.contain(`READER ${clinician} since`);
  });

  it("can be hidden by a node, which leaves the patients' lists as complete as they are", async () => {
    const node = await startLyingNode(s.consortium.chain.url);
    using chain = Chain.open({ url: node.url, deployment: s.consortium.deployment });
    const topic = chain.emergencies.interface.getEvent("LookupLogged").topicHash;
    node.lie = (logs) => logs.filter(({ topics }) => topics[0] !== topic);
    const report = await accounting({ chain, subject: { clinician }, own: [s.patient] });
    await node[Symbol.asyncDispose]();
    expect(report.lookups).to.deep.equal([]);
    expect(report.complete).to.equal(true);
  });
});
