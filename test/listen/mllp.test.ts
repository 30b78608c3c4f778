// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { ChartsealError } from "../../src/errors.js";
import type { Listener, ListenOptions } from "../../src/listen/index.js";
import { ItemState } from "../../src/records/index.js";
import { Consortium, enrolAs, openHospital } from "../support/hospital.js";
import { pem } from "../support/listening.js";
import { allItems, checkLog, openItem, sorted } from "../support/log-check.js";
import { MllpClient, oru } from "../support/mllp-client.js";
import { rejected } from "../support/rejected.js";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

describe("A listener for HL7 v2 over MLLP", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    hospital = await openHospital(await consortium.hospital(`m${++count}`));
    await enrolAs(hospital, { system: "HARBOUR", value: "p" });
  });
  afterEach(() => hospital[Symbol.asyncDispose]());

  async function listening(options: Partial<ListenOptions> = {}): Promise<Listener> {
    return await hospital.listen({ mllp: LOOPBACK, batchWait: 1, ...options });
  }

  async function sender(listener: Listener): Promise<MllpClient> {
    return await MllpClient.to(listener.addresses.mllp!);
  }

  it("answers AA once the message is durable, and anchors its exact bytes, last carriage return included", async () => {
    const listener = await listening();
    await using client = await sender(listener);
    const messages = ["1", "2", "3"].map((number) => oru(number, "p"));
    for (const [place, message] of messages.entries()) {
      const ack = await client.ask(message);
      expect(ack.code, ack.text).to.equal("AA");
      expect(ack.field("MSA", 2)).to.equal(String(place + 1));
      expect(allItems(hospital)).to.have.lengthOf(place + 1);
    }
    await listener[Symbol.asyncDispose]();
    const sent = messages.map((message) => Buffer.from(message, "latin1"));
    expect(sorted(await checkLog(hospital))).to.deep.equal(sorted(sent));
    expect(listener.state()).to.include({
      sealed: 3,
      anchored: 3,
      refused: 0,
      itemsInFlight: 0,
      bytesInFlight: 0,
    });
  });

  it("takes several messages that come at once, and answers them in their order", async () => {
    await using listener = await listening();
    await using client = await sender(listener);
    const numbers = Array.from({ length: 200 }, (_, place) => `n${place}`);
    for (const number of numbers) client.send(oru(number, "p"));
    for (const number of numbers) {
      const ack = await client.answer();
      expect([ack.code, ack.field("MSA", 2)]).to.deep.equal(["AA", number]);
    }
  });

  it("answers AA also when the patient is unknown yet, and files the message once he is enrolled", async () => {
    let anchored: () => void = () => {};
    const seen = new Promise<void>((resolve) => (anchored = resolve));
    await using listener = await listening({ refileEvery: 10, onAnchored: () => anchored() });
    await using client = await sender(listener);
    expect((await client.ask(oru("1", "q"))).code).to.equal("AA");
    expect(listener.state()).to.include({ waiting: 1, sealed: 0 });
    await enrolAs(hospital, { system: "HARBOUR", value: "q" });
    await seen;
    expect(await checkLog(hospital)).to.have.lengthOf(1);
  });

  it("answers AA also to what becomes a dead letter, for its bytes are safe", async () => {
    await using listener = await listening();
    await using client = await sender(listener);
    await enrolAs(hospital, { system: "HARBOUR", value: "q" });
    const both = `${oru("1", "p")}PID|2||q^^^HARBOUR\r`;
    expect((await client.ask(both)).code).to.equal("AA");
    expect(listener.state()).to.include({ dead: 1 });
    const [item] = hospital.journal.itemsIn(ItemState.DEAD);
    expect(item!.reason).to.equal("ERR_PATIENT_AMBIGUOUS");
    expect((await openItem(hospital, item!)).body.toString("latin1")).to.equal(both);
  });

  for (const [what, message] of [
    ["nothing", ""],
    ["no header", "PID|1||p^^^HARBOUR\r"],
    ["a batch", `BHS|^~\\&|LAB\r${oru("1", "p")}BTS|1\r`],
    ["something else", '{"resourceType":"Patient"}'],
  ] as const) {
    it(`answers AE to ${what}, stores nothing of it, and goes on`, async () => {
      await using listener = await listening();
      await using client = await sender(listener);
      const ack = await client.ask(message);
      expect([ack.code, ack.error]).to.deep.equal(["AE", "ERR_ITEM_INVALID"]);
      expect(allItems(hospital)).to.have.lengthOf(0);
      expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
      expect(listener.state()).to.include({ refused: 1, sealed: 1 });
    });
  }

  it("answers a repeated number with the same bytes as before, and with other bytes AE", async () => {
    const message = oru("7", "p");
    {
      await using listener = await listening();
      await using client = await sender(listener);
      expect((await client.ask(message)).code).to.equal("AA");
      expect((await client.ask(message)).code).to.equal("AA");
      const other = await client.ask(oru("7", "p", "1.51"));
      expect([other.code, other.error]).to.deep.equal(["AE", "ERR_MESSAGE_ID_REUSED"]);
    }
    // After a restart, too, and whoever else uses the number.
    await using listener = await listening();
    await using client = await sender(listener);
    expect((await client.ask(oru("7", "p", "1.52"))).error).to.equal("ERR_MESSAGE_ID_REUSED");
    expect((await client.ask(message)).code).to.equal("AA");
    expect((await client.ask(message.replace("|LAB|", "|ECG|").replace("F-7", "F-8"))).code).to.equal("AA");
    expect(allItems(hospital)).to.have.lengthOf(2);
  });

  it("of two messages with one number at the same time takes one, and answers the other AE", async () => {
    await using listener = await listening();
    const clients = await Promise.all([sender(listener), sender(listener)]);
    const acks = await Promise.all(clients.map((client, place) => client.ask(oru("7", "p", `${place}`))));
    expect(acks.map(({ code }) => code).sort()).to.deep.equal(["AA", "AE"]);
    expect(allItems(hospital)).to.have.lengthOf(1);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it("answers AA to both who send the same message at the same time, and takes it once", async () => {
    await using listener = await listening();
    const clients = await Promise.all([sender(listener), sender(listener)]);
    const acks = await Promise.all(clients.map((client) => client.ask(oru("7", "p"))));
    expect(acks.map(({ code }) => code)).to.deep.equal(["AA", "AA"]);
    expect(allItems(hospital)).to.have.lengthOf(1);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it("forgets a number after its time: senders begin again some day", async () => {
    await using listener = await listening({ controlHours: 24 });
    await using client = await sender(listener);
    expect((await client.ask(oru("7", "p"))).code).to.equal("AA");
    const yesterday = Math.floor(Date.now() / 1_000) - 25 * 3_600;
    hospital.journal.database.run("UPDATE controls SET taken_at = ?", yesterday);
    const left = () => hospital.journal.database.get("SELECT count(*) AS n FROM controls")!["n"];
    while (left() !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await client.ask(oru("7", "p", "2.00"))).code).to.equal("AA");
  });

  it("answers AR while the disk is full, loses nothing, and takes the message again when there is room", async () => {
    await using listener = await listening();
    await using client = await sender(listener);
    const { database } = hospital.journal;
    database.exec("PRAGMA max_page_count = 1"); // SQLite then says that the disk is full
    let taken = 0;
    let ack = await client.ask(oru("0", "p"));
    while (ack.code === "AA") ack = await client.ask(oru(`${++taken}`, "p"));
    expect([ack.code, ack.error]).to.deep.equal(["AR", "ERR_STORE_FULL"]);
    expect(listener.state()).to.include({ trouble: "ERR_STORE_FULL", refusedForNow: 1 });
    expect(allItems(hospital)).to.have.lengthOf(taken);
    database.exec("PRAGMA max_page_count = 1000000");
    expect((await client.ask(oru(`${taken}`, "p"))).code).to.equal("AA");
    expect(listener.state()).not.to.have.property("trouble");
    expect(allItems(hospital)).to.have.lengthOf(taken + 1);
  });

  it("answers AR while a restored vault gives no key, and stores nothing", async () => {
    await using listener = await listening();
    await using client = await sender(listener);
    const { backups } = hospital.vault;
    const own = backups.requireReconciled.bind(backups);
    // Stands in for a vault that was put back from a backup while this runs: the vault reads that when it is opened.
    backups.requireReconciled = () => {
      throw new ChartsealError("ERR_VAULT_RESTORED", "this vault is a copy");
    };
    expect((await client.ask(oru("1", "p"))).code).to.equal("AR");
    expect(listener.state()).to.include({ vaultUsable: false });
    expect(allItems(hospital)).to.have.lengthOf(0);
    backups.requireReconciled = own;
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
  });

  it("answers AR above the high-water mark, and takes the message once there is room", async () => {
    await using listener = await listening({ mostItems: 1 });
    await using slow = await sender(listener);
    await using quick = await sender(listener);
    slow.write("\x0b");
    while (listener.state().itemsInFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const ack = await quick.ask(oru("1", "p"));
    expect([ack.code, ack.error, ack.field("MSA", 2)]).to.deep.equal(["AR", "ERR_BUSY", "1"]);
    slow.write(`${oru("2", "p")}\x1c\r`);
    expect((await slow.answer()).code).to.equal("AA");
    expect((await quick.ask(oru("1", "p"))).code).to.equal("AA");
  });

  it("never waits for the chain, and answers AR only when told how far it may fall behind", async () => {
    await consortium.chain.rpc("evm_setAutomine", [false]);
    try {
      await using listener = await listening({ mostUnanchored: 3, chainWait: 0 });
      await using client = await sender(listener);
      let number = 0;
      let ack = await client.ask(oru("0", "p"));
      while (ack.code === "AA") ack = await client.ask(oru(`${++number}`, "p"));
      expect(ack.error).to.equal("ERR_BUSY");
      expect(number).to.be.at.least(3);
      expect(listener.state()).to.include({ full: true, anchored: 0 });
      await consortium.chain.rpc("evm_setAutomine", [true]);
      await consortium.chain.rpc("evm_mine");
      while ((await client.ask(oru(`${number}`, "p"))).code !== "AA")
        await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await consortium.chain.rpc("evm_setAutomine", [true]);
    }
  });

  it("marks amended results on chain while it runs", async () => {
    let superseded: () => void = () => {};
    const seen = new Promise<void>((resolve) => (superseded = resolve));
    await using listener = await listening({
      markEvery: 10,
      onMarked: (marked) => marked.superseded > 0 && superseded(),
    });
    await using client = await sender(listener);
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
    const corrected = oru("2", "p", "1.60").replace("F-2", "F-1");
    expect((await client.ask(corrected)).code).to.equal("AA");
    await seen;
    expect(await hospital.chain.records.statusOf(hospital.memberId, 1)).to.equal(1n);
  });

  it("keeps other writers of the log out, and lets them in when it has stopped", async () => {
    const listener = await listening();
    await rejected("ERR_JOURNAL_LOCKED", hospital.retry());
    await rejected("ERR_JOURNAL_LOCKED", listening());
    await listener[Symbol.asyncDispose]();
    expect(await hospital.retry()).to.include({ anchored: 0 });
  });

  it("finishes what is in hand when it is stopped, and takes no new connection", async () => {
    const stop = new AbortController();
    const listener = await listening({ signal: stop.signal });
    await using begun = await sender(listener);
    await using idle = await sender(listener);
    const message = oru("1", "p");
    begun.write(`\x0b${message.slice(0, 50)}`);
    while (listener.state().itemsInFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await idle.closed;
    expect(await sender(listener).catch((error: unknown) => error)).to.include({ code: "ECONNREFUSED" });
    begun.write(`${message.slice(50)}\x1c\r`);
    expect((await begun.answer()).code).to.equal("AA");
    await listener.stopped;
    expect(await checkLog(hospital)).to.have.lengthOf(1);
  });

  it("lets in only clients with a certificate of the authority, over TLS", async () => {
    const tls = { cert: pem("agent.pem"), key: pem("agent.key"), clientCa: pem("ca.pem") };
    await using listener = await listening({ mllp: { ...LOOPBACK, tls } });
    const { mllp = "" } = listener.addresses;
    const trust = { ca: pem("ca.pem"), servername: "localhost" };
    const reader = { cert: pem("reader.pem"), key: pem("reader.key") };
    await using client = await MllpClient.to(mllp, { ...trust, ...reader });
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
    const stranger = { cert: pem("stranger.pem"), key: pem("stranger.key") };
    for (const other of [{}, stranger]) {
      const refused = await MllpClient.to(mllp, { ...trust, ...other }).catch((error: unknown) => error);
      if (refused instanceof MllpClient)
        expect(await refused.ask(oru("2", "p")).catch(() => "cut")).to.equal("cut");
    }
    expect(allItems(hospital)).to.have.lengthOf(1);
  });

  it("listens in clear text on this machine only, unless told that nobody else is in the network", async () => {
    await rejected("ERR_USAGE", listening({ mllp: { host: "0.0.0.0", port: 0 } }));
    await using listener = await listening({ mllp: { host: "0.0.0.0", port: 0, clearText: true } });
    expect(listener.addresses.mllp).to.match(/^mllp:\/\/0\.0\.0\.0:\d+$/);
  });
});
