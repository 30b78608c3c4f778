// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { Wallet } from "ethers";
import { Emergencies, statementDigest } from "../../src/access/index.js";
import { csv, timeline } from "../../src/audit/index.js";
import { Writer, keySigner } from "../../src/chain/index.js";
import type { GrantTicket } from "../../src/consent/index.js";
import { fromHex, toHex } from "../../src/crypto/index.js";
import {
  breakGlass,
  deny,
  emergencyStage,
  officer,
  pass,
  type EmergencyStage,
} from "../support/emergency.js";
import { rejected } from "../support/rejected.js";
import { agentOf, newStaff, served } from "../support/sharing.js";

const BTG = { purpose: "BTG" } as const;
const HOUR = 3_600;
const DAY = 24 * HOUR;

describe("emergencies", function () {
  this.timeout(120_000);
  let s: EmergencyStage;
  let ticket: GrantTicket;

  before(async () => {
    s = await emergencyStage();
    ticket = await breakGlass(s);
  });

  after(async () => {
    await s[Symbol.asyncDispose]();
  });

  const windowOf = async (windowId = ticket.termsHash) =>
    (await officer(s, s.officerB).list()).find((window) => window.windowId === windowId)!;

  it("keeps the reason off chain: what stands there is the digest of salt and text", () => {
    const salt = toHex(Buffer.alloc(32, 7));
    const digest = createHash("sha256").update(fromHex(salt)).update("brought in, 意识不清").digest();
    expect(statementDigest(salt, "brought in, 意识不清")).to.equal(toHex(digest));
  });

  it("lets the initiator open the exact records, without any grant", async () => {
    const chart = await served(agentOf(s.a), s.b.access.list(ticket, BTG));
    const opened = await served(agentOf(s.a), s.b.access.request(chart, BTG));
    const texts: string[] = [];
    for await (const record of opened.open()) {
      const parts: Uint8Array[] = [];
      for await (const part of record.body) parts.push(part);
      texts.push(Buffer.concat(parts).toString());
    }
    expect(texts).to.deep.equal(s.lines);
  });

  it("refuses the window to everyone else, the colleague included", async () => {
    const { writer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    const { terms } = ticket;
    const scope = { compartments: terms.compartments, recordedFrom: 0, recordedTo: 1, upTo: 1 };
    const call = await s.b.chain.accessLog.requestScope.populateTransaction(terms, 9, 0, scope);
    const error = await rejected("ERR_CHAIN_REFUSED", writer.execute(call));
    expect(error.values["reason"]).to.equal("WindowOfAnother");
  });

  it("refuses a pair of one person, and a colleague's signature for another reason", async () => {
    const emergencies = s.b.emergencies("clinician");
    const { address } = s.b.signer("clinician");
    const prepared = await emergencies.prepare(s.patient, address, "first reason");
    const own = await emergencies.countersign(prepared, s.b.signer("clinician"));
    const alone = await rejected(
      "ERR_ACCESS_DENIED",
      emergencies.breakGlass(prepared, { account: address, signature: own }),
    );
    expect(alone.values["reason"]).to.equal("SamePerson");
    const signature = await emergencies.countersign(prepared, s.colleague);
    const other = await emergencies.prepare(s.patient, address, "another reason");
    const forged = await rejected(
      "ERR_ACCESS_DENIED",
      emergencies.breakGlass(other, { account: s.colleague.address, signature }),
    );
    expect(forged.values["reason"]).to.equal("CosignatureInvalid");
  });

  it("finds the window again that the same two opened by the same signature, and nobody else's", async () => {
    const emergencies = s.b.emergencies("clinician");
    const prepared = await emergencies.prepare(s.patient, s.b.signer("clinician").address, "lost ticket");
    const signature = await emergencies.countersign(prepared, s.colleague);
    const colleague = { account: s.colleague.address, signature };
    const opened = await emergencies.breakGlass(prepared, colleague);
    const windows = async () => (await officer(s, s.officerB).list()).map(({ windowId }) => windowId);
    const before = await windows();
    const reasonFor = async (refused: Promise<unknown>) =>
      (await rejected("ERR_ACCESS_DENIED", refused)).values["reason"];
    const copied = new Emergencies(s.b.chain, () => new Writer(s.b.chain, s.colleague));
    expect(await reasonFor(copied.breakGlass(prepared, colleague))).to.equal("CosignatureInvalid");
    const stranger = keySigner(Wallet.createRandom().privateKey);
    const other = { account: stranger.address, signature: await emergencies.countersign(prepared, stranger) };
    expect(await reasonFor(emergencies.breakGlass(prepared, other))).to.equal("SignatureUsed");
    await pass(s, HOUR); // the signature's time is over, the window is not
    expect(await emergencies.breakGlass(prepared, colleague)).to.deep.equal(opened);
    expect(await windows()).to.deep.equal(before);
  });

  it("stands in the patient's audit, complete, in both languages", async () => {
    const audit = await s.a.audit.disclosures({ patient: s.patient });
    expect(audit.complete).to.equal(true);
    const [broken] = audit.entries.filter(({ kind }) => kind === "glass-broken");
    expect(broken).to.deep.include({ member: s.b.memberId });
    const accesses = audit.entries.filter(({ kind }) => kind === "access");
    expect(accesses.map((entry) => "basis" in entry && entry.basis)).to.deep.equal([
      "BREAK_GLASS",
      "BREAK_GLASS",
    ]);
    expect(timeline(audit)).to.contain("EMERGENCY").and.to.contain("BREAK-GLASS");
    expect(timeline(audit, { language: "zh" })).to.contain("紧急调阅");
  });

  it("stops its persons, not others, once its justification is overdue, until that is filed", async () => {
    await rejected("ERR_CHAIN_REFUSED", officer(s, s.officerA).flagOverdue(ticket.termsHash));
    await pass(s, 3 * DAY + HOUR);
    await officer(s, s.officerA).flagOverdue(ticket.termsHash);
    expect((await windowOf()).overdue).to.equal(true);
    const stopped = await rejected("ERR_ACCESS_DENIED", breakGlass(s));
    expect(stopped.values["reason"]).to.equal("PersonOverdue");
    const stated = await officer(s, s.officerB).justify(ticket.termsHash, "the patient was unconscious");
    expect(stated.digest).to.equal(statementDigest(stated.salt, "the patient was unconscious"));
    expect(await windowOf()).to.deep.include({ justified: true, overdue: false });
    await breakGlass(s);
  });

  it("is over at its end", async () => {
    const error = await rejected("ERR_ACCESS_DENIED", s.b.access.list(ticket, BTG));
    expect(error.values["reason"]).to.equal("GrantExpired");
  });

  it("is reviewed by the custodian's officer, once, and not by the reader's", async () => {
    const id = ticket.termsHash;
    const own = await rejected("ERR_CHAIN_REFUSED", officer(s, s.officerB).review(id, "APPROPRIATE", "fine"));
    expect(own.values["reason"]).to.equal("NotReviewer");
    await officer(s, s.officerA).review(id, "APPROPRIATE", "seen with the ward's notes");
    expect(await windowOf()).to.deep.include({ verdict: "APPROPRIATE" });
    const again = await rejected(
      "ERR_CHAIN_REFUSED",
      officer(s, s.officerA).review(id, "INAPPROPRIATE", "no"),
    );
    expect(again.values["reason"]).to.equal("AlreadyReviewed");
  });

  it("does not open against the patient's word, and an open window closes with it", async () => {
    const open = await breakGlass(s);
    await deny(s, { denyEmergency: true });
    const error = await rejected("ERR_ACCESS_DENIED", s.b.access.list(open, BTG));
    expect(error.values["reason"]).to.equal("EmergencyDenied");
    expect((await rejected("ERR_ACCESS_DENIED", breakGlass(s))).values["reason"]).to.equal("EmergencyDenied");
    await rejected("ERR_USAGE", s.b.emergencies("clinician").prepare(s.patient, s.colleague.address, " "));
  });

  it("marks in the audit what was read under a key since it was compromised", async () => {
    const accesses = async () => {
      const audit = await s.a.audit.disclosures({ patient: s.patient });
      return { audit, found: audit.entries.filter((entry) => entry.kind === "access") };
    };
    const { found } = await accesses();
    expect(found.map(({ suspects }) => suspects)).to.deep.equal([undefined, undefined]);
    const last = found[1]!.at;
    const { address } = s.b.signer("clinician");
    await s.b.members.revokeStaff(s.hospitals.b.admin, address, new Date(last * 1000), "KEY_COMPROMISED");
    const { audit, found: marked } = await accesses();
    const account = address.toLowerCase();
    expect(marked[1]!.suspects).to.deep.equal([{ role: "READER", account, since: last }]);
    expect(marked.filter(({ at }) => at < last).every((entry) => entry.suspects === undefined)).to.equal(
      true,
    );
    expect(timeline(audit)).to.contain("SUSPECT");
    expect(csv(audit).split("\r\n")[0]).to.match(/,suspect_since,/);
  });
});
