// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { Consortium, enrolAs, openHospital, type Hospital } from "../support/hospital.js";
import { allItems, checkLog, openItem, sorted } from "../support/log-check.js";
import { MllpClient, oru } from "../support/mllp-client.js";
import { startListener, type ListenerProcess } from "./listener-process.js";

const SENDERS = 32;
const MESSAGES = 60;
/** Where the listener is killed, of what outlives it: key, body, row, batch, transaction. */
const KILLS = [
  ["commit to vault.db", 9],
  ["store.sqlite", 14],
  ["commit to journal.db", 21],
  ["write to journal.db", 3],
  ["transaction is sent", 2],
  ["commit to journal.db", 40],
] as const;

describe("Many senders over MLLP at once", function () {
  this.timeout(180_000);
  let consortium: Consortium;
  let place: Hospital;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());

  async function prepare(name: string): Promise<void> {
    place = await consortium.hospital(name);
    await using hospital = await openHospital(place);
    await enrolAs(hospital, { system: "HARBOUR", value: "p" });
  }

  /** Each message's bytes stand in the journal once. */
  async function expectEachOnce(hospital: Chartseal, messages: readonly string[]): Promise<void> {
    const bodies: Buffer[] = [];
    for (const item of allItems(hospital)) bodies.push((await openItem(hospital, item)).body);
    expect(sorted(bodies)).to.deep.equal(sorted(messages.map((message) => Buffer.from(message, "latin1"))));
  }

  it("are answered each, and every message is in the log once", async () => {
    await prepare("many");
    const listener = startListener(place.config);
    const address = await listener.ready;
    const started = performance.now();
    const sent = await Promise.all(
      Array.from({ length: SENDERS }, async (_, sender) => {
        await using client = await MllpClient.to(address);
        const messages = Array.from({ length: MESSAGES }, (__, number) => oru(`${sender}-${number}`, "p"));
        for (const message of messages) expect((await client.ask(message)).code).to.equal("AA");
        return messages;
      }),
    );
    const seconds = (performance.now() - started) / 1_000;
    listener.kill("SIGTERM");
    expect(await listener.closed, listener.output()).to.deep.equal({ code: 0, signal: null });
    const { maxRssMiB } = JSON.parse(/\{"stopped".*/.exec(listener.output())![0]) as { maxRssMiB: number };
    const rate = Math.round((SENDERS * MESSAGES) / seconds);
    process.stdout.write(
      `      ${rate} messages/s from ${SENDERS} senders that each wait for their answer, ${Math.round(maxRssMiB)} MiB at most\n`,
    );
    await using hospital = await openHospital(place);
    await hospital.retry();
    expect(sorted(await checkLog(hospital))).to.deep.equal(
      sorted(sent.flat().map((message) => Buffer.from(message, "latin1"))),
    );
  });

  it("lose nothing, and nothing is there twice, though the listener is killed again and again", async () => {
    await prepare("killed");
    let running: ListenerProcess;
    let done = false;
    let killed = 0;
    const keepRunning = (async () => {
      while (!done) {
        const [what, at] = KILLS[killed] ?? ["", Infinity];
        running = startListener(place.config, at, what);
        const { signal } = await running.closed;
        if (signal === "SIGKILL") killed++;
        else expect(done, running.output()).to.equal(true);
      }
    })();
    const sent = await Promise.all(
      Array.from({ length: 8 }, async (_, sender) => {
        const messages: string[] = [];
        // Until every kill has happened, and some more.
        for (let number = 0, after = 0; after < 10; number++) {
          const message = oru(`${sender}-${number}`, "p");
          await sendUntilTaken(message, () => running);
          messages.push(message);
          if (killed >= KILLS.length) after++;
        }
        return messages;
      }),
    );
    done = true;
    running!.kill("SIGTERM");
    await keepRunning;
    expect(killed).to.equal(KILLS.length);
    await using hospital = await openHospital(place);
    await expectEachOnce(hospital, sent.flat());
    expect((await hospital.retry()).failure).to.equal(undefined);
    await checkLog(hospital);
  });
});

/** As an interface engine does: the same message again, on a new connection, until it is acknowledged. */
async function sendUntilTaken(message: string, running: () => ListenerProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    const code = await sendOnce(message, running).catch(() => "cut");
    if (code === "AA") return;
    expect(code, "refused for good").not.to.equal("AE");
    expect(tries, running().output()).to.be.lessThan(2_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In a function of its own: esbuild throws an error of one turn of a loop with `await using` in each later turn, too. */
async function sendOnce(message: string, running: () => ListenerProcess): Promise<string> {
  await using client = await MllpClient.to(await running().ready);
  return (await client.ask(message)).code;
}
