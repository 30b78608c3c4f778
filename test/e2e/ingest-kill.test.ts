// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ndjsonSource } from "../../src/ingest/index.js";
import { runChild, type ChildResult } from "../support/child.js";
import { Consortium, enrol, openHospital, type Hospital } from "../support/hospital.js";
import { checkLog, sorted } from "../support/log-check.js";
import { observation, observations } from "../support/observations.js";

/** What is interrupted, four times each, spread over the run. */
const KINDS = [
  "vault.db",
  "store.sqlite|rename",
  "commit to journal.db",
  "write to journal.db",
  "transaction is sent",
];
const KILLS_OF_A_KIND = 4;
const KILLS = KINDS.length * KILLS_OF_A_KIND;
const SEED = 20_240_917;
const BATCH_ITEMS = 8;
const AMENDED = 6;
/** Two cores. */
const AT_ONCE = 2;
/** Milliseconds between blocks. */
const BLOCK_TIME = 100;

/** 50 items, of which 6 are amended by 6 more, and one large enough to be a file of its own. */
const LINES = [
  ...observations("p", 25),
  observation({ id: "large", patient: "q", note: "x".repeat(300_000) }),
  ...observations("q", 24, 100),
  ...observations("p", AMENDED, 1, "second"),
];

describe("An ingest that is killed", function () {
  this.timeout(180_000);
  let consortium: Consortium;
  let file: string;
  let miner: NodeJS.Timeout;

  before(async () => {
    consortium = await Consortium.start();
    file = join(consortium.folder, "lines.ndjson");
    writeFileSync(file, LINES.join("\n"));
  });
  after(async () => {
    clearInterval(miner);
    await consortium[Symbol.asyncDispose]();
  });

  it("at any of 20 points spread over all it makes durable loses nothing and anchors nothing twice", async () => {
    const hospitals: Hospital[] = [];
    for (let number = 0; number <= KILLS; number++) hospitals.push(await prepared(`k${number}`));
    await consortium.chain.rpc("evm_setAutomine", [false]);
    miner = setInterval(() => void consortium.chain.rpc("evm_mine"), BLOCK_TIME);

    const whole = await ingestUntil(hospitals[KILLS]!, Infinity);
    expect(whole.lines[0]).to.include({ sealed: LINES.length, anchored: LINES.length, superseded: AMENDED });
    const points = whole.lines.at(-1)!["points"] as string[];

    const random = seeded(SEED);
    const runs = hospitals.slice(0, KILLS).map((hospital, number) => async () => {
      const kind = KINDS[Math.floor(number / KILLS_OF_A_KIND)]!;
      const all = points.filter((point) => new RegExp(kind).test(point)).length;
      // Not the very last: how many there are differs a little from run to run.
      const at = 1 + Math.floor((((number % KILLS_OF_A_KIND) + random()) * (all - 2)) / KILLS_OF_A_KIND);
      const run = await ingestUntil(hospital, at, kind);
      expect(run.signal, `${kind}, ${at} of ${all}: ${run.output}`).to.equal("SIGKILL");
      await completed(hospital);
    });
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let next = runs.shift(); next !== undefined; next = runs.shift()) await next();
      }),
    );
  });

  it("again and again while it recovers still loses nothing", async () => {
    clearInterval(miner);
    await consortium.chain.rpc("evm_setAutomine", [true]);
    const hospital = await prepared("again");
    await consortium.chain.rpc("evm_setAutomine", [false]);
    miner = setInterval(() => void consortium.chain.rpc("evm_mine"), BLOCK_TIME);
    const random = seeded(SEED + 1);
    for (let kill = 0; kill < 4; kill++) await ingestUntil(hospital, 2 + Math.floor(random() * 25));
    await completed(hospital);
  });

  async function prepared(name: string): Promise<Hospital> {
    const place = await consortium.hospital(name);
    await using hospital = await openHospital(place);
    await enrol(hospital, "p", "q");
    return place;
  }

  async function ingestUntil(hospital: Hospital, point: number, kind = ""): Promise<ChildResult> {
    const script = new URL("ingest-child.ts", import.meta.url);
    return await runChild(script, [hospital.config, file, String(BATCH_ITEMS)], {
      imports: [new URL("kill-point.ts", import.meta.url)],
      env: { KILL_AT: String(point), KILL_WHAT: kind },
    });
  }

  async function completed(place: Hospital): Promise<void> {
    await using hospital = await openHospital(place);
    const run = await hospital.ingest(ndjsonSource(file), { batchItems: BATCH_ITEMS });
    expect(run.failure).to.equal(undefined);
    expect(run).to.include({ waiting: 0, dead: 0 });
    expect(sorted(await checkLog(hospital))).to.deep.equal(sorted(LINES.map((line) => Buffer.from(line))));
    const { chain, memberId } = hospital;
    let superseded = 0;
    for (let index = 1; index <= LINES.length; index++) {
      if ((await chain.records.statusOf(memberId, index)) === 1n) superseded++;
    }
    expect(superseded).to.equal(AMENDED);
  }
});

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
