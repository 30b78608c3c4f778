// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseReceipt } from "../../src/crypto/index.js";
import { Consortium, type Desk } from "../cli/consortium.js";
import { observation } from "../cli/observations.js";
import { startChain } from "../support/local-chain.js";
import { startHardhat } from "./hardhat-chain.js";

const SCRIPTS = ["deploy", "enrol", "anchor-folder", "grant", "open", "audit"] as const;
type Script = (typeof SCRIPTS)[number];

/** Runs a script as an integrator would. */
async function script(name: Script, ...argv: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", `scripts/${name}.ts`];
  const child = spawn(process.execPath, [...flags, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, out, err };
}

async function done(name: Script, ...argv: string[]): Promise<string> {
  const { code, out, err } = await script(name, ...argv);
  expect(code, `${name}: ${err}`).to.equal(0);
  return out;
}

describe("scripts", () => {
  for (const name of SCRIPTS) {
    it(`${name}.ts is short, and imports nothing but the public API`, () => {
      const text = readFileSync(`scripts/${name}.ts`, "utf8");
      expect(text.split("\n").length).to.be.lessThan(60);
      const imported = [...text.matchAll(/from "([^"]+)"/g)].map(([, from]) => from!);
      expect(imported.filter((from) => !from.startsWith("node:"))).to.deep.equal(["../src/index.js"]);
    });
  }

  it("say how they are used", async function () {
    this.timeout(60_000);
    const { code, err } = await script("grant");
    expect(code).to.equal(1);
    expect(err).to.contain("usage: grant.ts");
  });

  for (const [network, start] of [
    ["hardhat node", startHardhat],
    ["anvil", startChain],
  ] as const) {
    describe(`on ${network}`, function () {
      this.timeout(120_000);
      let consortium: Consortium;
      let a: Desk;
      let b: Desk;
      let key: string;
      before(async () => {
        consortium = await Consortium.start({
          chain: await start(),
          deployOn: async ({ url, governance, file }) =>
            writeFileSync(file, await done("deploy", url, governance)),
        });
        a = await consortium.member("a", "operator", "releaser");
        b = await consortium.member("b", "clinician");
        key = consortium.keyFile("ann.key");
      });
      after(() => consortium[Symbol.asyncDispose]());

      it("enrol, anchor, grant, open and audit", async () => {
        const as = (desk: Desk) => [desk.config, consortium.passphraseFile];
        const enrolled = [await done("enrol", ...as(a), "fhir:Patient", "ann", key)];
        enrolled.push(await done("enrol", ...as(a), "fhir:Patient", "ann", key)); // again: the same
        const [patient = ""] = enrolled.map((text) => text.trim());
        expect(patient).to.match(/^0x[0-9a-f]{64}$/);
        expect(enrolled[1]).to.equal(enrolled[0]);

        mkdirSync(a.path("export"));
        for (const id of ["o1", "o2"]) writeFileSync(a.path(`export/${id}.json`), observation(id, "ann"));
        writeFileSync(a.path("export/stranger.json"), observation("o3", "zoe"));
        const anchored = await script("anchor-folder", ...as(a), a.path("export"));
        expect(anchored.code, anchored.err).to.equal(3); // one waits for its patient
        expect(JSON.parse(anchored.out)).to.include({ read: 3, sealed: 2, waiting: 1, anchored: 2 });

        const ticket = join(consortium.folder, "ticket.json");
        writeFileSync(ticket, await done("grant", ...as(a), patient, key, String(b.id)));
        const out = join(consortium.folder, "records");
        const { result } = await a.serving(() => done("open", ...as(b), ticket, "Observation", out));
        expect(
          result
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as object),
        ).to.deep.equal(
          ["o1", "o2"].map((id, position) => ({
            index: position + 1,
            mediaType: "application/fhir+json",
            bytes: observation(id, "ann").length,
            verified: true,
          })),
        );
        expect(readFileSync(join(out, "1.record"), "utf8")).to.equal(observation("o1", "ann"));
        expect(statSync(join(out, "1.record")).mode & 0o777).to.equal(0o600);
        expect(readdirSync(out)).to.have.members([
          "1.record",
          "1.receipt.json",
          "2.record",
          "2.receipt.json",
        ]);
        expect(parseReceipt(readFileSync(join(out, "2.receipt.json"), "utf8")).leaf.index).to.equal(2);

        const audit = await script("audit", ...as(a), patient);
        expect(audit.code, audit.err).to.equal(0);
        expect(audit.err)
          .to.contain("AccessLog: complete")
          .and.to.contain(`member ${b.id} read for TREAT: records`);
        const events = audit.out
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as { resourceType: string });
        expect(events.every(({ resourceType }) => resourceType === "AuditEvent")).to.be.true;
      });
    });
  }
});
