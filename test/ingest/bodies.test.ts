// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { Wallet } from "ethers";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { bundleSource, folderSource } from "../../src/ingest/index.js";
import { readFhir } from "../../src/records/index.js";
import { Consortium, openHospital } from "../support/hospital.js";
import { checkLog, openItem, sorted } from "../support/log-check.js";
import { FRAGILE_EXAMPLES } from "./fragile-examples.js";

const require = createRequire(import.meta.url);
const SYNTHEA = join(dirname(require.resolve("cql-exec-fhir/package.json")), "test/fixtures/r4");
const BUNDLES = readdirSync(SYNTHEA).filter((name) => /^(Johnnie679|Luna60)_/.test(name));
const EXAMPLES = dirname(require.resolve("hl7.fhir.r4.examples/package.json"));
const SYNTHEA_SYSTEM = "https://github.com/synthetichealth/synthea";

/** The specification's own definitions, up to 35 MB a Bundle, are left out. */
const MOST_BYTES = 6_000_000;

describe("Ingested bodies", function () {
  this.timeout(60_000);
  let consortium: Consortium;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("of the Synthea Bundles' entries come out byte for byte, also at the reader", async () => {
    await using custodian = await openHospital(await consortium.hospital("synthea"));
    const reader = await consortium.hospital("reader");
    const wallet = new Wallet(Wallet.createRandom().privateKey);
    const signer = {
      signer: wallet.address as Hex,
      signTypedData: wallet.signTypedData.bind(wallet),
    };
    await custodian.patients.administrative();
    const expected: Buffer[] = [];
    const patients: Hex[] = [];
    for (const name of BUNDLES) {
      const bytes = readFileSync(join(SYNTHEA, name));
      expected.push(...slicesOf(bytes));
      const value = /_([0-9a-f-]{36})\.json$/.exec(name)![1]!;
      const own = patients.length === 0 ? { signer } : {};
      patients.push(
        await custodian.patients.enrol({ identifiers: [{ system: SYNTHEA_SYSTEM, value }], ...own }),
      );
      const run = await custodian.ingest(bundleSource(join(SYNTHEA, name), { split: true }));
      expect(run).to.include({ waiting: 0, dead: 0 });
      expect(run.failure).to.equal(undefined);
    }
    expect(expected.length).to.be.greaterThan(400);
    expect(sorted(await checkLog(custodian))).to.deep.equal(sorted(expected));

    const theirs = custodian.journal.itemsOfPatient(patients[0]!);
    const opened = await readAll(custodian, reader.config, patients[0]!, wallet);
    const inVault = await Promise.all(theirs.map(async (item) => (await openItem(custodian, item)).body));
    expect(opened.length).to.equal(theirs.length);
    expect(sorted(opened)).to.deep.equal(sorted(inVault));
  });

  it("of 500 official FHIR examples come out byte for byte, the fragile ones included", async () => {
    await using custodian = await openHospital(await consortium.hospital("examples"));
    const patient = { system: "urn:test", value: "1" };
    await custodian.patients.enrol({ identifiers: [patient] });
    const folder = join(consortium.folder, "source");
    mkdirSync(folder);
    const names = chooseExamples();
    expect(names).to.have.lengthOf(500);
    for (const name of names) copyFileSync(join(EXAMPLES, name), join(folder, name));

    const rules = { rules: [{ path: "**", patient }], administrative: [], bases: [] };
    const run = await custodian.ingest(folderSource(folder), { rules });

    expect(run).to.include({ read: 500, sealed: 500, anchored: 500, dead: 0 });
    const bodies = await checkLog(custodian);
    const expected = names.map((name) => readFileSync(join(folder, name)));
    expect(sorted(bodies)).to.deep.equal(sorted(expected));
    const again = await custodian.ingest(folderSource(folder), { rules });
    expect(again).to.include({ known: 500, sealed: 0, anchored: 0 });
  });
});

function slicesOf(bytes: Uint8Array): Buffer[] {
  const text = readFhir(bytes);
  if (text.kind !== "bundle") throw new Error("expected a Bundle");
  return text.bundle.entries.map((entry) => Buffer.from(text.bundle.slice(entry)));
}

/** All that re-serialising would damage, all documents, and every tenth of the rest until there are 500. */
function chooseExamples(): string[] {
  const names = readdirSync(EXAMPLES)
    .filter((name) => name.endsWith(".json") && name !== "package.json")
    .filter((name) => statSync(join(EXAMPLES, name)).size < MOST_BYTES)
    .sort();
  for (const name of FRAGILE_EXAMPLES) {
    expect(isFragile(readFileSync(join(EXAMPLES, name), "utf8")), name).to.equal(true);
  }
  const chosen = new Set(["Observation-decimal.json", ...FRAGILE_EXAMPLES]);
  for (const name of names) if (/^(DocumentReference|Binary|Bundle)-/.test(name)) chosen.add(name);
  for (let start = 0; chosen.size < 500; start++) {
    for (let at = start; at < names.length && chosen.size < 500; at += 10) chosen.add(names[at]!);
  }
  return [...chosen].sort();
}

/** Whether JSON.parse and JSON.stringify give other tokens, such as 1 for 1.00. */
function isFragile(text: string): boolean {
  const tokens = text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (match) => (match.startsWith('"') ? match : ""));
  return tokens !== JSON.stringify(JSON.parse(text));
}

/** Reads a patient's chart as another member does: grant, list, request, capsule, body. */
async function readAll(
  custodian: Chartseal,
  reader: string,
  patient: Hex,
  wallet: Wallet,
): Promise<Buffer[]> {
  await using other = await openHospital({ config: reader });
  const notAfter = new Date(Date.now() + 1e9);
  const terms = custodian.consent.terms({ patient, grantee: other.memberId, purposes: ["TREAT"], notAfter });
  const signed = await signAs({ signTypedData: wallet.signTypedData.bind(wallet) }, terms.typedData);
  const ticket = await custodian.consent.grant(terms, signed);
  const stop = new AbortController();
  const agent = custodian.runReleaseAgent({ signal: stop.signal });
  try {
    const chart = await other.access.list(ticket, { purpose: "TREAT" });
    const access = await other.access.request(chart, { purpose: "TREAT" });
    const bodies: Buffer[] = [];
    for await (const record of access.open()) bodies.push(Buffer.concat(await Array.fromAsync(record.body)));
    return bodies;
  } finally {
    stop.abort();
    await agent;
  }
}
