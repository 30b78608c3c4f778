// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import type { Chartseal } from "../../src/chartseal.js";
import { LeafKind, fromHex, leafHash, toHex, verifyInclusion, type Hex } from "../../src/crypto/index.js";
import type { SupportingDocument } from "../../src/ingest/index.js";
import { ItemState } from "../../src/records/index.js";
import { Consortium, enrol, openHospital, type Hospital } from "../support/hospital.js";
import { allItems, checkLog, openItem } from "../support/log-check.js";
import { linesSource, observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";

describe("Evidence of an act in the record log", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let at: Hospital;
  let hospital: Chartseal;
  let patientId: Hex;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    at = await consortium.hospital(`d${++count}`);
    hospital = await openHospital(at);
    [patientId] = (await enrol(hospital, "p")) as [Hex];
  });
  afterEach(() => hospital[Symbol.asyncDispose]());

  const form = (changes: Partial<SupportingDocument> = {}): SupportingDocument => ({
    kind: LeafKind.CONSENT_DOCUMENT,
    patientId,
    ref: toHex(randomBytes(32)),
    mediaType: "application/pdf",
    label: "consent form",
    bytes: Buffer.from("%PDF-1.7 scanned"),
    ...changes,
  });

  it("is anchored with its kind and ref, sealed like a record, in a compartment of its own", async () => {
    await hospital.ingest(linesSource(observations("p", 2)));
    const document = form();
    const { leaf, firstIndex, count: size, proof } = await hospital.anchorDocument(document);
    const { kind, ref } = document;
    expect(leaf).to.include({ kind, ref, patientId, index: 3, patientSeq: 3 });
    expect(leaf.compartment).to.equal(hospital.vault.compartmentOf(patientId, "evidence"));
    expect(leaf.compartment).not.to.equal(hospital.vault.compartmentOf(patientId, "general"));
    const { root } = await hospital.chain.records.rootAndStatus(hospital.memberId, firstIndex, size, 3);
    const path = proof.map((node) => fromHex(node));
    const position = leaf.index - firstIndex;
    expect(verifyInclusion(leafHash(leaf), position, size, path, fromHex(root))).to.equal(true);
    const item = hospital.journal.itemAt(3)!;
    const { manifest, body } = await openItem(hospital, item);
    expect(manifest).to.include({ mediaType: "application/pdf", label: "consent form" });
    expect(body).to.deep.equal(Buffer.from(document.bytes));
    expect(await checkLog(hospital)).to.have.lengthOf(3);
  });

  it("is one entry however often it is given, and another with other bytes or another ref", async () => {
    const document = form();
    const first = await hospital.anchorDocument(document);
    expect(await hospital.anchorDocument({ ...document })).to.deep.equal(first);
    const corrected = await hospital.anchorDocument({ ...document, bytes: Buffer.from("better scan") });
    const other = await hospital.anchorDocument(form({ bytes: document.bytes }));
    expect([corrected.leaf.index, other.leaf.index]).to.deep.equal([2, 3]);
    // Nothing of it amends: every scan keeps what it is evidence of.
    expect(corrected.leaf.ref).to.equal(document.ref);
    expect(Number(await hospital.chain.records.statusOf(hospital.memberId, 1))).to.equal(0);
  });

  it("is durable without a chain and without the journal's lock, and anchored by the next that anchors", async () => {
    let id: number;
    {
      using _ = hospital.journal.lock();
      id = await hospital.fileDocument(form());
    }
    expect(hospital.journal.item(id)!.state).to.equal(ItemState.SEALED);
    expect(await hospital.retry()).to.include({ anchored: 1 });
    expect(hospital.journal.item(id)!.state).to.equal(ItemState.ANCHORED);
  });

  it("is taken along by an ingest that has the journal", async () => {
    const slow = Promise.withResolvers<void>();
    const source = Object.assign(linesSource([]), {
      async *[Symbol.asyncIterator]() {
        yield* linesSource(observations("p", 1));
        await slow.promise;
      },
    });
    const running = hospital.ingest(source, { batchWait: 0 });
    await using second = await openHospital(at);
    const entry = await second.anchorDocument(form());
    slow.resolve();
    expect(await running).to.include({ dead: 0 });
    expect(entry.leaf.kind).to.equal(LeafKind.CONSENT_DOCUMENT);
    expect(await checkLog(hospital)).to.have.lengthOf(2);
  });

  it("that cannot be anchored in time is safe, and the same call finds it again", async () => {
    const document = form();
    {
      using _ = hospital.journal.lock();
      const error = await rejected("ERR_TIMEOUT", hospital.anchorDocument(document, { chainWait: 0 }));
      expect(error.retryable).to.equal(true);
    }
    expect((await hospital.anchorDocument(document)).leaf.index).to.equal(1);
    expect(allItems(hospital)).to.have.lengthOf(1);
  });

  it("may be larger than what is held of a source's items", async () => {
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    await hospital.anchorDocument(form({ bytes }));
    expect((await openItem(hospital, hospital.journal.itemAt(1)!)).body.equals(bytes)).to.equal(true);
  });

  it("is refused for a patient whom the vault does not know, and leaves nothing", async () => {
    const stranger = form({ patientId: toHex(randomBytes(32)) });
    await rejected("ERR_PATIENT_UNKNOWN", hospital.anchorDocument(stranger));
    expect(allItems(hospital)).to.deep.equal([]);
  });
});
