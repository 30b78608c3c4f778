// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Heartbeat, readHeartbeats, vaultLook } from "../../src/monitor/index.js";
import { runChild } from "../support/child.js";
import { TemporaryFolder, TemporaryVault } from "../vault/temporary-vault.js";

const unlocked = () => ({ vaultUnlocked: true });
const now = () => Math.floor(Date.now() / 1_000);

describe("A heartbeat", () => {
  let temporary: TemporaryFolder;
  let folder: string;
  beforeEach(() => {
    temporary = new TemporaryFolder();
    folder = temporary.file("alive");
  });
  afterEach(() => temporary[Symbol.dispose]());

  it("says that a process lives and has the vault open, and goes when it ends in its own way", () => {
    {
      using _ = Heartbeat.start(folder, "release-agent", () => ({ vaultUnlocked: true, newestBackupAt: 7 }));
      expect(readHeartbeats(folder)).to.deep.equal([
        { process: "release-agent", up: true, vaultUnlocked: true, newestBackupAt: 7 },
      ]);
      expect(statSync(join(folder, "release-agent.json")).mode & 0o077).to.equal(0);
    }
    expect(readHeartbeats(folder)).to.deep.equal([]);
    expect(readHeartbeats(folder, ["release-agent"])).to.deep.equal([
      { process: "release-agent", up: false, vaultUnlocked: false },
    ]);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("says why a process cannot do its work, by a code and by nothing else", () => {
    using _ = Heartbeat.start(folder, "listen", () => ({ vaultUnlocked: true, trouble: "ERR_STORE_FULL" }));
    expect(readHeartbeats(folder)).to.deep.equal([
      { process: "listen", up: true, vaultUnlocked: true, trouble: "ERR_STORE_FULL" },
    ]);
    const path = join(folder, "listen.json");
    const beat = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...beat, trouble: "a text" }));
    expect(readHeartbeats(folder)).to.deep.equal([{ process: "listen", up: false, vaultUnlocked: false }]);
  });

  it("that has been silent for over 30 seconds counts as down, its vault as locked", () => {
    using _ = Heartbeat.start(folder, "listen", unlocked);
    expect(readHeartbeats(folder, [], now() + 29)[0]).to.include({ up: true });
    expect(readHeartbeats(folder, [], now() + 35)[0]).to.include({ up: false, vaultUnlocked: false });
  });

  it("of a process that was killed stays behind, and falls silent", async function () {
    this.timeout(60_000);
    const killed = await runChild(new URL("children/beat.ts", import.meta.url), [folder], {
      onLine: (kill) => kill(),
    });
    expect(killed.signal, killed.output).to.equal("SIGKILL");
    expect(readHeartbeats(folder, [], now())[0]).to.include({ process: "release-agent" });
    expect(readHeartbeats(folder, [], now() + 60)[0]).to.include({ process: "release-agent", up: false });
  });

  it("tells of a vault that was closed, or that is a copy without its keys", async () => {
    using made = await TemporaryVault.make();
    const look = vaultLook(made.vault);
    expect(look()).to.deep.equal({ vaultUnlocked: true });
    made.vault[Symbol.dispose]();
    using _ = Heartbeat.start(folder, "release-agent", look);
    expect(readHeartbeats(folder)[0]).to.include({ up: true, vaultUnlocked: false });
  });

  it("that nobody of ours wrote is a process that is down, or none", () => {
    using _ = Heartbeat.start(folder, "release-agent", unlocked);
    const beat = JSON.parse(readFileSync(join(folder, "release-agent.json"), "utf8")) as object;
    writeFileSync(join(folder, "listen.json"), JSON.stringify({ ...beat, format: 2 }));
    writeFileSync(join(folder, "huge.json"), `${JSON.stringify(beat)}${" ".repeat(10_000)}`);
    writeFileSync(join(folder, "torn.json"), JSON.stringify(beat).slice(0, 20));
    symlinkSync("/dev/zero", join(folder, "endless.json"));
    writeFileSync(join(folder, "NOT OURS.json"), JSON.stringify(beat));
    expect(readHeartbeats(folder).map(({ process, up }) => [process, up])).to.deep.equal([
      ["endless", false],
      ["huge", false],
      ["listen", false],
      ["release-agent", true],
      ["torn", false],
    ]);
  });

  it("that cannot be written ends nothing", () => {
    writeFileSync(folder, "a file in the way");
    using _ = Heartbeat.start(folder, "release-agent", unlocked);
    expect(readHeartbeats(folder, ["release-agent"])[0]).to.include({ up: false });
  });
});
