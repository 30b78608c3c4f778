// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { toHex } from "../../src/crypto/index.js";
import { ItemState } from "../../src/records/index.js";
import { enrol, openHospital, type Hospital } from "../support/hospital.js";
import { openItem, sorted } from "../support/log-check.js";
import { observations } from "../support/observations.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { below } from "../support/seeded.js";
import { OF_THE_STAGE, complaints, expectRecovery } from "./support/aftermath.js";
import { AGAIN, ROUNDS, randomFor } from "./support/extent.js";
import { LOAD, Stage, reconfigured, type CliRun } from "./support/stage.js";

const SEND = "eth_sendRawTransaction";
const BATCHES = 5;
/** Runs after which two writers that get in each other's way must both be done. */
const MOST_RUNS = 10;
const IMPORTED = 25;

describe("Two writers", function () {
  this.timeout(300_000);
  const { stage, figures } = Stage.forAllTests("two writers");

  for (const round of ROUNDS) {
    it(`of one journal: the second is refused, until the first ends or is killed (${round + 1})`, async () => {
      await using proxy = await RpcProxy.before(stage.consortium.chain.url);
      const place = await stage.hospital(`lock${round}`, proxy.url);
      const last = below(randomFor("lock", round), BATCHES);
      for (const [number, end] of (["killed", "done"] as const).entries()) {
        const held = heldAt(proxy, number === 0 ? last : 0);
        let kill = () => {};
        const first = stage.ingest(place, stage.file, [], { onStart: (signal) => (kill = () => signal()) });
        await Promise.race([held.reached, first]);
        const second = await stage.ingest(place);
        expect(second.code, second.output).to.equal(1);
        expect(second.error).to.include({ code: "ERR_JOURNAL_LOCKED", retryable: true });
        figures.count("of one journal: second refused");
        if (end === "killed") kill();
        held.release();
        expect((await first).code).to.equal(end === "killed" ? undefined : 0);
      }
      await expectRecovery(stage, place);
    });

    it(`of one log, each with a journal of its own, both get their items in (${round + 1})`, async () => {
      const place = await stage.hospital(`log${round}`);
      const other = reconfigured(place, "other.json", { journal: "other.db" });
      const lines = [...observations("r", 20, 1, "other"), ...observations("s", 14, 100, "other")];
      const file = stage.write(`other${round}.ndjson`, lines);
      {
        await using hospital = await openHospital(place);
        await enrol(hospital, "r", "s");
      }
      const runs = await Promise.all([untilDone(place, stage.file), untilDone(other, file)]);
      figures.count(`of one log: runs until both were done: ${Math.max(...runs)}`);
      await expectSharedLog([place, other], [...LOAD.lines, ...lines]);
      // Each journal alone lacks the other's entries; doctor says so of the one that did not write last.
      const heads = (await Promise.all([complaints(stage, place), complaints(stage, other)])).flat();
      const found = heads.filter(({ check }) => !OF_THE_STAGE.includes(check));
      expect(found.map(({ check }) => check)).to.deep.equal(["log head"]);
      expect(found[0]!.detail).to.contain(`the chain has ${LOAD.lines.length + lines.length} entries`);
    });

    it(`of one account: an ingest beside an import of patients, both are done (${round + 1})`, async () => {
      const place = await stage.hospital(`account${round}`);
      const rows = Array.from({ length: IMPORTED }, (_, row) => `urn:import,${row}`);
      const csv = stage.write(`patients${round}.csv`, ["system,value", ...rows]);
      const [ingest, imported] = await Promise.all([
        stage.ingest(place),
        stage.run(place, ["patient", "import", csv]),
      ]);
      expect(ingest.code, `${ingest.output}\n${AGAIN}`).to.equal(0);
      expect(imported.code, `${imported.output}\n${AGAIN}`).to.equal(0);
      figures.count("of one account: both done");
      await expectRecovery(stage, place);
    });
  }

  /** Runs again and again, as an operator would whose run says that it is not done. */
  async function untilDone(place: Pick<Hospital, "config">, file: string): Promise<number> {
    let run: CliRun | undefined;
    for (let runs = 1; runs <= MOST_RUNS; runs++) {
      run = await stage.ingest(place, file);
      if (run.code === 0) return runs;
      expect(run.report?.failure?.code, run.output).to.equal("ERR_CHAIN_REFUSED");
    }
    throw new Error(`not done after ${MOST_RUNS} runs: ${run?.output}\n${AGAIN}`);
  }
});

/** The log is dense, every batch is in it, and every line in it once. */
async function expectSharedLog(places: readonly Hospital[], lines: readonly string[]): Promise<void> {
  const indices: number[] = [];
  const bodies: Buffer[] = [];
  for (const place of places) {
    await using hospital = await openHospital(place);
    const { chain, journal, memberId } = hospital;
    for (const { firstIndex, count, root } of journal.batches()) {
      const found = await chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex);
      expect(found.root).to.equal(toHex(root));
    }
    for (const item of journal.itemsIn(ItemState.ANCHORED)) {
      indices.push(item.logIndex!);
      bodies.push((await openItem(hospital, item)).body);
    }
    if (bodies.length < lines.length) continue;
    expect(Number(await chain.records.headOf(memberId))).to.equal(lines.length);
    expect((await hospital.verifyLog()).findings).to.deep.equal([]);
  }
  const inOrder = indices.sort((a, b) => a - b);
  expect(inOrder).to.deep.equal(lines.map((_, position) => position + 1));
  expect(sorted(bodies)).to.deep.equal(sorted(lines.map((line) => Buffer.from(line))));
}

/** Holds the hospital's transaction of this number back, and what comes after it. */
function heldAt(proxy: RpcProxy, number: number): { reached: Promise<void>; release: () => void } {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let sent = 0;
  proxy.intercept = async ({ method }) => {
    if (method !== SEND || sent++ < number) return undefined;
    reached.resolve();
    await released.promise;
    return undefined;
  };
  return { reached: reached.promise, release: () => released.resolve() };
}
