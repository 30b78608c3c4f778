// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { runChild } from "../support/child.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { observation } from "../support/observations.js";

const LINES = 10_000;
const PATIENTS = 20;
/** Characters of text in a line, which is then of some 2 KiB. */
const TEXT = 1_800;
const MOST_MIB = 300;

describe("An ingest of 10,000 lines", function () {
  this.timeout(120_000);

  it(`stays below ${MOST_MIB} MiB and anchors them all`, async () => {
    await using consortium = await Consortium.start();
    const place = await consortium.hospital("large");
    await using hospital = await openHospital(place);
    await enrol(hospital, ...Array.from({ length: PATIENTS }, (_, patient) => `p${patient}`));
    const file = join(consortium.folder, "lines.ndjson");
    const out = createWriteStream(file);
    for (let id = 0; id < LINES; id++) {
      const note = String(id).padEnd(TEXT, " lorem ipsum");
      out.write(`${observation({ id, patient: `p${id % PATIENTS}`, note })}\n`);
    }
    out.end();
    await once(out, "close");

    // Without any option of V8's: an integrator's process has none.
    const run = await runChild(new URL("ingest-child.ts", import.meta.url), [place.config, file, "1000"]);
    const result = run.lines[0] as { seconds: number; maxRssMiB: number } | undefined;
    expect(result, run.output).to.include({ sealed: LINES, anchored: LINES });
    const { seconds, maxRssMiB } = result!;
    process.stdout.write(
      `      ${Math.round(LINES / seconds)} records/s, ${Math.round(maxRssMiB)} MiB at most\n`,
    );
    expect(maxRssMiB).to.be.lessThan(MOST_MIB);
    expect(Number(await hospital.chain.records.headOf(hospital.memberId))).to.equal(LINES);
  });
});
