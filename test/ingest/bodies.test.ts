// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { bundleSource, folderSource } from "../../src/ingest/index.js";
import { readFhir } from "../../src/records/index.js";
import type { PatientIdentifier } from "../../src/vault/index.js";
import { Consortium, openHospital } from "../support/hospital.js";
import { checkLog, sorted } from "../support/log-check.js";
import { PatientDevice } from "../support/sharing.js";
import { FRAGILE_EXAMPLES } from "./fragile-examples.js";

const require = createRequire(import.meta.url);
const SYNTHEA = join(dirname(require.resolve("cql-exec-fhir/package.json")), "test/fixtures/r4");
const BUNDLES = readdirSync(SYNTHEA).filter((name) => /^(Johnnie679|Luna60)_/.test(name));
const EXAMPLES = dirname(require.resolve("hl7.fhir.r4.examples/package.json"));
const SYNTHEA_SYSTEM = "https://github.com/synthetichealth/synthea";

/** The specification's own definitions, up to 35 MB a Bundle, are left out. */
const MOST_BYTES = 6_000_000;

describe("Ingested bodies", function () {
  this.timeout(240_000);
  let consortium: Consortium;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("of the Synthea Bundles' entries come out byte for byte, also at the reader", async () => {
    await using custodian = await openHospital(await consortium.hospital("synthea"));
    const reader = await consortium.hospital("reader");
    await custodian.patients.administrative();
    const people: { person: Person; slices: Buffer[] }[] = [];
    for (const name of BUNDLES) {
      const slices = slicesOf(readFileSync(join(SYNTHEA, name)));
      const person = await enrolled(custodian, { system: SYNTHEA_SYSTEM, value: idIn(name) });
      const run = await custodian.ingest(bundleSource(join(SYNTHEA, name), { split: true }));
      expect(run).to.include({ waiting: 0, dead: 0 });
      expect(run.failure).to.equal(undefined);
      people.push({ person, slices });
    }
    const expected = people.flatMap(({ slices }) => slices);
    expect(expected.length).to.be.greaterThan(400);
    expect(sorted(await checkLog(custodian))).to.deep.equal(sorted(expected));
    for (const { person, slices } of people) {
      // What names no patient, such as an organisation, is not in his chart.
      const theirs = slices.filter((slice) => !isAdministrative(slice));
      expect(sorted(await readAll(custodian, reader.config, person))).to.deep.equal(sorted(theirs));
    }
  });

  it("of whole Synthea Bundles come out byte for byte, also at the reader", async () => {
    await using custodian = await openHospital(await consortium.hospital("whole"));
    const reader = await consortium.hospital("whole-reader");
    const people = new Map<string, Person>();
    for (const name of BUNDLES) {
      people.set(name, await enrolled(custodian, { system: SYNTHEA_SYSTEM, value: idIn(name) }));
      const run = await custodian.ingest(bundleSource(join(SYNTHEA, name)));
      expect(run).to.include({ read: 1, anchored: 1, dead: 0 });
    }
    for (const [name, person] of people) {
      const [body] = await readAll(custodian, reader.config, person);
      expect(body!.equals(readFileSync(join(SYNTHEA, name)))).to.equal(true);
    }
  });

  it("of 500 official FHIR examples come out byte for byte, the fragile ones included", async () => {
    await using custodian = await openHospital(await consortium.hospital("examples"));
    const reader = await consortium.hospital("examples-reader");
    const patient = { system: "urn:test", value: "1" };
    const person = await enrolled(custodian, patient);
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
    expect(sorted(await readAll(custodian, reader.config, person))).to.deep.equal(sorted(expected));
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

/** The patient's id in the name of his Bundle's file. */
function idIn(name: string): string {
  return /_([0-9a-f-]{36})\.json$/.exec(name)![1]!;
}

/** Whether a resource of these Bundles is about no patient. */
function isAdministrative(resource: Buffer): boolean {
  const { resourceType } = JSON.parse(resource.toString("utf8")) as { resourceType: string };
  return resourceType === "Organization" || resourceType === "Practitioner";
}

interface Person {
  patientId: Hex;
  device: PatientDevice;
}

async function enrolled(custodian: Chartseal, identifier: PatientIdentifier): Promise<Person> {
  const device = new PatientDevice();
  return { patientId: await custodian.patients.enrol({ identifiers: [identifier], signer: device }), device };
}

/** Reads a patient's chart as another member does: grant, list, request, capsule, body. */
async function readAll(
  custodian: Chartseal,
  reader: string,
  { patientId: patient, device }: Person,
): Promise<Buffer[]> {
  await using other = await openHospital({ config: reader });
  const notAfter = new Date(Date.now() + 1e9);
  const terms = custodian.consent.terms({ patient, grantee: other.memberId, purposes: ["TREAT"], notAfter });
  const signed = await signAs(device, terms.typedData);
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
