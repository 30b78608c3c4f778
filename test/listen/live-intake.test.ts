// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { ChartsealError } from "../../src/errors.js";
import { LiveIntake, bundleSource, openEvents, type LiveOptions } from "../../src/ingest/index.js";
import type { BadItem, SourceItem } from "../../src/records/index.js";
import { message, messagesSource, pid } from "../support/hl7.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { allItems } from "../support/log-check.js";
import { observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";

describe("A live intake", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let intake: LiveIntake;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    hospital = await openHospital(await consortium.hospital(`i${++count}`));
    await enrol(hospital, "p");
    const { memberId, vault, store, journal, chain } = hospital;
    intake = new LiveIntake({ memberId, vault, store, journal, chain, writer: hospital.writer("operator") });
    intake.start();
  });
  afterEach(async () => {
    await intake[Symbol.asyncDispose]();
    await hospital[Symbol.asyncDispose]();
  });

  /** Another intake of the same journal, with its reads of what follows of items, over so many looks. */
  async function readsOver(looks: number, options: LiveOptions): Promise<number[]> {
    await intake[Symbol.asyncDispose]();
    const { memberId, vault, store, journal, chain } = hospital;
    const writer = hospital.writer("operator");
    intake = new LiveIntake({ memberId, vault, store, journal, chain, writer }, options);
    const reads: number[] = [];
    const details = journal.details.bind(journal);
    journal.details = (id) => {
      reads.push(id);
      return details(id);
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const { controls } = intake;
    const forget = controls.forgetOlderThan.bind(controls);
    let left = looks;
    // Each look begins with it.
    controls.forgetOlderThan = (...args) => {
      if (--left === 0) resolve();
      return forget(...args);
    };
    intake.start();
    await promise;
    return reads;
  }

  /** Of two persons whom nobody knows, and of what only a person settles. */
  async function openTwo(): Promise<void> {
    const merge = message("ADT^A40^ADT_A39", "1", pid("m-1"), "MRG|m-2^^^GH^MR");
    const move = message("ADT^A44^ADT_A43", "2", pid("m-3"), "MRG|m-4^^^GH^MR");
    await intake[Symbol.asyncDispose]();
    await hospital.ingest(messagesSource(merge, move));
    expect(openEvents(hospital.journal)).to.have.lengthOf(2);
  }

  it("reads what follows of items again only after its time, also while nothing waits for a patient", async () => {
    await openTwo();
    expect(await readsOver(3, {})).to.deep.equal(openEvents(hospital.journal));
  });

  it("reads what only a person settles once, and the rest at each look", async () => {
    await openTwo();
    const [merge, move] = openEvents(hospital.journal);
    expect(await readsOver(3, { refileEvery: 1 })).to.deep.equal([merge, move, merge, merge]);
  });

  async function itemOf(id: number, changes: Partial<SourceItem> = {}): Promise<SourceItem> {
    const [item] = await Array.fromAsync(bundleSource(Buffer.from(observation({ id, patient: "p" }))));
    return { ...(item as SourceItem), ...changes };
  }

  it("tells each who brings an item what became of his own, though they share a commit", async () => {
    const bad: BadItem = { label: "bad", error: new ChartsealError("ERR_ITEM_INVALID", "bad") };
    const good = await itemOf(1);
    const brought = [good, bad, await itemOf(2), { ...good }, await itemOf(3, { subjects: [] })];
    const became = await Promise.all(brought.map((item) => intake.take(item)));
    expect(became.map(({ outcome, kept }) => [outcome, kept])).to.deep.equal([
      ["sealed", true],
      ["dead", false],
      ["sealed", true],
      ["known", true],
      ["waiting", true],
    ]);
    expect(await intake.take(good)).to.deep.equal({ outcome: "known", kept: true });
  });

  it("says that an item is not kept to everybody who brings it in the same group", async () => {
    // A manifest has an end: an author of this length cannot be sealed.
    const long = await itemOf(1, { author: "x".repeat(2_000_000) });
    const became = await Promise.all([intake.take(long), intake.take({ ...long })]);
    expect(became.map(({ kept }) => kept)).to.deep.equal([false, false]);
  });

  it("keeps nobody out for one item that breaks the intake itself", async () => {
    const { bytes: _, ...rest } = await itemOf(1);
    // Stands in for a defect that one item meets.
    const broken: SourceItem = {
      ...rest,
      open: () => {
        throw new TypeError("a defect");
      },
    };
    const [first, second, third] = await Promise.allSettled([
      intake.take(await itemOf(2)),
      intake.take(broken),
      intake.take(await itemOf(3)),
    ]);
    expect([first.status, second.status, third.status]).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    await rejected("ERR_INTERNAL", intake.take(broken));
    expect(intake.trouble?.code).to.equal("ERR_INTERNAL");
    expect(allItems(hospital)).to.have.lengthOf(2);
  });

  it("takes what was brought before it finishes", async () => {
    const taking = [intake.take(await itemOf(1)), intake.take(await itemOf(2))];
    await intake.finish();
    expect((await Promise.all(taking)).map(({ outcome }) => outcome)).to.deep.equal(["sealed", "sealed"]);
    expect(Number(await hospital.chain.records.headOf(hospital.memberId))).to.equal(2);
  });
});
