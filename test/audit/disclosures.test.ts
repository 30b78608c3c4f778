// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Interface } from "ethers";
import {
  disclosures,
  type Accessed,
  type Audit,
  type AuditEntry,
  type AuditKind,
} from "../../src/audit/index.js";
import type { Hex } from "../../src/crypto/index.js";
import {
  AccessLog__factory,
  BreakGlass__factory,
  ConsentRegistry__factory,
  LegalOrders__factory,
  PatientRegistry__factory,
} from "../../typechain-types/index.js";
import { rejection } from "../vault/temporary-vault.js";
import { CUSTODIAN, HOSTILE_NAME, READER_NAME, theStory, type Story } from "./two-hospitals.js";

describe("disclosures", function () {
  this.timeout(60_000);
  let story: Story;
  let audit: Audit;

  before(async () => {
    story = await theStory();
    audit = await disclosures({ chain: story.hospitals.chain, patient: story.patientId });
  });

  function one<K extends AuditKind>(kind: K, at = 0): Extract<AuditEntry, { kind: K }> {
    return audit.entries.filter((entry) => entry.kind === kind)[at] as Extract<AuditEntry, { kind: K }>;
  }

  it("shows every event about the patient in chain order, and no other patient's", () => {
    expect(audit.entries.map((entry) => entry.kind)).to.deep.equal([
      "enrolled",
      "grant-given",
      "access",
      "grant-given",
      "access",
      "access",
      "amended",
      "retracted",
      "directive-set",
      "grant-revoked",
      "grant-revoked",
    ] satisfies AuditKind[]);
    expect(audit.total).to.equal(11);
    expect(audit.custodian).to.equal(1);
    expect(audit.members).to.deep.equal({ 1: CUSTODIAN, 2: READER_NAME, 3: HOSTILE_NAME });
  });

  it("is complete when each recomputed head equals the chain's", () => {
    expect(audit.complete).to.equal(true);
    expect(audit.heads.map(({ head: _, ...found }) => found)).to.deep.equal([
      {
        registry: "PatientRegistry",
        finding: "EQUAL",
        events: 1,
        count: 1,
        complete: true,
        detail: "1 event, as the chain counts and digests them",
      },
      {
        registry: "ConsentRegistry",
        finding: "EQUAL",
        events: 5,
        count: 5,
        complete: true,
        detail: "5 events, as the chain counts and digests them",
      },
      ...(["LegalOrders", "BreakGlass"] as const).map((registry) => ({
        registry,
        finding: "EQUAL",
        events: 0,
        count: 0,
        complete: true,
        detail: "0 events, as the chain counts and digests them",
      })),
      {
        registry: "AccessLog",
        finding: "EQUAL",
        events: 3,
        count: 3,
        complete: true,
        detail: "3 events, as the chain counts and digests them",
      },
      {
        registry: "RecordRegistry",
        finding: "EQUAL",
        events: 2,
        count: 2,
        complete: true,
        detail: "2 events, as the chain counts and digests them",
      },
    ]);
  });

  it("names each head as the contract answers it", async () => {
    const { patients, consents, orders, emergencies, accessLog } = story.hospitals.chain;
    for (const [position, contract] of [patients, consents, orders, emergencies, accessLog].entries()) {
      const { head } = audit.heads[position]!;
      expect(BigInt(head)).to.equal(await contract.headOf(story.patientId));
      expect(head).to.match(/^0x[0-9a-f]{64}$/);
    }
    const entries = await story.hospitals.chain.records.patientHeadOf(story.patientId);
    expect(BigInt(audit.heads.at(-1)!.head)).to.equal(entries);
  });

  it("says of grants and directives what the patient signed", () => {
    const { terms, termsHash } = story.ticket;
    const all = Array.from({ length: 64 }, (_, number) => number);
    expect(one("grant-given")).to.deep.include({
      termsHash,
      grantee: 2,
      givenBy: "PATIENT",
      purposes: ["TREAT", "CAREMGT"],
      compartments: all,
      notBefore: terms.notBefore,
      notAfter: terms.notAfter,
      recordedFrom: 0,
      recordedTo: 0xffff_ffff,
    });
    const narrow = { grantee: 3, compartments: [5, 7, 8], recordedFrom: 18_262, recordedTo: 20_088 };
    expect(one("grant-given", 1)).to.deep.include(narrow);
    expect(one("directive-set")).to.deep.include({
      denyAll: false,
      denyEmergency: true,
      deniedCompartments: [5, 6],
      nonce: 0,
    });
  });

  it("names the grantee of a revocation, unless the terms were never given", () => {
    expect(one("grant-revoked")).to.deep.include({ termsHash: story.ticket.termsHash, grantee: 2 });
    expect(one("grant-revoked", 1)).to.include({ termsHash: story.unknownTerms });
    expect(one("grant-revoked", 1)).not.to.have.property("grantee");
  });

  it("says of an access who read what, why and on what ground", () => {
    const reader = story.hospitals.clinician.address.toLowerCase();
    const common = { reader, memberId: 2, basis: "GRANT", basisRef: story.ticket.termsHash };
    expect(one("access")).to.deep.include({ ...common, purpose: "TREAT", extent: "INDEX", indices: [] });
    expect(one("access").scope).to.include({ recordedFrom: 0, recordedTo: 0xffff_ffff, upTo: 3 });
    expect(one("access").scope?.compartments).to.have.length(64);
    expect(one("access", 1)).to.deep.include({
      ...common,
      purpose: "CAREMGT",
      extent: "RECORDS",
      indices: [1, 2],
    });
    expect(one("access", 2)).to.deep.include({ ...common, extent: "CHART" });
  });

  it("gives each event its block's time, number, transaction and position", async () => {
    const { provider } = story.hospitals.chain;
    for (const entry of audit.entries) {
      const receipt = (await provider.getTransactionReceipt(entry.transactionHash))!;
      const { timestamp } = (await provider.getBlock(receipt.blockNumber))!;
      expect(entry).to.include({ at: timestamp, blockNumber: receipt.blockNumber });
      expect(receipt.logs.map((log) => log.index)).to.include(entry.logIndex);
    }
  });

  it("names amended and retracted entries", () => {
    expect(one("amended")).to.deep.include({ memberId: 1, index: 1, byIndex: 3 });
    expect(one("retracted")).to.deep.include({ memberId: 1, index: 2 });
  });

  describe("with a filter", () => {
    async function filtered(filter: Partial<Parameters<typeof disclosures>[0]>): Promise<Audit> {
      const { hospitals, patientId } = story;
      const narrow = await disclosures({ chain: hospitals.chain, patient: patientId, ...filter });
      expect(narrow.heads).to.deep.equal(audit.heads);
      expect(narrow.complete).to.equal(true);
      expect(narrow.total).to.equal(11);
      return narrow;
    }

    it("shows one member's events, and checks all", async () => {
      const { entries } = await filtered({ member: 3 });
      expect(entries.map((entry) => entry.kind)).to.deep.equal(["grant-given"]);
      const own = await filtered({ member: 1 });
      expect(own.entries.map((entry) => entry.kind)).to.deep.equal(["enrolled", "amended", "retracted"]);
    });

    it("shows one reader's accesses, however his address is written", async () => {
      const { address } = story.hospitals.clinician;
      for (const reader of [address, address.toLowerCase() as Hex]) {
        const { entries } = await filtered({ reader });
        expect(entries.map((entry) => entry.kind)).to.deep.equal(["access", "access", "access"]);
      }
      expect((await filtered({ reader: `0x${"00".repeat(20)}` })).entries).to.deep.equal([]);
    });

    it("shows a period, both ends included", async () => {
      const accesses = audit.entries.filter((entry): entry is Accessed => entry.kind === "access");
      const [from, to] = [accesses[0]!, accesses[1]!].map((entry) => new Date(entry.at * 1000));
      const { entries } = await filtered({ from: from!, to: to! });
      const expected = audit.entries.filter(
        ({ at }) => at >= from!.getTime() / 1000 && at <= to!.getTime() / 1000,
      );
      expect(entries).to.deep.equal(expected);
      expect((await filtered({ to: new Date(0) })).entries).to.deep.equal([]);
    });

    it("refuses a period that ends before it begins, and a reader that is no account", async () => {
      const { hospitals, patientId } = story;
      const wrong = { chain: hospitals.chain, patient: patientId };
      await rejection("ERR_USAGE", disclosures({ ...wrong, from: new Date(2), to: new Date(1) }));
      await rejection("ERR_USAGE", disclosures({ ...wrong, reader: "0x12" }));
    });
  });

  it("names compartments from the vault and records from the journal", async () => {
    const { hospitals, patientId } = story;
    const { vault } = hospitals.vault;
    const asked: number[] = [];
    const journal = {
      itemAt: (index: number) => {
        asked.push(index);
        // Another custodian's entry 2 is another patient's record.
        return { id: index * 10, patientId: index === 2 ? `0x${"11".repeat(32)}` : patientId } as never;
      },
      details: (id: number) => ({ label: `item ${id}` }) as never,
    };
    const named = await disclosures({ chain: hospitals.chain, patient: patientId, vault, journal });
    const general = vault.compartmentOf(patientId, "general");
    expect(named.local?.compartments[general]).to.equal("general");
    expect(named.local?.records).to.deep.equal({ 1: "item 10" });
    expect(asked.toSorted((a, b) => a - b)).to.deep.equal([1, 2]);
    expect(audit).not.to.have.property("local");
  });

  it("refuses a pseudonym that nobody registered, rather than call an empty list complete", async () => {
    const { chain } = story.hospitals;
    const unknown: Hex = `0x${"ab".repeat(32)}`;
    const error = await rejection("ERR_PATIENT_UNKNOWN", disclosures({ chain, patient: unknown }));
    expect(error.values).to.deep.equal({ patientId: unknown });
    await rejection("ERR_USAGE", disclosures({ chain, patient: "0x1234" }));
  });

  it("takes a patient id in any case", async () => {
    const { chain } = story.hospitals;
    const shouted: Hex = `0x${story.patientId.slice(2).toUpperCase()}`;
    expect((await disclosures({ chain, patient: shouted })).entries).to.deep.equal(audit.entries);
  });

  it("finds every event of the contracts by the topic in which it looks for the patient", () => {
    const places = [
      [PatientRegistry__factory.abi, 1],
      [ConsentRegistry__factory.abi, 1],
      [LegalOrders__factory.abi, 1],
      [BreakGlass__factory.abi, 2],
      [AccessLog__factory.abi, 2],
    ] as const;
    for (const [abi, topic] of places) {
      Interface.from(abi).forEachEvent((event) => {
        const indexed = event.inputs.filter((input) => input.indexed === true);
        const position = 1 + indexed.findIndex((input) => input.name === "patientId");
        // A lookup is of somebody whom nobody knows yet.
        if (!["EIP712DomainChanged", "LookupLogged"].includes(event.name)) {
          expect(position, event.name).to.equal(topic);
        }
      });
    }
  });
});
