// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ACTS } from "../../src/cli/usage/acts.js";
import { CONSORTIUM } from "../../src/cli/usage/consortium.js";
import { EMERGENCIES } from "../../src/cli/usage/emergencies.js";
import { EVIDENCE } from "../../src/cli/usage/evidence.js";
import { LIFE } from "../../src/cli/usage/life.js";
import { OPERATION } from "../../src/cli/usage/operation.js";
import { PATIENTS } from "../../src/cli/usage/patients.js";
import { RECORDS } from "../../src/cli/usage/records.js";
import { SHARING } from "../../src/cli/usage/sharing.js";
import { STORE } from "../../src/cli/usage/store.js";
import { chartseal, done, refused } from "./command-line.js";

const SPECS = [
  ...CONSORTIUM,
  ...PATIENTS,
  ...ACTS,
  ...RECORDS,
  ...LIFE,
  ...STORE,
  ...SHARING,
  ...EMERGENCIES,
  ...EVIDENCE,
  ...OPERATION,
];
const GLOBALS = ["--config", "--json", "--passphrase-file", "--passphrase-fd", "--as", "--help"];

describe("usage of the command line", () => {
  it("lists every command in its help", async () => {
    const { out } = await done(["--help"]);
    for (const { name } of SPECS) expect(out).to.match(new RegExp(`^  ${name.split(" ")[0]} `, "m"));
  });

  it("has an exit code, a summary and no stack in the help of nothing at all", async () => {
    const { code, err } = await chartseal([]);
    expect(code).to.equal(2);
    expect(err).to.contain("Usage: chartseal");
  });

  for (const { name, summary, examples, options = [], args = [] } of SPECS) {
    it(`shows how \`${name}\` is used, with an example that it takes`, async () => {
      const { out } = await done([...name.split(" "), "--help"]);
      expect(out.replaceAll(/\s+/g, " ")).to.contain(summary.slice(1));
      expect(examples).not.to.be.empty;
      const known = [...GLOBALS, ...options.map(({ flags }) => flags.split(" ")[0]!)];
      for (const example of examples) {
        expect(out).to.contain(`  chartseal ${example}`);
        expect(example.startsWith(name), example).to.be.true;
        const flags = example.match(/(?<= )--[a-z-]+/g) ?? [];
        expect(known).to.include.members(flags);
        const required = options
          .filter((option) => option.required === true)
          .map(({ flags: f }) => f.split(" ")[0]!);
        expect(flags, example).to.include.members(required);
        if (args[0]?.name.startsWith("<"))
          expect(example.slice(name.length), example).to.match(/^ [^-]|^ - /);
      }
    });
  }

  it("takes global options before and after the command", async () => {
    const before = await chartseal(["--json", "--config", "/nowhere/c.json", "status"]);
    const after = await chartseal(["status", "--config", "/nowhere/c.json", "--json"]);
    expect(before.code).to.equal(1);
    expect(before.error).to.deep.equal(after.error);
    expect(before.error.values["path"]).to.equal("/nowhere/c.json");
  });

  it("refuses an unknown option, an unknown command and a missing argument with exit code 2", async () => {
    expect((await refused(2, "ERR_USAGE", ["status", "--colour"])).message).to.contain("--colour");
    expect((await refused(2, "ERR_USAGE", ["ingset", "x"])).hint).to.contain("ingest");
    expect((await refused(2, "ERR_USAGE", ["ingest"])).message).to.contain("path");
    expect((await refused(2, "ERR_USAGE", ["request", "--grant", "0x"])).message).to.contain("--purpose");
    expect((await refused(2, "ERR_USAGE", ["retract", "1", "2"])).message).to.contain("too many arguments");
    expect(
      (await refused(2, "ERR_USAGE", ["audit", "--patient", "x|y", "--format", "pdf"])).message,
    ).to.contain("pdf");
  });

  it("says an error to people in a line, a hint and a code", async () => {
    const { code, out, err } = await chartseal(["ingset", "x"]);
    expect(code).to.equal(2);
    expect(out).to.equal("");
    expect(err).to.equal(
      "chartseal: unknown command 'ingset'\n  hint: Did you mean ingest?\n  code: ERR_USAGE\n",
    );
  });

  it("shows its version", async () => {
    const { out } = await done(["--version"]);
    expect(out).to.match(/^\d+\.\d+\.\d+/);
  });
});
