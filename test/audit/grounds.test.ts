// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Acts, type OnPaper } from "../../src/acts/index.js";
import { auditEvents, csv, html, timeline, type GivenBy } from "../../src/audit/index.js";
import { makeOrderTerms, purposeNumber, type Purpose, type Terms } from "../../src/consent/index.js";
import { LeafKind, type Hex } from "../../src/crypto/index.js";
import {
  IN_TEN_YEARS,
  actStage,
  carriedOut,
  signedBy,
  withoutDevice,
  type ActStage,
} from "../support/acts.js";

describe("what an access rests on", function () {
  this.timeout(120_000);
  let s: ActStage;
  let patient: Hex;
  before(async () => {
    s = await actStage();
    patient = await withoutDevice(s);
  });
  after(() => s[Symbol.asyncDispose]());

  const paper = (kind: 1 | 2, first: Hex): OnPaper => ({
    first,
    anchor: (ref) =>
      s.a.anchorDocument({
        kind,
        patientId: patient,
        ref,
        mediaType: "application/pdf",
        label: "form",
        bytes: Buffer.from(`scan of ${ref}`),
      }),
  });

  async function read(terms: Terms, purpose: Purpose): Promise<void> {
    const { compartments, recordedFrom, recordedTo } = terms;
    const scope = { compartments, recordedFrom, recordedTo, upTo: 1 };
    const { accessLog } = s.b.chain;
    const call = accessLog.requestScope.populateTransaction(terms, purposeNumber(purpose), 0, scope);
    await s.b.writer("clinician").execute(await call);
  }

  async function groundOf(terms: Terms) {
    const audit = await s.a.audit.disclosures({ patient });
    expect(audit.complete).to.equal(true);
    const words = html(audit, { timeZone: "UTC" })
      .replaceAll(/<[^>]*>/g, " ")
      .replaceAll(/\s+/g, " ");
    return { ground: audit.grounds[s.a.consent.prepared(terms).termsHash]!, words };
  }
  const lower = (signer: { address: string }) => signer.address.toLowerCase();

  it("is a consent on paper: who witnessed it, and where the paper is", async () => {
    const request = { patient, grantee: s.b.memberId, purposes: ["TREAT" as const], notAfter: IN_TEN_YEARS };
    const { terms } = s.a.consent.terms(request);
    const operator = s.a.signer("operator");
    const form = paper(LeafKind.CONSENT_DOCUMENT, operator.address);
    await carriedOut(s, s.a.attestations.grant(terms, form), s.witness.signer);
    await read(terms, "TREAT");
    const { ground, words } = await groundOf(terms);
    const persons = [lower(operator), lower(s.witness.signer)];
    expect(ground).to.deep.include({ givenBy: "WITNESSES", persons, document: "1" });
    expect(words).to.contain(
      `given on paper by ${persons[0]} , ${persons[1]} document: entry 1 of the custodian`,
    );
  });

  it("is a legal order: who entered it, and where the paper is", async () => {
    const terms = makeOrderTerms({ patient, grantee: s.b.memberId, notAfter: IN_TEN_YEARS });
    const { signer, writer } = s.reviewerA;
    const file = await s.a.attestations.order(terms, paper(LeafKind.LEGAL_ORDER, signer.address));
    await new Acts(s.a.chain, () => writer).relay(await signedBy(s, file, s.reviewerB.signer));
    await read(terms, "HLEGAL");
    const { ground, words } = await groundOf(terms);
    const persons = [lower(signer), lower(s.reviewerB.signer)];
    expect(ground).to.deep.include({ persons, document: "2" });
    expect(ground).not.to.have.property("givenBy");
    expect(words).to.match(
      new RegExp(`Legal order, entered [-\\d]+ by ${persons[0]} , ${persons[1]} document: entry 2`),
    );
  });

  it("is told with who acted for the patient, in words, CSV and FHIR", async () => {
    const { terms } = s.a.consent.terms({
      patient,
      grantee: s.b.memberId,
      purposes: ["TREAT"],
      notAfter: IN_TEN_YEARS,
    });
    const { termsHash } = s.a.consent.prepared(terms);
    const form = paper(LeafKind.CONSENT_DOCUMENT, s.a.signer("operator").address);
    await carriedOut(s, s.a.attestations.revocation(patient, termsHash, form), s.witness.signer);
    await carriedOut(s, s.a.attestations.denial({ patient, denyAll: true }, form), s.witness.signer);
    const audit = await s.a.audit.disclosures({ patient });
    const byWitnesses = { "grant-given": 1, "grant-revoked": 1, "directive-set": 1 };
    const text = timeline(audit, { width: 300 });
    expect(text.match(/by two witnesses/g)).to.have.length(Object.keys(byWitnesses).length);
    expect(timeline(audit, { language: "zh", width: 300 })).to.contain("由两名见证人作出");
    const rows = csv(audit)
      .split("\r\n")
      .filter((row) => row.includes(",WITNESSES,"))
      .map((row) => row.split(",", 1)[0]!.replace("\uFEFF", ""));
    expect(rows).to.deep.equal(Object.keys(byWitnesses));
    const authors = auditEvents(audit).map(({ agent }) => {
      const author = agent.find(({ type }) => type.coding[0]!.code === "AUT");
      return author?.who.identifier.value.replace("urn:chartseal:", "").replace(/^account:.*/, "account");
    });
    // Enrolment; the paper and its grant; an access; order and access; the papers of revocation and denial.
    const [account, custodian] = ["account", `member:${s.a.memberId}`];
    expect(authors).to.deep.equal([
      custodian,
      ...[account, custodian, undefined],
      ...[account, undefined],
      ...[account, custodian],
      ...[account, custodian],
    ]);
  });

  it("names a guardian or a delegate as the author of what he signed, not the patient", async () => {
    const audit = await s.a.audit.disclosures({ patient });
    const grant = audit.entries.find((entry) => entry.kind === "grant-given")!;
    const authorBy = (givenBy: GivenBy) => {
      const [event] = auditEvents({ ...audit, entries: [{ ...grant, givenBy }] });
      const { who } = event!.agent.find(({ type }) => type.coding[0]!.code === "AUT")!;
      return [who.type, who.identifier.value];
    };
    expect(authorBy("PATIENT")).to.deep.equal(["Patient", `urn:chartseal:patient:${patient}`]);
    expect(authorBy("GUARDIANS")).to.deep.equal(["RelatedPerson", `urn:chartseal:guardians:${patient}`]);
    expect(authorBy("DELEGATE")).to.deep.equal(["RelatedPerson", `urn:chartseal:delegate:${patient}`]);
  });
});
