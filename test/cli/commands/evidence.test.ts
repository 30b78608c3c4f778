// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseReceipt, type Receipt } from "../../../src/crypto/index.js";
import { openEmbeddedStore } from "../../../src/storage/index.js";
import { chartseal, done, refused } from "../command-line.js";
import { Consortium, type Desk } from "../consortium.js";
import { damage, lose } from "../damage.js";
import { observations, reference } from "../observations.js";

interface Verified {
  ok: boolean;
  receipts: {
    file: string;
    ok: boolean;
    checks: { name: string; ok: boolean; detail: string }[];
    status?: string[];
    error?: { code: string };
  }[];
  missing: { memberId: number; patientId: string; patientSeq: number }[];
}

describe("evidence", () => {
  let consortium: Consortium;
  let a: Desk;
  const at = (name: string) => join(consortium.folder, name);
  const failedChecks = (verified: Verified) =>
    verified.receipts.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).map(({ name }) => name));

  before(async function () {
    this.timeout(60_000);
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    await a.done("patient", "enrol", "--identifier", reference("ann"));
    writeFileSync(a.path("a.ndjson"), observations("ann", 7));
    await a.done("ingest", a.path("a.ndjson"), "--batch-items", "4");
    await a.done("receipt", "--patient", reference("ann"), "--out", at("receipts"));
    await a.done("receipt", "--roots", "--out", at("roots.json"));
  });
  after(() => consortium[Symbol.asyncDispose]());

  /** A copy of the receipts to spoil. */
  const copy = (name: string) => {
    cpSync(at("receipts"), at(name), { recursive: true });
    return at(name);
  };
  const change = (path: string, edit: (receipt: Receipt) => void) => {
    const receipt = JSON.parse(readFileSync(path, "utf8")) as Receipt;
    edit(receipt);
    writeFileSync(path, JSON.stringify(receipt));
  };
  const verify = async (...argv: string[]) => {
    const outcome = await chartseal(["verify", ...argv, "--config", a.config, "--json"]);
    expect(outcome.err).to.equal("");
    return { code: outcome.code, ...(outcome.json as Verified) };
  };

  describe("receipt", () => {
    it("writes one to a file or to standard output", async () => {
      await a.done("receipt", "3", "--out", at("3.json"));
      const written = parseReceipt(readFileSync(at("3.json"), "utf8"));
      expect(written.leaf.index).to.equal(3);
      expect((await a.done("receipt", "3", "--json")).json).to.deep.equal(written);
      expect(parseReceipt((await a.done("receipt", "3")).out)).to.deep.equal(written);
    });

    it("writes all of a patient's, named by their index", async () => {
      expect(readdirSync(at("receipts")).sort()).to.deep.equal(
        [1, 2, 3, 4, 5, 6, 7].map((index) => `${index}.json`),
      );
    });

    it("writes the roots, which anyone may read, without a vault", async () => {
      const { json } = await done(["receipt", "--roots", "--config", a.config, "--json"]);
      const { format, roots } = json as { format: number; roots: object[] };
      expect(format).to.equal(1);
      expect(roots).to.have.length(2);
      expect(roots[0]).to.include({
        chainId: consortium.deployment.chainId,
        contract: consortium.deployment.records,
        memberId: a.id,
        firstIndex: 1,
        count: 4,
      });
      expect(statSync(at("roots.json")).mode & 0o777).to.equal(0o644);
    });

    it("refuses an entry that is not there, two wishes at once, and a patient without a folder", async () => {
      await a.refused(2, "ERR_USAGE", "receipt", "8");
      await a.refused(2, "ERR_USAGE", "receipt", "0");
      await a.refused(2, "ERR_USAGE", "receipt", "1", "--roots");
      await a.refused(2, "ERR_USAGE", "receipt");
      await a.refused(2, "ERR_USAGE", "receipt", "--patient", reference("ann"));
      await a.refused(1, "ERR_PATIENT_UNKNOWN", "receipt", "--patient", reference("zoe"), "--out", at("zoe"));
    });
  });

  describe("verify", () => {
    it("verifies a folder against this member's node, without a vault", async () => {
      const verified = await verify(at("receipts"));
      expect(verified).to.include({ code: 0, ok: true });
      expect(verified.receipts).to.have.length(7);
      expect(verified.receipts[0]!.checks.map(({ name }) => name)).to.deep.equal([
        "member",
        "index",
        "inclusion",
        "root",
        "cid",
      ]);
      expect(verified.receipts[0]!.status).to.deep.equal([]);
    });

    it("verifies offline against pinned roots, with no node and no configuration", async () => {
      const argv = [
        "verify",
        at("receipts"),
        "--roots",
        at("roots.json"),
        "--config",
        "/nowhere/chartseal.json",
      ];
      expect((await done([...argv, "--json"])).json).to.include({ ok: true });
      expect((await done(argv)).out).to.contain("7 of 7 receipts verified");
    });

    it("says offline whether a receipt agrees with itself", async () => {
      const { json } = await done([
        "verify",
        at("3.json"),
        "--offline",
        "--config",
        "/nowhere/chartseal.json",
        "--json",
      ]);
      const [receipt] = (json as Verified).receipts;
      expect(receipt!.checks.map(({ name }) => name)).not.to.include("root");
    });

    it("compares a sealed body, and names a flipped byte", async () => {
      await using store = await openEmbeddedStore(at("store"), { readOnly: true });
      const { cid } = parseReceipt(readFileSync(at("3.json"), "utf8"));
      const body = Buffer.concat(await Array.fromAsync(store.get(cid)));
      writeFileSync(at("body"), body);
      expect(await verify(at("3.json"), "--body", at("body"))).to.include({ code: 0, ok: true });
      body[0]! ^= 1;
      writeFileSync(at("body"), body);
      const verified = await verify(at("3.json"), "--body", at("body"));
      expect(verified.code).to.equal(1);
      expect(failedChecks(verified)).to.deep.equal(["body"]);
    });

    it("names a flipped leaf", async () => {
      const folder = copy("flipped");
      change(join(folder, "5.json"), (receipt) => (receipt.leaf.recordedDay += 1));
      const verified = await verify(folder);
      expect(verified).to.include({ code: 1, ok: false });
      expect(verified.receipts.filter(({ ok }) => !ok).map(({ file }) => file)).to.deep.equal([
        join(folder, "5.json"),
      ]);
      expect(failedChecks(verified)).to.deep.equal(["inclusion"]);
      const { out } = await chartseal(["verify", folder, "--config", a.config]);
      expect(out).to.match(/^FAILED +\S+5\.json\n +inclusion: leaf not under this root$/m);
    });

    it("names a receipt that is missing", async () => {
      const folder = copy("incomplete");
      rmSync(join(folder, "2.json"));
      const verified = await verify(folder, "--roots", at("roots.json"));
      expect(verified).to.include({ code: 1, ok: false });
      const { patientId } = parseReceipt(readFileSync(at("receipts/1.json"), "utf8")).leaf;
      expect(verified.missing).to.deep.equal([{ memberId: a.id, patientId, patientSeq: 2 }]);
      expect((await chartseal(["verify", folder, "--config", a.config])).out).to.match(
        /^entry 2 of patient 0x.* is missing$/m,
      );
    });

    it("only names gaps in a folder that is not meant to be whole", async () => {
      const folder = copy("some");
      rmSync(join(folder, "4.json"));
      const verified = await verify(folder, "--partial");
      expect(verified).to.include({ code: 0, ok: true });
      expect(verified.missing.map(({ patientSeq }) => patientSeq)).to.deep.equal([4]);
    });

    it("does not take a number that a failed receipt claims for the patient's last", async () => {
      const folder = copy("claims");
      change(join(folder, "7.json"), (receipt) => (receipt.leaf.patientSeq = 4_000_000_000));
      expect((await verify(folder)).missing).to.deep.equal([]);
    });

    it("names a wrong root, pinned or on chain", async () => {
      const folder = copy("other-root");
      change(join(folder, "1.json"), (receipt) => (receipt.batch.root = `0x${"11".repeat(32)}`));
      expect(failedChecks(await verify(folder, "--roots", at("roots.json")))).to.deep.equal([
        "inclusion",
        "root",
      ]);
      expect(failedChecks(await verify(folder))).to.deep.equal(["inclusion", "root"]);
    });

    it("names a batch that is not on chain", async () => {
      const folder = copy("not-on-chain");
      change(join(folder, "1.json"), (receipt) => (receipt.batch.count = 5));
      const verified = await verify(folder);
      const root = verified.receipts[0]!.checks.find(({ name }) => name === "root");
      expect(root).to.deep.equal({ name: "root", ok: false, detail: "batch root not on chain" });
      change(join(folder, "2.json"), (receipt) => (receipt.anchor.chainId = 1));
      expect(failedChecks(await verify(join(folder, "2.json")))).to.deep.equal(["root"]);
    });

    it("shows an entry's status on chain", async () => {
      await a.done("retract", "6");
      const verified = await verify(at("receipts"));
      expect(verified.receipts[5]).to.deep.include({ ok: true, status: ["RETRACTED"] });
    });

    it("names a file that is no receipt, and refuses where there is nothing to verify", async () => {
      const folder = copy("with-others");
      writeFileSync(join(folder, "8.json"), "{}");
      const verified = await verify(folder);
      expect(verified.receipts[7]).to.deep.include({ ok: false, checks: [] });
      expect(verified.receipts[7]!.error!.code).to.equal("ERR_RECEIPT_INVALID");
      mkdirSync(at("empty"));
      await refused(2, "ERR_USAGE", ["verify", at("empty"), "--offline"]);
      await refused(2, "ERR_USAGE", ["verify", at("none.json"), "--offline"]);
      await refused(2, "ERR_USAGE", ["verify", at("3.json"), "--offline", "--roots", at("roots.json")]);
      await refused(2, "ERR_USAGE", ["verify", at("receipts"), "--offline", "--body", at("body")]);
      await refused(2, "ERR_USAGE", ["verify"]);
      writeFileSync(at("bad-roots.json"), '{"format":1,"roots":[{}]}');
      await refused(2, "ERR_USAGE", ["verify", at("3.json"), "--roots", at("bad-roots.json")]);
      writeFileSync(at("new-roots.json"), '{"format":2}');
      await refused(1, "ERR_FORMAT_UNSUPPORTED", ["verify", at("3.json"), "--roots", at("new-roots.json")]);
    });
  });

  describe("audit", () => {
    it("shows a complete list in each format, and counts it as done", async () => {
      const audit = ["audit", "--patient", reference("ann")];
      const { json } = await a.done(...audit, "--json");
      const { patientId, complete } = json as { patientId: string; complete: boolean };
      expect(complete).to.be.true;
      expect((await a.done(...audit)).out).to.contain("enrolled");
      expect((await a.done(...audit, "--language", "zh")).out).to.match(/\p{Script=Han}/u);
      expect(
        (await a.done("audit", "--patient", patientId, "--format", "csv")).out.split("\n")[0],
      ).to.contain(",");
      await a.done(...audit, "--format", "fhir", "--out", at("audit.ndjson"));
      const [event] = readFileSync(at("audit.ndjson"), "utf8").split("\n");
      expect(JSON.parse(event!)).to.include({ resourceType: "AuditEvent" });
      expect(statSync(at("audit.ndjson")).mode & 0o777).to.equal(0o600);
      const later = (await a.done(...audit, "--from", "2098-01-01", "--to", "2099-01-01", "--json")).json as {
        entries: object[];
      };
      expect(later.entries).to.deep.equal([]);
    });

    it("prints a report in the local time that is asked for", async () => {
      const report = ["audit", "--patient", reference("ann"), "--format", "html", "--out", at("report.html")];
      await a.done(...report, "--language", "zh", "--time-zone", "Asia/Shanghai");
      expect(readFileSync(at("report.html"), "utf8"))
        .to.contain('lang="zh-CN"')
        .and.to.contain("+08:00");
      expect(statSync(at("report.html")).mode & 0o777).to.equal(0o600);
      await a.refused(2, "ERR_USAGE", ...report, "--time-zone", "Mars/Olympus");
    });

    it("accounts for a member and a clinician, and for this member when nobody is named", async () => {
      const own = (await a.done("audit", "--json")).json as { subject: object; checked: object };
      expect(own.subject).to.deep.equal({ member: a.id });
      expect(own.checked).to.deep.equal({ own: 1, others: 0 });
      const member = await a.runWith({ isTTY: true }, "audit", "--member", String(a.id));
      expect(member.out).to.contain("COMPLETE  patients checked: 1").and.to.contain("Not proven");
      expect(member.err)
        .to.match(/\d+ of \d+ blocks searched/)
        .and.to.match(/\r\u001b\[K$/);
      const clinician = await a.done("audit", "--clinician", `0x${"12".repeat(20)}`, "--format", "csv");
      expect(clinician.out.trimEnd().split("\n")).to.have.length(1);
      expect(clinician.err).to.equal("");
    });

    it("shows a view with its rule, as a table, CSV or JSON", async () => {
      for (const view of ["open-emergencies", "bulk", "unusual-hours"]) {
        const { json } = await a.done("audit", "--view", view, "--json");
        expect(json).to.deep.include({ view, findings: [], complete: true });
        const { out } = await a.done("audit", "--view", view, "--time-zone", "Asia/Shanghai");
        expect(out).to.match(/^Nothing found\.\n.*\.\n$/);
        expect((await a.done("audit", "--view", view, "--format", "csv")).out).to.match(/^\uFEFF\w+,.*\n$/);
      }
      await a.refused(2, "ERR_USAGE", "audit", "--view", "bulk", "--format", "html");
    });

    it("holds a saved report against the chain, and names what differs", async () => {
      const audit = ["audit", "--patient", reference("ann")];
      await a.done(...audit, "--format", "csv", "--out", at("saved.csv"));
      expect((await a.done(...audit, "--verify", at("saved.csv"))).out).to.contain(
        "as on chain, and none is missing",
      );
      const lines = readFileSync(at("saved.csv"), "utf8").split("\r\n");
      writeFileSync(at("saved.csv"), [lines[0], lines[1]!.replace("enrolled", "access"), ""].join("\r\n"));
      const { code, json } = await a.run(...audit, "--verify", at("saved.csv"), "--json");
      expect(code).to.equal(1);
      const { findings } = json as { findings: { what: string; row: number; fields?: string[] }[] };
      expect(findings[0]).to.deep.include({ what: "ALTERED", row: 2, fields: ["event"] });
      expect((await a.run(...audit, "--verify", at("saved.csv"))).out).to.match(/ALTERED +2 .* event\n/);
      await a.refused(2, "ERR_USAGE", ...audit, "--verify", at("roots.json"));
      await a.refused(2, "ERR_USAGE", ...audit, "--verify", at("saved.csv"), "--format", "csv");
    });

    it("refuses two questions at once, and whom it cannot be about", async () => {
      await a.refused(2, "ERR_USAGE", "audit", "--patient", reference("ann"), "--member", "1");
      await a.refused(2, "ERR_USAGE", "audit", "--clinician", "0x12");
      await a.refused(2, "ERR_USAGE", "audit", "--member", "0");
    });

    it("refuses a patient that nobody registered", async () => {
      await a.refused(1, "ERR_PATIENT_UNKNOWN", "audit", "--patient", `0x${"11".repeat(32)}`);
      await a.refused(2, "ERR_USAGE", "audit", "--patient", "0x1234");
    });
  });

  describe("verify --log", () => {
    it("verifies a whole log from chain and store, without a vault", async () => {
      const { json } = await done(["verify", "--log", "--config", a.config, "--json"]);
      expect(json).to.deep.include({
        memberId: a.id,
        entries: 7,
        batches: 2,
        bodies: 7,
        findings: [],
        ok: true,
      });
      await done(["verify", "--log", String(a.id), "--config", a.config]);
      await refused(2, "ERR_USAGE", ["verify", at("receipts"), "--log", "1", "--config", a.config]);
    });

    it("names a damaged and a lost body", async () => {
      const cidOf = (index: number) => parseReceipt(readFileSync(at(`receipts/${index}.json`), "utf8")).cid;
      damage(at("store"), cidOf(2));
      lose(at("store"), cidOf(6));
      const { code, json } = await chartseal(["verify", "--log", "--config", a.config, "--json"]);
      expect(code).to.equal(1);
      const { findings } = json as { findings: { what: string; index: number }[] };
      expect(findings.map(({ what, index }) => [what, index])).to.deep.equal([
        ["body-altered", 2],
        ["body-missing", 6],
      ]);
    });
  });
});
