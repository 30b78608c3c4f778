// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import { archiveFiles } from "../../src/lifecycle/index.js";
import type { JournalItem } from "../../src/records/index.js";
import { errorOf } from "../records/error-of.js";
import { openItem } from "../support/log-check.js";
import { rejected } from "../support/rejected.js";
import { patientWith, sharing, type SharedPatient, type Sharing } from "../support/sharing.js";

describe("A record's life, in a journal that was altered", function () {
  this.timeout(60_000);
  let s: Sharing;
  let a: Chartseal;
  let p: SharedPatient;
  let victim: SharedPatient;
  let own: JournalItem;
  let theirs: JournalItem;

  before(async () => {
    s = await sharing();
    a = s.a;
  });
  beforeEach(async () => {
    p = await patientWith(s, 1);
    victim = await patientWith(s, 1);
    [own] = a.journal.itemsOfPatient(p.patient) as [JournalItem];
    [theirs] = a.journal.itemsOfPatient(victim.patient) as [JournalItem];
  });

  /** The two rows with this column exchanged, while `work` runs. */
  async function exchanged(column: string, work: () => Promise<unknown>): Promise<void> {
    const { database } = a.journal;
    const valueOf = ({ id }: JournalItem) =>
      database.get(`SELECT ${column} AS value FROM items WHERE id = ?`, id)!["value"]!;
    const [first, second] = [valueOf(own), valueOf(theirs)];
    const set = (item: JournalItem, value: typeof first | null) =>
      database.run(`UPDATE items SET ${column} = ? WHERE id = ?`, value, item.id);
    const write = (values: [typeof first, typeof first]) => {
      // An index is there once only.
      if (column === "log_index") for (const item of [own, theirs]) set(item, null);
      set(own, values[0]);
      set(theirs, values[1]);
    };
    write([second, first]);
    try {
      await work();
    } finally {
      write([first, second]);
    }
  }

  for (const column of ["record_id", "log_index", "cid"]) {
    it(`erases nothing where the ${column} of two entries was exchanged, before or after the mark on chain`, async () => {
      const index = own.logIndex!;
      await exchanged(column, async () => {
        const error = await rejected("ERR_STORE_FAILED", a.erasures.prepare(index, "patient"));
        expect(error.values["row"]).to.be.oneOf([own.id, theirs.id]);
      });
      const act = await a.erasures.prepare(index, "patient");
      const permit = { signature: await signAs(p.device, act.typedData) };
      await exchanged(column, async () => {
        await rejected("ERR_STORE_FAILED", a.erasures.carryOut(act, permit));
        await rejected("ERR_STORE_FAILED", a.erasures.wipe(index));
      });
      for (const item of [own, theirs]) await openItem(a, item);
      await a.erasures.carryOut(act, permit);
      await exchanged(column, async () => {
        await rejected("ERR_STORE_FAILED", a.erasures.finish(index));
        await rejected("ERR_STORE_FAILED", a.erasures.reconcile());
      });
      await openItem(a, theirs);
      await rejected("ERR_KEY_ERASED", openItem(a, own));
    });
  }

  it("exports no archive with another record's key, or without one of the patient's", async () => {
    const { memberId, chain, vault, store, journal } = a;
    const archive = async () => {
      const parts = { memberId, member: "a", chain, vault, store, journal, language: "en" as const };
      for await (const file of archiveFiles(parts, [p.patient])) await Array.fromAsync(file.content);
    };
    for (const column of ["record_id", "cid", "content_digest", "compartment", "salt"]) {
      // Some compartments are equal by chance.
      if (column === "compartment" && own.compartment === theirs.compartment) continue;
      await exchanged(column, async () => {
        const error = await rejected("ERR_STORE_FAILED", archive());
        expect(error.values, column).to.deep.equal({ table: "item", row: own.id });
      });
    }
    await archive();
  });

  it("gives no receipt and no retraction for such an entry", async () => {
    await exchanged("record_id", async () => {
      expect(errorOf(() => a.receipt(own.logIndex!)).code).to.equal("ERR_STORE_FAILED");
      await rejected("ERR_STORE_FAILED", a.retract(own.logIndex!));
    });
    expect(await a.chain.records.statusOf(a.memberId, own.logIndex!)).to.equal(0n);
    expect(a.receipt(own.logIndex!).leaf.index).to.equal(own.logIndex);
  });

  it("still shows the patient every access, without a name for such an entry", async () => {
    await exchanged("record_id", async () => {
      const audit = await a.audit.disclosures({ patient: p.patient });
      expect(audit.complete).to.equal(true);
    });
  });
});
