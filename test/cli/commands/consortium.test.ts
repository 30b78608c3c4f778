// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "ethers";
import { loadDeployment } from "../../../src/config.js";
import { chartseal, done, refused } from "../command-line.js";
import { Consortium, PASSPHRASE, type Desk } from "../consortium.js";

describe("setting up a consortium", () => {
  let consortium: Consortium;
  let a: Desk;
  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
  });
  after(() => consortium[Symbol.asyncDispose]());
  const at = (name: string) => join(consortium.folder, name);

  describe("deploy", () => {
    it("writes a deployment file that others can read, without configuration or vault", async () => {
      const governance = Wallet.createRandom().address;
      const out = at("second.json");
      const { json } = await done([
        "deploy",
        "--chain",
        consortium.chain.url,
        "--governance",
        governance,
        "--out",
        out,
        "--json",
      ]);
      expect(await loadDeployment(out)).to.deep.equal(json);
      expect(statSync(out).mode & 0o777).to.equal(0o644);
    });

    it("never overwrites, and asks nothing of the chain then", async () => {
      const out = at("kept.json");
      writeFileSync(out, "mine");
      const dead = "http://127.0.0.1:1";
      await refused(2, "ERR_USAGE", [
        "deploy",
        "--chain",
        dead,
        "--governance",
        Wallet.createRandom().address,
        "--out",
        out,
      ]);
      expect(readFileSync(out, "utf8")).to.equal("mine");
    });

    it("refuses what is no address and no duration", async () => {
      const flags = ["deploy", "--chain", consortium.chain.url, "--out", at("never.json")];
      await refused(2, "ERR_USAGE", [...flags, "--governance", "me"]);
      const governance = ["--governance", Wallet.createRandom().address];
      await refused(2, "ERR_USAGE", [...flags, ...governance, "--waiting-time", "an hour"]);
      const error = await refused(1, "ERR_CHAIN_REFUSED", [...flags, ...governance, "--waiting-time", "1"]);
      expect(error.values["reason"]).to.equal("WaitingTimeOutOfBounds");
      expect(existsSync(at("never.json"))).to.be.false;
    });
  });

  describe("init", () => {
    const init = (dir: string) => [
      "init",
      at(dir),
      "--name",
      "General",
      "--chain",
      consortium.chain.url,
      "--deployment",
      at("deployment.json"),
      "--passphrase-file",
      consortium.passphraseFile,
    ];

    it("makes a private folder with configuration, vault and admin key, and never overwrites it", async () => {
      const { json } = await done([...init("new"), "--exchange", at("exchange"), "--json"]);
      const { config, admin } = json as { config: string; admin: string };
      expect(config).to.equal(at("new/chartseal.json"));
      expect(admin).to.match(/^0x[0-9a-f]{40}$/);
      expect(statSync(at("new")).mode & 0o777).to.equal(0o700);
      for (const name of ["chartseal.json", "vault.db"])
        expect(statSync(at(`new/${name}`)).mode & 0o777).to.equal(0o600);
      const file = JSON.parse(readFileSync(config, "utf8")) as object;
      expect(file).to.deep.equal({
        format: 1,
        chain: { url: consortium.chain.url, deployment: "../deployment.json" },
        member: { name: "General" },
        vault: "vault.db",
        journal: "journal.db",
        store: "store",
        exchange: "../exchange",
      });
      const vault = readFileSync(at("new/vault.db"));
      await refused(1, "ERR_CONFIG_INVALID", init("new"));
      expect(readFileSync(at("new/vault.db")).equals(vault)).to.be.true;
    });

    it("takes the RPC of an IPFS node as the store, and refuses one that others could listen to", async () => {
      const rpc = "http://127.0.0.1:5001";
      await done([...init("with-kubo"), "--store", rpc]);
      const file = JSON.parse(readFileSync(at("with-kubo/chartseal.json"), "utf8")) as object;
      expect(file).to.deep.include({ store: { kubo: { rpc } } });
      for (const bad of ["http://10.0.0.7:5001", "https://me:hunter2@ipfs.example"]) {
        const error = await refused(2, "ERR_USAGE", [...init("refused"), "--store", bad]);
        expect(JSON.stringify(error)).to.contain("--store").and.not.contain("hunter2");
      }
      expect(existsSync(at("refused/chartseal.json"))).to.be.false;
    });

    it("reads the passphrase once from a file descriptor, for making and for opening", async () => {
      const fd = openSync(consortium.passphraseFile, "r");
      try {
        const argv = init("by-fd").slice(0, -2);
        await done([...argv, "--passphrase-fd", String(fd)]);
      } finally {
        closeSync(fd);
      }
    });

    it("refuses a short passphrase, a bad URL and a broken deployment file, and leaves no configuration", async () => {
      writeFileSync(at("short"), "too short", { mode: 0o600 });
      await refused(2, "ERR_USAGE", [...init("refused").slice(0, -1), at("short")]);
      await refused(
        2,
        "ERR_USAGE",
        init("refused").map((part) => (part === consortium.chain.url ? "ftp://x" : part)),
      );
      writeFileSync(at("broken.json"), "{");
      const broken = init("refused").map((part) =>
        part === at("deployment.json") ? at("broken.json") : part,
      );
      await refused(1, "ERR_CONFIG_INVALID", broken);
      expect(existsSync(at("refused/chartseal.json"))).to.be.false;
    });
  });

  describe("member", () => {
    it("joins once admitted, keeps its id and publishes one key however often it is called", async () => {
      const b = await consortium.desk("b");
      const before = await b.refused(1, "ERR_CHAIN_REFUSED", "member", "join");
      expect(before.hint).to.contain(`member admit --admin ${b.admin}`);
      const untold = await b.refused(1, "ERR_CONFIG_INVALID", "patient", "administrative");
      expect(untold.hint).to.contain("member join");
      const admitted = await consortium.governance.done(
        "member",
        "admit",
        "--admin",
        b.admin,
        "--name",
        "b",
        "--json",
      );
      const { memberId } = admitted.json as { memberId: number };
      for (let time = 0; time < 2; time++) {
        expect((await b.done("member", "join", "--json")).json).to.deep.equal({ memberId, keyEpoch: 1 });
      }
      const file = JSON.parse(readFileSync(b.config, "utf8")) as { member: object };
      expect(file.member).to.deep.equal({ id: memberId, name: "b" });
      expect(statSync(b.config).mode & 0o777).to.equal(0o600);
    });

    it("publishes the next key", async () => {
      const { json } = await a.done("member", "publish-key", "--json");
      expect(json).to.deep.equal({ memberId: a.id, keyEpoch: 2 });
    });

    it("withdraws a compromised key; doctor says so until the next one is published", async () => {
      const d = await consortium.member("d");
      const { json } = await d.done("member", "withdraw-key", "--since", "2026-01-01", "--json");
      expect(json).to.deep.equal({ memberId: d.id, since: "2026-01-01T00:00:00.000Z" });
      const ill = await d.run("doctor");
      expect(ill.out).to.contain("the key of epoch 1 was withdrawn");
      await d.refused(1, "ERR_CHAIN_REFUSED", "member", "withdraw-key");
      const next = await d.done("member", "publish-key", "--json");
      expect(next.json).to.deep.equal({ memberId: d.id, keyEpoch: 2 });
    });

    it("lists members to whoever has a node, without a vault", async () => {
      const { json } = await done(["member", "list", "--config", a.config, "--json"]);
      const { members } = json as { members: { id: number }[] };
      expect(members.find(({ id }) => id === a.id)).to.include({ name: "a", admin: a.admin, keyEpoch: 2 });
      expect((await done(["member", "list", "--config", a.config])).out).to.contain("a (this member)");
    });

    it("suspends, lifts and removes, and only governance may", async () => {
      const c = await consortium.member("c");
      const { governance } = consortium;
      const state = async () => {
        const { json } = await c.done("member", "list", "--json");
        return (json as { members: { id: number; suspension: string[] }[] }).members.find(
          ({ id }) => id === c.id,
        )?.suspension;
      };
      const id = String(c.id);
      const error = await c.refused(1, "ERR_CHAIN_REFUSED", "member", "suspend", String(a.id), "--reading");
      expect(error.values["reason"]).to.equal("AccessManagedUnauthorized");
      await governance.done("member", "suspend", id, "--reading", "--writing");
      expect(await state()).to.deep.equal(["READING", "WRITING"]);
      await governance.done("member", "suspend", id);
      expect(await state()).to.deep.equal([]);
      await governance.done("member", "remove", id);
      expect(await state()).to.include("REMOVED");
      await governance.refused(2, "ERR_USAGE", "member", "remove", "zero");
    });
  });

  describe("staff", () => {
    it("enrols with a new key of the vault, or an account held elsewhere, and lists both by name", async () => {
      const account = Wallet.createRandom().address.toLowerCase();
      const personId = `0x${"17".repeat(32)}`;
      const first = await a.done(
        "staff",
        "enrol",
        "--name",
        "ng",
        "--role",
        "operator,RELEASER",
        "--person-id",
        personId,
        "--json",
      );
      expect(first.json).to.deep.include({ name: "ng", roles: ["OPERATOR", "RELEASER"], personId });
      const until = ["--not-after", "2099-01-31"];
      await a.done(
        "staff",
        "enrol",
        "--name",
        "remote",
        "--role",
        "CLINICIAN",
        "--account",
        account,
        ...until,
      );
      const { staff } = (await a.done("staff", "list", "--json")).json as {
        staff: { name: string; account: string; notAfter: number; keyInVault: boolean }[];
      };
      expect(staff.find(({ name }) => name === "ng")).to.include({ keyInVault: true });
      const remote = staff.find(({ name }) => name === "remote");
      expect(remote).to.include({
        account,
        keyInVault: false,
        notAfter: Date.parse("2099-01-31T23:59:59Z") / 1000,
      });
    });

    it("never gives one key to two enrolments, nor the admin's to anyone", async () => {
      const again = await a.refused(
        2,
        "ERR_USAGE",
        "staff",
        "enrol",
        "--name",
        "operator",
        "--role",
        "CLINICIAN",
      );
      expect(again.message).to.contain("enrolled already");
      await a.refused(2, "ERR_USAGE", "staff", "enrol", "--name", "admin", "--role", "CLINICIAN");
    });

    it("refuses an unknown role and a date that has passed", async () => {
      await a.refused(2, "ERR_USAGE", "staff", "enrol", "--name", "x", "--role", "KING");
      await a.refused(2, "ERR_USAGE", "staff", "enrol", "--name", "x", "--role", ",");
      const past = await a.refused(
        1,
        "ERR_CHAIN_REFUSED",
        "staff",
        "enrol",
        "--name",
        "x",
        "--role",
        "OPERATOR",
        "--not-after",
        "2020-01-01",
      );
      expect(past.values["reason"]).to.equal("StaffExpiryPast");
      await a.done("staff", "enrol", "--name", "x", "--role", "OPERATOR"); // the key of the refused call is used
    });

    it("imports what it can of a file, says which line failed, and ends with 3", async () => {
      const file = at("staff.csv");
      writeFileSync(
        file,
        "name,roles,notAfter,personId\ndr-li,CLINICIAN,2099-12-31,\nnobody,KING,,\ndr-wu,CLINICIAN;OPERATOR,,\n",
      );
      const { code, json } = await a.run("staff", "import", file, "--json");
      expect(code).to.equal(3);
      const { lines, ...counts } = json as { lines: { line: number; error?: { code: string } }[] };
      expect(counts).to.deep.equal({ enrolled: 2, failed: 1 });
      expect(lines.map(({ line, error }) => [line, error?.code])).to.deep.equal([
        [2, undefined],
        [3, "ERR_USAGE"],
        [4, undefined],
      ]);
    });

    it("revokes by name or account, held here or elsewhere", async () => {
      await a.done("staff", "enrol", "--name", "leaver", "--role", "CLINICIAN");
      await a.done(
        "staff",
        "enrol",
        "--name",
        "afar",
        "--role",
        "CLINICIAN",
        "--account",
        Wallet.createRandom().address,
      );
      await a.done("staff", "revoke", "leaver", "--reason", "LEFT");
      const { json } = await a.done(
        "staff",
        "revoke",
        "afar",
        "--reason",
        "KEY_COMPROMISED",
        "--since",
        "2026-01-01",
        "--json",
      );
      expect(json).to.include({ reason: "KEY_COMPROMISED", since: "2026-01-01T00:00:00.000Z" });
      await a.refused(1, "ERR_KEY_MISSING", "staff", "revoke", "nobody", "--reason", "LEFT");
      await a.refused(2, "ERR_USAGE", "staff", "revoke", "leaver", "--reason", "BORED");
      const { out } = await a.done("staff", "list");
      expect(out)
        .to.match(/^leaver .* revoked /m)
        .and.to.match(/^afar .* revoked 2026-01-01 +elsewhere/m);
    });
  });

  describe("a person who works at two members", () => {
    it("is enrolled at the second once the first shares him", async () => {
      const b = await consortium.member("second");
      const enrol = ["staff", "enrol", "--name", "both", "--role", "CLINICIAN", "--json"];
      const { personId } = (await a.done(...enrol)).json as { personId: string };
      const refusedYet = await b.refused(1, "ERR_CHAIN_REFUSED", ...enrol, "--person-id", personId);
      expect(refusedYet?.values["reason"]).to.equal("PersonOfAnotherMember");
      const own = await b.refused(1, "ERR_CHAIN_REFUSED", "staff", "share", personId, "--with", String(b.id));
      expect(own?.values["reason"]).to.equal("NotMemberAdmin");
      await a.refused(2, "ERR_USAGE", "staff", "share", personId, "--with", "Harbour");
      await a.refused(2, "ERR_USAGE", "staff", "share", "0x12", "--with", String(b.id));
      await a.done("staff", "share", personId, "--with", String(b.id));
      expect((await b.done(...enrol, "--person-id", personId)).json).to.include({ personId });
    });
  });

  it("never takes a passphrase from an argument or the environment", async () => {
    process.env["CHARTSEAL_PASSPHRASE"] = PASSPHRASE;
    try {
      const { code, err } = await chartseal([
        "patient",
        "list",
        "--config",
        a.config,
        "--passphrase",
        PASSPHRASE,
      ]);
      expect(code).to.equal(2);
      expect(err).not.to.contain(PASSPHRASE);
    } finally {
      delete process.env["CHARTSEAL_PASSPHRASE"];
    }
  });
});
