// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Kill } from "../support/child.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { below } from "../support/seeded.js";
import { expectRecovery } from "./support/aftermath.js";
import { AGAIN, ROUNDS, randomFor } from "./support/extent.js";
import { LOAD, Stage, type CliRun } from "./support/stage.js";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
const SEND = "eth_sendRawTransaction";
/** A run sends five batches and four marks of amendments: after any of the batches there is something left to do. */
const BATCHES = 5;
const HOUR_MS = 3_600_000;

describe("An ingest", function () {
  this.timeout(300_000);
  const { stage, figures } = Stage.forAllTests("signals and clocks");

  for (const round of ROUNDS) {
    for (const [signal, code] of Object.entries(SIGNALS)) {
      it(`that gets ${signal} ends in order, with ${code}, and goes on when it is run again (${round + 1})`, async () => {
        let left = below(randomFor(signal, round), BATCHES);
        await using proxy = await RpcProxy.before(stage.consortium.chain.url);
        const place = await stage.hospital(`${signal}${round}`, proxy.url);
        let kill: Kill = () => {};
        proxy.intercept = ({ method }) => {
          if (method === SEND && left-- === 0) kill(signal as NodeJS.Signals);
          return undefined;
        };
        const run = await stage.ingest(place, stage.file, [], { onStart: (started) => (kill = started) });
        const where = `${run.output}\n${AGAIN}`;
        expect(run.code, where).to.equal(code);
        expect(run.output, where).to.contain('"event":"stopped"');
        figures.count(`${signal}: stopped in order`);
        await expectRecovery(stage, place);
      });
    }

    it(`whose clock steps by hours, back and forth, during and between runs, is not moved by it (${round + 1})`, async () => {
      const random = randomFor("clock", round);
      const place = await stage.hospital(`clock${round}`);
      const half = stage.write(`half${round}.ndjson`, LOAD.lines.slice(0, LOAD.lines.length / 2));
      const hours = () => below(random, 12 * HOUR_MS) - 6 * HOUR_MS;
      const clock = (): NodeJS.ProcessEnv => {
        const [ahead, step, after] = [hours(), hours(), below(random, 60)];
        return { CLOCK_AHEAD: String(ahead), CLOCK_STEP: String(step), CLOCK_AFTER: String(after) };
      };
      const imports = [new URL("support/clock.ts", import.meta.url)];
      for (const file of [half, stage.file]) {
        const env = clock();
        const run: CliRun = await stage.ingest(place, file, [], { imports, env });
        expect(run.code, `${JSON.stringify(env)}: ${run.output}\n${AGAIN}`).to.equal(0);
        figures.count("clock steps: passed over");
      }
      await expectRecovery(stage, place);
    });
  }
});
