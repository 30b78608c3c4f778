// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Access } from "../../src/access/access.js";
import type { Answer } from "../../src/access/answer-request.js";
import { Chart, type ChartEntry } from "../../src/access/chart.js";
import type { OpenedEntry } from "../../src/access/opened-access.js";
import { verifyReceipt } from "../../src/crypto/index.js";
import { observation, observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  IN_A_YEAR,
  agentOf,
  grant,
  patientWith,
  revoke,
  served,
  setDirective,
  sharing,
  takeIn,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const TREAT = { purpose: "TREAT" } as const;

describe("reading another member's records", function () {
  this.timeout(60_000);
  let s: Sharing;

  before(async () => {
    s = await sharing();
  });

  const list = (p: SharedPatient) => served(agentOf(s.a), s.b.access.list(p.ticket, TREAT));

  it("gives the exact bytes that the custodian took in, with the evidence for each", async () => {
    let lines: string[] = [];
    const p = await patientWith(s, (patient) => (lines = observations(patient, 3, 700)));
    const chart = await list(p);
    const opened = await served(agentOf(s.a), s.b.access.request(chart, TREAT));
    const texts: string[] = [];
    for await (const record of opened.open()) {
      texts.push(await textOf(record));
      expect(record.manifest.mediaType).to.equal("application/fhir+json");
      const sha256 = createHash("sha256").update(texts.at(-1)!).digest("hex");
      expect(record.manifest.sha256.replace("0x", "")).to.equal(sha256);
    }
    expect(texts).to.deep.equal(lines);
    for (const { leaf } of chart.entries) {
      expect((await verifyReceipt(chart.receipt(leaf.index))).ok).to.equal(true);
      expect(chart.receipt(leaf.index)).to.deep.equal(s.a.receipt(leaf.index));
    }
  });

  it("asks for more than 64 records in several accesses, in the order of the chart", async () => {
    const p = await patientWith(s, 70);
    const chart = await list(p);
    const answers: Answer[] = [];
    const opened = await served(agentOf(s.a), s.b.access.request(chart, TREAT), answers);
    expect(opened.accessIds).to.have.length(2);
    expect(new Set(answers.map(({ accessId }) => accessId))).to.deep.equal(new Set(opened.accessIds));
    const seen: [number, string][] = [];
    for await (const { leaf, accessId } of opened.open()) seen.push([leaf.patientSeq, accessId]);
    expect(seen.map(([seq]) => seq)).to.deep.equal(chart.entries.map(({ leaf }) => leaf.patientSeq));
    expect(seen.filter(([, accessId]) => accessId === opened.accessIds[1])).to.have.length(6);
  });

  it("takes a whole chart in one access", async () => {
    const p = await patientWith(s, 5);
    const opened = await served(agentOf(s.a), s.b.access.requestChart(p.ticket, TREAT));
    expect(opened.accessIds).to.have.length(1);
    expect(await Array.fromAsync(opened.open(), ({ leaf }) => leaf.patientSeq)).to.deep.equal([
      1, 2, 3, 4, 5,
    ]);
  });

  it("asks for nothing when there is nothing to ask for", async () => {
    const p = await patientWith(s, 1);
    const none = (await list(p)).filter({ type: "Immunization" });
    const opened = await s.b.access.request(none, TREAT);
    expect([none.entries, opened.accessIds]).to.deep.equal([[], []]);
    expect(await Array.fromAsync(opened.open())).to.deep.equal([]);
  });

  it("filters by resource type and by index", async () => {
    const p = await patientWith(s, (patient) => [
      observation({ id: `${patient}-1`, patient }),
      JSON.stringify({
        resourceType: "Condition",
        id: `${patient}-c`,
        subject: { reference: `Patient/${patient}` },
      }),
    ]);
    const chart = await list(p);
    expect(chart.filter({ type: "Condition" }).entries.map(({ leaf }) => leaf.patientSeq)).to.deep.equal([2]);
    const [first] = chart.entries as [ChartEntry];
    expect(chart.filter({ indices: [first.leaf.index] }).entries).to.deep.equal([first]);
    expect(chart.filter({}).entries).to.deep.equal(chart.entries);
  });

  it("shows an amended entry as history, which stays readable; `current` leaves it out", async () => {
    const p = await patientWith(s, (patient) => [
      observation({ id: `${patient}-1`, patient, note: "wrong" }),
    ]);
    const patient = s.a.vault.patient(p.patient).identifiers[0]!.value;
    await takeIn(s.a, [observation({ id: `${patient}-1`, patient, note: "right" })]);
    const chart = await list(p);
    expect(chart.entries.map(({ status }) => status)).to.deep.equal([1, 0]);
    expect(chart.filter({ current: true }).entries.map(({ leaf }) => leaf.patientSeq)).to.deep.equal([2]);
    const opened = await served(agentOf(s.a), s.b.access.request(chart, TREAT));
    const texts = await Array.fromAsync(opened.open(), textOf);
    expect(texts[0]).to.contain("wrong");
    expect(texts[1]).to.contain("right");
  });

  it("counts an entry under legal hold as current", async () => {
    const chart = await list(await patientWith(s, 1));
    const held = chart.entries.map((entry) => ({ ...entry, status: 4 }));
    expect(new Chart(chart.terms, held, new Map()).filter({ current: true }).entries).to.have.length(1);
  });

  it("can be kept and taken up again", async () => {
    const chart = await list(await patientWith(s, 2));
    const again = Chart.parse(chart.filter({ indices: [chart.entries[1]!.leaf.index] }).serialise());
    expect(again.entries).to.deep.equal([chart.entries[1]]);
    expect(again.gaps).to.deep.equal(chart.gaps);
    const opened = await served(agentOf(s.a), s.b.access.request(again, TREAT));
    expect(await Array.fromAsync(opened.open(), ({ leaf }) => leaf)).to.deep.equal([again.entries[0]!.leaf]);
  });

  it("leaves out what the patient denied, without failing", async () => {
    const p = await patientWith(s, 2);
    const [entry] = (await list(p)).entries as [ChartEntry];
    await setDirective(s.a, p, { deniedCompartments: [entry.leaf.compartment] });
    const chart = await list(p);
    expect(chart.entries).to.deep.equal([]);
    const asked = { ...TREAT, compartments: 1n << BigInt(entry.leaf.compartment) };
    const error = await rejected("ERR_ACCESS_DENIED", s.b.access.list(p.ticket, asked));
    expect(error.values["reason"]).to.equal("CompartmentsNotPermitted");
  });

  it("is denied by the chain without a grant, for another purpose, and after the revocation", async () => {
    const p = await patientWith(s, 1);
    const chart = await list(p);
    const reason = async (work: Promise<unknown>) =>
      (await rejected("ERR_ACCESS_DENIED", work)).values["reason"];
    const notGranted = s.a.consent.terms({
      patient: p.patient,
      grantee: s.b.memberId,
      purposes: ["TREAT"],
      notAfter: IN_A_YEAR,
    });
    const { terms, termsHash } = notGranted;
    const ticket = { format: 1 as const, terms, termsHash, custodian: s.a.memberId };
    expect(await reason(s.b.access.list(ticket, TREAT))).to.equal("GrantUnknown");
    expect(await reason(s.b.access.list(p.ticket, { purpose: "HRESCH" }))).to.equal("PurposeNotGranted");
    expect(await reason(s.c.access.list(p.ticket, TREAT))).to.equal("GranteeMismatch");
    const days = {
      ...(await grant(s.a, p.patient, p.device, { grantee: s.b.memberId, recordedFrom: new Date() })),
    };
    expect(await reason(s.b.access.list(days, { ...TREAT, recordedFrom: 0 }))).to.equal("PeriodNotGranted");
    await revoke(s.a, p);
    expect(await reason(s.b.access.request(chart, TREAT))).to.equal("TermsRevoked");
    expect(await reason(s.b.access.list(p.ticket, TREAT))).to.equal("TermsRevoked");
    await rejected("ERR_USAGE", s.b.access.list(p.ticket, { purpose: "SNOOPING" as "TREAT" }));
  });

  it("stops waiting when it is told to", async () => {
    const p = await patientWith(s, 1);
    const stop = new AbortController();
    const work = s.b.access.list(p.ticket, { ...TREAT, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    expect(String(await work.catch((error: unknown) => error))).to.contain("enough");
    for (const request of await s.a.exchange.receive(s.a.memberId, "request"))
      await s.a.exchange.remove(request);
  });

  describe("from a store that is not to be trusted", () => {
    /** Lists and opens; `harm` gets at the stored bodies in between. */
    async function openedAfter(p: SharedPatient, harm: (chart: Chart) => unknown) {
      const chart = await list(p);
      const opened = await served(agentOf(s.a), s.b.access.request(chart, TREAT));
      await harm(chart);
      return { chart, opened };
    }

    function inStore<T>(change: (database: DatabaseSync) => T): T {
      const database = new DatabaseSync(join(s.consortium.folder, "store", "store.sqlite"));
      try {
        return change(database);
      } finally {
        database.close();
      }
    }

    it("names the entry whose body was altered, and opens the others", async () => {
      const { chart, opened } = await openedAfter(await patientWith(s, 2), ({ entries }) => {
        inStore((database) => flip(database, entries[0]!.cid));
      });
      const [first, second] = chart.entries as [ChartEntry, ChartEntry];
      const error = await rejected("ERR_BODY_TAMPERED", opened.openEntry(first));
      expect(error.values["index"]).to.equal(first.leaf.index);
      expect(error.message).to.contain(`entry ${first.leaf.index}: `);
      expect(await textOf(await opened.openEntry(second))).to.contain("Observation");
      await rejected("ERR_BODY_TAMPERED", Array.fromAsync(opened.open()));
    });

    it("names the entry whose body is missing", async () => {
      const { chart, opened } = await openedAfter(await patientWith(s, 1), ({ entries }) => {
        return s.b.store.delete(entries[0]!.cid);
      });
      const error = await rejected("ERR_BODY_MISSING", opened.openEntry(chart.entries[0]!));
      expect(error.values["index"]).to.equal(chart.entries[0]!.leaf.index);
    });

    it("names the entry whose body was replaced by another sealed record", async () => {
      const { chart, opened } = await openedAfter(await patientWith(s, 2), ({ entries }) => {
        inStore((database) => setBody(database, entries[0]!.cid, bodyOf(database, entries[1]!.cid)));
      });
      const error = await rejected("ERR_BODY_TAMPERED", opened.openEntry(chart.entries[0]!));
      expect(error.values["index"]).to.equal(chart.entries[0]!.leaf.index);
    });

    it("believes no store that gives another body, even one that opens", async () => {
      const p = await patientWith(s, 2);
      const chart = await list(p);
      const { b } = s;
      const [first, second] = chart.entries as [ChartEntry, ChartEntry];
      const lying = Object.create(b.store) as typeof b.store;
      lying.get = (cid) => b.store.get(cid === first.cid ? second.cid : cid);
      const access = new Access({
        memberId: b.memberId,
        chain: b.chain,
        vault: b.vault,
        store: lying,
        exchange: b.exchange,
        reader: () => ({ writer: b.writer("clinician"), signer: b.signer("clinician") }),
      });
      const opened = await served(agentOf(s.a), access.request(chart, TREAT));
      await rejected("ERR_BODY_TAMPERED", (async () => textOf(await opened.openEntry(first)))());
    });
  });
});

async function textOf({ body }: OpenedEntry): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString("utf8");
}

function flip(database: DatabaseSync, cid: string): void {
  const body = bodyOf(database, cid);
  body[body.length >> 1]! ^= 1;
  setBody(database, cid, body);
}

function bodyOf(database: DatabaseSync, cid: string): Uint8Array {
  return database.prepare("SELECT body FROM blob WHERE cid = ?").get(cid)!["body"] as Uint8Array;
}

function setBody(database: DatabaseSync, cid: string, body: Uint8Array): void {
  database.prepare("UPDATE blob SET body = ?, size = ? WHERE cid = ?").run(body, body.length, cid);
}
