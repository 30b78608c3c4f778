// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { cpSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { damage, lose } from "../damage.js";
import { observations } from "../observations.js";
import { TwoReplicas } from "../two-replicas.js";

const { ENTRIES } = TwoReplicas;

interface RepairAnswer {
  checked: number;
  replicas: { name: string; repaired: number; failed: number }[];
  lost: { cid: string; index?: number }[];
  unreachable: { name: string }[];
}

interface Examined {
  findings: { check: string; state: string; detail: string; hint?: string }[];
}

describe("store repair, and a replica that is away", function () {
  this.timeout(120_000);
  const member = TwoReplicas.forAllTests();

  describe("repair", () => {
    it("copies what a replica lacks or holds damaged, small and large, and says how much", async () => {
      const large = await member.inReplica("r1", (store) => store.put(randomBytes(2_500_000)));
      lose(member.a.path("r2"), await member.cidOf(1));
      damage(member.a.path("r1"), await member.cidOf(3));
      const quick = (await member.a.done("store", "repair", "--json")).json as RepairAnswer;
      expect(quick.replicas.map(({ repaired }) => repaired)).to.deep.equal([0, 2]);
      expect(await member.whole("r1", await member.cidOf(3)), "damage shows only when it is read").to.equal(
        false,
      );
      const full = (await member.a.done("store", "repair", "--verify", "--json")).json as RepairAnswer;
      expect(full.replicas.map(({ repaired }) => repaired)).to.deep.equal([1, 0]);
      for (const name of ["r1", "r2"]) {
        for (const cid of [large.cid, await member.cidOf(1), await member.cidOf(3)])
          expect(await member.whole(name, cid)).to.equal(true);
      }
      await member.expectAlike();
      await member.inReplica("r1", (store) => store.delete(large.cid));
      await member.inReplica("r2", (store) => store.delete(large.cid));
    });

    it("fills a replica that is new, and until then doctor says what it lacks", async () => {
      rmSync(member.a.path("r2"), { recursive: true });
      await member.inReplica("r2", async () => {});
      const { findings } = (await member.a.run("doctor", "--json")).json as Examined;
      const lacking = findings.filter(({ check, state }) => check === "replicas" && state === "warn");
      expect(lacking).to.have.length(1);
      expect(lacking[0]!.detail).to.match(/r2 lacks \d+ of \d+ bodies/);
      expect(lacking[0]!.hint).to.contain("store repair");
      await member.a.done("store", "repair");
      await member.expectAlike();
      const after = (await member.a.done("doctor", "--json")).json as Examined;
      expect(
        after.findings.filter(({ check }) => check === "replicas").map(({ state }) => state),
      ).to.deep.equal(["ok", "ok"]);
    });

    it("names the entry whose body is whole nowhere, and fails", async () => {
      const cid = await member.cidOf(4);
      await member.a.done("store", "export", member.a.path("safe.car"), "--index", "4");
      for (const name of ["r1", "r2"]) damage(member.a.path(name), cid);
      const broken = await member.a.run("store", "repair", "--verify", "--json");
      expect(broken.code).to.equal(1);
      expect((broken.json as RepairAnswer).lost).to.deep.equal([{ cid, index: 4 }]);
      for (const name of ["r1", "r2"]) lose(member.a.path(name), cid);
      const gone = await member.a.run("store", "repair");
      expect(gone.code).to.equal(1);
      expect(gone.out).to.contain(`Lost: ${cid}, the body of entry 4`);
      await member.a.done("store", "import", member.a.path("safe.car"));
      await member.a.done("store", "repair", "--verify");
    });

    it("is refused while only one replica answers", async () => {
      await member.without("r2", () => member.a.refused(1, "ERR_STORE_FAILED", "store", "repair"));
      const { findings } = (await member.without("r2", () => member.a.run("doctor", "--json")))
        .json as Examined;
      const silent = findings.find(({ check, detail }) => check === "replicas" && detail.includes("r2"))!;
      expect(silent.state, "two must be written").to.equal("fail");
    });
  });

  describe("an erasure", () => {
    it("is not done while a replica that is away may hold the body, and is by the same command after", async () => {
      const index = ENTRIES;
      const cid = await member.cidOf(index);
      const erase = ["erase", String(index), "--ground", "patient", "--signer-key", member.key];
      // Its certificate needs no more than the replica that is there.
      member.configure(1);
      const outcome = await member.without("r2", () => member.a.run(...erase, "--json"));
      expect(outcome.code).not.to.equal(0);
      expect(outcome.err + outcome.out).to.contain("r2");
      expect(await member.held("r2")).to.include(cid);
      expect(await member.held("r1")).not.to.include(cid);
      // Its key is gone: no repair brings it back.
      await member.a.done("store", "repair");
      expect(await member.held("r1")).not.to.include(cid);
      await member.a.done(...erase);
      expect(await member.held("r2")).not.to.include(cid);
      member.configure(2);
      await member.expectAlike();
    });

    it("that an older copy of a replica undoes is named by doctor, and done again by gc at once", async () => {
      const index = ENTRIES - 1;
      const cid = await member.cidOf(index);
      cpSync(member.a.path("r2"), member.a.path("r2-before"), { recursive: true });
      await member.a.done("erase", String(index), "--ground", "patient", "--signer-key", member.key);
      await member.expectAlike();
      rmSync(member.a.path("r2"), { recursive: true });
      renameSync(member.a.path("r2-before"), member.a.path("r2"));
      const { findings } = (await member.a.run("doctor", "--json")).json as Examined;
      expect(findings.find(({ check, state }) => check === "replicas" && state === "fail")!.detail).to.equal(
        "1 bodies of erased entries are still held",
      );
      expect((await member.a.done("store", "repair", "--json")).json).to.deep.include({ lost: [] });
      expect(await member.held("r1")).not.to.include(cid);
      expect(await member.held("r2")).to.include(cid);
      expect((await member.a.done("store", "gc", "--json")).json).to.include({ erased: 1, orphans: 0 });
      await member.expectAlike();
    });
  });

  describe("a member of two replicas", () => {
    it("ingests and opens with a replica away, if the others are enough, and not if they are too few", async () => {
      writeFileSync(member.a.path("b.ndjson"), observations("ann", 2, "p"));
      await member.without("r1", async () => {
        await member.a.refused(1, "ERR_STORE_FAILED", "ingest", member.a.path("b.ndjson"));
        member.configure(1);
        expect((await member.a.done("ingest", member.a.path("b.ndjson"), "--json")).json).to.include({
          anchored: 2,
        });
        await member.a.done("verify", "--log");
      });
      await member.a.done("store", "repair");
      member.configure(2);
      await member.expectAlike();
    });

    it("refuses a configuration that has one store twice, too few, too many writes, or two kinds", async () => {
      const wrong = [
        { replicas: ["r1", "./r1"], write: 1 },
        { replicas: ["r1"], write: 1 },
        { replicas: ["r1", "r2"], write: 3 },
        { replicas: ["r1", "r2"], write: 0 },
        { replicas: ["r1", "r2"] },
        { replicas: ["r1", { replicas: ["r2", "r3"], write: 1 }], write: 1 },
        { folder: "r1", replicas: ["r2", "r3"], write: 1 },
      ];
      for (const store of wrong) {
        member.a.configure({ store });
        expect((await member.a.refused(1, "ERR_CONFIG_INVALID", "status")).message).to.contain("store");
      }
      member.configure(2);
    });
  });
});
