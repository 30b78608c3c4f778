// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync } from "node:fs";
import type { Hex } from "../../../src/crypto/index.js";
import type { DurabilityReport } from "../../../src/durability/index.js";
import { damage, lose } from "../damage.js";
import { TwoReplicas } from "../two-replicas.js";

const { ENTRIES } = TwoReplicas;

interface AuditAnswer {
  report: DurabilityReport;
  index?: number;
  error?: { code: string };
}

describe("store audit", function () {
  this.timeout(120_000);
  const member = TwoReplicas.forAllTests();

  it("anchors what it saw as an entry of no patient's, which a receipt proves", async () => {
    const { json, out } = await member.a.done("store", "audit", "--json");
    const { report, index } = json as AuditAnswer;
    expect(report.method).to.equal("sample");
    expect(report.upTo).to.equal(ENTRIES);
    expect(report.looked!.map(([entry]) => entry)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(report.replicas.map(({ whole: n, failed }) => [n, failed])).to.deep.equal([
      [ENTRIES + 2, 0],
      [ENTRIES + 2, 0],
    ]);
    expect(out).not.to.contain("ann").and.not.to.contain("glucose");
    const receipt = member.a.path("report.json");
    await member.a.done("receipt", String(index), "--out", receipt);
    await member.a.done("verify", receipt);
    const { leaf } = JSON.parse(readFileSync(receipt, "utf8")) as {
      leaf: { kind: number; ref: Hex; patientId: Hex };
    };
    expect(leaf.kind).to.equal(5);
    expect(BigInt(leaf.ref)).to.equal(BigInt(ENTRIES));
    using vault = await member.a.vault();
    expect(leaf.patientId).to.equal(vault.administrativeId());
  });

  it("names what a replica lacks or holds damaged, anchors it all the same, and fails", async () => {
    const [missing, damaged] = [await member.cidOf(2), await member.cidOf(5)];
    lose(member.a.path("r1"), missing);
    damage(member.a.path("r2"), damaged);
    const { code, json } = await member.a.run("store", "audit", "--all", "--json");
    expect(code).to.equal(1);
    const { report, index } = json as AuditAnswer;
    expect(index).to.be.a("number");
    expect(report.replicas.map(({ findings }) => findings)).to.deep.equal([
      [{ index: 2, of: "body", found: "missing" }],
      [{ index: 5, of: "body", found: "tampered" }],
    ]);
    const people = await member.a.run("store", "audit");
    expect(people.code).to.equal(1);
    expect(people.out).to.match(/r1: the body of entry 2 is missing/);
    expect(people.out).to.match(/r2: the body of entry 5 is tampered/);
    await member.a.done("store", "repair", "--verify");
    await member.a.done("store", "audit");
  });

  it("says of a replica that does not answer that it could not be looked at", async () => {
    member.configure(1);
    const { code, json } = await member.without("r2", () => member.a.run("store", "audit", "--json"));
    member.configure(2);
    expect(code).to.equal(1);
    const { report, index } = json as AuditAnswer;
    expect(index).to.be.a("number");
    expect(report.replicas[0]!.failed).to.equal(0);
    expect(new Set(report.replicas[1]!.findings.map(({ found }) => found))).to.deep.equal(
      new Set(["unreachable"]),
    );
    await member.a.done("store", "repair");
    await member.expectAlike();
  });

  it("keeps the report for later when the chain is down", async () => {
    member.a.configure({ store: { replicas: ["r1", "r2"], write: 2 }, url: "http://127.0.0.1:1" });
    const { code, json } = await member.a.run(
      "store",
      "audit",
      "--sample",
      "2",
      "--chain-wait",
      "500",
      "--json",
    );
    member.configure(2);
    expect(code).to.equal(3);
    expect((json as AuditAnswer).error!.code).to.equal("ERR_RPC_UNAVAILABLE");
    const head = async () =>
      ((await member.a.done("status", "--json")).json as { head: { chain: number } }).head.chain;
    const before = await head();
    await member.a.done("retry");
    expect(await head()).to.equal(before + 1);
  });

  it("looks at a store of one place too, and refuses two ways at once", async () => {
    member.a.configure({ store: "r1" });
    const { json } = await member.a.done("store", "audit", "--sample", "1", "--json");
    expect((json as AuditAnswer).report.replicas.map(({ name }) => name)).to.deep.equal([
      member.a.path("r1"),
    ]);
    await member.a.refused(2, "ERR_USAGE", "store", "repair");
    member.configure(2);
    await member.a.refused(2, "ERR_USAGE", "store", "audit", "--all", "--sample", "2");
    await member.a.refused(2, "ERR_USAGE", "store", "audit", "--sample", "0");
    await member.a.done("store", "repair");
  });
});
