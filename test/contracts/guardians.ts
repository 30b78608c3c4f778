// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, hexlify, id, keccak256 } from "ethers";
import type { TypedDataField } from "ethers";
import {
  PATIENT_SIGNER_TYPES,
  Role,
  WAITING_TIME,
  YEAR,
  deployConsortium,
  domain,
  ethers,
  keySigner,
  networkHelpers,
  now,
  registerPatientWithoutSigner,
  registerSigner,
} from "./consortium.js";
import type { Consortium, PatientSigner } from "./consortium.js";

type Types = Record<string, TypedDataField[]>;

/** IPatientRegistry's Condition and ChangeKind. */
export const Condition = { CAPABLE: 0n, INCAPABLE: 1n, DEAD: 2n } as const;
export const ChangeKind = { SIGNER: 0, GUARDIANS: 1, INCAPABLE: 2, CAPABLE: 3, DEAD: 4 } as const;

const PATIENT_ID = { name: "patientId", type: "bytes32" };
const KEY = { name: "key", type: "bytes" };
const UNTIL = { name: "until", type: "uint48" };
const NONCE = { name: "nonce", type: "uint32" };
const DEADLINE = { name: "deadline", type: "uint48" };

export const PATIENT_GUARDIAN_TYPES = { PatientGuardian: [PATIENT_ID, KEY, DEADLINE] };
export const PATIENT_DELEGATE_TYPES = { PatientDelegate: [PATIENT_ID, KEY, DEADLINE] };
export const ROTATION_TYPES = { SignerRotation: [PATIENT_ID, KEY, NONCE, DEADLINE] };
export const DELEGATION_TYPES = { Delegation: [PATIENT_ID, KEY, UNTIL, NONCE, DEADLINE] };
export const GUARDIAN_SET_TYPES = {
  GuardianSet: [
    PATIENT_ID,
    { name: "guardians", type: "bytes[]" },
    { name: "threshold", type: "uint8" },
    UNTIL,
    NONCE,
    DEADLINE,
  ],
};
export const CHANGE_TYPES = {
  PatientChange: [PATIENT_ID, { name: "changeHash", type: "bytes32" }, NONCE, DEADLINE],
};
export const CANCELLATION_TYPES = {
  Cancellation: [PATIENT_ID, { name: "changeHash", type: "bytes32" }, { name: "readyAt", type: "uint48" }],
};

/** A signature over one of PatientRegistry's structs. */
export async function signFor(
  c: Consortium,
  signer: Pick<PatientSigner, "signTypedData">,
  types: Types,
  value: object,
) {
  return await signer.signTypedData(await domain(c.patients, "PatientRegistry"), types, { ...value });
}

/** What a guardian group signs, as the contracts take it. */
export function encodeGuardians(keys: readonly string[], signatures: readonly string[]): string {
  return AbiCoder.defaultAbiCoder().encode(["bytes[]", "bytes[]"], [keys, signatures]);
}

/** Guardians who sign together, as one signer. */
export function together(...guardians: PatientSigner[]): PatientSigner {
  return {
    bytes: "0x",
    signTypedData: async (...message) =>
      encodeGuardians(
        guardians.map(({ bytes }) => bytes),
        await Promise.all(guardians.map(async (guardian) => await guardian.signTypedData(...message))),
      ),
  };
}

/** In the order of their keys' hashes, as a set must name them. */
export function inOrder(guardians: readonly PatientSigner[]): PatientSigner[] {
  return guardians.toSorted((a, b) => (keccak256(a.bytes) < keccak256(b.bytes) ? -1 : 1));
}

/** New ordinary keys, in order. */
export function newGuardians(count: number): PatientSigner[] {
  return inOrder(Array.from({ length: count }, keySigner));
}

/** The patient's next nonce. */
export async function nonceOf(c: Consortium, patientId: string): Promise<bigint> {
  return (await c.patients.patientOf(patientId)).nonce;
}

/** IPatientRegistry.Patient by name. */
export async function patientFields(c: Consortium, patientId: string) {
  const patient = await c.patients.patientOf(patientId);
  const { custodian, registeredAt, condition, threshold, guardianEpoch } = patient;
  const { guardiansUntil, nonce, loosensFrom, signer } = patient;
  return {
    custodian,
    registeredAt,
    condition,
    threshold,
    guardianEpoch,
    guardiansUntil,
    nonce,
    loosensFrom,
    signer,
  };
}

export interface SetOptions {
  threshold?: number;
  until?: number;
  deadline?: number;
}

/** A set of these guardians with all they sign for it, valid for a year unless told otherwise. */
export async function guardianSet(
  c: Consortium,
  patientId: string,
  guardians: readonly PatientSigner[],
  options: SetOptions = {},
) {
  const { threshold = Math.min(2, guardians.length), until = (await now()) + YEAR } = options;
  const deadline = options.deadline ?? (await now()) + 600;
  const possessions = guardians.map((guardian) =>
    signFor(c, guardian, PATIENT_GUARDIAN_TYPES, { patientId, key: guardian.bytes, deadline }),
  );
  const set = {
    guardians: guardians.map(({ bytes }) => bytes),
    possessions: await Promise.all(possessions),
    threshold,
    until,
  };
  return { set, deadline };
}

/** The latest end that who signs for the patient may name: guardians' own, else a year from now. */
export async function latestEnd(c: Consortium, patientId: string): Promise<number> {
  const { signer, threshold, guardiansUntil } = await c.patients.patientOf(patientId);
  return signer === "0x" && threshold !== 0n ? Number(guardiansUntil) : (await now()) + YEAR;
}

/** The same, with the signature of who signs for the patient. */
export async function signedGuardianSet(
  c: Consortium,
  patientId: string,
  actor: PatientSigner,
  guardians: readonly PatientSigner[],
  options: SetOptions = {},
) {
  const until = await latestEnd(c, patientId);
  const { set, deadline } = await guardianSet(c, patientId, guardians, { until, ...options });
  const value = { patientId, ...set, nonce: await nonceOf(c, patientId), deadline };
  return { patientId, set, deadline, signature: await signFor(c, actor, GUARDIAN_SET_TYPES, value) };
}

export async function setGuardians(c: Consortium, s: Awaited<ReturnType<typeof signedGuardianSet>>) {
  return await c.patients.connect(c.relay).setGuardians(s.patientId, s.set, s.deadline, s.signature);
}

/** A change as guardians or custodian propose it. */
export interface Change {
  kind: number;
  keys: string[];
  threshold: number;
  until: number;
  document: string;
}

export function changeOf(kind: keyof typeof ChangeKind, parts: Partial<Change> = {}): Change {
  return {
    kind: ChangeKind[kind],
    keys: [],
    threshold: 0,
    until: 0,
    document: id("what justifies it"),
    ...parts,
  };
}

/** The change's hash, independent of the contract. */
export function changeHashOf({ kind, keys, threshold, until, document }: Change): string {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["tuple(uint8,bytes[],uint8,uint48,bytes32)"],
      [[kind, keys, threshold, until, document]],
    ),
  );
}

/** The words that guardians or a reviewer sign for a change. */
export async function changeValue(c: Consortium, patientId: string, change: Change, deadline: number) {
  return { patientId, changeHash: changeHashOf(change), nonce: await nonceOf(c, patientId), deadline };
}

/** A new key's signature that it is the patient's. */
export async function possess(
  c: Consortium,
  patientId: string,
  signer: PatientSigner,
  deadline: number,
  types: Types = PATIENT_SIGNER_TYPES,
) {
  return await signFor(c, signer, types, { patientId, key: signer.bytes, deadline });
}

/** Two hospitals with reviewers past their waiting time, and three patients of hospital A with guardians or none. */
export async function deployWithGuardians() {
  const consortium = await deployConsortium();
  const staff = await enrolReviewers(consortium);
  const holder = await registerHolder(consortium);
  const ward = await registerWard(consortium);
  const witnessed = await registerPatientWithoutSigner(consortium);
  return { ...consortium, ...staff, holder, ward, witnessed };
}
export type WithGuardians = Awaited<ReturnType<typeof deployWithGuardians>>;

export const loadWithGuardians = () => networkHelpers.loadFixture(deployWithGuardians);

/** A REVIEWER of each of hospital A, hospital B and the regulator, past their waiting time. */
async function enrolReviewers(c: Consortium) {
  // The first eleven are the consortium's.
  const [reviewerA, reviewerB, reviewerC] = (await ethers.getSigners()).slice(11) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const notAfter = (await now()) + YEAR;
  for (const [admin, memberId, reviewer, name] of [
    [c.adminA, 1, reviewerA, "A"],
    [c.adminB, 2, reviewerB, "B"],
    [c.adminC, 3, reviewerC, "C"],
  ] as const) {
    await c.members
      .connect(admin)
      .enrolStaff(memberId, reviewer, Role.REVIEWER, notAfter, id(`person reviewer ${name}`));
  }
  await networkHelpers.time.increase(WAITING_TIME);
  return { reviewerA, reviewerB, reviewerC };
}

/** A capable patient with a key and three guardians, two of whom must sign. */
async function registerHolder(c: Consortium) {
  const signer = keySigner();
  const { patientId } = await registerSigner(c, signer);
  const guardians = newGuardians(3);
  await setGuardians(c, await signedGuardianSet(c, patientId, signer, guardians));
  return { patientId, signer, guardians, group: together(...guardians.slice(0, 2)) };
}

/** A patient without a key, with three guardians from the first day, two of whom must sign. */
export async function registerWard(c: Consortium, guardians = newGuardians(3), options: SetOptions = {}) {
  const seed = hexlify(randomBytes(32));
  const patientId = await c.patients.patientIdOf(1, seed);
  // Sooner than the staff end.
  const until = (await now()) + YEAR / 2;
  const { set, deadline } = await guardianSet(c, patientId, guardians, { until, ...options });
  await c.patients.connect(c.operatorA).registerWithGuardians(seed, set, deadline);
  const group = together(...guardians.slice(0, set.threshold));
  return { patientId, guardians, group, until: set.until };
}
export type Ward = Awaited<ReturnType<typeof registerWard>>;
