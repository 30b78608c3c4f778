// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { expect } from "chai";
import { Writer } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { encodeBatchManifest, toHex } from "../../src/crypto/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { linesSource, observation, observations } from "../support/observations.js";

describe("verifyLog", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;

  beforeEach(async () => {
    consortium = await Consortium.start();
    hospital = await openHospital(await consortium.hospital("verified"));
    await enrol(hospital, "p");
    const large = observation({ id: "large", patient: "p", note: "x".repeat(1_500_000) });
    await hospital.ingest(linesSource([...observations("p", 9), large]), { batchItems: 5 });
  });
  afterEach(async () => {
    await hospital[Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });

  it("finds nothing in an honest log, by any member", async () => {
    const expected = { entries: 10, batches: 2, bodies: 10, erased: 0, findings: [], ok: true };
    expect(await hospital.verifyLog()).to.deep.include(expected);
    await using other = await openHospital(await consortium.hospital("other"));
    expect(await other.verifyLog(hospital.memberId)).to.deep.include(expected);
    expect(await hospital.verifyLog(hospital.memberId, { bodies: false })).to.include({
      bodies: 0,
      ok: true,
    });
    expect(await other.verifyLog()).to.include({ entries: 0, batches: 0, ok: true });
  });

  it("names the first entry of a batch whose manifest is missing", async () => {
    await hospital.store.delete(hospital.journal.batches()[1]!.manifestCid);
    expect(await found()).to.deep.equal([["batch-manifest-missing", 6]]);
  });

  it("names the first entry of a batch whose manifest is altered", async () => {
    flip(hospital.journal.batches()[1]!.manifestCid);
    expect(await found()).to.deep.equal([["batch-manifest-altered", 6]]);
  });

  it("names the entry of a flipped body byte, small or large", async () => {
    flip(cidOf(3));
    expect(await found()).to.deep.equal([["body-altered", 3]]);
  });

  it("names the entry of a deleted body", async () => {
    await hospital.store.delete(cidOf(10));
    await hospital.store.delete(cidOf(4));
    expect(await found()).to.deep.equal([
      ["body-missing", 4],
      ["body-missing", 10],
    ]);
  });

  it("reports a custodian who anchored what is no manifest, another batch's manifest or another root", async () => {
    const leaf = (cid: string) => ({ leafHash: toHex(randomBytes(32)), cid });
    const { memberId } = hospital;
    await anchor(11, 1, randomBytes(100));
    await anchor(12, 1, encodeBatchManifest({ memberId, firstIndex: 11, entries: [leaf(cidOf(1))] }));
    await anchor(13, 1, encodeBatchManifest({ memberId, firstIndex: 13, entries: [leaf(cidOf(1))] }));
    expect(await found()).to.deep.equal([
      ["batch-manifest-invalid", 11],
      ["batch-manifest-invalid", 12],
      ["root-differs", 13],
    ]);
  });

  async function anchor(firstIndex: number, count: number, manifest: Uint8Array): Promise<void> {
    const digest = createHash("sha256").update(manifest).digest();
    await hospital.store.put(manifest);
    const { records } = hospital.chain;
    const call = await records.anchor.populateTransaction(firstIndex, count, randomBytes(32), digest);
    await new Writer(hospital.chain, hospital.signer("operator")).execute(call);
  }

  async function found(): Promise<[string, number][]> {
    const verdict = await hospital.verifyLog();
    expect(verdict.ok).to.equal(false);
    for (const { detail, index } of verdict.findings) expect(detail).to.include(String(index));
    return verdict.findings.map(({ what, index }) => [what, index]);
  }

  function cidOf(index: number): string {
    return hospital.journal.itemAt(index)!.cid!;
  }

  /** Changes one bit of a small body behind the store's back. */
  function flip(cid: string): void {
    const database = new DatabaseSync(join(consortium.folder, "store/store.sqlite"));
    const body = database.prepare("SELECT body FROM blob WHERE cid = ?").get(cid)!["body"] as Uint8Array;
    body[body.length >> 1]! ^= 1;
    expect(database.prepare("UPDATE blob SET body = ? WHERE cid = ?").run(body, cid).changes).to.equal(1);
    database.close();
  }
});
