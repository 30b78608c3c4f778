// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const MIB = 1024 * 1024;
const child = fileURLToPath(new URL("./memory-child.ts", import.meta.url));

interface Reading {
  readonly items: number;
  /** Bytes of resident memory beyond what the process held before it read. */
  readonly grown: number;
  readonly milliseconds: number;
}

/** Runs the child with a heap so small that whatever is kept per item ends it. */
async function readWithHeap(mebibytes: number, what: string): Promise<Reading> {
  const flags = [`--max-old-space-size=${mebibytes}`, "--import", "tsx"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, child, what]);
  return JSON.parse(stdout) as Reading;
}

describe("memory", function () {
  this.timeout(300_000);

  it("stays flat over 200,000 lines of NDJSON", async () => {
    const { items, grown } = await readWithHeap(48, "lines");
    expect(items).to.equal(200_000);
    expect(grown).to.be.lessThan(100 * MIB);
  });

  it("takes little more than the text itself to scan a Bundle of 50 MiB", async () => {
    const { items, grown } = await readWithHeap(128, "bundle");
    expect(items).to.be.greaterThan(100_000);
    expect(grown).to.be.lessThan(220 * MIB);
  });
});
