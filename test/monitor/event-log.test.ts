// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, statSync } from "node:fs";
import { ChartsealError } from "../../src/errors.js";
import { openEventLog, type EventLog } from "../../src/monitor/index.js";
import { Needles } from "../support/needles.js";
import { TemporaryFolder, rejection } from "../vault/temporary-vault.js";

const HASH = `0x${"5e".repeat(32)}`;
/** What a careless caller could hand over, and none of which may be found in a log. */
const PHI = [
  "Mustermann^Erika",
  "Erika Mustermann",
  "张三丰",
  "MRN-4711-0815",
  "1964-08-12",
  "urn:oid:1.2.276|4711",
  "/srv/outbox/Mustermann_Erika_1964.hl7",
  "Observation/erika-glucose",
  "correct horse battery staple",
];

describe("The log", () => {
  let lines: string[];
  let log: EventLog;
  beforeEach(async () => {
    lines = [];
    log = await openEventLog({
      to: { write: (line) => lines.push(line) },
      level: "debug",
      process: "release-agent",
    });
  });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

  it("says what happened, to whom by number, and what went wrong by code", () => {
    log.event("answered", { accessId: HASH, member: 2 });
    const refused = { values: { reason: "TermsRevoked" }, retryable: false };
    log.error("refused", new ChartsealError("ERR_ACCESS_DENIED", "no", refused), { accessId: HASH });
    const [answered, refusal] = parsed();
    expect(answered).to.include({ level: "info", event: "answered", accessId: HASH, member: 2 });
    expect(answered).to.include({ process: "release-agent", pid: process.pid });
    expect(Date.parse(answered!["time"] as string)).to.be.greaterThan(0);
    expect(refusal).to.include({ level: "warn", code: "ERR_ACCESS_DENIED", reason: "TermsRevoked" });
    expect(answered).not.to.have.any.keys("hostname", "msg");
  });

  it("holds nothing of a patient, whatever an error or a caller carries", () => {
    for (const phi of PHI) {
      const inner = Object.assign(new Error(phi), { code: phi, path: phi });
      const values = { reason: phi, errno: phi, code: phi, path: phi, [phi]: phi };
      const error = new ChartsealError("ERR_ITEM_INVALID", phi, { values, hint: phi, cause: inner });
      log.error("trouble", error);
      log.error("trouble", inner);
      log.error("trouble", phi);
      log.error("trouble", { toString: () => phi, toJSON: () => phi, code: phi });
      const careless = { code: phi, accessId: phi, member: phi, transaction: phi, account: phi, [phi]: phi };
      log.event("answered", { ...careless, reason: phi, count: phi, retryable: phi, acknowledgement: phi });
    }
    expect(lines).to.have.lengthOf(5 * PHI.length);
    const needles = new Needles();
    for (const phi of PHI) {
      needles.add(phi, phi);
      needles.addEncodings(phi, Buffer.from(phi));
      needles.addDigests(phi, phi);
    }
    const said = Buffer.from(lines.join(""));
    expect(needles.findIn(Buffer.from(JSON.stringify(PHI)))).not.to.deep.equal([]);
    expect(needles.findIn(said)).to.deep.equal([]);
    for (const word of ["Mustermann", "Erika", "张", "4711", "1964", "staple", "event-log.test"])
      expect(said.includes(word), word).to.equal(false);
    const last = parsed().at(-1)!;
    expect(last["dropped"]).to.include.members(["accessId", "member", "unknown", "acknowledgement"]);
  });

  it("takes a family name in capitals neither for a system's error nor for a contract's", () => {
    log.error("trouble", Object.assign(new Error("x"), { code: "ESPOSITO" }));
    log.error("trouble", Object.assign(new Error("x"), { code: "ENOSPC" }));
    log.error("trouble", new ChartsealError("ERR_CHAIN_REFUSED", "x", { values: { reason: "Mustermann" } }));
    const [name, errno, reason] = parsed();
    expect(name).not.to.have.property("errno");
    expect(errno).to.include({ errno: "ENOSPC", code: "ERR_INTERNAL" });
    expect(reason).not.to.have.property("reason");
  });

  it("has the fields that docs/formats.md names, and no other", () => {
    const formats = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");
    const section = /## Log line\n([^#]*)/.exec(formats)![1]!;
    const [, list = ""] = section.split("fields");
    const named = list
      .split("`dropped`")[0]!
      .match(/`\w+`/g)!
      .map((word) => word.slice(1, -1));
    const nonsense = Object.fromEntries([...named, "message", "path", "label"].map((name) => [name, "x"]));
    log.event("started", nonsense);
    expect(parsed()[0]!["dropped"]).to.have.members([...named, "unknown", "unknown", "unknown"]);
    expect(named).to.include.members(["code", "errno", "accessId", "milliseconds"]);
  });

  it("is left out below its level", async () => {
    const quiet: string[] = [];
    using warnings = await openEventLog({
      to: { write: (line) => quiet.push(line) },
      level: "warn",
      process: "monitor",
    });
    warnings.event("ready");
    warnings.error("refused", new ChartsealError("ERR_TIMEOUT", "x"));
    expect(quiet).to.have.lengthOf(1);
  });

  it("is added to in a file that only its owner reads, line by line at once", async () => {
    using folder = new TemporaryFolder();
    const to = folder.file("agent.log");
    for (const count of [1, 2]) {
      using file = await openEventLog({ to, process: "ingest" });
      file.event("ingested", { read: count });
      expect(readFileSync(to, "utf8").trim().split("\n")).to.have.lengthOf(count);
    }
    expect(statSync(to).mode & 0o077).to.equal(0);
    await rejection("ERR_USAGE", openEventLog({ to: folder.file("no/such.log"), process: "ingest" }));
  });
});
