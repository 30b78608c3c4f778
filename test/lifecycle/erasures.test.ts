// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ENTRY_STATUS } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import { indexRef, LeafKind, toHex, verifyReceipt } from "../../src/crypto/index.js";
import type { Erased, ErasureCertificate } from "../../src/lifecycle/index.js";
import { leftIn } from "../support/files.js";
import { openItem } from "../support/log-check.js";
import { Needles } from "../support/needles.js";
import { linesSource, observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  newStaff,
  ownSharing,
  patientWith,
  served,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const TREAT = { purpose: "TREAT" } as const;

describe("Erasing a record", function () {
  this.timeout(120_000);
  let s: Sharing;
  let a: Chartseal;

  before(async () => {
    s = await ownSharing();
    a = s.a;
  });

  const indicesOf = ({ patient }: SharedPatient) =>
    a.journal.itemsOfPatient(patient).map(({ logIndex }) => logIndex!);
  const statusOf = async (index: number) => Number(await a.chain.records.statusOf(a.memberId, index));
  const byPatient = async ({ device }: SharedPatient, index: number): Promise<Erased> => {
    const act = await a.erasures.prepare(index, "patient");
    return await a.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
  };
  const certificate = async (index: number) => {
    const { body } = await openItem(a, a.journal.itemAt(index)!);
    return JSON.parse(body.toString()) as ErasureCertificate;
  };

  it("leaves its key, text, ciphertext, labels and released copies in no file of the custodian's", async () => {
    const p = await patientWith(s, (name) =>
      Array.from({ length: 30 }, (_, id) =>
        observation({ id: `needle-${name}-${id}`, patient: name, note: `secret finding ${name}-${id}.` }),
      ),
    );
    const index = indicesOf(p)[11]!;
    // A reader has it: the release lies in the vault and, taken or not, on the exchange.
    const opened = await served(agentOf(a), s.b.access.requestChart(p.ticket, TREAT));
    const needles = new Needles();
    const stored = new Needles();
    await gather(index, opened.accessIds[0]!, needles, stored);
    const folders = [s.hospitals.a.folder, s.consortium.folder];
    const wanted = ["body", "wrapped key", "details", "release in the vault", "release on the exchange"];
    const before = leftIn(folders, stored).map((line) => line.replace(/^.*: /, ""));
    expect(before).to.include.members(wanted);

    const erased = await byPatient(p, index);

    expect(leftIn(folders, stored)).to.deep.equal([]);
    expect(leftIn(folders, needles)).to.deep.equal([]);
    expect(erased).to.deep.include({ index, versions: [], backups: 0 });
    const { cannotBeRecalled } = await certificate(erased.certificateIndex);
    expect(cannotBeRecalled.accesses.map(({ accessId }) => accessId)).to.deep.equal(opened.accessIds);
    expect(cannotBeRecalled.accesses[0]).to.include({
      memberId: s.b.memberId,
      purpose: "TREAT",
      extent: "CHART",
    });
  });

  /** `needles`: what may be nowhere, ever; `stored`: what is in the files now, and may be no more. */
  async function gather(index: number, accessId: string, needles: Needles, stored: Needles): Promise<void> {
    const item = a.journal.itemAt(index)!;
    const { body } = await openItem(a, item);
    needles.addEncodings("content key", a.vault.keyOf(item.recordId!));
    needles.add("text", /secret finding [^.]*\./.exec(body.toString())![0]);
    needles.add("label", a.journal.details(item.id).sourceKey);
    addParts(stored, "body", Buffer.concat(await Array.fromAsync(a.store.get(item.cid!))));
    const { wrapped } = row(
      "vault.db",
      "SELECT wrapped FROM content_keys WHERE record_id = ?",
      item.recordId!,
    );
    stored.addEncodings("wrapped key", wrapped!);
    const { details } = row("journal.db", "SELECT details FROM items WHERE id = ?", item.id);
    addParts(stored, "details", details!);
    const id = Buffer.from(accessId.slice(2), "hex");
    const { release } = row("vault.db", "SELECT release FROM releases WHERE access_id = ?", id);
    addParts(stored, "release in the vault", release!);
    const message = await a.exchange.find(s.b.memberId, "release", accessId as `0x${string}`);
    addParts(stored, "release on the exchange", Buffer.from(JSON.stringify(message)));
  }

  function row(file: string, sql: string, value: Uint8Array | number): Record<string, Uint8Array> {
    const database = new DatabaseSync(join(s.hospitals.a.folder, file), { readOnly: true });
    try {
      return database.prepare(sql).get(value) as Record<string, Uint8Array>;
    } finally {
      database.close();
    }
  }

  it("leaves on record that it existed: log, receipt, audit and the rest of the chart stand", async () => {
    const p = await patientWith(s, 3);
    const [first, second, third] = indicesOf(p) as [number, number, number];
    const receipt = a.receipt(second);
    const { certificateIndex } = await byPatient(p, second);
    expect(await statusOf(second)).to.equal(ENTRY_STATUS.ERASED);
    await rejected("ERR_KEY_ERASED", openItem(a, a.journal.itemAt(second)!));
    expect(a.receipt(second)).to.deep.equal(receipt);
    expect((await verifyReceipt(receipt)).ok).to.equal(true);
    const verdict = await a.verifyLog();
    expect(verdict.findings).to.deep.equal([]);
    expect(verdict.erased).to.be.greaterThan(0);
    const audit = await a.audit.disclosures({ patient: p.patient });
    const act = audit.entries.find(({ kind }) => kind === "erased");
    expect(act)
      .to.have.property("details")
      .that.includes({ index: String(second), ground: "PATIENT" });
    expect(a.receipt(certificateIndex).leaf).to.include({
      kind: LeafKind.ERASURE_CERTIFICATE,
      patientId: p.patient,
      ref: indexRef(second),
    });
    const chart = await served(agentOf(a), s.b.access.list(p.ticket, TREAT));
    expect(chart.entries.map(({ leaf }) => leaf.index)).to.deep.equal([first, third]);
    expect(
      await Array.fromAsync((await served(agentOf(a), s.b.access.request(chart, TREAT))).open()),
    ).to.have.length(2);
  });

  it("is told as such to a reader whose list still shows it", async () => {
    const p = await patientWith(s, 2);
    const [index] = indicesOf(p) as [number];
    const chart = await served(agentOf(a), s.b.access.list(p.ticket, TREAT));
    await byPatient(p, index);
    const error = await rejected("ERR_KEY_ERASED", s.b.access.request(chart, TREAT));
    expect(error.values).to.deep.equal({ index });
  });

  it("again finds it done, and anchors nothing more", async () => {
    const p = await patientWith(s, 1);
    const [index] = indicesOf(p) as [number];
    const first = await byPatient(p, index);
    const head = await a.chain.records.headOf(a.memberId);
    expect(await byPatient(p, index)).to.deep.equal(first);
    expect(await a.erasures.finish(index)).to.deep.equal(first);
    expect(await a.chain.records.headOf(a.memberId)).to.equal(head);
  });

  it("does not let the same bytes come back from their source, and takes a corrected version", async () => {
    const p = await patientWith(s, 0);
    const patient = a.vault.patient(p.patient).identifiers[0]!.value;
    const line = observation({ id: "again", patient });
    await a.ingest(linesSource([line]));
    const [index] = indicesOf(p) as [number];
    await byPatient(p, index);
    expect(await a.ingest(linesSource([line]))).to.include({ known: 1, sealed: 0 });
    const other = await a.ingest(linesSource([observation({ id: "again", patient, note: "corrected" })]));
    expect(other).to.include({ anchored: 1, superseded: 0 });
    expect(other.failure).to.equal(undefined);
  });

  it("names the other versions, which stand", async () => {
    const p = await patientWith(s, (name) => [observation({ id: `v-${name}`, patient: name })]);
    const patient = a.vault.patient(p.patient).identifiers[0]!.value;
    await a.ingest(linesSource([observation({ id: `v-${patient}`, patient, note: "second" })]));
    const [older, newer] = indicesOf(p) as [number, number];
    expect((await byPatient(p, newer)).versions).to.deep.equal([older]);
  });

  it("is refused for a held entry and for a certificate, before anything is anchored", async () => {
    const p = await patientWith(s, 1);
    const [index] = indicesOf(p) as [number];
    const until = new Date(((await a.chain.time()) + 10 * 86_400) * 1_000);
    const hold = await a.holds().placing([index], until);
    await a.holds().place(hold, await signAs(p.device, hold.typedData));
    const head = await a.chain.records.headOf(a.memberId);
    const held = await rejected("ERR_CHAIN_REFUSED", a.erasures.prepare(index, "patient"));
    expect(held.values["reason"]).to.equal("StatusForbids");
    expect(await a.chain.records.headOf(a.memberId)).to.equal(head);
    const { certificateIndex } = await byPatient(await patientWith(s, 1), indicesOfLast());
    const kind = await rejected("ERR_CHAIN_REFUSED", a.erasures.prepare(certificateIndex, "patient"));
    expect(kind.values["reason"]).to.equal("KindForbids");
  });

  it("on another person's signature erases nothing", async () => {
    const p = await patientWith(s, 1);
    const other = await patientWith(s, 1);
    const [index] = indicesOf(p) as [number];
    const act = await a.erasures.prepare(index, "patient");
    const signature = await signAs(other.device, act.typedData);
    const refused = await rejected("ERR_CHAIN_REFUSED", a.erasures.carryOut(act, { signature }));
    expect(refused.values["reason"]).to.equal("SignatureInvalid");
    expect(await a.erasures.finish(index)).to.equal(undefined);
    await openItem(a, a.journal.itemAt(index)!);
  });

  it("needs nobody's word once the retention period is over, and not a day before", async () => {
    const p = await patientWith(s, (name) => {
      const old = JSON.parse(observation({ id: `old-${name}`, patient: name })) as Record<string, unknown>;
      return [
        JSON.stringify({ ...old, effectiveDateTime: "1975-01-01" }),
        observation({ id: name, patient: name }),
      ];
    });
    const [old, recent] = indicesOf(p) as [number, number];
    const refused = await rejected("ERR_CHAIN_REFUSED", a.erasures.prepare(recent, "retention"));
    expect(refused.values["reason"]).to.equal("RetentionLasts");
    await a.erasures.carryOut(await a.erasures.prepare(old, "retention"));
    expect(await statusOf(old)).to.equal(ENTRY_STATUS.ERASED);
  });

  it("names in another certificate what was read after the first", async () => {
    const p = await patientWith(s, 1);
    const [index] = indicesOf(p) as [number];
    const act = await a.erasures.prepare(index, "patient");
    const opened = await served(agentOf(a), s.b.access.requestChart(p.ticket, TREAT));
    const erased = await a.erasures.carryOut(act, { signature: await signAs(p.device, act.typedData) });
    expect(erased.certificateIndex).to.be.greaterThan(act.certificateIndex);
    const { cannotBeRecalled } = await certificate(erased.certificateIndex);
    expect(cannotBeRecalled.accesses.map(({ accessId }) => accessId)).to.deep.equal(opened.accessIds);
  });

  it("is not on record as read by who asked for the chart afterwards", async () => {
    const p = await patientWith(s, 2);
    const [index] = indicesOf(p) as [number];
    const first = await byPatient(p, index);
    await served(agentOf(a), s.b.access.requestChart(p.ticket, TREAT));
    expect(await byPatient(p, index)).to.deep.equal(first);
    expect((await certificate(first.certificateIndex)).cannotBeRecalled.accesses).to.deep.equal([]);
  });

  it("ends its cycle with another key-encryption key", async () => {
    const p = await patientWith(s, 2);
    const [index, other] = indicesOf(p) as [number, number];
    const kek = () =>
      row(
        "vault.db",
        "SELECT kek_id FROM content_keys WHERE record_id = ?",
        a.journal.itemAt(other)!.recordId!,
      )["kek_id"];
    await byPatient(p, index);
    const before = kek();
    expect(await a.erasures.rotate()).to.equal(true);
    expect(kek()).not.to.equal(before);
    await openItem(a, a.journal.itemAt(other)!);
  });

  it("takes another member's reviewer in the patient's place, and none of the custodian's own", async () => {
    const p = await patientWith(s, 1);
    const [index] = indicesOf(p) as [number];
    const outside = await newStaff(s.b, s.hospitals.b, ["REVIEWER"]);
    const inside = await newStaff(a, s.hospitals.a, ["REVIEWER"]);
    await s.consortium.chain.rpc("evm_increaseTime", [2 * 3_600]);
    await s.consortium.chain.rpc("evm_mine");
    const act = await a.erasures.prepare(index, "reviewer");
    const own = {
      account: inside.signer.address,
      signature: toHex(Buffer.from((await signAs(inside.signer, act.typedData)).slice(2), "hex")),
    };
    const refused = await rejected("ERR_CHAIN_REFUSED", a.erasures.carryOut(act, own));
    expect(refused.values["reason"]).to.equal("ReviewerOfCustodian");
    const signature = await signAs(outside.signer, act.typedData);
    await a.erasures.carryOut(act, { account: outside.signer.address, signature });
    expect((await certificate(act.certificateIndex)).ground).to.equal("reviewer");
  });

  function indicesOfLast(): number {
    return Number(a.journal.database.get("SELECT max(log_index) AS last FROM items WHERE kind = 0")!["last"]);
  }

  /** Pieces of 16 bytes, as no two things share one by chance. */
  function addParts(needles: Needles, name: string, bytes: Uint8Array): void {
    for (let at = 32; at + 16 <= bytes.length; at += 64) needles.add(name, bytes.subarray(at, at + 16));
  }
});
