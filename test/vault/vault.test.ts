// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import type { ErrorCode } from "../../src/errors.js";
import { openDatabase } from "../../src/sqlite.js";
import { passphrase, type Unlock, Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import {
  PASSPHRASE,
  refusal,
  rejection,
  TemporaryFolder,
  TemporaryVault,
  TEST_COST,
} from "./temporary-vault.js";

const unlock = passphrase(PASSPHRASE);
const mustNotBeAsked: Unlock = () => Promise.reject(new Error("the passphrase was asked for"));

describe("Vault.create", () => {
  let folder: TemporaryFolder;
  let path: string;
  beforeEach(() => {
    folder = new TemporaryFolder();
    path = folder.file("vault.db");
  });
  afterEach(() => folder[Symbol.dispose]());

  it("makes one private file that opens with its passphrase, at the cost OWASP asks for", async () => {
    await Vault.create(path, unlock);
    expect(readdirSync(folder.path)).to.deep.equal(["vault.db"]);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    using vault = await Vault.open(path, unlock);
    expect(vault.path).to.equal(path);
    using database = openDatabase(path, {
      format: 1,
      schema: "",
      damagedCode: "ERR_VAULT_DAMAGED",
      readOnly: true,
    });
    const header = database.get("SELECT kdf, cost, block_size, parallelization FROM header");
    expect(Object.values(header ?? {})).to.deep.equal(["scrypt", 131_072, 8, 1]);
  }).timeout(20_000);

  it("never replaces a file, and asks for nothing then", async () => {
    writeFileSync(path, "precious");
    await rejection("ERR_CONFIG_INVALID", Vault.create(path, mustNotBeAsked));
    const slow: Unlock = async () => {
      writeFileSync(folder.file("late.db"), "precious"); // while the passphrase is typed
      return Buffer.from(PASSPHRASE);
    };
    await rejection("ERR_CONFIG_INVALID", createVaultFile(folder.file("late.db"), slow, TEST_COST));
    expect(readdirSync(folder.path).sort()).to.deep.equal(["late.db", "vault.db"]);
    expect(statSync(folder.file("late.db")).size).to.equal(8);
  });

  it("refuses an empty passphrase, a short one, one that is not UTF-8, and leaves nothing behind", async () => {
    await rejection("ERR_VAULT_LOCKED", Vault.create(path, passphrase("")));
    await rejection("ERR_VAULT_LOCKED", Vault.create(path, passphrase("\n")));
    await rejection("ERR_USAGE", Vault.create(path, passphrase("11 letters.\n")));
    await rejection("ERR_USAGE", Vault.create(path, passphrase("😀".repeat(11))));
    await rejection(
      "ERR_VAULT_LOCKED",
      Vault.create(path, async () => Buffer.alloc(20, 0xff)),
    );
    expect(readdirSync(folder.path)).to.deep.equal([]);
  });

  it("names a folder that does not exist", async () => {
    await rejection("ERR_CONFIG_INVALID", Vault.create(folder.file("none/vault.db"), unlock));
  });
});

describe("Vault.open", () => {
  let made: TemporaryVault;
  beforeEach(async () => {
    made = await TemporaryVault.make();
  });
  afterEach(() => made[Symbol.dispose]());

  it("refuses a wrong passphrase without saying more", async () => {
    const error = await rejection(
      "ERR_VAULT_LOCKED",
      Vault.open(made.path, passphrase("wrong horse battery staple")),
    );
    expect(error.message).to.equal("the passphrase does not open the vault");
    expect([error.values, error.cause]).to.deep.equal([{}, undefined]);
  });

  it("drops one line end, takes any Unicode spelling, and wipes the bytes it was given", async () => {
    const spelled = made.folder.file("spelled.db");
    await createVaultFile(spelled, passphrase("Ｐａｓｓ\u0301wort für alle\r\n"), TEST_COST);
    (await Vault.open(spelled, passphrase("Pasśwort fu\u0308r alle")))[Symbol.dispose]();
    await rejection("ERR_VAULT_LOCKED", Vault.open(spelled, passphrase("Pasśwort für alle\n\n")));
    const given = Buffer.from("Pasśwort für alle");
    (await Vault.open(spelled, async () => given))[Symbol.dispose]();
    expect(given.every((byte) => byte === 0)).to.equal(true);
  });

  it("says how to make a vault that is not there, before it asks for a passphrase", async () => {
    const error = await rejection(
      "ERR_CONFIG_INVALID",
      Vault.open(made.folder.file("none.db"), mustNotBeAsked),
    );
    expect(error.hint).to.contain("chartseal init");
  });

  it("refuses a truncated, an overwritten, an empty file and a folder", async () => {
    made.vault[Symbol.dispose]();
    const copy = made.folder.file("copy.db");
    const refuses = (code: ErrorCode): Promise<unknown> => rejection(code, Vault.open(copy, mustNotBeAsked));
    copyFileSync(made.path, copy);
    truncateSync(copy, statSync(copy).size - 4096);
    await refuses("ERR_VAULT_DAMAGED");
    writeFileSync(copy, Buffer.alloc(8192, 0x41));
    await refuses("ERR_VAULT_DAMAGED");
    writeFileSync(copy, "");
    await refuses("ERR_VAULT_DAMAGED");
    mkdirSync(made.folder.file("folder"));
    await rejection("ERR_STORE_FAILED", Vault.open(made.folder.file("folder"), mustNotBeAsked));
  });

  it("refuses another format and another program's database", async () => {
    made.tamper((database) => database.exec("PRAGMA user_version = 2"));
    await rejection("ERR_FORMAT_UNSUPPORTED", Vault.open(made.path, mustNotBeAsked));
    made.tamper((database) => database.exec("PRAGMA user_version = 1; DROP TABLE header"));
    await rejection("ERR_VAULT_DAMAGED", Vault.open(made.path, mustNotBeAsked));
  });

  for (const change of [
    "cost = 8192",
    "cost = 16385",
    "cost = 2097152",
    "cost = -1",
    "block_size = 1",
    "parallelization = 4",
    "kdf = 'pbkdf2'",
  ]) {
    it(`refuses a header changed to ${change} before it asks for a passphrase`, async () => {
      made.tamper((database) => database.exec(`UPDATE header SET ${change}`));
      await rejection("ERR_VAULT_DAMAGED", Vault.open(made.path, mustNotBeAsked));
    });
  }

  it("does not open when the salt, the cost or the wrapped key was changed", async () => {
    for (const change of ["cost = 32768", "salt = zeroblob(32)", "wrapped_master = zeroblob(61)"]) {
      using other = await TemporaryVault.make();
      other.tamper((database) => database.exec(`UPDATE header SET ${change}`));
      await rejection("ERR_VAULT_LOCKED", Vault.open(other.path, unlock));
    }
  });

  it("gives stable journal and dedupe keys, different from each other and between vaults", async () => {
    using again = await Vault.open(made.path, unlock);
    using other = await TemporaryVault.make();
    expect(again.journalKey()).to.deep.equal(made.vault.journalKey());
    expect(again.dedupeKey()).to.deep.equal(made.vault.dedupeKey());
    const keys = [made.vault, other.vault].flatMap((vault) => [vault.journalKey(), vault.dedupeKey()]);
    expect(new Set(keys.map(String)).size).to.equal(4);
    keys[0]!.fill(0); // a copy
    expect(made.vault.journalKey()).to.not.deep.equal(keys[0]);
  });

  it("refuses every use after it was closed", () => {
    made.vault[Symbol.dispose]();
    refusal("ERR_VAULT_LOCKED", () => made.vault.journalKey());
    refusal("ERR_VAULT_LOCKED", () => made.vault.patientByIdentifier({ system: "a", value: "b" }));
    refusal("ERR_USAGE", () => made.vault.keyOf(Buffer.alloc(16)));
    made.vault[Symbol.dispose]();
  });
});

describe("Vault.changePassphrase", () => {
  it("opens with the new passphrase only, keeps what is inside, and leaves no old wrapped key", async () => {
    using made = await TemporaryVault.make();
    const wrapped = (): Buffer =>
      made.tamper((database) =>
        Buffer.from(
          database.prepare("SELECT wrapped_master FROM header").get()!["wrapped_master"] as Uint8Array,
        ),
      );
    const before = wrapped();
    made.vault.setSecret("relay", Buffer.from("kept"));
    await rejection("ERR_USAGE", made.vault.changePassphrase(passphrase("too short")));
    await made.vault.changePassphrase(passphrase("a new passphrase, longer"));
    await rejection("ERR_VAULT_LOCKED", Vault.open(made.path, unlock));
    using again = await Vault.open(made.path, passphrase("a new passphrase, longer"));
    expect(Buffer.from(again.getSecret("relay")!).toString()).to.equal("kept");
    expect(wrapped()).to.not.deep.equal(before);
    expect(made.bytes().includes(before)).to.equal(false);
  });
});

describe("Vault.getSecret and setSecret", () => {
  it("keep bytes by name, replace them, and know no other name", async () => {
    using made = await TemporaryVault.make();
    made.vault.setSecret("relay token", Buffer.from("one"));
    made.vault.setSecret("relay token", Uint8Array.of(1, 2, 3));
    made.vault.setSecret("empty", new Uint8Array());
    expect(made.vault.getSecret("relay token")).to.deep.equal(Uint8Array.of(1, 2, 3));
    expect(made.vault.getSecret("empty")).to.deep.equal(new Uint8Array());
    expect(made.vault.getSecret("relay")).to.equal(undefined);
    expect(made.vault.getSecret("compartment-names")).to.equal(undefined); // the vault's own settings are apart
  });

  it("do not accept the value of another name", async () => {
    using made = await TemporaryVault.make();
    made.vault.setSecret("one", Buffer.from("first secret"));
    made.vault.setSecret("two", Buffer.from("other secret"));
    const rows = made.tamper(
      (database) => database.prepare("SELECT lookup FROM settings WHERE length(value) = 41").all(), // 1 + 12 + 12 + 16
    );
    const [one, two] = rows.map((row) => row["lookup"] as Uint8Array);
    made.swap("settings", "lookup", "value", [one!, two!]);
    refusal("ERR_VAULT_DAMAGED", () => made.vault.getSecret("one"));
    refusal("ERR_VAULT_DAMAGED", () => made.vault.getSecret("two"));
  });
});
