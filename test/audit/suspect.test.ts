// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { emergencyReleaseData } from "../../src/access/late-permission.js";
import { Acts, type OnPaper } from "../../src/acts/index.js";
import { auditEvents, csv, html, timeline, type Audit, type AuditEntry } from "../../src/audit/index.js";
import type { StaffSigner, Writer } from "../../src/chain/index.js";
import { makeOrderTerms, purposeNumber, type Purpose, type Terms } from "../../src/consent/index.js";
import { LeafKind, toHex, type Hex } from "../../src/crypto/index.js";
import {
  IN_TEN_YEARS,
  actStage,
  carriedOut,
  pass,
  signedBy,
  withoutDevice,
  type ActStage,
  type Staff,
} from "../support/acts.js";
import { breakGlass } from "../support/emergency.js";
import { newStaff } from "../support/sharing.js";

const WAITING_TIME = 3_600;
/** Longer than an access can be redeemed. */
const SIXTEEN_MINUTES = 960;

describe("what compromised keys make doubtful", function () {
  this.timeout(180_000);
  let s: ActStage;
  let patient: Hex;
  /** Of `b`. */
  let colleague: Staff;
  let second: Staff;
  let scans = 0;
  const lower = ({ address }: StaffSigner) => address.toLowerCase() as Hex;

  before(async () => {
    s = await actStage();
    patient = await withoutDevice(s);
    colleague = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    second = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    await pass(s, WAITING_TIME + 60);
    await tell();
  });
  after(() => s[Symbol.asyncDispose]());

  /** A grant on paper, an order, an emergency, each read under; a late release; grant and emergencies denied on paper. */
  async function tell(): Promise<void> {
    const { terms } = s.a.consent.terms({
      patient,
      grantee: s.b.memberId,
      purposes: ["TREAT"],
      notAfter: IN_TEN_YEARS,
    });
    const form = paper(LeafKind.CONSENT_DOCUMENT, s.a.signer("operator").address);
    await carriedOut(s, s.a.attestations.grant(terms, form), s.witness.signer);
    await read(terms, "TREAT");
    const order = makeOrderTerms({ patient, grantee: s.b.memberId, notAfter: IN_TEN_YEARS });
    const { signer, writer } = s.reviewerA;
    const file = await s.a.attestations.order(order, paper(LeafKind.LEGAL_ORDER, signer.address));
    await new Acts(s.a.chain, () => writer).relay(await signedBy(s, file, s.reviewerB.signer));
    await read(order, "HLEGAL");
    const window = await breakGlass({ b: s.b, patient, colleague: colleague.signer });
    await read(window.terms, "BTG");
    await pass(s, 60);
    await fileLate(second.signer, colleague.signer);
    await pass(s, SIXTEEN_MINUTES);
    await read(order, "HLEGAL", second.writer);
    const { termsHash } = s.a.consent.prepared(terms);
    await carriedOut(s, s.a.attestations.revocation(patient, termsHash, form), s.witness.signer);
    await carriedOut(s, s.a.attestations.denial({ patient, denyAll: true }, form), s.witness.signer);
  }

  function paper(kind: 1 | 2, first: Hex): OnPaper {
    const rest = { patientId: patient, mediaType: "application/pdf", label: "form" };
    const bytes = (ref: Hex) => Buffer.from(`scan ${++scans} of ${ref}`);
    return { first, anchor: (ref) => s.a.anchorDocument({ kind, ref, bytes: bytes(ref), ...rest }) };
  }

  async function read(terms: Terms, purpose: Purpose, by: Writer = s.b.writer("clinician")): Promise<void> {
    const { compartments, recordedFrom, recordedTo } = terms;
    const scope = { compartments, recordedFrom, recordedTo, upTo: 1 };
    const { accessLog } = s.b.chain;
    await by.execute(
      await accessLog.requestScope.populateTransaction(terms, purposeNumber(purpose), 0, scope),
    );
  }

  async function fileLate(reader: StaffSigner, cosigner: StaffSigner): Promise<void> {
    const { chain } = s.a;
    const now = await chain.time();
    const release = {
      patientId: patient,
      initiator: lower(reader),
      colleague: lower(cosigner),
      reasonDigest: toHex(randomBytes(32)),
      nonce: toHex(randomBytes(32)),
      deadline: now,
    };
    const { domain, types, message } = emergencyReleaseData(chain, release);
    const call = await chain.emergencies.fileLate.populateTransaction({
      ...release,
      releasedAt: now,
      releaseDigest: toHex(randomBytes(32)),
      initiatorSignature: await reader.signTypedData(domain, types, message),
      colleagueSignature: await cosigner.signTypedData(domain, types, message),
    });
    await s.a.writer("releaser").execute(call);
  }

  const audited = () => s.a.audit.disclosures({ patient });

  /** Each doubtful event with why: role and what of whom. */
  function doubts({ entries }: Pick<Audit, "entries">, account?: Hex): string[] {
    return entries.flatMap((entry) =>
      (entry.suspects ?? [])
        .filter((one) => (one.role === "MEMBER_KEY" ? account === undefined : one.account === account))
        .map(({ role }) => `${nameOf(entry)} ${role}`),
    );
  }

  function nameOf(entry: AuditEntry): string {
    if (entry.kind === "access") return entry.basis;
    return entry.kind === "witnessed" ? `witnessed ${entry.details.act}` : entry.kind;
  }

  async function timeOf(kind: AuditEntry["kind"]): Promise<number> {
    const { entries } = await audited();
    return entries.find((entry) => entry.kind === kind)!.at;
  }

  async function compromised(who: Staff, admin: Writer, since: number): Promise<string[]> {
    const { address } = who.signer;
    await s.a.members.revokeStaff(admin, address, new Date(since * 1000), "KEY_COMPROMISED");
    return doubts(await audited(), lower(who.signer));
  }

  it("is nothing while no key was, nor by an account that was revoked for another reason", async () => {
    const left = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    await s.a.members.revokeStaff(s.hospitals.b.admin, left.signer.address, new Date(0), "LEFT");
    const { entries } = await audited();
    expect(entries.filter(({ suspects }) => suspects !== undefined)).to.deep.equal([]);
  });

  it("is what a witness attested from then on, and what was read under a grant of his", async () => {
    const { admin } = s.hospitals.a;
    const tightened = ["witnessed REVOCATION", "grant-revoked", "witnessed DENIAL", "directive-set"];
    const revoked = await compromised(s.witness, admin, await timeOf("grant-revoked"));
    expect(revoked).to.deep.equal(tightened.map((what) => `${what} WITNESS`));
    const granted = await compromised(s.witness, admin, await timeOf("grant-given"));
    const loosened = ["witnessed GRANT", "grant-given", "GRANT"];
    expect(granted).to.deep.equal([...loosened, ...tightened].map((what) => `${what} WITNESS`));
  });

  it("is an order that a reviewer entered, and what was read under it", async () => {
    const { admin } = s.hospitals.b;
    const since = await timeOf("order-entered");
    expect(await compromised(s.reviewerB, admin, since + 1)).to.deep.equal([]);
    expect(await compromised(s.reviewerB, admin, since)).to.deep.equal([
      "order-entered REVIEWER",
      "LEGAL_ORDER REVIEWER",
      "LEGAL_ORDER REVIEWER",
    ]);
  });

  it("is an emergency that a colleague signed, what was read in it, and what was released late", async () => {
    const { admin } = s.hospitals.b;
    const late = await compromised(colleague, admin, await timeOf("glass-late"));
    expect(late).to.deep.equal(["glass-late COLLEAGUE"]);
    const all = await compromised(colleague, admin, await timeOf("glass-broken"));
    expect(all).to.deep.equal(["glass-broken COLLEAGUE", "BREAK_GLASS COLLEAGUE", "glass-late COLLEAGUE"]);
  });

  it("is what was released late on the signature of a clinician", async () => {
    const since = await timeOf("glass-late");
    expect(await compromised(second, s.hospitals.b.admin, since)).to.deep.equal([
      "glass-late READER",
      "LEGAL_ORDER READER",
    ]);
  });

  it("is what may have been sealed to a withdrawn key of a member, from then on", async () => {
    const since = (await audited()).entries.filter(({ kind }) => kind === "access").at(-1)!.at;
    await s.b.members.withdrawKey(s.hospitals.b.admin, s.b.memberId, new Date(since * 1000));
    const audit = await audited();
    expect(doubts(audit)).to.deep.equal(["LEGAL_ORDER MEMBER_KEY"]);
    const [marked] = audit.entries.flatMap(({ suspects = [] }) =>
      suspects.filter(({ role }) => role === "MEMBER_KEY"),
    );
    expect(marked).to.deep.equal({ role: "MEMBER_KEY", member: s.b.memberId, epoch: 1, since });
  });

  it("is not what was released to the member's next key", async () => {
    await s.b.members.publishKey(s.hospitals.b.admin, s.b.memberId, s.b.vault);
    const another = await withoutDevice(s);
    const order = makeOrderTerms({ patient: another, grantee: s.b.memberId, notAfter: IN_TEN_YEARS });
    const reviewer = await newStaff(s.b, s.hospitals.b, ["REVIEWER"]);
    await pass(s, WAITING_TIME + 60);
    const { signer, writer } = s.reviewerA;
    const document = { patientId: another, mediaType: "application/pdf", label: "form" };
    const onPaper: OnPaper = {
      first: signer.address,
      anchor: (ref) => s.a.anchorDocument({ kind: 2, ref, bytes: Buffer.from(ref), ...document }),
    };
    const file = await s.a.attestations.order(order, onPaper);
    await new Acts(s.a.chain, () => writer).relay(await signedBy(s, file, reviewer.signer));
    await read(order, "HLEGAL");
    const { entries } = await s.a.audit.disclosures({ patient: another });
    expect(entries.map(({ kind }) => kind)).to.include("access");
    expect(doubts({ entries })).to.deep.equal([]);
  });

  it("is told with who it was and since when, in every form and both languages", async () => {
    const audit = await audited();
    const at = new Date((await timeOf("glass-broken")) * 1000).toISOString().replace(".000Z", "Z");
    const account = lower(colleague.signer);
    const short = `${account.slice(0, 6)}…${account.slice(-4)}`;
    const english = timeline(audit);
    expect(english).to.contain(`SUSPECT: key of colleague ${short} compromised since ${at}`);
    expect(english).to.contain(`SUSPECT: released to key 1 of member ${s.b.memberId}, compromised since`);
    const chinese = timeline(audit, { language: "zh" });
    expect(chinese).to.contain(`可疑：共同签署人 ${short} 的密钥自 ${at} 起已泄露`);
    expect(html(audit)).to.contain(`SUSPECT: key of colleague ${account} compromised since ${at}`);
    expect(html(audit, { language: "zh" })).to.contain(`可疑：共同签署人 ${account} 的密钥自 ${at} 起已泄露`);
    const [header, ...rows] = csv(audit).split("\r\n");
    expect(header!.split(",").slice(-4, -1)).to.deep.equal(["suspect_since", "custodian", "suspects"]);
    const broken = rows.find((row) => row.startsWith("glass-broken,"))!;
    expect(broken.split(",").at(-4)).to.equal(at);
    expect(broken.split(",").at(-2)).to.equal(`COLLEAGUE ${account} since ${at}`);
    const details = auditEvents(audit).flatMap(({ entity }) => entity.flatMap(({ detail = [] }) => detail));
    const told = details.filter(({ type }) => type === "suspect").map(({ valueString }) => valueString);
    expect(told).to.include(`COLLEAGUE ${account} since ${at}`);
    expect(told.filter((text) => text.startsWith(`MEMBER_KEY ${s.b.memberId}/1 since `))).to.have.length(1);
  });

  it("is marked in a clinician's accounting too, by what the patient's other events say", async () => {
    const clinician = lower(s.b.signer("clinician"));
    const { audits } = await s.a.audit.accounting({ subject: { clinician } });
    const { entries } = audits.find(({ patientId }) => patientId === patient)!;
    const marked = entries.map((entry) => [nameOf(entry), ...(entry.suspects ?? []).map((one) => one.role)]);
    expect(marked).to.deep.equal([
      ["GRANT", "WITNESS"],
      ["LEGAL_ORDER", "REVIEWER"],
      ["glass-broken", "COLLEAGUE"],
      ["BREAK_GLASS", "COLLEAGUE"],
    ]);
  });
});
