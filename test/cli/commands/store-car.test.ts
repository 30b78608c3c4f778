// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { damage } from "../damage.js";
import { TwoReplicas } from "../two-replicas.js";

const { ENTRIES } = TwoReplicas;

describe("store export and import", function () {
  this.timeout(120_000);
  const member = TwoReplicas.forAllTests();

  before(async () => {
    await member.a.done("store", "export", member.a.path("old.car"), "--index", `1,${ENTRIES}`);
    await member.a.done("erase", String(ENTRIES), "--ground", "patient", "--signer-key", member.key);
  });

  it("carry everything but what was erased to an empty store, from which the log verifies", async () => {
    const { json } = await member.a.done("store", "export", member.a.path("all.car"), "--json");
    const all = (await member.held("r1")).length;
    expect(json).to.include({ bodies: all }).and.to.deep.include({ leftOut: [] });
    member.a.configure({ store: "elsewhere" });
    expect((await member.a.done("store", "import", member.a.path("all.car"), "--json")).json).to.include({
      ...{ bodies: all, leftOut: 0, missing: 0 },
    });
    expect((await member.a.done("verify", "--log", "--json")).json).to.include({ ok: true, erased: 1 });
    await member.a.done("store", "import", member.a.path("all.car"));
    member.configure(2);
    await member.a.refused(2, "ERR_USAGE", "store", "export", member.a.path("all.car"));
  });

  it("take the entries named, or what came since a day with its manifests", async () => {
    const { json } = await member.a.done(
      "store",
      "export",
      member.a.path("two.car"),
      "--index",
      "1,3",
      "--json",
    );
    expect(json).to.include({ bodies: 2 });
    const since = await member.a.done(
      "store",
      "export",
      member.a.path("since.car"),
      "--since",
      "2020-01-01",
      "--json",
    );
    expect(since.json).to.include({ bodies: (await member.held("r1")).length });
    const none = await member.a.done(
      "store",
      "export",
      member.a.path("none.car"),
      "--since",
      "2099-01-01",
      "--json",
    );
    expect(none.json).to.include({ bodies: 0 });
    await member.a.refused(
      1,
      "ERR_KEY_ERASED",
      "store",
      "export",
      member.a.path("x.car"),
      "--index",
      `1,${ENTRIES}`,
    );
    await member.a.refused(2, "ERR_USAGE", "store", "export", member.a.path("x.car"), "--index", "999");
    await member.a.refused(
      2,
      "ERR_USAGE",
      "store",
      "export",
      member.a.path("x.car"),
      "--index",
      "1",
      "--since",
      "2020-01-01",
    );
    expect(existsSync(member.a.path("x.car"))).to.equal(false);
  });

  it("never bring an erased body back from a file that was exported before", async () => {
    const erased = await member.cidOf(ENTRIES);
    member.a.configure({ store: "third" });
    expect((await member.a.done("store", "import", member.a.path("old.car"), "--json")).json).to.include({
      bodies: 1,
      leftOut: 1,
      missing: 0,
    });
    expect(await member.held("third")).not.to.include(erased);
    member.configure(2);
  });

  it("say what a file that was cut short lacks, keep the rest, and go on with the whole file", async () => {
    const car = readFileSync(member.a.path("all.car"));
    writeFileSync(member.a.path("cut.car"), car);
    truncateSync(member.a.path("cut.car"), car.length - 10);
    member.a.configure({ store: "fourth" });
    const error = await member.a.refused(1, "ERR_ITEM_INVALID", "store", "import", member.a.path("cut.car"));
    expect(error.message).to.contain("cut short");
    expect(error.values["stored"])
      .to.equal((await member.held("fourth")).length)
      .and.to.be.greaterThan(0);
    await member.a.done("store", "import", member.a.path("all.car"));
    expect((await member.held("fourth")).length).to.equal((await member.held("r1")).length);
    member.configure(2);
    await member.a.refused(2, "ERR_USAGE", "store", "import", member.a.path("nowhere.car"));
  });

  it("leave out a body that is damaged everywhere, and end partly done", async () => {
    const cid = await member.cidOf(2);
    for (const name of ["r1", "r2"]) damage(member.a.path(name), cid);
    const { code, json } = await member.a.run("store", "export", member.a.path("partly.car"), "--json");
    expect(code).to.equal(3);
    expect(json).to.deep.include({ leftOut: [{ cid, code: "ERR_BODY_TAMPERED" }] });
    member.a.configure({ store: "fifth" });
    const imported = await member.a.run("store", "import", member.a.path("partly.car"), "--json");
    expect(imported.code).to.equal(3);
    expect(imported.json).to.include({ missing: 1 });
    member.configure(2);
    await member.a.done("store", "import", member.a.path("all.car"));
    await member.a.done("store", "audit", "--all");
  });
});
