// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ENTRY_STATUS } from "../../src/chain/index.js";
import { fileSource } from "../../src/ingest/sources/index.js";
import { runChild, type ChildResult } from "../support/child.js";
import { Consortium, enrolAs, openHospital, type Hospital } from "../support/hospital.js";
import { message, pid, report } from "../support/hl7.js";
import { checkLog, sorted } from "../support/log-check.js";

/** What is interrupted, spread over the run. */
const KINDS = ["vault.db", "commit to journal.db", "transaction is sent", "\\(retract\\)"];
const KILLS_OF_A_KIND = 2;
const KILLS = KINDS.length * KILLS_OF_A_KIND;
const REPORTS = 6;
/** Two cores. */
const AT_ONCE = 2;
const { RETRACTED } = ENTRY_STATUS;

/** Reports of a patient, every other of them taken back, a merge, and one report that comes after it. */
const FEED = [
  ...Array.from({ length: REPORTS }, (_, n) => report(`r${n}`, "p", `F${n}`, [`${n}.0`, "F"])),
  ...Array.from({ length: REPORTS / 2 }, (_, n) => report(`w${n}`, "p", `F${2 * n}`, [`${2 * n}.0`, "W"])),
  message("ADT^A40^ADT_A39", "m", "EVN|A40", pid("p"), "MRG|twin^^^GH"),
  report("last", "twin", "F99", ["99", "F"]),
];

describe("An ingest of what its source takes back that is killed", function () {
  this.timeout(300_000);
  let consortium: Consortium;
  let file: string;

  before(async () => {
    consortium = await Consortium.start();
    file = join(consortium.folder, "feed.hl7");
    writeFileSync(file, FEED.join(""));
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("at any of 8 points loses no retraction and no merge, and does none twice", async () => {
    const places: Hospital[] = [];
    for (let number = 0; number < KILLS; number++) places.push(await prepared(`k${number}`));
    const whole = await ingestUntil(await prepared("whole"), Infinity);
    expect(whole.lines[0]).to.include({ sealed: FEED.length, anchored: FEED.length });
    const points = whole.lines.at(-1)!["points"] as string[];
    const runs = Array.from({ length: KILLS }, (_, number) => async () => {
      const kind = KINDS[Math.floor(number / KILLS_OF_A_KIND)]!;
      const all = points.filter((point) => new RegExp(kind).test(point)).length;
      const at = 1 + Math.floor((((number % KILLS_OF_A_KIND) + 0.5) * (all - 2)) / KILLS_OF_A_KIND);
      const place = places[number]!;
      const run = await ingestUntil(place, at, kind);
      expect(run.signal, `${kind}, ${at} of ${all}: ${run.output}`).to.equal("SIGKILL");
      await completed(place);
    });
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let next = runs.shift(); next !== undefined; next = runs.shift()) await next();
      }),
    );
  });

  async function prepared(name: string): Promise<Hospital> {
    const place = await consortium.hospital(name);
    await using hospital = await openHospital(place);
    await hospital.patients.administrative();
    for (const value of ["p", "twin"]) await enrolAs(hospital, { system: "GH", value });
    return place;
  }

  async function ingestUntil(hospital: Hospital, point: number, kind = ""): Promise<ChildResult> {
    const script = new URL("ingest-child.ts", import.meta.url);
    return await runChild(script, [hospital.config, file, "8"], {
      imports: [new URL("../support/kill-point.ts", import.meta.url)],
      env: { KILL_AT: String(point), KILL_WHAT: kind },
    });
  }

  async function completed(place: Hospital): Promise<void> {
    await using hospital = await openHospital(place);
    const run = await hospital.ingest(fileSource(file), { batchItems: 8 });
    expect(run.failure).to.equal(undefined);
    expect(run).to.include({ waiting: 0, dead: 0, events: 0 });
    expect(sorted(await checkLog(hospital))).to.deep.equal(sorted(FEED.map((text) => Buffer.from(text))));
    const { chain, memberId, journal, vault } = hospital;
    const p = vault.patientByIdentifier({ system: "GH", value: "p" })!;
    expect(vault.patientByIdentifier({ system: "GH", value: "twin" })).to.equal(p);
    expect(vault.patient(p).duplicates).to.have.lengthOf(1);
    for (let index = 1; index <= FEED.length; index++) {
      const item = journal.itemAt(index)!;
      const status = Number(await chain.records.statusOf(memberId, index));
      const { sourceKey } = journal.details(item.id);
      const filler = /OBR-3\/F(\d+)/.exec(sourceKey)?.[1];
      const gone = filler !== undefined && Number(filler) < REPORTS && Number(filler) % 2 === 0;
      expect(status, sourceKey).to.equal(gone ? RETRACTED : 0);
      if (filler === "99") expect(item.patientId).to.equal(p);
    }
    const again = await hospital.ingest(fileSource(file));
    expect(again).to.include({ known: FEED.length, anchored: 0, retracted: 0, followed: 0 });
  }
});
