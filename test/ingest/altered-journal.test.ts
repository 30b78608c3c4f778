// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { toHex, type Hex } from "../../src/crypto/index.js";
import { ItemState, isAlteredRow } from "../../src/records/index.js";
import { Consortium, enrol, enrolAs, openHospital } from "../support/hospital.js";
import { checkLog } from "../support/log-check.js";
import { linesSource, observation, observations } from "../support/observations.js";
import { RpcProxy } from "../support/rpc-proxy.js";

/** What a leaf would say otherwise, or whose key would go with it. */
const COLUMNS = {
  patient_id: "(SELECT patient_id FROM items WHERE id = 1)",
  compartment: "compartment + 1",
  recorded_day: "recorded_day + 1",
  content_digest: "randomblob(32)",
  cid: "(SELECT cid FROM items WHERE id = 1)",
  record_id: "(SELECT record_id FROM items WHERE id = 1)",
  kind: "1",
  ref: "randomblob(32)",
  amends: "1",
};

describe("An ingest whose journal was altered", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let proxy: RpcProxy;
  let hospital: Chartseal;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await RpcProxy.before(consortium.chain.url);
    hospital = await openHospital(await consortium.hospital(`j${++count}`, proxy.url));
    await enrol(hospital, "p", "q");
  });
  afterEach(async () => {
    await hospital[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  /** Sealed and safe, and not in a batch yet. */
  async function takeWhileDown(lines: readonly string[]): Promise<void> {
    proxy.intercept = () => "drop";
    await hospital.ingest(linesSource(lines), { chainWait: 0 });
    proxy.intercept = () => undefined;
  }

  /** As who can write the file, without the vault. @returns what puts it back */
  function alter(id: number, column: string, expression: string): () => void {
    const { database } = hospital.journal;
    const before = database.get(`SELECT ${column} AS value FROM items WHERE id = ?`, id)!["value"]!;
    expect(database.run(`UPDATE items SET ${column} = ${expression} WHERE id = ?`, id)).to.equal(1);
    return () => void database.run(`UPDATE items SET ${column} = ? WHERE id = ?`, before, id);
  }

  function setAside(): number[] {
    return hospital.journal
      .rowsIn(ItemState.DEAD)
      .filter(isAlteredRow)
      .map(({ id }) => id);
  }

  for (const [column, expression] of Object.entries(COLUMNS)) {
    it(`does not anchor an item whose ${column} was changed, anchors the others, and takes it back`, async () => {
      await takeWhileDown([...observations("p", 2), ...observations("q", 2, 10)]);
      const putBack = alter(3, column, expression);
      const run = await hospital.retry();
      expect(run).to.include({ anchored: 3, dead: 1 });
      expect(run.failure).to.equal(undefined);
      expect(run.refused.map(({ label, error }) => [label, error.code, error.values["row"]])).to.deep.equal([
        ["item 3 of the journal", "ERR_STORE_FAILED", 3],
      ]);
      expect(setAside()).to.deep.equal([3]);
      expect(await hospital.retry({ dead: true })).to.include({ anchored: 0 });
      putBack();
      expect(await hospital.retry({ dead: true })).to.include({ anchored: 1, dead: 0 });
      expect(await checkLog(hospital)).to.have.length(4);
    });
  }

  it("puts nothing into a batch that another process changed while that was built", async () => {
    await takeWhileDown(observations("p", 2));
    const { journal } = hospital;
    const before = journal.item(1)!;
    let placed = false;
    let changed = false;
    proxy.intercept = ({ method }) => {
      // The first that is asked after the items have their places: what the batch's transaction needs.
      if (!changed && method !== "eth_call" && journal.hasIn(ItemState.SEALED) && placed) {
        journal.change(before, { compartment: before.compartment! + 1 });
        changed = true;
      }
      placed ||= method === "eth_call";
      return undefined;
    };
    const error: unknown = await hospital.retry().catch((thrown: unknown) => thrown);
    expect(changed).to.equal(true);
    expect(error).to.deep.include({ code: "ERR_JOURNAL_LOCKED", retryable: true });
    expect(journal.openBatches()).to.deep.equal([]);
    expect(await hospital.retry()).to.include({ anchored: 2 });
    expect(journal.item(1)).to.include({ compartment: before.compartment! + 1 });
    await checkLog(hospital);
  });

  it("lets one altered row keep back what amends it, and nothing else", async () => {
    const first = observation({ id: "amended", patient: "p" });
    const second = observation({ id: "amended", patient: "p", note: "second" });
    await takeWhileDown([first, second, observation({ id: "other", patient: "p" })]);
    const putBack = alter(1, "compartment", "compartment + 1");
    const run = await hospital.retry();
    expect(run).to.include({ anchored: 1, dead: 2, superseded: 0 });
    putBack();
    expect(await hospital.retry({ dead: true })).to.include({ anchored: 2, superseded: 1 });
    await checkLog(hospital);
  });

  it("does not continue a patient's numbering from a row that was altered", async () => {
    await hospital.ingest(linesSource(observations("p", 2)));
    const putBack = alter(2, "patient_seq", "40");
    const run = await hospital.ingest(
      linesSource([...observations("p", 1, 50), ...observations("q", 1, 60)]),
    );
    expect(run).to.include({ anchored: 1, dead: 1 });
    putBack();
    expect(await hospital.retry({ dead: true })).to.include({ anchored: 1 });
    await checkLog(hospital);
  });

  it("refuses a correction of an entry whose row was altered, until that is put back", async () => {
    await hospital.ingest(linesSource([observation({ id: "corrected", patient: "p" })]));
    const putBack = alter(1, "compartment", "compartment + 1");
    const lines = [
      observation({ id: "corrected", patient: "p", note: "second" }),
      observation({ id: "new", patient: "q" }),
    ];
    const run = await hospital.ingest(linesSource(lines));
    expect(run).to.include({ anchored: 1, dead: 1 });
    expect(run.refused[0]!.error.values["row"]).to.equal(1);
    expect(await hospital.retry({ dead: true })).to.include({ anchored: 0, superseded: 0 });
    putBack();
    expect(await hospital.retry({ dead: true })).to.include({ anchored: 1, superseded: 1 });
    await checkLog(hospital);
  });

  it("files nobody's waiting item that was altered, and the others as they come", async () => {
    const lines = [observation({ id: "w1", patient: "late" }), observation({ id: "w2", patient: "late" })];
    await hospital.ingest(linesSource(lines));
    const putBack = alter(1, "recorded_day", "recorded_day + 1");
    await enrolAs(hospital, { system: "fhir:Patient", value: "late" });
    expect(await hospital.retry()).to.include({ anchored: 1 });
    expect(hospital.journal.rowsIn(ItemState.WAITING)).to.deep.equal([{ id: 1, altered: true }]);
    putBack();
    expect(await hospital.retry()).to.include({ anchored: 1 });
    await checkLog(hospital);
  });

  it("marks as superseded what it can", async () => {
    const lines = (note?: string) =>
      ["s1", "s2"].map((id) => observation({ id, patient: "p", ...(note === undefined ? {} : { note }) }));
    await takeWhileDown([...lines(), ...lines("second")]);
    let sent = 0;
    // The batch goes through, the marks do not.
    proxy.intercept = ({ method }) =>
      method === "eth_sendRawTransaction" && ++sent > 1 ? "drop" : undefined;
    expect(await hospital.retry({ chainWait: 0 })).to.include({ anchored: 4, superseded: 0 });
    proxy.intercept = () => undefined;
    const putBack = alter(1, "salt", "randomblob(32)");
    expect(await hospital.retry()).to.include({ superseded: 1 });
    putBack();
    expect(await hospital.retry()).to.include({ superseded: 1 });
    const { chain, memberId, journal } = hospital;
    for (const id of [1, 2]) {
      const index = journal.item(id)!.logIndex!;
      expect(await chain.records.statusOf(memberId, index), String(id)).to.equal(1n);
    }
  });

  it("anchors no root that somebody put into an open batch", async () => {
    await takeWhileDown(observations("p", 2));
    proxy.intercept = ({ method }) => (method === "eth_sendRawTransaction" ? "drop" : undefined);
    await hospital.retry({ chainWait: 0 });
    proxy.intercept = () => undefined;
    const { database } = hospital.journal;
    const root = database.get("SELECT root FROM batches")!["root"]!;
    const forged: Hex = toHex(randomBytes(32));
    database.run("UPDATE batches SET root = ?", Buffer.from(forged.slice(2), "hex"));
    const error: unknown = await hospital.retry().catch((thrown: unknown) => thrown);
    expect(error).to.deep.include({ code: "ERR_STORE_FAILED", values: { table: "batch", row: 1 } });
    expect(await hospital.chain.records.headOf(hospital.memberId)).to.equal(0n);
    database.run("UPDATE batches SET root = ?", root);
    expect(await hospital.retry()).to.include({ anchored: 2 });
    await checkLog(hospital);
  });
});
