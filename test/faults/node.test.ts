// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { RpcProxy } from "../support/rpc-proxy.js";
import { expectRecovery } from "./support/aftermath.js";
import { AGAIN, AT_ONCE, ROUNDS, randomFor } from "./support/extent.js";
import { Figures } from "./support/figures.js";
import { inLanes } from "./support/lanes.js";
import { NODE_FAULTS, type NodeFault } from "./support/node-faults.js";
import { Stage } from "./support/stage.js";

/** Milliseconds that the end of a run waits for its node. */
const CHAIN_WAIT = 4_000;
const PARTLY = 3;

const cases = NODE_FAULTS.flatMap((fault) => ROUNDS.map((round) => ({ fault, round })));

describe("An ingest whose node", function () {
  this.timeout(300_000);
  const figures = new Figures("node");
  let stage: Stage;
  let outcomes: Promise<void>[] = [];

  before(async () => {
    stage = await Stage.start();
    outcomes = inLanes(
      AT_ONCE,
      cases.map(
        ({ fault, round }, number) =>
          async () =>
            await suffer(`n${number}`, fault, round),
      ),
    );
  });
  after(async () => {
    await Promise.allSettled(outcomes);
    await stage[Symbol.asyncDispose]();
    figures.report();
  });

  for (const [number, { fault, round }] of cases.entries()) {
    it(`${fault.name} loses nothing and anchors nothing twice (${round + 1})`, () => outcomes[number]);
  }

  async function suffer(name: string, fault: NodeFault, round: number): Promise<void> {
    await using proxy = await RpcProxy.before(stage.consortium.chain.url);
    const place = await stage.hospital(name, proxy.url);
    proxy.intercept = fault.misbehave(randomFor(fault.name, round));
    const run = await stage.ingest(place, stage.file, [
      "--chain-wait",
      String(fault.chainWait ?? CHAIN_WAIT),
    ]);
    const where = `${fault.name}: ${run.output}\n${AGAIN}`;
    expect(run.code, where).to.be.oneOf(fault.mayFailWith === undefined ? [0] : [0, PARTLY]);
    const failure = run.report?.failure?.code;
    if (run.code === PARTLY) expect(failure, where).to.be.oneOf([...fault.mayFailWith!]);
    figures.count(`${fault.name}: ${failure ?? "passed over"}`);
    proxy.intercept = () => undefined;
    await expectRecovery(stage, place).catch((error: unknown) => {
      throw new Error(where, { cause: error });
    });
  }
});
