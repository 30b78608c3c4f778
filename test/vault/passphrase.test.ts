// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { credential, fileDescriptor, type Unlock } from "../../src/vault/index.js";
import { askPassphrase } from "../../src/vault/passphrase.js";
import { rejection, TemporaryFolder } from "./temporary-vault.js";

const SECRET = "correct horse battery staple";

async function text(unlock: Unlock): Promise<string> {
  return Buffer.from(await askPassphrase(unlock, "open")).toString();
}

describe("credential", () => {
  let folder: TemporaryFolder;
  let path: string;
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  beforeEach(() => {
    folder = new TemporaryFolder();
    path = folder.file("passphrase");
    writeFileSync(path, `${SECRET}\n`, { mode: 0o600 });
  });
  afterEach(() => {
    folder[Symbol.dispose]();
    if (directory === undefined) delete process.env["CREDENTIALS_DIRECTORY"];
    else process.env["CREDENTIALS_DIRECTORY"] = directory;
  });

  it("reads a file that only its owner can read, without its line end", async () => {
    expect(await text(credential(path))).to.equal(SECRET);
    chmodSync(path, 0o400);
    expect(await text(credential(path))).to.equal(SECRET);
  });

  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    it(`refuses mode ${mode.toString(8)} and says what to do`, async () => {
      chmodSync(path, mode);
      const error = await rejection("ERR_VAULT_LOCKED", text(credential(path)));
      expect(error.hint).to.equal(`chmod 600 ${path}`);
      expect(JSON.stringify(error)).to.not.contain("horse");
    });
  }

  it("trusts systemd's credential folder, but no way out of it", async () => {
    const systemd = folder.file("credentials");
    mkdirSync(systemd);
    writeFileSync(`${systemd}/vault`, SECRET, { mode: 0o440 });
    chmodSync(`${systemd}/vault`, 0o440); // whatever the umask
    await rejection("ERR_VAULT_LOCKED", text(credential(`${systemd}/vault`)));
    process.env["CREDENTIALS_DIRECTORY"] = systemd;
    expect(await text(credential(`${systemd}/vault`))).to.equal(SECRET);
    chmodSync(path, 0o640);
    symlinkSync(path, `${systemd}/link`);
    await rejection("ERR_VAULT_LOCKED", text(credential(`${systemd}/../passphrase`)));
    await rejection("ERR_VAULT_LOCKED", text(credential(`${systemd}/link`)));
    process.env["CREDENTIALS_DIRECTORY"] = "";
    await rejection("ERR_VAULT_LOCKED", text(credential(path)));
  });

  it("refuses a missing file, a folder, an empty file and a huge one", async () => {
    await rejection("ERR_VAULT_LOCKED", text(credential(folder.file("none"))));
    await rejection("ERR_VAULT_LOCKED", text(credential(folder.path)));
    writeFileSync(path, "");
    await rejection("ERR_VAULT_LOCKED", text(credential(path)));
    writeFileSync(path, "a".repeat(4097));
    await rejection("ERR_VAULT_LOCKED", text(credential(path)));
    writeFileSync(path, "a".repeat(4096));
    expect(await text(credential(path))).to.have.lengthOf(4096);
  });
});

describe("fileDescriptor", () => {
  it("reads an open file to its end", async () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.file("passphrase"), `${SECRET}\r\n`);
    const descriptor = openSync(folder.file("passphrase"), "r");
    expect(await text(fileDescriptor(descriptor))).to.equal(SECRET);
    closeSync(descriptor);
    await rejection("ERR_VAULT_LOCKED", text(fileDescriptor(descriptor)));
  });

  it("reads a pipe another process writes", () => {
    const script = `import { fileDescriptor } from "./src/vault/index.ts";
      process.stdout.write(await fileDescriptor(0)("open"));`;
    const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      input: SECRET,
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    expect(child.stderr.toString()).to.equal("");
    expect(child.stdout.toString()).to.equal(SECRET);
  }).timeout(20_000);
});
