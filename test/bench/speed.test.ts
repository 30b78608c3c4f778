// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Speed } from "../../bench/speed-aims.js";
import { runChild } from "../support/child.js";

const SPEED = new URL("../../bench/speed.ts", import.meta.url);
const RECORDS = 1_000;
const MIB = 4;

interface Aims {
  aims: { name: string; met: boolean }[];
}

describe("npm run bench", function () {
  this.timeout(600_000);

  it("measures every part beside its peers, in small", async () => {
    const small = ["--records", String(RECORDS), "--mib", String(MIB), "--rounds", "1", "--json"];
    const { lines, code, output } = await runChild(SPEED, small);
    expect(code, output).to.equal(0);
    expect(lines).to.have.length(1);
    const { ingest, body, open, aims } = lines[0] as unknown as Required<Speed> & Aims;

    expect(ingest.records).to.equal(RECORDS);
    for (const { recordsPerSecond, cpuMicrosecondsPerRecord, peakRssMiB } of contenders(ingest)) {
      for (const figure of [recordsPerSecond, cpuMicrosecondsPerRecord, peakRssMiB]) expectPositive(figure);
    }
    // By processor time: of so few records one slow fsync decides the rate.
    expect(ingest.floor.cpuMicrosecondsPerRecord).to.be.lessThan(ingest.naive.cpuMicrosecondsPerRecord);
    expect(ingest.chartseal.cpuMicrosecondsPerRecord).to.be.lessThan(ingest.naive.cpuMicrosecondsPerRecord);
    expect(ingest.growth.percent).to.satisfy(Number.isFinite);

    expect(body.mib).to.equal(MIB);
    for (const { mibPerSecond } of [...contenders(body), body.age, body.durableFloor])
      expectPositive(mibPerSecond);
    expectPositive(body.chartseal.peakRssMiB!);

    expect(open.records).to.be.at.least(RECORDS);
    for (const { p50, p95 } of [open.makeReceipt, open.checkReceipt, open.requestToPlaintext]) {
      expectPositive(p50);
      expect(p95).to.be.at.least(p50);
    }
    expect(aims).to.have.length(8);
  });

  it("refuses a part, a number or an option that it does not know", async () => {
    for (const wrong of [["speed"], ["--records", "10"], ["--rounds", "0"], ["--fast"]]) {
      const { code, output } = await runChild(SPEED, wrong);
      expect(code, wrong.join(" ")).to.equal(2);
      expect(output).to.contain("npm run bench");
    }
  });
});

function contenders<T>(part: { floor: T; chartseal: T; naive?: T }): T[] {
  return [part.floor, part.chartseal, ...(part.naive === undefined ? [] : [part.naive])];
}

function expectPositive(figure: number): void {
  expect(figure).to.be.greaterThan(0);
  expect(figure).to.satisfy(Number.isFinite);
}
