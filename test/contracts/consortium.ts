// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, Wallet, ZeroHash, getBytes, hexlify, id } from "ethers";
import { network } from "hardhat";
import type { Hex, Leaf } from "../../src/crypto/index.js";
import { LEAF_FORMAT, LeafKind, MerkleTree } from "../../src/crypto/index.js";

/** One chain for a whole test file; fixtures bring it back to where they left it. */
export const connection = await network.create();
export const ethers: HardhatEthers = connection.ethers;
export const { networkHelpers } = connection;

export const Role = { OPERATOR: 1, CLINICIAN: 2, REVIEWER: 4, RELEASER: 8 } as const;
export const Suspension = { READING: 1, WRITING: 2, REMOVED: 4 } as const;
export const Status = { SUPERSEDED: 1, RETRACTED: 2, HELD: 4, ERASED: 8 } as const;
export const Purpose = { TREAT: 0, ETREAT: 1, HRESCH: 5, PATRQT: 7, HLEGAL: 8, BTG: 9 } as const;
/** IPatientRegistry's Actor and KeyUse, IConsentRegistry's GivenBy, as ethers reads them. */
export const Actor = { NOBODY: 0n, PATIENT: 1n, GUARDIANS: 2n } as const;
export const KeyUse = { NONE: 0n, SIGNER: 1n, GUARDIAN: 2n, DELEGATE: 3n } as const;
export const GivenBy = { NOBODY: 0n, PATIENT: 1n, GUARDIANS: 2n, WITNESSES: 3n, DELEGATE: 4n } as const;
export const Extent = { INDEX: 0, CHART: 1 } as const;

/** Seconds; the shortest that MemberRegistry allows. */
export const WAITING_TIME = 3_600;
/** Seconds; the shortest that PatientRegistry allows. */
export const RECOVERY_DELAY = 3 * 86_400;
/** Days that records are kept. */
export const RETENTION = 3_650;
export const LIMITS = {
  windowLength: 4 * 3_600,
  justifyWithin: 3 * 86_400,
  reviewWithin: 30 * 86_400,
  fileWithin: 7 * 86_400,
  personQuota: 3,
  memberQuota: 30,
  overdueThreshold: 3,
  lookupQuota: 4,
};
export const YEAR = 365 * 86_400;
export const ALL_COMPARTMENTS = (1n << 64n) - 1n;

export async function deployContracts() {
  const [deployer, governance] = await ethers.getSigners();
  const authority = await ethers.deployContract("AccessManager", [governance!.address], deployer);
  const members = await ethers.deployContract("MemberRegistry", [authority, WAITING_TIME]);
  const passkeys = await ethers.deployContract("ERC7913WebAuthnVerifier");
  const patients = await ethers.deployContract("PatientRegistry", [members, passkeys, RECOVERY_DELAY]);
  const records = await ethers.deployContract("RecordRegistry", [members, patients, RETENTION]);
  const consents = await ethers.deployContract("ConsentRegistry", [members, patients, records]);
  const orders = await ethers.deployContract("LegalOrders", [members, patients, records]);
  const emergencies = await ethers.deployContract("BreakGlass", [members, patients, consents, LIMITS]);
  const accessLog = await ethers.deployContract("AccessLog", [
    members,
    patients,
    records,
    consents,
    orders,
    emergencies,
  ]);
  return {
    governance: governance!,
    authority,
    passkeys,
    members,
    patients,
    records,
    consents,
    orders,
    emergencies,
    accessLog,
  };
}

/**
 * Two hospitals, 1 (custodian) and 2 (reader), each with an admin, an OPERATOR and a CLINICIAN, and a third member
 * without staff. `outsider` belongs to none.
 */
export async function deployConsortium() {
  const contracts = await deployContracts();
  const { members, governance } = contracts;
  // The first two deploy and govern.
  const signers = (await ethers.getSigners()).slice(2);
  const [adminA, adminB, adminC] = [signers[0]!, signers[1]!, signers[2]!];
  const [operatorA, clinicianA] = [signers[3]!, signers[4]!];
  const [operatorB, clinicianB] = [signers[5]!, signers[6]!];
  const [relay, outsider] = [signers[7]!, signers[8]!];
  for (const [admin, name] of [
    [adminA, "Hospital A"],
    [adminB, "Hospital B"],
    [adminC, "Regulator"],
  ] as const) {
    await members.connect(governance).admit(admin, name);
  }
  const notAfter = (await now()) + YEAR;
  await members.connect(adminA).enrolStaff(1, operatorA, Role.OPERATOR, notAfter, id("person operator A"));
  await members.connect(adminA).enrolStaff(1, clinicianA, Role.CLINICIAN, notAfter, id("person clinician A"));
  await members.connect(adminB).enrolStaff(2, operatorB, Role.OPERATOR, notAfter, id("person operator B"));
  await members.connect(adminB).enrolStaff(2, clinicianB, Role.CLINICIAN, notAfter, id("person clinician B"));
  return {
    ...contracts,
    adminA,
    adminB,
    adminC,
    operatorA,
    clinicianA,
    operatorB,
    clinicianB,
    relay,
    outsider,
  };
}
export type Consortium = Awaited<ReturnType<typeof deployConsortium>>;

/** Unix seconds of the newest block. */
export async function now(): Promise<number> {
  return (await ethers.provider.getBlock("latest"))!.timestamp;
}

/** Sets the next block's time, in Unix seconds (default: a minute on), and returns it. */
export async function nextBlockAt(time?: number): Promise<number> {
  const timestamp = time ?? (await now()) + 60;
  await networkHelpers.time.setNextBlockTimestamp(timestamp);
  return timestamp;
}

export async function domain(contract: { getAddress(): Promise<string> }, name: string) {
  const { chainId } = await ethers.provider.getNetwork();
  return { name: `chartseal ${name}`, version: "1", chainId, verifyingContract: await contract.getAddress() };
}

export const PATIENT_SIGNER_TYPES = {
  PatientSigner: [
    { name: "patientId", type: "bytes32" },
    { name: "key", type: "bytes" },
    { name: "deadline", type: "uint48" },
  ],
};
export const TERMS_TYPES = {
  Terms: [
    { name: "format", type: "uint16" },
    { name: "patientId", type: "bytes32" },
    { name: "grantee", type: "uint32" },
    { name: "compartments", type: "uint64" },
    { name: "purposes", type: "uint16" },
    { name: "notBefore", type: "uint48" },
    { name: "notAfter", type: "uint48" },
    { name: "recordedFrom", type: "uint32" },
    { name: "recordedTo", type: "uint32" },
    { name: "salt", type: "bytes32" },
  ],
};
export const REVOCATION_TYPES = {
  Revocation: [
    { name: "patientId", type: "bytes32" },
    { name: "termsHash", type: "bytes32" },
  ],
};
export const DIRECTIVE_TYPES = {
  Directive: [
    { name: "patientId", type: "bytes32" },
    { name: "denyAll", type: "bool" },
    { name: "denyEmergency", type: "bool" },
    { name: "deniedCompartments", type: "uint64" },
    { name: "nonce", type: "uint64" },
    { name: "deadline", type: "uint48" },
  ],
};

/** What signs for a patient: an ordinary key, a contract account or a passkey. */
export interface PatientSigner {
  /** As registered: ERC-7913, an address or a verifier's address followed by a key; lower case. */
  bytes: string;
  signTypedData: Wallet["signTypedData"];
}

/** An ordinary key. */
export function keySigner(): PatientSigner {
  return signerOf(Wallet.createRandom());
}

function signerOf(wallet: { address: string; signTypedData: Wallet["signTypedData"] }): PatientSigner {
  return {
    bytes: wallet.address.toLowerCase(),
    signTypedData: (...message) => wallet.signTypedData(...message),
  };
}

/** A patient of hospital A (or of `operator`'s member `custodian`), with an ordinary key of his own. */
export async function registerPatient(c: Consortium, operator = c.operatorA, custodian = 1) {
  const wallet = Wallet.createRandom();
  const { seed, patientId } = await registerSigner(c, signerOf(wallet), operator, custodian);
  return { wallet, seed, patientId };
}

/** A patient of hospital A (or of `operator`'s member `custodian`) who signs with `signer`. */
export async function registerSigner(
  c: Consortium,
  signer: PatientSigner,
  operator = c.operatorA,
  custodian = 1,
) {
  const seed = hexlify(randomBytes(32));
  const patientId = await c.patients.patientIdOf(custodian, seed);
  const deadline = (await now()) + YEAR;
  const possession = await signer.signTypedData(
    await domain(c.patients, "PatientRegistry"),
    PATIENT_SIGNER_TYPES,
    {
      patientId,
      key: signer.bytes,
      deadline,
    },
  );
  await c.patients.connect(operator).register(seed, signer.bytes, possession, deadline);
  return { seed, patientId };
}

/** IPatientRegistry.Patient of hospital A as just registered, without guardians. */
export function plainPatient(registeredAt: number, signer: string) {
  return [1n, BigInt(registeredAt), 0n, 0n, 0n, 0n, 0n, 0n, signer];
}

/** A patient of hospital A who cannot sign. */
export async function registerPatientWithoutSigner(c: Consortium) {
  const seed = hexlify(randomBytes(32));
  await c.patients.connect(c.operatorA).register(seed, "0x", "0x", 0);
  return await c.patients.patientIdOf(1, seed);
}
export type TestPatient = Awaited<ReturnType<typeof registerPatient>>;

export async function termsFor(patientId: string, changes: Partial<Record<string, unknown>> = {}) {
  const from = await now();
  return {
    format: 1,
    patientId,
    grantee: 2,
    compartments: ALL_COMPARTMENTS,
    purposes: 1 << Purpose.TREAT,
    notBefore: from,
    notAfter: from + YEAR / 4, // within the time of guardians and delegates
    recordedFrom: 0,
    recordedTo: 100_000,
    salt: hexlify(randomBytes(32)),
    ...changes,
  };
}

export async function signTerms(
  c: Consortium,
  wallet: { signTypedData: Wallet["signTypedData"] },
  terms: object,
) {
  return await wallet.signTypedData(await domain(c.consents, "ConsentRegistry"), TERMS_TYPES, terms);
}

/** An entry as the contracts take it. */
export interface TestEntry {
  leaf: Leaf;
  firstIndex: number;
  count: number;
  proof: string[];
}

/** A record of a patient of hospital A at `index` of its log. */
export function leafFor(patientId: string, index: number, changes: Partial<Leaf> = {}): Leaf {
  return {
    format: LEAF_FORMAT,
    memberId: 1,
    index,
    kind: LeafKind.RECORD,
    compartment: 0,
    recordedDay: 20_000,
    patientId: patientId as Hex,
    patientSeq: index,
    ref: ZeroHash as Hex,
    contentDigest: hexlify(randomBytes(32)) as Hex,
    salt: hexlify(randomBytes(32)) as Hex,
    ...changes,
  };
}

/** The eleven words of a leaf, as ethers encodes them: also of one that `encodeLeaf` would refuse. */
export function leafWords(leaf: Leaf): string {
  const types = "uint16 uint32 uint64 uint8 uint8 uint32 bytes32 uint32 bytes32 bytes32 bytes32".split(" ");
  return AbiCoder.defaultAbiCoder().encode(types, Object.values(leaf));
}

/** RFC 9162 leaf hash of any words. */
export function hashWords(words: string): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(0x00)).update(getBytes(words)).digest();
}

/** Anchors a batch of these leaves (encoded) in hospital A's log, or in that of `operator`'s member. */
export async function anchorWords(c: Consortium, words: string[], operator = c.operatorA, memberId = 1) {
  const firstIndex = Number(await c.records.headOf(memberId)) + 1;
  const count = words.length;
  const tree = MerkleTree.of(words.map(hashWords));
  await c.records.connect(operator).anchor(firstIndex, count, tree.root, randomBytes(32));
  const proof = (position: number) => tree.proof(position).map((hash) => hexlify(hash));
  return { firstIndex, count, proof };
}

/** Anchors `count` leaves of a patient in hospital A's log; `change` alters single leaves before they are hashed. */
export async function anchorLeaves(
  c: Consortium,
  patientId: string,
  count: number,
  change: (position: number) => Partial<Leaf> = () => ({}),
): Promise<TestEntry[]> {
  const firstIndex = Number(await c.records.headOf(1)) + 1;
  const leaves = Array.from({ length: count }, (_, position) =>
    leafFor(patientId, firstIndex + position, change(position)),
  );
  const { proof } = await anchorWords(c, leaves.map(leafWords));
  return leaves.map((leaf, position) => ({ leaf, firstIndex, count, proof: proof(position) }));
}
