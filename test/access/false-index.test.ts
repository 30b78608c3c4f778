// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { ChartEntry } from "../../src/access/chart.js";
import { parsePage, writePage } from "../../src/access/index-page.js";
import type { Leaf } from "../../src/crypto/index.js";
import { FalseCustodian, type Page } from "../support/false-custodian.js";
import { rejected } from "../support/rejected.js";
import { grant, patientWith, sharing, type SharedPatient, type Sharing } from "../support/sharing.js";

describe("an index page that is not so", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let other: SharedPatient;
  let f: FalseCustodian;

  before(async () => {
    s = await sharing();
    other = await patientWith(s, 4); // first, so that the log has a place before the batch of three
    p = await patientWith(s, 3);
    f = new FalseCustodian(s, p);
  });

  it("is believed when it answers rightly, which shows that these tests can fail", async () => {
    const chart = await f.pageMade((page) => page);
    expect(chart.entries.map(({ leaf }) => leaf.patientSeq)).to.deep.equal([1, 2, 3]);
    expect(chart.gaps).to.deep.equal([]);
  });

  const cases: Record<string, [change: (page: Page) => Page, words: string]> = {
    "with an altered leaf": [(page) => changedLeaf(page, 1, { recordedDay: 1 }), "not under the root"],
    "with a made-up leaf": [
      (page) => changedLeaf(page, 1, { contentDigest: `0x${"11".repeat(32)}` }),
      "its CID is of another body",
    ],
    "with another's CID": [
      (page) => changed(page, 1, () => ({ cid: page.entries[0]!.cid })),
      "its CID is of another",
    ],
    "with a wrong proof": [
      (page) => changed(page, 1, ({ proof }) => ({ proof: proof.toReversed() })),
      "not under the root",
    ],
    "without a proof": [(page) => changed(page, 1, () => ({ proof: [] })), "not under the root"],
    "with a batch that is not on chain": [
      (page) => changed(page, 1, ({ count }) => ({ count: count + 1 })),
      "the chain has no such batch (BatchUnknown)",
    ],
    "with an entry outside its batch": [
      (page) => changed(page, 0, ({ leaf, count }) => ({ firstIndex: leaf.index - count })),
      "the chain has no such batch",
    ],
    "with an entry twice": [
      (page) => ({ ...page, entries: [...page.entries, page.entries[0]!] }),
      "it is there twice",
    ],
    "with another patient's entry": [
      (page) => {
        const theirs = f.honestPage(other.patient);
        return {
          entries: [
            ...page.entries,
            { ...theirs.entries[0]!, leaf: { ...theirs.entries[0]!.leaf, patientSeq: 4 } },
          ],
          batches: [...page.batches, ...theirs.batches],
        };
      },
      "it is of another patient",
    ],
    "with an entry of another member's log": [
      (page) => changedLeaf(page, 0, { memberId: 3 }),
      "it is of member 3",
    ],
    "with a number that no entry can have": [
      (page) => changedLeaf(page, 2, { patientSeq: 4_294_967_295 }),
      "it cannot be number 4294967295",
    ],
    "with two entries of one number": [
      (page) => changedLeaf(page, 2, { patientSeq: 1 }),
      "is number 1 of the patient",
    ],
    "with an entry that is no record": [(page) => changedLeaf(page, 2, { kind: 3 }), "which is no record"],
    "that says nothing of a batch": [
      (page) => ({ ...page, batches: [] }),
      "the page says nothing of its batch",
    ],
    "that names another block for a batch": [
      (page) => ({ ...page, batches: page.batches.map((batch) => ({ ...batch, blockNumber: 1 })) }),
      "its batch was not anchored by the transaction",
    ],
    "that names another transaction for a batch": [
      (page) => ({
        ...page,
        batches: page.batches.map((batch) => ({ ...batch, transactionHash: `0x${"22".repeat(32)}` })),
      }),
      "its batch was not anchored by the transaction",
    ],
    "that names another manifest for a batch": [
      (page) => ({
        ...page,
        batches: page.batches.map((batch) => ({ ...batch, manifestDigest: `0x${"22".repeat(32)}` })),
      }),
      "its batch was not anchored by the transaction",
    ],
  };
  for (const [what, [change, words]] of Object.entries(cases)) {
    it(what, async () => {
      const error = await rejected("ERR_EXCHANGE_INVALID", f.pageMade(change));
      expect(error.message).to.contain(words);
      expect(error.values["index"]).to.be.a("number");
    });
  }

  for (const [what, json] of Object.entries({
    "is no JSON": "{",
    "is null": "null",
    "has no entries": '{"format":1}',
    "has entries that are none": '{"format":1,"entries":[null],"batches":[]}',
    "has no leaf in an entry": '{"format":1,"entries":[{}],"batches":[]}',
  })) {
    it(`that ${what}`, async () => {
      await rejected(
        "ERR_EXCHANGE_INVALID",
        f.pageMade(() => json),
      );
    });
  }

  it("of another format", async () => {
    await rejected(
      "ERR_FORMAT_UNSUPPORTED",
      f.pageMade(() => '{"format":2}'),
    );
  });

  it("that leaves an entry out: the gap is named", async () => {
    const chart = await f.pageMade((page) => ({
      ...page,
      entries: page.entries.filter((_, at) => at !== 1),
    }));
    expect(chart.gaps).to.deep.equal([2]);
    expect(chart.filter({ indices: [] }).gaps, "what the reader leaves out himself is no gap").to.deep.equal([
      2,
    ]);
  });

  it("that says an amended entry is current: the chain knows better", async () => {
    const amended = await patientWith(s, 1);
    const [{ leaf }] = f.honestPage(amended.patient).entries as [ChartEntry];
    await s.a.retract(leaf.index);
    const page = f.honestPage(amended.patient);
    const chart = await f.answering(
      async (access) => {
        const json = writePage(page.entries, page.batches);
        return await f.signed(access, JSON.stringify(await f.releaseOf(access, json)));
      },
      (options) => s.b.access.list(amended.ticket, options),
    );
    expect(chart.entries.map(({ status }) => status)).to.deep.equal([2]);
    expect(chart.filter({ current: true }).entries).to.deep.equal([]);
  });

  it("that shows an entry outside the scope that was asked for", async () => {
    const { terms, ...ticket } = await grant(s.a, p.patient, p.device, {
      grantee: s.b.memberId,
      recordedTo: new Date("2020-01-01"),
    });
    const page = f.honestPage();
    const work = f.answering(
      async (access) => {
        const json = writePage(page.entries, page.batches);
        return await f.signed(access, JSON.stringify(await f.releaseOf(access, json)));
      },
      (options) => s.b.access.list({ terms, ...ticket }, options),
    );
    expect((await rejected("ERR_EXCHANGE_INVALID", work)).message).to.contain("outside the scope");
  });

  it("is read by the reader as the custodian wrote it", () => {
    const page = f.honestPage();
    const { entries, batches } = parsePage(writePage(page.entries, page.batches));
    expect(entries).to.deep.equal(page.entries);
    expect([...batches.values()]).to.deep.equal(page.batches);
  });
});

function changed(page: Page, position: number, change: (entry: ChartEntry) => Partial<ChartEntry>): Page {
  const entries = page.entries.map((entry, at) => (at === position ? { ...entry, ...change(entry) } : entry));
  return { ...page, entries };
}

function changedLeaf(page: Page, position: number, change: Partial<Leaf>): Page {
  return changed(page, position, ({ leaf }) => ({ leaf: { ...leaf, ...change } }));
}
