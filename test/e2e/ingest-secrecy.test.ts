// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { Wallet } from "ethers";
import { signAs } from "../../src/consent/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { readFhir } from "../../src/records/index.js";
import { chartseal } from "../cli/command-line.js";
import { runChild } from "../support/child.js";
import { Consortium, PASSPHRASE, openHospital, type Hospital } from "../support/hospital.js";
import { allItems } from "../support/log-check.js";
import { Needles } from "../support/needles.js";

const home = dirname(createRequire(import.meta.url).resolve("cql-exec-fhir/package.json"));
const FOLDER = join(home, "test/fixtures/r4");
const FILES = readdirSync(FOLDER)
  .filter((name) => /^(Johnnie679|Luna60)_/.test(name))
  .map((name) => join(FOLDER, name));

describe("After records were ingested, granted, listed and opened", function () {
  this.timeout(120_000);
  let consortium: Consortium;
  let custodian: Hospital;
  let output = "";
  const phi = new Needles();
  const keys = new Needles();
  const wrapped = new Needles();
  /** Files as they were while both hospitals had them open. */
  let inUse: Found[] = [];

  before(async () => {
    consortium = await Consortium.start();
    custodian = await consortium.hospital("custodian");
    const reader = await consortium.hospital("reader");
    const temporary = join(consortium.folder, "tmp");
    mkdirSync(temporary);
    const patients = await enrolAll(custodian);
    for (const file of FILES) {
      const env = { TMPDIR: temporary, PROGRESS: "1" };
      const run = await runChild(
        new URL("ingest-child.ts", import.meta.url),
        [custodian.config, file, "100"],
        { env },
      );
      output += run.output;
      expect(run.lines.at(-1)).to.include({ waiting: 0, dead: 0 });
      gatherPhi(readFileSync(file));
    }
    output += await refusedItems(custodian);
    await using hospital = await openHospital(custodian);
    gatherKeys(hospital);
    expect(await readAll(hospital, reader, patients[0]!)).to.be.greaterThan(200);
    inUse = filesIn(consortium.folder);
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("what is looked for is found where it is", () => {
    const bundle = readFileSync(FILES[0]!);
    expect(phi.findIn(bundle)).to.include.members(["family", "birthDate", "phone", "address", "identifier"]);
    expect(phi.findIn(Buffer.from(`"${needleDigest(bundle)}"`))).to.have.lengthOf(1);
    expect(phi.count).to.be.greaterThan(5_000);
    expect(keys.count).to.be.greaterThan(2_000);
    expect(wrapped.findIn(readFileSync(join(custodian.folder, "vault.db"))).length).to.be.greaterThan(400);
  });

  it("no name, identifier, date, address, guessable hash or key is in any file or any output", () => {
    const names = inUse.map(({ name }) => name);
    expect(names).to.include.members(["vault.db", "journal.db", "store.sqlite", "chartseal.json"]);
    expect(names).to.include.members(["vault.db-wal", "journal.db-wal", "store.sqlite-wal"]);
    const found = [...inUse, ...filesIn(consortium.folder)].flatMap(({ name, bytes }) => {
      const secrets = [...phi.findIn(bytes), ...keys.findIn(bytes)];
      if (!name.startsWith("vault.db")) secrets.push(...wrapped.findIn(bytes));
      return secrets.map((secret) => `${name}: ${secret}`);
    });
    expect(found).to.deep.equal([]);
    const said = Buffer.from(output);
    expect([...phi.findIn(said), ...keys.findIn(said), ...wrapped.findIn(said)]).to.deep.equal([]);
    expect(output).to.include('"anchored"');
    for (const code of ["ERR_JSON_INVALID", "ERR_PATIENT_AMBIGUOUS"]) expect(output).to.include(code);
  });

  it("nor in any transaction, log or block of the chain", async () => {
    const { rpc } = consortium.chain;
    const last = Number(await rpc("eth_blockNumber"));
    expect(last).to.be.greaterThan(20);
    for (let block = 0; block <= last; block++) {
      const number = `0x${block.toString(16)}`;
      const content = await rpc("eth_getBlockByNumber", [number, true]);
      const receipts = await rpc("eth_getBlockReceipts", [number]);
      const text = JSON.stringify([content, receipts]);
      const raw = (text.match(/0x(?:[0-9a-f]{2})+/g) ?? []).map((hex) => Buffer.from(hex.slice(2), "hex"));
      for (const bytes of [Buffer.from(text), Buffer.concat(raw)]) {
        const found = [...phi.findIn(bytes), ...keys.findIn(bytes), ...wrapped.findIn(bytes)];
        expect(found, `block ${block}`).to.deep.equal([]);
      }
    }
  });

  /** What the Patient resource says of a person, and what the records are known by. */
  function gatherPhi(bundle: Buffer): void {
    const text = readFhir(bundle);
    if (text.kind !== "bundle") throw new Error("expected a Bundle");
    for (const entry of text.bundle.entries) {
      const slice = text.bundle.slice(entry);
      phi.addDigests("a record's bytes", slice);
      const resource = JSON.parse(Buffer.from(slice).toString()) as FhirPatient & {
        resourceType: string;
        id: string;
      };
      phi.add("a record's id", resource.id);
      phi.addDigests("a record's source key", `${resource.resourceType}/${resource.id}`);
      if (resource.resourceType === "Patient") gatherPerson(resource);
    }
  }

  function gatherPerson(person: FhirPatient): void {
    const values = {
      family: person.name.map((name) => name.family),
      given: person.name.flatMap((name) => name.given),
      "full name": person.name.flatMap(({ family, given }) => [
        `${given.join(" ")} ${family}`,
        `${family} ${given.join(" ")}`,
        `${family}, ${given.join(" ")}`,
      ]),
      birthDate: [person.birthDate, person.birthDate.replaceAll("-", "")],
      phone: person.telecom.map((telecom) => telecom.value),
      address: person.address.flatMap((address) => [...address.line, `${address.line[0]}, ${address.city}`]),
      identifier: person.identifier.map((identifier) => identifier.value),
      "system|identifier": person.identifier.map(({ system, value }) => `${system}|${value}`),
    };
    for (const [name, all] of Object.entries(values)) {
      for (const value of all) {
        phi.add(name, value);
        phi.addEncodings(name, Buffer.from(value));
        for (const spelling of [value, value.toLowerCase(), value.toUpperCase()])
          phi.addDigests(name, spelling);
      }
    }
  }

  function gatherKeys(hospital: Chartseal): void {
    for (const { recordId } of allItems(hospital)) {
      if (recordId === undefined) continue; // refused before it was sealed
      const contentKey = hospital.vault.keyOf(recordId);
      keys.addEncodings("a content key", contentKey);
      keys.addDigests("a content key", contentKey);
    }
    for (const name of hospital.vault.staffKeyNames()) {
      keys.addEncodings("a staff key", Buffer.from(hospital.vault.staffKey(name).slice(2), "hex"));
    }
    const database = new DatabaseSync(join(custodian.folder, "vault.db"), { readOnly: true });
    const rows = database.prepare("SELECT wrapped FROM content_keys").all();
    rows.forEach((row, number) =>
      wrapped.addEncodings(`wrapped key ${number}`, row["wrapped"] as Uint8Array),
    );
    database.close();
  }
});

interface Found {
  name: string;
  bytes: Buffer;
}

function filesIn(folder: string): Found[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => ({ name, bytes: readFileSync(join(parentPath, name)) }));
}

/** What the command line says, to people and programs, of items that it must refuse and that are full of a person. */
async function refusedItems({ config, folder }: Hospital): Promise<string> {
  const people = FILES.map((file) => {
    const { entry } = JSON.parse(readFileSync(file, "utf8")) as {
      entry: { resource: FhirPatient & { resourceType: string } }[];
    };
    return entry.find(({ resource }) => resource.resourceType === "Patient")!.resource;
  });
  const line = JSON.stringify(people[1]);
  const bad = [
    line.slice(0, -20), // cut short
    line.replace('"birthDate"', '"birthDate":"1900-01-01","birthDate"'),
    `${line.slice(0, 30)}\u0000${line.slice(30)}`,
    JSON.stringify({
      resourceType: "Group",
      id: "of-two",
      text: { status: "generated", div: line },
      member: people.map(({ identifier }) => ({ entity: { type: "Patient", identifier: identifier[0] } })),
    }),
  ];
  const passphrase = join(folder, "passphrase");
  writeFileSync(passphrase, PASSPHRASE, { mode: 0o600 });
  const file = join(tmpdir(), `refused-${process.pid}.ndjson`);
  writeFileSync(file, bad.join("\n"));
  const own = ["--config", config, "--passphrase-file", passphrase];
  let said = "";
  try {
    for (const argv of [
      ["ingest", file],
      ["ingest", file, "--json"],
      ["status", "--list", "--json"],
      ["doctor"],
    ]) {
      const { out, err } = await chartseal([...argv, ...own]);
      said += out + err;
    }
  } finally {
    rmSync(file);
  }
  return said;
}

interface FhirPatient {
  name: { family: string; given: string[] }[];
  birthDate: string;
  telecom: { value: string }[];
  address: { line: string[]; city: string }[];
  identifier: { system: string; value: string }[];
}

const wallet = new Wallet(Wallet.createRandom().privateKey);
const device = { signer: wallet.address as Hex, signTypedData: wallet.signTypedData.bind(wallet) };

async function enrolAll(place: Hospital): Promise<Hex[]> {
  await using hospital = await openHospital(place);
  const patients: Hex[] = [];
  for (const file of FILES) {
    const text = readFhir(readFileSync(file));
    if (text.kind !== "bundle") throw new Error("expected a Bundle");
    const resources = text.bundle.entries.map(
      (entry) =>
        JSON.parse(Buffer.from(text.bundle.slice(entry)).toString()) as FhirPatient & {
          resourceType: string;
        },
    );
    const { identifier, name } = resources.find((resource) => resource.resourceType === "Patient")!;
    const own = patients.length === 0 ? { signer: device } : {};
    const label = `${name[0]!.given.join(" ")} ${name[0]!.family}`;
    patients.push(await hospital.patients.enrol({ identifiers: identifier, label, ...own }));
  }
  await hospital.patients.administrative();
  return patients;
}

/** @returns how many records the reader opened */
async function readAll(custodian: Chartseal, { config }: Hospital, patient: Hex): Promise<number> {
  await using reader = await openHospital({ config });
  const notAfter = new Date(Date.now() + 1e9);
  const prepared = custodian.consent.terms({
    patient,
    grantee: reader.memberId,
    purposes: ["TREAT"],
    notAfter,
  });
  const ticket = await custodian.consent.grant(prepared, await signAs(device, prepared.typedData));
  const stop = new AbortController();
  const agent = custodian.runReleaseAgent({ signal: stop.signal });
  try {
    const chart = await reader.access.list(ticket, { purpose: "TREAT" });
    const access = await reader.access.request(chart, { purpose: "TREAT" });
    let opened = 0;
    for await (const record of access.open()) {
      await Array.fromAsync(record.body);
      opened++;
    }
    return opened;
  } finally {
    stop.abort();
    await agent;
  }
}

/** SHA-256 in hex of the first record of a Bundle. */
function needleDigest(bundle: Buffer): string {
  const text = readFhir(bundle);
  if (text.kind !== "bundle") throw new Error("expected a Bundle");
  return hash("sha256", text.bundle.slice(text.bundle.entries[0]!), "hex");
}
