// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { compareHead, type PlacedLog } from "../../src/audit/heads.js";
import { headOfLogs } from "../../src/chain/index.js";
import { ChartsealError } from "../../src/errors.js";

const BLOCK = 1_000;

const word = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
/** A patient's events in chain order, up to three in a block. */
const history = fc
  .array(fc.record({ topics: fc.array(word, { minLength: 1, maxLength: 4 }), data: word, gap: fc.nat(2) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((events) => {
    let blockNumber = 1;
    return events.map(({ topics, data, gap }, index): PlacedLog => {
      blockNumber += gap;
      return { topics, data, blockNumber, index };
    });
  });

/** The chain's head at the end of a block. */
const headAt = (truth: readonly PlacedLog[]) => (block: number) =>
  Promise.resolve(headOfLogs(truth.filter((log) => log.blockNumber <= block)));

async function compared(truth: readonly PlacedLog[], logs: readonly PlacedLog[]) {
  const head = headOfLogs(truth);
  return await compareHead({ registry: "AccessLog", logs, head, block: BLOCK, headAt: headAt(truth) });
}

describe("compareHead", () => {
  it("finds every history equal to itself", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (truth) => {
        const found = await compared(truth, truth);
        expect(found).to.include({
          complete: true,
          finding: "EQUAL",
          events: truth.length,
          count: truth.length,
        });
      }),
    );
  });

  it("takes no events for complete when the chain counts none", async () => {
    const found = await compared([], []);
    expect(found).to.deep.include({ complete: true, events: 0, count: 0 });
    expect(found.detail).to.equal("0 events, as the chain counts and digests them");
  });

  it("misses no dropped, altered, repeated or swapped event, and names where the lists part", async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.nat(),
        fc.constantFrom("drop", "alter", "repeat"),
        async (truth, at, lie) => {
          const position = at % truth.length;
          const log = truth[position]!;
          const altered = { ...log, data: `${log.data}00` };
          const lies = { drop: [], alter: [altered], repeat: [log, log] };
          const logs = [...truth.slice(0, position), ...lies[lie], ...truth.slice(position + 1)];
          const found = await compared(truth, logs);
          expect(found.complete).to.equal(false);
          expect(found.finding).to.equal({ drop: "MISSING", alter: "ALTERED", repeat: "SURPLUS" }[lie]);
          const { agreeing, agreeUntil, differAt } = found.parting!;
          // Whatever is said to agree lies before the lie, and the lie not after the block that differs.
          expect(agreeing).to.be.at.most(position);
          if (agreeUntil !== undefined) expect(agreeUntil).to.be.lessThan(log.blockNumber);
          expect(differAt).to.be.at.least(log.blockNumber);
          const between = logs.filter(
            ({ blockNumber }) => blockNumber > (agreeUntil ?? 0) && blockNumber < differAt,
          );
          expect(between).to.deep.equal([]);
        },
      ),
    );
  });

  it("tells another order from other events", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (truth) => {
        fc.pre(truth.length > 1 && headOfLogs(truth.toReversed()) !== headOfLogs(truth));
        const found = await compared(truth, truth.toReversed());
        expect(found).to.include({ complete: false, finding: "REORDERED" });
        expect(found).not.to.have.property("parting");
      }),
    );
  });

  it("passes on what is not about old states", async () => {
    const truth: PlacedLog[] = [{ topics: [`0x${"00".repeat(32)}`], data: "0x", blockNumber: 1, index: 0 }];
    const failure = new ChartsealError("ERR_RPC_UNAVAILABLE", "gone");
    const comparison = compareHead({
      registry: "AccessLog",
      logs: truth,
      head: 0n,
      block: BLOCK,
      headAt: () => Promise.reject(failure),
    });
    expect(await comparison.catch((error: unknown) => error)).to.equal(failure);
  });
});
