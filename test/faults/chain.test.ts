// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { keccak256 } from "ethers";
import type { Hex } from "../../src/crypto/index.js";
import type { ChainState } from "../support/local-chain.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { below } from "../support/seeded.js";
import { expectRecovery } from "./support/aftermath.js";
import { AGAIN, AT_ONCE, ROUNDS, randomFor } from "./support/extent.js";
import { Figures } from "./support/figures.js";
import { inLanes } from "./support/lanes.js";
import { Stage, type CliRun } from "./support/stage.js";

const SEND = "eth_sendRawTransaction";
/** A run sends five batches and four marks of amendments. */
const SENDS = 9;
/** Milliseconds between blocks. */
const BLOCK_TIME = 100;
const PARTLY = 3;

/** Each has a chain of its own: what is done to a chain is done to all its members. */
const CASES: readonly { name: string; run: (round: number, figures: Figures) => Promise<void> }[] = [
  { name: "drops a transaction from its pool", run: droppedFromPool },
  { name: "starts again with its last blocks missing, between two runs", run: restartedBetween },
  { name: "starts again with its last blocks missing, while the run goes on", run: restartedDuring },
];
const cases = CASES.flatMap(({ name, run }) => ROUNDS.map((round) => ({ name, run, round })));

describe("An ingest whose chain", function () {
  this.timeout(240_000);
  const figures = new Figures("chain");
  let outcomes: Promise<void>[] = [];

  before(() => {
    outcomes = inLanes(
      AT_ONCE,
      cases.map(
        ({ run, round }) =>
          async () =>
            await run(round, figures),
      ),
    );
  });
  after(async () => {
    await Promise.allSettled(outcomes);
    figures.report();
  });

  for (const [number, { name, round }] of cases.entries()) {
    it(`${name}, loses nothing and anchors nothing twice (${round + 1})`, () => outcomes[number]);
  }
});

async function droppedFromPool(round: number, figures: Figures): Promise<void> {
  await using stage = await Stage.start();
  const { chain } = stage.consortium;
  await using proxy = await RpcProxy.before(chain.url);
  const place = await stage.hospital("a", proxy.url);
  const number = below(randomFor("dropped", round), SENDS);
  let sent = 0;
  let dropped = false;
  let held = false;
  proxy.intercept = ({ method, params }) => {
    if (method !== SEND || sent++ !== number) return undefined;
    const hash = keccak256(params[0] as Hex);
    held = true; // no block takes it in before it is dropped
    const alter = async (result: unknown) => {
      dropped = (await chain.rpc("anvil_dropTransaction", [hash])) !== null;
      held = false;
      return result;
    };
    return { alter };
  };
  await chain.rpc("evm_setAutomine", [false]);
  const miner = setInterval(() => {
    if (!held) void chain.rpc("evm_mine");
  }, BLOCK_TIME);
  try {
    const run = await stage.ingest(place);
    const where = `transaction ${number}: ${run.output}\n${AGAIN}`;
    expect(dropped, where).to.equal(true);
    expect(run.code, where).to.equal(0);
    figures.count(`drops transaction ${number + 1}: sent again in the same run`);
    await expectRecovery(stage, place);
  } finally {
    clearInterval(miner);
  }
}

async function restartedBetween(round: number, figures: Figures): Promise<void> {
  await using stage = await Stage.start();
  const { chain } = stage.consortium;
  const random = randomFor("restarted between", round);
  await using proxy = await RpcProxy.before(chain.url);
  const place = await stage.hospital("a", proxy.url);
  let left = below(random, SENDS);
  let earlier: ChainState | undefined;
  proxy.intercept = async ({ method }) => {
    if (method === SEND && left-- === 0) earlier = await chain.state();
    return undefined;
  };
  const run = await stage.ingest(place);
  expect(run.code, run.output).to.equal(0);
  await chain.down();
  await chain.up(earlier);
  figures.count("forgot blocks between two runs");
  await expectRecovery(stage, place).catch((error: unknown) => {
    throw new Error(`${run.output}\n${AGAIN}`, { cause: error });
  });
}

async function restartedDuring(round: number, figures: Figures): Promise<void> {
  await using stage = await Stage.start();
  const { chain } = stage.consortium;
  const random = randomFor("restarted during", round);
  await using proxy = await RpcProxy.before(chain.url);
  const place = await stage.hospital("a", proxy.url);
  const from = below(random, SENDS - 1);
  const to = from + 1 + below(random, SENDS - from - 1);
  let sent = 0;
  let earlier: ChainState | undefined;
  let down = false;
  proxy.intercept = async ({ method }) => {
    if (down) return "drop";
    if (method !== SEND) return undefined;
    const number = sent++;
    if (number === from) earlier = await chain.state();
    if (number !== to) return undefined;
    down = true;
    await chain.down();
    await chain.up(earlier);
    down = false;
    return "drop";
  };
  const run: CliRun = await stage.ingest(place);
  const where = `state of transaction ${from} back at ${to}: ${run.output}\n${AGAIN}`;
  expect(run.code, where).to.be.oneOf([0, PARTLY]);
  figures.count(`forgot blocks during a run: ${run.report?.failure?.code ?? "made good in the same run"}`);
  await expectRecovery(stage, place).catch((error: unknown) => {
    throw new Error(where, { cause: error });
  });
}
