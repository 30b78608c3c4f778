// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { hash } from "node:crypto";
import { answerRequest } from "../../src/access/answer-request.js";
import type { AccessReceipt } from "../../src/access/access-receipt.js";
import { parseRefusal } from "../../src/access/message-bodies.js";
import { LeafKind, leafHash, openRecord, toHex, type Leaf } from "../../src/crypto/index.js";
import { Entries } from "../../src/records/index.js";
import { Asking } from "../support/asking.js";
import {
  agentOf,
  logAccess,
  newStaff,
  patientWith,
  requestFor,
  revoke,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("the receipt of an access", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
  });

  /** The receipts in `a`'s log about a patient, with what they say. */
  async function receipts({
    patient,
  }: SharedPatient): Promise<{ leaf: Leaf; says: Record<string, unknown> }[]> {
    const { a } = s;
    await a.retry();
    const entries = new Entries(a.journal, a.memberId);
    const items = a.journal.itemsOfPatient(patient).map((item) => ({ item, ...entries.of(item) }));
    const found = items.filter(({ leaf }) => leaf.kind === LeafKind.ACCESS_RECEIPT);
    return await Promise.all(
      found.map(async ({ item, leaf, cid }) => {
        const recordId = item.recordId!;
        const key = { contentKey: a.vault.keyOf(recordId), recordId, memberId: a.memberId };
        const { body } = await openRecord(a.store.get(cid), key);
        const text = Buffer.concat(await Array.fromAsync(body)).toString();
        return { leaf, says: JSON.parse(text) as Record<string, unknown> };
      }),
    );
  }

  it("stands in the custodian's log, about the access and what was given for it, once however often it is served", async () => {
    const p = await patientWith(s, 2);
    const leaves = ask.leaves(p);
    const access = await logAccess(s, p.ticket, "CHART");
    const before = Math.floor(Date.now() / 1_000);
    const { message } = await ask.answered(access);
    await ask.answered(access);
    const [receipt, second] = await receipts(p);
    expect(second).to.equal(undefined);
    expect(receipt!.leaf.ref).to.equal(access.accessId);
    expect(receipt!.leaf.patientId).to.equal(p.patient);
    const { releasedAt, ...says } = receipt!.says;
    expect(releasedAt).to.be.within(before, Math.ceil(Date.now() / 1_000));
    expect(says).to.deep.equal({
      format: 1,
      accessId: access.accessId,
      extent: "CHART",
      listed: leaves.map(({ index }) => index),
      keys: leaves.map((leaf) => toHex(leafHash(leaf))),
      release: `0x${hash("sha256", message.body)}`,
    });
    await ask.answered(access);
    expect(await receipts(p)).to.have.length(1);
  });

  it("names no key for a list, and no list for records", async () => {
    const p = await patientWith(s, 2);
    const [first] = ask.leaves(p) as [Leaf];
    const list = await logAccess(s, p.ticket, "INDEX");
    const records = await ask.logRecords(p, [first.index]);
    await ask.released(list);
    await ask.released(records);
    const said = new Map((await receipts(p)).map(({ leaf, says }) => [leaf.ref, says]));
    expect(said.get(list.accessId)).to.deep.include({ extent: "INDEX", keys: [] });
    expect(said.get(records.accessId)).to.deep.include({
      extent: "RECORDS",
      listed: [],
      keys: [toHex(leafHash(first))],
    });
  });

  it("is safe before the release leaves: while it cannot be filed, nothing is released", async () => {
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const full = () => Promise.reject(new Error("disk full"));
    const outcome = await answerRequest(agentOf(s.a, { fileReceipt: full }), request).catch(String);
    expect(outcome).to.contain("disk full");
    const filed: AccessReceipt[] = [];
    const fileReceipt = async (receipt: AccessReceipt) => void filed.push(receipt);
    const { message } = await answerRequest(agentOf(s.a, { fileReceipt }), request);
    await answerRequest(agentOf(s.a, { fileReceipt }), request);
    expect(message?.type).to.equal("release");
    expect(Buffer.from(filed[0]!.bytes).toString()).to.contain(hash("sha256", message!.body));
    expect(filed[1]).to.deep.equal(filed[0]);
  });

  it("is made for what is refused, too: with the reason that the reader was told, once however often he asks", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket, "CHART");
    await revoke(s.a, p);
    const { error, message } = await ask.answered(access);
    await ask.answered(access);
    const [receipt, second] = await receipts(p);
    expect(second).to.equal(undefined);
    expect(receipt!.leaf.ref).to.equal(access.accessId);
    const { code, reason } = parseRefusal(message);
    expect(reason).to.equal(error!.message);
    expect(receipt!.says).to.deep.equal({
      format: 1,
      accessId: access.accessId,
      extent: "CHART",
      refused: { code, reason },
    });
    await ask.answered(access);
    expect(await receipts(p)).to.have.length(1);
  });

  it("of a refusal stands beside that of a release when what was given once is refused later", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await ask.released(access);
    await revoke(s.a, p);
    await ask.refused(access);
    const said = (await receipts(p)).map(({ leaf, says }) => [leaf.ref, "refused" in says]);
    expect(said).to.deep.equal([
      [access.accessId, false],
      [access.accessId, true],
    ]);
  });

  it("of a refusal is safe before the reader hears of it", async () => {
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket));
    await revoke(s.a, p);
    const full = () => Promise.reject(new Error("disk full"));
    const outcome = await answerRequest(agentOf(s.a, { fileReceipt: full }), request).catch(String);
    expect(outcome).to.contain("disk full");
    expect((await answerRequest(agentOf(s.a), request)).message?.type).to.equal("refusal");
    expect(await receipts(p)).to.have.length(1);
  });

  it("is not made about another member's patient, whose entries stand in that member's log alone", async () => {
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket), { message: { to: s.c.memberId } });
    const { message } = await answerRequest(agentOf(s.c), request);
    expect(message?.type).to.equal("refusal");
    expect(s.c.journal.itemsOfPatient(p.patient)).to.deep.equal([]);
    expect(await receipts(p)).to.deep.equal([]);
  });

  it("is not made for a request that is from somebody else than who logged the access", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await revoke(s.a, p);
    const { signer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    const { message } = await answerRequest(agentOf(s.a), await requestFor(s, access, { signer }));
    expect(message).to.equal(undefined);
    expect(await receipts(p)).to.deep.equal([]);
  });

  it("is no record that a grant of everything shows", async () => {
    const p = await patientWith(s, 1);
    await ask.released(await logAccess(s, p.ticket, "CHART"));
    await s.a.retry();
    const { capsules } = await ask.released(await logAccess(s, p.ticket, "CHART"));
    expect(capsules).to.have.length(1);
  });
});
