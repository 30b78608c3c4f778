// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Context } from "../../src/cli/context.js";
import { importLines } from "../../src/cli/import-lines.js";
import { Interruption } from "../../src/cli/io.js";
import { ChartsealError } from "../../src/errors.js";

const ROWS = [2, 3, 5].map((line) => ({ line, fields: {} }));

/** Imports the rows, Ctrl-C coming while line `stopAt` is worked on. */
async function imported(stopAt: number, json: boolean) {
  const controller = new AbortController();
  let out = "";
  const output = { write: (text: string) => (out += text) };
  const io = { stdin: [], stdout: output, stderr: output, interruption: () => controller.signal };
  const context = new Context(io as never, { config: "", json });
  const worked: number[] = [];
  const work = async ({ line }: { line: number }) => {
    if (line === stopAt) controller.abort(new Interruption("SIGINT"));
    await Promise.resolve();
    worked.push(line);
    if (line === 3) throw new ChartsealError("ERR_USAGE", "bad");
    return { name: `n${line}` };
  };
  let thrown: unknown;
  const code = await importLines(context, ROWS, work, ({ name }) => name).catch((error: unknown) => {
    thrown = error;
  });
  return { code, thrown, worked, out };
}

describe("an import that Ctrl-C stops", () => {
  it("finishes the line in hand and names the first that is not done", async () => {
    const { thrown, worked, out } = await imported(3, false);
    expect(worked).to.deep.equal([2, 3]);
    expect(thrown).to.be.an.instanceOf(Interruption).with.property("exitCode", 130);
    expect(out).to.equal(
      "line 2: n2\nline 3: bad (ERR_USAGE)\n1 enrolled, 1 failed\nStopped: line 5 and what follows it are not done.\n",
    );
  });

  it("says so to programs", async () => {
    const { out } = await imported(2, true);
    expect(JSON.parse(out)).to.deep.equal({
      enrolled: 1,
      failed: 0,
      lines: [{ line: 2, name: "n2" }],
      next: 3,
    });
  });

  it("is done when nothing was left", async () => {
    const { code, thrown, worked } = await imported(5, true);
    expect({ code, thrown, worked }).to.deep.equal({ code: 3, thrown: undefined, worked: [2, 3, 5] });
  });
});
