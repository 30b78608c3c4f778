// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ENTRY_STATUS, collectLogs } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { openEvents, settleEvent, sourceFor } from "../../src/ingest/index.js";
import { Entries, ItemState } from "../../src/records/index.js";
import { clinicalDocument } from "../support/cda.js";
import { document, messagesSource, report } from "../support/hl7.js";
import { type Consortium, enrol, enrolAs, type Hospital } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { allItems, checkLog, openItem } from "../support/log-check.js";
import { linesSource, observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import { patientWith, sharing } from "../support/sharing.js";

const { SUPERSEDED, RETRACTED, HELD } = ENTRY_STATUS;
const NO_REF = `0x${"00".repeat(32)}`;

describe("What a source takes back", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let place: Hospital;
  let hospital: Chartseal;
  let p: Hex;
  let q: Hex;

  hospitalForEach(async (own) => {
    ({ hospital, place, consortium } = own);
    p = await enrolAs(hospital, { system: "GH", value: "p" }, { system: "urn:oid:2.999.1.4", value: "p" });
    q = await enrolAs(hospital, { system: "GH", value: "q" });
    await enrol(hospital, "f");
  });

  const take = (...messages: (string | Uint8Array)[]) => hospital.ingest(messagesSource(...messages));
  const statuses = async () => {
    const head = Number(await hospital.chain.records.headOf(hospital.memberId));
    const all = Array.from({ length: head }, (_, at) =>
      hospital.chain.records.statusOf(hospital.memberId, at + 1),
    );
    return (await Promise.all(all)).map(Number);
  };
  const leafAt = (index: number) => new Entries(hospital.journal, hospital.memberId).at(index).leaf;

  it("is amended for OBX-11 C, MDM T08 and T10, and for a CDA document of the set or that takes another's place", async () => {
    const cda = (parts: Parameters<typeof clinicalDocument>[0]) => {
      const folder = mkdtempSync(join(place.folder, "cda-"));
      writeFileSync(join(folder, "x.xml"), clinicalDocument(parts));
      return folder;
    };
    await take(
      report("1", "p", "F1", ["5.1", "F"]),
      document("T02", "2", "p", "D1"),
      document("T02", "3", "p", "D2"),
    );
    await take(
      report("4", "p", "F1", ["5.2", "C"]),
      document("T08", "5", "p", "D1"),
      document("T10", "6", "p", "D3", "D2"),
    );
    expect(await statuses()).to.deep.equal([SUPERSEDED, SUPERSEDED, SUPERSEDED, 0, 0, 0]);
    await hospital.ingest(await sourceFor(cda({})));
    await hospital.ingest(await sourceFor(cda({ version: 2 })));
    const related = `<relatedDocument typeCode="RPLC"><parentDocument><id root="2.999.1"/><setId root="2.999.1.7" extension="set-1"/></parentDocument></relatedDocument>`;
    await hospital.ingest(
      await sourceFor(cda({ setId: "", related, id: `<id root="2.999.1.6" extension="d2"/>` })),
    );
    expect(await statuses()).to.deep.equal([
      SUPERSEDED,
      SUPERSEDED,
      SUPERSEDED,
      0,
      0,
      0,
      SUPERSEDED,
      SUPERSEDED,
      0,
    ]);
    const { manifest, body } = await openItem(hospital, hospital.journal.itemAt(9)!);
    expect(manifest).to.include({ mediaType: "application/hl7-v3+xml", sourceKey: "CDA/id/2.999.1.6|d2" });
    expect(body.toString()).to.equal(
      clinicalDocument({ setId: "", related, id: `<id root="2.999.1.6" extension="d2"/>` }),
    );
    await checkLog(hospital);
  });

  it("is retracted for OBX-11 D and W of all results and for MDM T11, every version of it", async () => {
    await take(
      report("1", "p", "F1", ["5.1", "F"]),
      report("2", "p", "F1", ["5.2", "C"]),
      report("3", "p", "F2", ["7", "F"]),
    );
    await take(document("T02", "4", "p", "D1"));
    const run = await take(report("5", "p", "F1", ["5.2", "D"]), document("T11", "6", "p", "D1"));
    expect(run).to.include({ sealed: 2, anchored: 2, retracted: 5, held: 0, superseded: 0, events: 0 });
    expect(await statuses()).to.deep.equal([
      SUPERSEDED | RETRACTED,
      RETRACTED,
      0,
      RETRACTED,
      RETRACTED,
      RETRACTED,
    ]);
    await checkLog(hospital);
  });

  it("stays taken back when its messages are read again, and is not marked twice", async () => {
    const feed = [report("1", "p", "F1", ["5.1", "F"]), report("2", "p", "F1", ["5.1", "W"])];
    expect(await take(...feed)).to.include({ sealed: 2, anchored: 2, retracted: 2 });
    expect(await take(...feed)).to.include({ sealed: 0, known: 2, anchored: 0, retracted: 0 });
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED]);
  });

  it("and was another patient's is anchored anew under the right one, with no link between the two", async () => {
    const run = await take(
      report("1", "p", "F1", ["5.1", "F"]),
      report("2", "p", "F1", ["5.1", "W"]),
      report("3", "q", "F1", ["5.1", "F"]),
    );
    expect(run).to.include({ sealed: 3, dead: 0, anchored: 3, retracted: 2, superseded: 0 });
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED, 0]);
    expect(leafAt(3)).to.include({ patientId: q, patientSeq: 1, ref: NO_REF });
    expect(leafAt(2)).to.include({ patientId: p, ref: NO_REF });
    await expectNoEventOf(3);
    await checkLog(hospital);
  });

  it("in part, for one result was wrong, leaves what the new report still says", async () => {
    await take(report("1", "p", "F1", ["5.1", "F"], ["9.9", "F"]));
    expect(await take(report("2", "p", "F1", ["5.1", "F"], ["9.9", "W"]))).to.include({
      retracted: 1,
      superseded: 0,
    });
    expect(await statuses()).to.deep.equal([RETRACTED, 0]);
    await take(report("3", "p", "F1", ["5.0", "C"]));
    expect(await statuses()).to.deep.equal([RETRACTED, SUPERSEDED, 0]);
  });

  it("is not touched by a message that names another patient: that waits for a person", async () => {
    await take(report("1", "p", "F1", ["5.1", "F"]));
    const run = await take(report("2", "q", "F1", ["5.1", "W"]));
    expect(run.refused.map(({ error }) => [error.code, error.values])).to.deep.equal([
      ["ERR_PATIENT_CHANGED", { index: 1 }],
    ]);
    expect(await statuses()).to.deep.equal([0]);
  });

  it("is not touched while nobody knows whose the message is, and is once he is enrolled", async () => {
    await take(
      report("1", "new", "F1", ["5.1", "F"]),
      report("2", "new", "F1", ["5.1", "W"]),
      report("3", "new", "F1", ["6", "F"]),
    );
    expect(await statuses()).to.deep.equal([]);
    await enrolAs(hospital, { system: "GH", value: "new" });
    expect(await hospital.retry()).to.include({ anchored: 3, retracted: 2, superseded: 0 });
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED, 0]);
    await checkLog(hospital);
  });

  it("that is not here is told, until a person settles it", async () => {
    const run = await take(report("1", "p", "F9", ["5.1", "W"]));
    expect(run).to.include({ sealed: 1, events: 1, retracted: 1 });
    expect(await statuses()).to.deep.equal([RETRACTED]);
    const [open] = openEvents(hospital.journal);
    expect(await hospital.retry()).to.include({ retracted: 0, followed: 0 });
    expect(settleEvent(hospital.journal, open!)).to.equal(true);
    expect(openEvents(hospital.journal)).to.deep.equal([]);
  });

  it("is retracted for the deletions of an export, by its resources, and comes back when it was made again", async () => {
    const lines = ["a", "b"].map((id) => observation({ id, patient: "f" }));
    await hospital.ingest(linesSource(lines));
    const again = observation({ id: "a", patient: "f", note: "made again" });
    const folder = exportOf(
      { "out.ndjson": again },
      { "gone.ndjson": deletionOf("Observation/a", "Observation/never") },
    );
    for (const first of [true, false]) {
      const run = await hospital.ingest(await sourceFor(folder));
      expect(run).to.include(
        first ? { sealed: 2, retracted: 1, superseded: 0 } : { sealed: 0, known: 2, retracted: 0 },
      );
      expect(await statuses()).to.deep.equal([RETRACTED, 0, 0, 0]);
    }
    expect(leafAt(3).patientId, "the deletion is nobody's record").to.equal(
      hospital.vault.administrativeId(),
    );
    expect(leafAt(4).ref).to.equal(NO_REF);
    await checkLog(hospital);
  });

  it("is marked again after the node lost its last blocks", async () => {
    await take(report("1", "p", "F1", ["5.1", "F"]));
    const snapshot = await consortium.chain.rpc("evm_snapshot");
    await take(report("2", "p", "F1", ["5.1", "D"]));
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED]);
    await consortium.chain.rpc("evm_revert", [snapshot]);
    expect(await statuses()).to.deep.equal([0]);
    await hospital.retry();
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED]);
    await checkLog(hospital);
  });

  it("by a person of staff may be taken anew, also after its source took it back", async () => {
    const feed = [report("1", "p", "F1", ["5.1", "F"]), report("2", "p", "F1", ["5.1", "W"])];
    await take(...feed);
    await hospital.retract(1);
    expect(await take(feed[0]!)).to.include({ sealed: 1, anchored: 1 });
    await hospital.retract(3);
    expect(await take(feed[0]!), "twice").to.include({ sealed: 1, anchored: 1 });
    expect(await statuses()).to.deep.equal([RETRACTED, RETRACTED, RETRACTED, 0]);
  });

  it("was misfiled by the hospital: a person says which is right, in one step", async () => {
    await take(report("1", "p", "F1", ["5.1", "F"]), report("2", "p", "F1", ["5.2", "C"]));
    await take(report("3", "q", "F1", ["5.2", "C"]));
    const [refused] = hospital.journal.itemsIn(ItemState.DEAD);
    expect(refused?.reason).to.equal("ERR_PATIENT_CHANGED");
    await rejected("ERR_USAGE", hospital.refile(1));
    expect(await hospital.refile(refused!.id)).to.include({ anchored: 1, retracted: 2 });
    expect(await statuses()).to.deep.equal([SUPERSEDED | RETRACTED, RETRACTED, 0]);
    expect(leafAt(3)).to.include({ patientId: q, ref: NO_REF });
    await expectNoEventOf(3);
    await rejected("ERR_USAGE", hospital.refile(refused!.id));
    await checkLog(hospital);
  });

  it("has its exact bytes, GB18030 and the last carriage return too, and says its encoding", async () => {
    const text = report("1", "p", "F1", ["5.1", "F"]).replace("|P|2.5.1", "|P|2.5.1||||||GB 18030-2000");
    const [head, tail] = text.split("Result");
    // 峾 is 0x8D 0x7C: its second byte is the field separator.
    const bytes = Buffer.concat([
      Buffer.from(head!),
      Buffer.from([0xd5, 0xc5, 0x8d, 0x7c]),
      Buffer.from(tail!),
    ]);
    await take(bytes, report("2", "p", "F2", ["5.1", "F"]));
    const { manifest, body } = await openItem(hospital, hospital.journal.itemAt(1)!);
    expect(body.equals(bytes)).to.equal(true);
    expect(body.at(-1)).to.equal(0x0d);
    expect(manifest).to.include({ encoding: "gb18030", mediaType: "x-application/hl7-v2+er7" });
    expect(allItems(hospital).map(({ patientId }) => patientId)).to.deep.equal([p, p]);
  });

  function exportOf(output: Record<string, string>, deleted: Record<string, string>): string {
    const folder = mkdtempSync(join(place.folder, "export-"));
    for (const [name, text] of Object.entries({ ...output, ...deleted }))
      writeFileSync(join(folder, name), text);
    const list = (files: object) =>
      Object.keys(files).map((name) => ({ url: `https://fhir.example/${name}` }));
    const manifest = {
      transactionTime: "2024-05-06T07:15:00Z",
      output: list(output),
      deleted: list(deleted),
    };
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    return folder;
  }

  async function expectNoEventOf(index: number): Promise<void> {
    const { chain, memberId } = hospital;
    for (const log of await collectLogs(chain, { address: chain.deployment.records, topics: [] })) {
      const { name, args } = chain.records.interface.parseLog(log)!;
      if (name === "BatchAnchored" || Number(args["memberId"]) !== memberId) continue;
      expect([Number(args["index"]), Number(args["byIndex"] ?? 0)], name).not.to.include(index);
    }
  }
});

function deletionOf(...urls: string[]): string {
  const entry = urls.map((url) => ({ request: { method: "DELETE", url } }));
  return JSON.stringify({ resourceType: "Bundle", type: "transaction", entry });
}

describe("An entry under legal hold that its source takes back", function () {
  this.timeout(60_000);

  it("stays as it is, is told at each run, and is retracted once the hold is lifted", async () => {
    const s = await sharing();
    const { a } = s;
    const person = await patientWith(s, 1);
    const item = a.journal.itemsOfPatient(person.patient)[0]!;
    const index = item.logIndex!;
    const until = new Date(((await a.chain.time()) + 10 * 86_400) * 1_000);
    const hold = await a.holds().placing([index], until);
    await a.holds().place(hold, await signAs(person.device, hold.typedData));
    const folder = mkdtempSync(join(s.hospitals.a.folder, "export-"));
    writeFileSync(join(folder, "gone"), deletionOf(a.journal.details(item.id).sourceKey));
    const manifest = { transactionTime: "2024-05-06T07:15:00Z", output: [], deleted: [{ url: "gone" }] };
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    const status = async () => Number(await a.chain.records.statusOf(a.memberId, index));

    expect(await a.ingest(await sourceFor(folder))).to.include({ held: 1, retracted: 0, superseded: 0 });
    expect(await a.retry()).to.include({ held: 1, retracted: 0 });
    expect(await status()).to.equal(HELD);
    const lift = await a.holds().lifting([index]);
    await a.holds().lift(lift, await signAs(person.device, lift.typedData));
    expect(await a.retry()).to.include({ held: 0, retracted: 1 });
    expect(await status()).to.equal(RETRACTED);
  });
});
