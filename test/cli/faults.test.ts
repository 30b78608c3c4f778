// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EventEmitter } from "node:events";
import type { PromptInput } from "../../src/vault/index.js";
import { reportError } from "../../src/cli/report-error.js";
import { writeNew, writeWhole } from "../../src/cli/private-file.js";
import { expectCode } from "../crypto/expect-code.js";
import { chartseal, refused } from "./command-line.js";
import { Consortium, PASSPHRASE, type Desk } from "./consortium.js";

describe("faults around a command", () => {
  let consortium: Consortium;
  let a: Desk;
  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
  });
  after(() => consortium[Symbol.asyncDispose]());
  const at = (name: string) => join(consortium.folder, name);
  const passphraseFile = (name: string, text: string, mode = 0o600) => {
    writeFileSync(at(name), text, { mode });
    chmodSync(at(name), mode);
    return ["--passphrase-file", at(name)];
  };
  const status = () => ["status", "--config", a.config];

  it("refuses a configuration that is missing, broken, of the future or has an unknown field", async () => {
    await refused(1, "ERR_CONFIG_INVALID", ["status", "--config", at("none.json")]);
    writeFileSync(at("c.json"), "{");
    await refused(1, "ERR_CONFIG_INVALID", ["status", "--config", at("c.json")]);
    writeFileSync(at("c.json"), '{"format":2}');
    await refused(1, "ERR_FORMAT_UNSUPPORTED", ["status", "--config", at("c.json")]);
    a.configure({ member: { id: 1, name: "a", colour: "blue" }, path: at("a/c.json") });
    const error = await refused(1, "ERR_CONFIG_INVALID", ["status", "--config", at("a/c.json")]);
    expect(error.message).to.contain("member");
  });

  it("refuses a wrong passphrase, a shared passphrase file, two sources and a wrong descriptor", async () => {
    const wrong = await refused(1, "ERR_VAULT_LOCKED", [
      ...status(),
      ...passphraseFile("wrong", "another horse battery"),
    ]);
    expect(JSON.stringify(wrong)).not.to.contain("another horse");
    const shared = passphraseFile("shared", PASSPHRASE, 0o644);
    expect((await refused(1, "ERR_VAULT_LOCKED", [...status(), ...shared])).hint).to.contain("chmod 600");
    await refused(1, "ERR_VAULT_LOCKED", [...status(), "--passphrase-file", at("nowhere")]);
    await refused(2, "ERR_USAGE", [...status(), ...shared, "--passphrase-fd", "3"]);
    await refused(2, "ERR_USAGE", [...status(), "--passphrase-fd", "three"]);
    await refused(1, "ERR_VAULT_LOCKED", [...status(), "--passphrase-fd", "9999"]);
  });

  it("asks on the terminal when nothing else says the passphrase", async () => {
    const keys = new EventEmitter();
    const input = Object.assign(keys, {
      isTTY: true,
      setRawMode: () => {},
      resume: () => setImmediate(() => keys.emit("data", `${PASSPHRASE}\r`)),
      pause: () => {},
    }) as unknown as PromptInput;
    let asked = "";
    const output = { write: (text: string) => (asked += text) };
    const { code } = await chartseal(status(), { terminal: { input, output } });
    expect(code).to.equal(0);
    expect(asked).to.contain("passphrase").and.not.to.contain(PASSPHRASE);
  });

  it("says before the passphrase is asked for that a node is down or on another chain", async () => {
    a.configure({ url: "http://127.0.0.1:1", path: at("a/dead.json") });
    const noPassphrase = ["--passphrase-file", at("nowhere")];
    const dead = await refused(1, "ERR_RPC_UNAVAILABLE", [
      "member",
      "publish-key",
      "--config",
      at("a/dead.json"),
      ...noPassphrase,
    ]);
    expect(dead.retryable).to.be.true;
    writeFileSync(at("other.json"), JSON.stringify({ ...consortium.deployment, chainId: 99 }));
    a.configure({ deployment: "../other.json", path: at("a/other.json") });
    for (const argv of [["status"], ["ingest", at("other.json")], ["member", "list"], ["verify", "--log"]]) {
      await refused(1, "ERR_CHAIN_MISMATCH", [...argv, "--config", at("a/other.json"), ...noPassphrase]);
    }
  });

  it("names a contract that is not there", async () => {
    const deployment = { ...consortium.deployment, accessLog: `0x${"17".repeat(20)}` };
    writeFileSync(at("reset.json"), JSON.stringify(deployment));
    a.configure({ deployment: "../reset.json", path: at("a/reset.json") });
    await refused(1, "ERR_CHAIN_MISMATCH", ["member", "list", "--config", at("a/reset.json")]);
  });

  it("shows neither stack nor cause of an error that nobody foresaw", () => {
    let shown = "";
    const stderr = { write: (text: string) => (shown += text) };
    const error = new TypeError("no such thing\n    at somewhere", { cause: "secret" });
    expect(reportError(error, false, stderr)).to.equal(1);
    expect(shown).to.match(/^chartseal: unexpected: no such thing\n {2}hint: .*\n {2}code: ERR_INTERNAL\n$/);
    shown = "";
    reportError(error, true, stderr);
    expect(JSON.parse(shown)).to.have.nested.property("error.code", "ERR_INTERNAL");
  });

  describe("files that it writes", () => {
    it("appear whole or not at all", async () => {
      const folder = mkdtempSync(at("files-"));
      const failing = (async function* () {
        yield Buffer.from("half");
        throw new Error("the body ended badly");
      })();
      let thrown: unknown;
      await writeWhole(join(folder, "record"), failing).catch((error: unknown) => (thrown = error));
      expect(thrown).to.be.an("error").with.property("message", "the body ended badly");
      expect(readdirSync(folder)).to.deep.equal([]);
    });

    it("are refused by name where they cannot be written", async () => {
      await expectCode("ERR_STORE_FAILED", () => writeWhole(at("none/record"), "x"));
      writeFileSync(at("there"), "mine");
      await expectCode("ERR_USAGE", () => writeNew(at("there"), "x"));
    });
  });
});
