// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { TypedDataEncoder, id, verifyTypedData } from "ethers";
import { cardText, parseCard } from "../../src/access/card.js";
import { parsePage } from "../../src/access/index-page.js";
import { parseRequest } from "../../src/access/message-bodies.js";
import { parseMessage } from "../../src/access/message.js";
import { signerOf } from "../../src/access/messages.js";
import { deploymentSchema, type Chain, type Deployment } from "../../src/chain/index.js";
import { readRoots } from "../../src/cli/member-roots.js";
import { loadConfig } from "../../src/config.js";
import { hashTerms, termsSchema, typedData } from "../../src/consent/index.js";
import {
  LeafKind,
  fromHex,
  leafHash,
  toHex,
  uintBytes,
  type Hex,
  type Receipt,
} from "../../src/crypto/index.js";
import { readHeartbeats } from "../../src/monitor/index.js";
import { Journal, parseRules, type JournalItem } from "../../src/records/index.js";
import { JOURNAL_FORMAT, JOURNAL_SCHEMA } from "../../src/records/journal-schema.js";
import { RowMacs } from "../../src/records/row-macs.js";
import { openEmbeddedStore } from "../../src/storage/index.js";
import { compartmentPermutation } from "../../src/vault/compartment-names.js";
import { openHeader } from "../../src/vault/header.js";
import { VAULT_FORMAT, VAULT_SCHEMA } from "../../src/vault/schema.js";
import { VaultKeys, type SubKey } from "../../src/vault/vault-keys.js";
import { openCell, type Vault } from "../../src/vault/index.js";
import { exampleNames, jsonExample, textExample } from "./examples.js";

interface VaultExample {
  salt: Hex;
  master: Hex;
  wrappedMaster: Hex;
  keys: Record<SubKey, Hex>;
  kek: { kekId: number; key: Hex; wrapped: Hex };
  contentKey: { recordId: Hex; kekId: number; contentKey: Hex; wrapped: Hex };
  identifier: { patientId: Hex; system: string; value: string; lookup: Hex; identifier: Hex };
  permutation: number[];
}

const deployment = (): Deployment => deploymentSchema.parse(jsonExample("deployment"));

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "chartseal-formats-"));
});
after(async () => {
  await rm(folder, { recursive: true });
});

describe("docs/formats.md: signatures", () => {
  it("hashes the type strings", () => {
    for (const [name, { type, typeHash }] of Object.entries(
      jsonExample<Record<string, { type: string; typeHash: Hex }>>("types"),
    )) {
      expect(id(type)).to.equal(typeHash);
      const { types } = typedData(deployment(), "consents", name, {});
      expect(TypedDataEncoder.from(types).encodeType(name)).to.equal(type);
    }
  });

  it("derives the domain separators from the deployment", () => {
    const domains = {
      PatientRegistry: "patients",
      RecordRegistry: "records",
      ConsentRegistry: "consents",
      LegalOrders: "orders",
      BreakGlass: "emergencies",
      AccessLog: "accessLog",
      Exchange: "exchange",
    } as const;
    const separators = Object.entries(domains).map(([name, signedFor]) => {
      const { domain } = typedData(deployment(), signedFor, "Terms", {});
      return [name, TypedDataEncoder.hashDomain(domain)];
    });
    expect(Object.fromEntries(separators)).to.deep.equal(jsonExample("domains"));
  });

  it("hashes the terms and finds their signer", () => {
    const terms = termsSchema.parse(jsonExample("terms"));
    const expected =
      jsonExample<Record<"termsHash" | "digest" | "signer" | "signature", Hex>>("terms-signature");
    const { domain, types, message } = typedData(deployment(), "consents", "Terms", terms);
    expect(hashTerms(terms)).to.equal(expected.termsHash);
    expect(TypedDataEncoder.hash(domain, types, message)).to.equal(expected.digest);
    expect(verifyTypedData(domain, types, message, expected.signature).toLowerCase()).to.equal(
      expected.signer,
    );
  });

  it("finds the signer of the Exchange message", () => {
    const message = parseMessage(textExample("message"));
    const { accessId } = jsonExample<{ accessId: Hex }>("access-id");
    expect(parseRequest(message).accessId).to.equal(accessId);
    const signer = signerOf({ deployment: deployment() } as Chain, message);
    expect(signer).to.equal("0x1563915e194d8cfba1943570603f7606a3115508"); // of the private key 22...22
  });

  it("reads the index page, whose entry is the receipt's", () => {
    const { entries, batches } = parsePage(textExample("index-page"));
    const { leaf, proof, cid, batch } = jsonExample<Receipt>("receipt");
    expect(entries).to.have.length(1);
    expect(entries[0]).to.deep.include({ leaf, proof, cid });
    expect([...batches.values()][0]?.manifestDigest).to.equal(batch.manifestDigest);
  });
});

describe("docs/formats.md: vault and journal", () => {
  it("unlocks the vault's header with the passphrase", async () => {
    const { salt, wrappedMaster, master } = jsonExample<VaultExample>("vault");
    const header = { cost: 131_072, salt: fromHex(salt), wrappedMaster: fromHex(wrappedMaster) };
    expect(toHex(await openHeader(header, Buffer.from("correct horse battery staple")))).to.equal(master);
  });

  it("derives the vault's keys and opens its cells", () => {
    const vault = jsonExample<VaultExample>("vault");
    using keys = new VaultKeys(fromHex(vault.master));
    for (const [name, key] of Object.entries(vault.keys))
      expect(toHex(keys.subKey(name as SubKey))).to.equal(key);
    const { kek, contentKey, identifier } = vault;
    const kekCell = { table: "keks", column: "wrapped", row: uintBytes(kek.kekId, 4) };
    expect(toHex(openCell(keys.subKey("keks"), kekCell, fromHex(kek.wrapped)))).to.equal(kek.key);
    const row = Buffer.concat([fromHex(contentKey.recordId), uintBytes(contentKey.kekId, 4)]);
    const keyCell = { table: "content_keys", column: "wrapped", row };
    expect(toHex(openCell(fromHex(kek.key), keyCell, fromHex(contentKey.wrapped)))).to.equal(
      contentKey.contentKey,
    );
    const { patientId, system, value, lookup } = identifier;
    expect(toHex(keys.lookup("identifier", system, value))).to.equal(lookup);
    const place = Buffer.concat([fromHex(lookup), fromHex(patientId)]);
    const identifierCell = { table: "identifiers", column: "identifier", row: place };
    expect(keys.openJson(identifierCell, fromHex(identifier.identifier))).to.deep.equal({ system, value });
  });

  it("permutes the compartments", () => {
    const { permutation } = jsonExample<VaultExample>("vault");
    expect(compartmentPermutation(new Uint8Array(32).fill(0x77))).to.deep.equal(permutation);
  });

  it("derives the journal's keyed hashes and opens its details", async () => {
    const { keys } = jsonExample<VaultExample>("vault");
    const row =
      jsonExample<Record<"sourceKey" | "sha256" | "item_mac" | "source_mac" | "details", Hex>>("journal");
    const secrets = new Map<string, Uint8Array>();
    const vault = {
      ...{ journalKey: () => fromHex(keys.journal), dedupeKey: () => fromHex(keys.dedupe) },
      ...{ rowKey: () => fromHex(keys.rows), getSecret: (name: string) => secrets.get(name) },
      setSecret: (name: string, value: Uint8Array) => void secrets.set(name, value),
    } as Vault;
    using journal = Journal.open(join(folder, "example-journal.db"), vault);
    expect(toHex(journal.macOf("item", row.sourceKey, fromHex(row.sha256)))).to.equal(row.item_mac);
    expect(toHex(journal.macOf("source", row.sourceKey))).to.equal(row.source_mac);
    const cell = { table: "items", column: "details", row: fromHex(row.item_mac) };
    const details = openCell(fromHex(keys.journal), cell, fromHex(row.details));
    expect(JSON.parse(Buffer.from(details).toString())).to.include({
      sourceKey: "Observation/decimal",
      size: 17,
    });
  });

  it("authenticates the journal's rows", () => {
    type Row = Record<"item_mac" | "source_mac" | "row_mac" | "batch_row_mac", Hex>;
    const row = jsonExample<Row>("journal");
    const { keys, contentKey } = jsonExample<VaultExample>("vault");
    const { leaf, batch, cid } = jsonExample<Receipt>("receipt");
    const { cid: manifestCid } = jsonExample<{ cid: string }>("manifest-digest");
    const { recordedDay, patientId, compartment, patientSeq, index: logIndex } = leaf;
    const nothing = { reason: undefined, ref: undefined, amends: undefined, amendedIndex: undefined };
    const item: JournalItem = {
      ...{ id: 2, batchId: 1, state: 5, itemMac: fromHex(row.item_mac), sourceMac: fromHex(row.source_mac) },
      ...{
        kind: LeafKind.RECORD,
        recordedDay,
        patientId,
        compartment,
        patientSeq,
        logIndex,
        cid,
        ...nothing,
      },
      ...{ recordId: fromHex(contentKey.recordId), contentDigest: fromHex(leaf.contentDigest) },
      ...{ salt: fromHex(leaf.salt), leafHash: leafHash(leaf), supersededBy: undefined },
      ...{ retracted: false, erased: false, withdrawn: undefined, event: undefined, rowMac: undefined },
    };
    const rows = new RowMacs(fromHex(keys.rows));
    expect(toHex(rows.macOf(item))).to.equal(row.row_mac);
    const { firstIndex, count } = batch;
    const [root, manifestDigest] = [fromHex(batch.root), fromHex(batch.manifestDigest)];
    const facts = { id: 1, firstIndex, count, root, manifestDigest, manifestCid };
    expect(toHex(rows.macOfBatch(facts))).to.equal(row.batch_row_mac);
  });

  it("shows the tables of vault and journal", () => {
    expect(statementsOf(textExample("vault-schema"))).to.deep.equal(statementsOf(VAULT_SCHEMA));
    expect(statementsOf(textExample("journal-schema"))).to.deep.equal(statementsOf(JOURNAL_SCHEMA));
    expect([VAULT_FORMAT, JOURNAL_FORMAT]).to.deep.equal([1, 6]);
  });
});

describe("docs/formats.md: store and files", () => {
  it("shows the store's tables and where a large body lies", async () => {
    const path = join(folder, "store");
    const store = await openEmbeddedStore(path);
    const { cid } = await store.put(new Uint8Array(1_048_577));
    await store[Symbol.asyncDispose]();
    expect(cid).to.equal(jsonExample<{ cid: string }>("dag").cid);
    expect((await stat(join(path, textExample("store-path")))).size).to.equal(1_048_577);
    using database = new DatabaseSync(join(path, "store.sqlite"), { readOnly: true });
    expect(statementsOf(textExample("store-schema"))).to.deep.equal(statementsIn(database));
    expect(database.prepare("PRAGMA user_version").get()).to.deep.include({ user_version: 1 });
  });

  it("reads the configuration and the deployment it names", async () => {
    const member = join(folder, "hospital");
    await mkdir(member);
    await writeFile(join(member, "chartseal.json"), textExample("config"));
    await writeFile(join(folder, "deployment.json"), textExample("deployment"));
    const config = await loadConfig(join(member, "chartseal.json"));
    expect(config.member).to.deep.equal({ id: 7, name: "Harbour Hospital" });
    expect(config.store).to.deep.equal({ kind: "embedded", folder: join(folder, "store") });
    expect(config.chain.deployment).to.deep.equal(deployment());
  });

  it("reads the pinned roots", async () => {
    const path = join(folder, "roots.json");
    await writeFile(path, textExample("roots"));
    const [root] = await readRoots(path);
    const { batch } = jsonExample<Receipt>("receipt");
    expect(root).to.include({ contract: deployment().records, root: batch.root, count: batch.count });
  });

  it("writes and reads the emergency card", () => {
    const { custodian, patientId: patient } = jsonExample<{ custodian: number; patientId: Hex }>(
      "patient-id",
    );
    expect(cardText(deployment(), { patient, custodian })).to.equal(textExample("card"));
    expect(parseCard(deployment(), textExample("card"))).to.deep.equal({ patient, custodian });
  });

  it("reads the rule file", () => {
    const rules = parseRules(Buffer.from(textExample("rules")));
    expect(rules.rules).to.have.length(3);
    expect(rules.bases).to.deep.equal(["https://fhir.hospital.example/r4"]);
  });
});

describe("docs/formats.md: heartbeat", () => {
  it("is read while it is new, and no longer", async () => {
    const alive = join(folder, "alive");
    const beat = jsonExample<{ beatAt: number }>("heartbeat");
    await mkdir(alive);
    await writeFile(join(alive, "release-agent.json"), JSON.stringify(beat));
    const { beatAt } = beat;
    expect(readHeartbeats(alive, [], beatAt + 30)[0]).to.include({ up: true, backupsHoldingErased: 0 });
    expect(readHeartbeats(alive, [], beatAt + 31)[0]).to.include({ up: false, vaultUnlocked: false });
  });
});

describe("docs/formats.md", () => {
  it("has no example that no test recomputes", async () => {
    const files = ["formats.test.ts", "files.test.ts", "../interop/formats.test.ts"];
    const tests = await Promise.all(files.map((file) => readFile(new URL(file, import.meta.url), "utf8")));
    const unread = exampleNames().filter((name) => !tests.some((text) => text.includes(`"${name}"`)));
    expect(unread).to.deep.equal([]);
  });
});

/** The statements that made everything in a database, without comments and line breaks. */
function statementsOf(schema: string): unknown[] {
  using database = new DatabaseSync(":memory:");
  database.exec(schema);
  return statementsIn(database);
}

function statementsIn(database: DatabaseSync): unknown[] {
  const rows = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").all();
  return rows.map(({ sql }) => String(sql).replaceAll(/--.*/gu, "").replaceAll(/\s+/gu, " "));
}
