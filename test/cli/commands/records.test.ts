// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { message, pid, report } from "../../support/hl7.js";
import { Consortium, type Desk } from "../consortium.js";
import { observation, observations, reference } from "../observations.js";

interface Done {
  event: string;
  read: number;
  known: number;
  sealed: number;
  waiting: number;
  dead: number;
  anchored: number;
  superseded: number;
  batches: { firstIndex: number; count: number; gasUsed: number; gasPerRecord: number }[];
  refused: { number?: number; code: string; message: string; label?: string }[];
  failure?: { code: string };
}

interface Status {
  items: Record<string, number>;
  openBatches: object[];
  head: { journal: number; chain: number | null };
  oldestUnanchoredSeconds?: number;
  oldestWaitingSeconds?: number;
  deadLetters: { reason: string; count: number; stored: number; hint: string }[];
  list?: { item: number; state: string; receivedAt: string; reason?: string; label: string }[];
}

interface Figures {
  median: number;
  most: number;
}

interface Lag {
  received: Figures;
  recorded?: Figures;
}

describe("taking records", () => {
  let consortium: Consortium;
  let a: Desk;
  before(async function () {
    this.timeout(60_000);
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    await a.done("patient", "enrol", "--identifier", reference("ann"));
  });
  after(() => consortium[Symbol.asyncDispose]());

  const file = (name: string, content: string) => {
    writeFileSync(a.path(name), content);
    return a.path(name);
  };
  const status = async () => (await a.done("status", "--json")).json as Status;

  it("says what it would do, and does nothing, in a dry run", async () => {
    const source = file("dry.ndjson", `${observations("ann", 3)}not json\n${observation("x", "stranger")}\n`);
    const { code, json } = await a.run("ingest", source, "--dry-run", "--json");
    expect(code).to.equal(3);
    expect(json).to.deep.include({
      event: "done",
      read: 5,
      sealed: 3,
      waiting: 1,
      dead: 1,
      anchored: 0,
      batches: [],
    });
    expect((json as Done).refused).to.deep.equal([
      { number: 4, code: "ERR_JSON_INVALID", message: (json as Done).refused[0]!.message },
    ]);
    expect((await status()).items).to.deep.equal({
      waiting: 0,
      sealed: 0,
      batched: 0,
      submitted: 0,
      anchored: 0,
      dead: 0,
    });
  });

  it("anchors a file, counts gas a record, and knows it the next time", async () => {
    const source = file("a.ndjson", observations("ann", 25));
    const first = (await a.done("ingest", source, "--batch-items", "10", "--json")).json as Done;
    expect(first).to.include({ event: "done", read: 25, known: 0, sealed: 25, anchored: 25 });
    expect(first.batches.map(({ firstIndex, count }) => [firstIndex, count])).to.deep.equal([
      [1, 10],
      [11, 10],
      [21, 5],
    ]);
    const [batch] = first.batches;
    expect(batch!.gasPerRecord).to.equal(batch!.gasUsed / 10);
    expect(batch).to.include.keys("transactionHash", "blockNumber");
    const second = (await a.done("ingest", source, "--json")).json as Done;
    expect(second).to.include({ read: 25, known: 25, sealed: 0, anchored: 0 });
    expect((await status()).head).to.deep.equal({ journal: 25, chain: 25 });
  });

  it("says how long records took to the chain: from reading them, and from their source's time", async () => {
    const recorded = Date.now() - 2 * 3_600_000;
    const timed = (id: string, effectiveDateTime: string) =>
      JSON.stringify({ ...(JSON.parse(observation(id, "ann")) as object), effectiveDateTime });
    const moment = new Date(recorded).toISOString();
    const source = file("lag.ndjson", `${timed("lag1", moment)}\n${timed("lag2", moment)}\n`);
    const { lag } = (await a.done("ingest", source, "--json")).json as { lag: Lag };
    expect(lag.received.median).to.be.within(0, 120);
    expect(lag.received.most).to.be.at.least(lag.received.median);
    expect(lag.recorded!.median).to.be.within(7_190, 7_400);
    // A day says nothing of hours.
    const days = file("days.ndjson", `${timed("lag3", "2026-05-04")}\n`);
    const { lag: dayOnly } = (await a.done("ingest", days, "--json")).json as { lag: Lag };
    expect(dayOnly).to.have.all.keys("received");
    const { out } = await a.done("ingest", file("more.ndjson", observations("ann", 1, "more")));
    expect(out).to.match(/records stand on chain \d+ s \(at most \d+ s\) after they were read/);
  });

  it("takes a folder and marks what was amended", async () => {
    mkdirSync(a.path("folder"));
    file("folder/one.json", observation("o1", "ann", 2));
    file("folder/two.json", observation("new", "ann"));
    const { json } = await a.done("ingest", a.path("folder"), "--json");
    expect(json).to.include({ read: 2, sealed: 2, anchored: 2, superseded: 1 });
  });

  it("takes standard input, by its name or as it is told", async () => {
    const stdin = async function* (text: string) {
      yield Buffer.from(text);
    };
    const named = await a.runWith(
      { stdin: stdin(observations("ann", 2, "in")) },
      "ingest",
      "-",
      "--name",
      "in.ndjson",
      "--json",
    );
    expect(named.json).to.include({ read: 2, anchored: 2 });
    const told = await a.runWith(
      { stdin: stdin(observations("ann", 2, "told")) },
      "ingest",
      "-",
      "--format",
      "ndjson",
      "--json",
    );
    expect(told.json).to.include({ read: 2, anchored: 2 });
    const whole = await a.runWith({ stdin: stdin(observation("whole", "ann")) }, "ingest", "-", "--json");
    expect(whole.json).to.include({ read: 1, anchored: 1 });
    await a.refused(2, "ERR_USAGE", "ingest", a.path("a.ndjson"), "--name", "x");
  });

  it("splits a Bundle only when told to", async () => {
    const entry = [
      { resource: JSON.parse(observation("s1", "ann")) as object },
      { resource: JSON.parse(observation("s2", "ann")) as object },
    ];
    const source = file("bundle.json", JSON.stringify({ resourceType: "Bundle", type: "collection", entry }));
    expect((await a.run("ingest", source, "--split", "--dry-run", "--json")).json).to.include({
      read: 2,
    });
    expect((await a.run("ingest", source, "--dry-run", "--json")).json).to.include({ read: 1 });
  });

  it("ends with 3 and takes the rest when items wait or are refused, and repeats no label", async () => {
    const source = file(
      "mixed.ndjson",
      `${observation("m1", "ann")}\n${observation("m2", "zoe")}\n{"resourceType":\n${observation("m3", "ann")}\n`,
    );
    const { code, json, out, err } = await a.run("ingest", source, "--json");
    expect(code).to.equal(3);
    const { refused, ...counts } = json as Done;
    expect(counts).to.include({ read: 4, sealed: 2, waiting: 1, dead: 1, anchored: 2 });
    expect(refused[0]).to.include({ number: 3, code: "ERR_JSON_INVALID" });
    expect(refused[0]).not.to.have.property("label");
    expect(out + err).not.to.contain("mixed.ndjson");
    const people = await a.run("ingest", source);
    expect(people.out).to.contain("refused: item 3: ").and.to.contain("status --list");
  });

  it("names what waits and what was refused to whom asks with the vault", async () => {
    const { list } = (await a.done("status", "--list", "--json")).json as Status;
    expect(list?.map(({ state, reason, label }) => [state, reason, label])).to.deep.equal([
      ["waiting", undefined, "mixed.ndjson#line 2"],
      ["dead", "ERR_JSON_INVALID", "mixed.ndjson#line 3"],
    ]);
    for (const { receivedAt } of list!) expect(Date.parse(receivedAt)).to.be.closeTo(Date.now(), 600_000);
    expect((await a.done("status")).out)
      .to.match(/^waiting +1$/m)
      .and.to.contain("log head: ");
  });

  it("says since when the oldest waits, and by reason what was refused and what to do about it", async () => {
    const { oldestWaitingSeconds, deadLetters, oldestUnanchoredSeconds } = await status();
    expect(oldestWaitingSeconds).to.be.within(0, 600);
    expect(oldestUnanchoredSeconds).to.equal(undefined);
    expect(deadLetters).to.have.lengthOf(1);
    expect(deadLetters[0]).to.include({ reason: "ERR_JSON_INVALID", count: 1, stored: 0 });
    expect(deadLetters[0]!.hint).to.contain("ingest that source again");
    expect((await a.done("status")).out)
      .to.match(/^waiting: the oldest came \d+ s ago; enrol its patient/m)
      .and.to.match(/^refused: 1 by ERR_JSON_INVALID: /m);
  });

  it("anchors on retry what waited for its patient", async () => {
    await a.done("patient", "enrol", "--identifier", reference("zoe"));
    const { json } = await a.done("retry", "--json");
    expect(json).to.include({ event: "done", anchored: 1, waiting: 0 });
    expect((await status()).items).to.include({ waiting: 0, dead: 1 });
  });

  it("files by rules and in the compartment named", async () => {
    const rules = file(
      "rules.json",
      JSON.stringify({
        format: 1,
        rules: [{ path: "**", patient: { system: "fhir:Patient", value: "ann" } }],
      }),
    );
    const source = file("scan.bin", "opaque");
    expect((await a.run("ingest", source, "--json")).json).to.include({ waiting: 1 });
    const { json } = await a.done("retry", "--rules", rules, "--compartment", "psychiatry", "--json");
    expect(json).to.include({ anchored: 1 });
    appendFileSync(rules, "x");
    await a.refused(1, "ERR_CONFIG_INVALID", "ingest", source, "--rules", rules);
  });

  it("takes records while the chain is down, ends with 3, and anchors them on retry", async () => {
    a.configure({ url: "http://127.0.0.1:1" });
    const source = file("down.ndjson", observations("ann", 3, "down"));
    const { code, json } = await a.run("ingest", source, "--chain-wait", "0", "--json");
    expect(code).to.equal(3);
    expect((json as Done).failure?.code).to.equal("ERR_RPC_UNAVAILABLE");
    expect(json).to.include({ sealed: 3, anchored: 0 });
    const { head, oldestUnanchoredSeconds } = await status();
    expect(head.chain).to.equal(null);
    expect(oldestUnanchoredSeconds).to.be.within(0, 600);
    await a.refused(1, "ERR_RPC_UNAVAILABLE", "retry");
    a.configure({});
    expect((await a.done("retry", "--json")).json).to.include({ anchored: 3 });
  });

  it("refuses options out of range, a source that is not there, and a second writer", async () => {
    await a.refused(2, "ERR_USAGE", "ingest", a.path("a.ndjson"), "--batch-items", "0");
    await a.refused(2, "ERR_USAGE", "ingest", a.path("a.ndjson"), "--batch-wait", "soon");
    await a.refused(2, "ERR_USAGE", "ingest", a.path("none.ndjson"));
    const fresh = file("fresh.ndjson", observations("ann", 1, "fresh"));
    await a.refused(2, "ERR_USAGE", "ingest", fresh, "--compartment", "No Such!");
    const end = Promise.withResolvers<undefined>();
    const reading = Promise.withResolvers<undefined>(); // the lock is taken before the source is read
    const stdin = (async function* () {
      reading.resolve(undefined);
      yield Buffer.from(observations("ann", 1, "slow"));
      await end.promise;
    })();
    const first = a.runWith({ stdin }, "ingest", "-", "--format", "ndjson");
    await reading.promise;
    const error = await a.refused(1, "ERR_JOURNAL_LOCKED", "ingest", a.path("a.ndjson"));
    expect(error).to.include({ retryable: true });
    end.resolve(undefined);
    expect((await first).code).to.equal(0);
  });

  it("retracts an entry, and refuses one that is not there", async () => {
    expect((await a.done("retract", "2", "--json")).json).to.deep.equal({ index: 2, status: "RETRACTED" });
    await a.refused(2, "ERR_USAGE", "retract", "99999");
    await a.refused(2, "ERR_USAGE", "retract", "two");
  });

  it("shows what waits for a person, who refiles a misfiled report and settles a message about who is who", async () => {
    for (const mrn of ["hl7-a", "hl7-b"]) await a.done("patient", "enrol", "--identifier", `GH|${mrn}`);
    await a.done("patient", "administrative");
    const feed = [
      report("1", "hl7-a", "F1", ["5.1", "F"]),
      report("2", "hl7-b", "F1", ["5.2", "C"]),
      message("ADT^A43", "3", pid("hl7-a"), "MRG|hl7-b^^^GH"),
    ];
    const run = await a.run("ingest", file("feed.hl7", feed.join("")), "--json");
    expect(run.code).to.equal(3);
    expect(run.json).to.include({
      sealed: 2,
      dead: 1,
      anchored: 2,
      retracted: 0,
      held: 0,
      followed: 0,
      events: 1,
    });
    const listed = (await a.done("status", "--list", "--json")).json as Status & { events: number };
    expect(listed.events).to.equal(1);
    const refused = listed.list!.find(({ reason }) => reason === "ERR_PATIENT_CHANGED")!;
    const open = listed.list!.find(({ state }) => state === "to decide")!;
    expect(open.label).to.equal("feed.hl7#message 3");

    const { json } = await a.done("refile", String(refused.item), "--json");
    expect(json).to.include({ anchored: 1, retracted: 1, superseded: 0 });
    await a.refused(2, "ERR_USAGE", "refile", String(refused.item));
    expect((await a.done("settle", String(open.item), "--json")).json).to.deep.equal({
      item: open.item,
      settled: true,
    });
    await a.refused(2, "ERR_USAGE", "settle", String(open.item));
    expect((await a.done("status", "--json")).json).to.include({ events: 0, toRetract: 0 });
  });

  for (const [what, before] of [
    ["after some records", observations("ann", 2, "cut")],
    ["while its input is silent", ""],
  ] as const) {
    it(`stops at once on Ctrl-C ${what}, and says what is safe`, async () => {
      const controller = new AbortController();
      const { Interruption } = await import("../../../src/cli/io.js");
      const stdin = (async function* () {
        if (before !== "") yield Buffer.from(before);
        controller.abort(new Interruption("SIGINT"));
        await new Promise<never>(() => {});
      })();
      const flags = ["ingest", "-", "--format", "ndjson"];
      const { code, err } = await a.runWith({ stdin, signal: controller.signal }, ...flags);
      expect(code).to.equal(130);
      expect(err).to.match(
        /Stopped: \d+ items read, \d+ newly sealed and safe, .*Run the same command again/,
      );
    });
  }

  it("logs a run without a word of what it took", async () => {
    const log = a.path("ingest.log");
    const source = file("named.ndjson", `${observation("erika-mustermann", "ann")}\n{"erika":\n`);
    expect((await a.run("ingest", source, "--log", log)).code).to.equal(3);
    const text = readFileSync(log, "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines.at(-1)).to.include({ event: "ingested", read: 2, sealed: 1, dead: 1, anchored: 1 });
    expect(lines[0]).to.include({ event: "refused", code: "ERR_JSON_INVALID", index: 2, level: "warn" });
    expect(text).not.to.match(/erika|mustermann|ndjson|ann"/i);
    const { err } = await a.run("ingest", source, "--log", "-", "--log-level", "error");
    expect(err).not.to.contain("{");
    await a.refused(2, "ERR_USAGE", "ingest", source, "--log", a.path("no/such.log"));
  });
});
