// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Context } from "../../src/cli/context.js";
import { ProgressReport, lagText, progressLine, secondsLeft } from "../../src/cli/progress.js";
import { table } from "../../src/cli/table.js";

const progress = {
  read: 1_000,
  known: 0,
  sealed: 990,
  waiting: 3,
  dead: 7,
  anchored: 500,
  bytesRead: 25,
  totalBytes: 100,
};

describe("what people read", () => {
  it("aligns columns, numbers to the right and Chinese by its width", () => {
    expect(
      table(
        ["N", "NAME"],
        [
          [5, "张三"],
          [17, "Ann"],
        ],
      ),
    ).to.equal(" N  NAME\n 5  张三\n17  Ann");
  });

  it("shows a foreign label in its own cell, whatever it holds", () => {
    const text = table(["LABEL", "SIZE"], [["a\nb\u001b[2J\u202ec", 1]]);
    expect(text.split("\n")).to.have.length(2);
    expect(text).not.to.match(/[\u001b\u202e]/);
  });

  it("says rate, part and time left", () => {
    expect(progressLine(progress, 10)).to.equal(
      "1000 read, 100/s, 25 %, 0:30 left, 500 anchored, 3 waiting, 7 refused",
    );
    expect(progressLine({ ...progress, bytesRead: 1, waiting: 0, dead: 0 }, 3_700)).to.contain(
      "101:45:00 left",
    );
  });

  describe("a progress report", () => {
    const shown = (globals: { json?: boolean }, isTTY: boolean, piped = false) => {
      let text = "";
      const output = { write: (part: string) => (text += part), isTTY };
      const stdin = (async function* () {})();
      const stdout = piped ? { write: output.write } : output;
      const io = { stdin, stdout, stderr: output, interruption: () => new AbortController().signal };
      let now = 0;
      const report = new ProgressReport(new Context(io, { config: "", ...globals }), () => now);
      for (; now <= 10_000; now += 100) report.update({ ...progress, read: now });
      report.end();
      return text;
    };

    it("writes its line anew on a terminal, five times a second, and takes it away at the end", () => {
      const text = shown({}, true);
      expect(text.split("\r")).to.have.length(52);
      expect(text).to.match(/\r\u001b\[K9800 read, [^\r]*\r\u001b\[K10000 read[^\r]*\r\u001b\[K$/);
      expect(text).not.to.contain("\n");
    });

    it("writes a line every five seconds elsewhere", () => {
      const lines = shown({}, false).trim().split("\n");
      expect(lines.map((line) => line.split(" ")[0])).to.deep.equal(["5000", "10000"]);
    });

    it("writes objects for programs", () => {
      const lines = shown({ json: true }, true).trim().split("\n");
      const [first] = lines.map((line) => JSON.parse(line) as object);
      expect(lines).to.have.length(2);
      expect(first).to.include({ event: "progress", read: 5_000, recordsPerSecond: 1_000, secondsLeft: 15 });
    });

    it("writes objects for a program and the line for the person who started it", () => {
      const text = shown({ json: true }, true, true);
      expect(text.match(/\r\u001b\[K\d+ read, \d+\/s, [^\r]* left/g)).to.have.length(50);
      expect(text.match(/\{"event":"progress"/g)).to.have.length(2);
      expect(text).to.match(/\r\u001b\[K$/);
    });
  });

  it("says how long records take to the chain, in the unit that fits", () => {
    const lag = { received: { median: 3, most: 119 }, recorded: { median: 5_400, most: 400_000 } };
    expect(progressLine({ ...progress, lag }, 10)).to.contain("500 anchored, 3 s to the chain");
    expect(lagText(lag)).to.equal(
      "records stand on chain 3 s (at most 119 s) after they were read, " +
        "90 min (at most 5 days) after their source's time",
    );
    expect(lagText({ received: lag.received })).not.to.contain("source");
  });

  it("guesses no time for a stream", () => {
    expect(secondsLeft({ ...progress, totalBytes: undefined }, 10)).to.equal(undefined);
    expect(secondsLeft({ ...progress, bytesRead: 0 }, 10)).to.equal(undefined);
    expect(progressLine({ ...progress, totalBytes: undefined }, 10)).not.to.contain("left");
  });
});
