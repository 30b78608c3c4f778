// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { ndjsonSource } from "../../src/ingest/index.js";
import { runChild } from "../support/child.js";
import { Consortium, enrol, openHospital, type Hospital } from "../support/hospital.js";
import { checkLog } from "../support/log-check.js";
import { linesSource, observations } from "../support/observations.js";

describe("Two ingests of one member", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let place: Hospital;
  let hospital: Chartseal;

  before(async () => {
    consortium = await Consortium.start();
    place = await consortium.hospital("one");
    hospital = await openHospital(place);
    await enrol(hospital, "p");
  });
  after(async () => {
    await hospital[Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });

  it("in one process: the second is refused, and free to start when the first is done", async () => {
    const first = hospital.ingest(linesSource(observations("p", 5)));
    const second: unknown = await hospital
      .ingest(linesSource(observations("p", 5)))
      .catch((error: unknown) => error);
    expect(second).to.include({ code: "ERR_JOURNAL_LOCKED", retryable: true });
    expect(await first).to.include({ anchored: 5 });
    expect(await hospital.ingest(linesSource(observations("p", 5)))).to.include({ known: 5 });
  });

  it("in two processes: the second is refused until the first is done, or is killed", async () => {
    const file = join(consortium.folder, "lines.ndjson");
    writeFileSync(file, observations("p", 2_000, 100).join("\n"));
    const hold = hospital.journal.lock();
    const refused = await runChild(new URL("../e2e/ingest-child.ts", import.meta.url), [
      place.config,
      file,
      "100",
    ]);
    hold[Symbol.dispose]();
    expect(refused.lines).to.deep.equal([{ code: "ERR_JOURNAL_LOCKED" }]);

    let locked: unknown;
    const killed = await runChild(
      new URL("../e2e/ingest-child.ts", import.meta.url),
      [place.config, file, "50"],
      {
        env: { PROGRESS: "1" },
        onLine: (kill) => {
          try {
            hospital.journal.lock()[Symbol.dispose]();
          } catch (error) {
            locked ??= error;
          }
          kill();
        },
      },
    );
    expect(killed.signal).to.equal("SIGKILL");
    expect(locked).to.include({ code: "ERR_JOURNAL_LOCKED" });
    const run = await hospital.ingest(ndjsonSource(file), { batchItems: 500 });
    expect(run.failure).to.equal(undefined);
    expect(await checkLog(hospital)).to.have.lengthOf(2_005);
  });
});
