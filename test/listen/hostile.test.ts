// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import type { ConnectionEvent, Listener, MllpOptions } from "../../src/listen/index.js";
import { Consortium, enrolAs, openHospital } from "../support/hospital.js";
import { allItems } from "../support/log-check.js";
import { MllpClient, oru } from "../support/mllp-client.js";

/** Patience of the listener in these tests, in milliseconds. */
const SHORT = 200;
const LONG = 60_000;

describe("A sender over MLLP that does not behave", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let listener: Listener;
  let count = 0;
  const seen: ConnectionEvent["what"][] = [];

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    seen.length = 0;
    hospital = await openHospital(await consortium.hospital(`h${++count}`));
    await enrolAs(hospital, { system: "HARBOUR", value: "p" });
  });
  afterEach(async () => {
    await listener[Symbol.asyncDispose]();
    await hospital[Symbol.asyncDispose]();
  });

  async function listening(mllp: Partial<MllpOptions> = {}): Promise<void> {
    listener = await hospital.listen({
      mllp: { host: "127.0.0.1", port: 0, ...mllp },
      onConnection: ({ what }) => seen.push(what),
    });
  }

  const sender = () => MllpClient.to(listener.addresses.mllp!);

  /** The listener has seen that the connections are gone, and holds nothing of them. */
  async function expectNothingHeld(): Promise<void> {
    while (listener.state().connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(listener.state()).to.include({ itemsInFlight: 0, bytesInFlight: 0 });
  }

  /** Nobody else is kept from sending. */
  async function expectService(number = "other"): Promise<void> {
    await using client = await sender();
    expect((await client.ask(oru(number, "p"))).code).to.equal("AA");
  }

  it("sends byte by byte, and is answered", async () => {
    await listening();
    await using client = await sender();
    client.socket.setNoDelay(true);
    for (const byte of Buffer.from(`\x0b${oru("1", "p")}\x1c\r`)) {
      client.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    expect((await client.answer()).code).to.equal("AA");
  });

  it("stops in the middle of a message, and is cut off; nothing of it is kept", async () => {
    await listening({ times: { silence: SHORT } });
    await using client = await sender();
    client.write(`\x0b${oru("1", "p").slice(0, 100)}`);
    await client.closed;
    expect(seen).to.include("silent");
    await expectNothingHeld();
    await expectService();
  });

  it("never comes to a message's end, and is cut off though it is never silent", async () => {
    await listening({ times: { silence: LONG, message: SHORT } });
    await using client = await sender();
    client.write("\x0b");
    const trickle = setInterval(() => client.write("x"), 10);
    await client.closed;
    clearInterval(trickle);
    expect(seen).to.include("slow");
    await expectService();
  });

  it("connects and sends nothing, and is cut off", async () => {
    await listening({ times: { idle: SHORT } });
    await using client = await sender();
    await client.closed;
    expect(seen).to.include("silent");
  });

  it("speaks another protocol, and is cut off", async () => {
    await listening();
    await using client = await sender();
    client.write(`GET / HTTP/1.1\r\nX: ${"x".repeat(5_000)}\r\n\r\n`);
    await client.closed;
    expect(seen).to.include("noise");
    await expectService();
  });

  it("sends a message too large: AE at its end, nothing kept, and the next is taken", async () => {
    await listening({ mostBytes: 10_000 });
    await using client = await sender();
    const ack = await client.ask(oru("1", "p", "9".repeat(200_000)));
    expect([ack.code, ack.error, ack.field("MSA", 2)]).to.deep.equal(["AE", "ERR_ITEM_INVALID", "1"]);
    expect((await client.ask(oru("2", "p"))).code).to.equal("AA");
    expect(allItems(hospital)).to.have.lengthOf(1);
  });

  it("sends a message of more parts than anybody needs: AE, nothing kept, and the next is taken", async () => {
    await listening();
    await using client = await sender();
    for (const message of [
      oru("1", "^".repeat(4_000_000)),
      `${oru("1", "p")}${"X\r".repeat(2_000_000)}`,
      oru("1", "p").replaceAll("|", "\x1c"),
    ]) {
      const ack = await client.ask(message);
      expect([ack.code, ack.error]).to.deep.equal(["AE", "ERR_ITEM_INVALID"]);
    }
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
    expect(allItems(hospital)).to.have.lengthOf(1);
    expect(listener.state()).to.include({ refused: 3, sealed: 1 });
  });

  it("begins a message before the last one's end: only the whole one is taken", async () => {
    await listening();
    await using client = await sender();
    client.write(`\x0b${oru("1", "p").slice(0, 100)}`);
    const ack = await client.ask(oru("2", "p"));
    expect([ack.code, ack.field("MSA", 2)]).to.deep.equal(["AA", "2"]);
    expect(seen).to.include("broken");
    expect(allItems(hospital)).to.have.lengthOf(1);
  });

  it("closes its side after the last message, and still reads every answer", async () => {
    await listening();
    await using client = await sender();
    for (let number = 0; number < 150; number++) client.send(oru(`${number}`, "p"));
    client.socket.end();
    for (let number = 0; number < 150; number++) expect((await client.answer()).code).to.equal("AA");
    await client.closed;
    await expectNothingHeld();
    expect(listener.state()).to.include({ sealed: 150 });
  });

  it("closes its side in the middle of a message: nothing of it is kept", async () => {
    await listening();
    await using client = await sender();
    client.write(`\x0b${oru("1", "p").slice(0, 100)}`);
    client.socket.end();
    await client.closed;
    await expectNothingHeld();
    expect(allItems(hospital)).to.have.lengthOf(0);
  });

  it("does not read its answers, and is cut off; what it sent is durable", async () => {
    await listening({ times: { unread: SHORT } });
    await using client = await sender();
    client.socket.pause();
    // Answers in the sender's own words are as long as he makes them.
    const long = oru("1", "p").replace("|CHARTSEAL|", `|${"x".repeat(3_500)}|`);
    const flood = () => {
      while (!client.socket.destroyed && client.socket.writableLength < 1e6) client.send(long);
    };
    client.socket.on("drain", flood);
    flood();
    while (!seen.includes("deaf")) await new Promise((resolve) => setTimeout(resolve, 20));
    client.socket.destroy();
    expect(allItems(hospital)).to.have.lengthOf(1);
    await expectService();
  });

  it("answers our answers, and is not answered again", async () => {
    await listening();
    await using client = await sender();
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
    client.send("MSH|^~\\&|LAB|HARBOUR|CHARTSEAL|HARBOUR|20240506||ACK^R01^ACK|99|P|2.5.1\rMSA|CA|1\r");
    expect((await client.ask(oru("2", "p"))).field("MSA", 2)).to.equal("2");
    expect(allItems(hospital)).to.have.lengthOf(2);
  });

  it("opens more connections than there may be: those above are turned away, and who is in is served", async () => {
    await listening({ mostConnections: 20 });
    const first = await sender();
    const flood = await Promise.all(Array.from({ length: 60 }, () => sender().catch(() => undefined)));
    while (seen.filter((what) => what === "turned-away").length < 41)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(listener.state().connections).to.equal(20);
    expect((await first.ask(oru("1", "p"))).code).to.equal("AA");
    for (const client of [...flood, first]) await client?.[Symbol.asyncDispose]();
    await expectNothingHeld();
    await expectService();
  });

  it("resets its connection while its message is taken: it is durable all the same", async () => {
    await listening();
    await using client = await sender();
    client.send(oru("1", "p"));
    while (listener.state().itemsInFlight + listener.state().sealed === 0) await new Promise(setImmediate);
    client.socket.resetAndDestroy();
    while (listener.state().sealed === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(allItems(hospital)).to.have.lengthOf(1);
    await expectService();
  });
});
