// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect } from "chai";

describe("sealed record of 1 GiB", () => {
  it("is sealed and opened in less than 200 MiB of memory", async function () {
    this.timeout(120_000);
    const program = fileURLToPath(new URL("large-record.ts", import.meta.url));
    // Types are stripped by Node itself: a compiler in the process would count as ours.
    const types = new URL("../support/strip-types.ts", import.meta.url).href;
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", types, program]);
    const { read, rssMiB } = JSON.parse(stdout) as { read: number; rssMiB: number };
    expect(read).to.equal(2 ** 30);
    expect(rssMiB, "peak resident memory, MiB").to.be.below(200);
  });
});
