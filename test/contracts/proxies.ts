// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { AbiCoder, ZeroHash, hexlify, keccak256 } from "ethers";
import type { TypedDataDomain, TypedDataField, Wallet } from "ethers";
import { RECOVERY_DELAY, YEAR, domain, keySigner, nextBlockAt, now } from "./consortium.js";
import type { Consortium, PatientSigner, TestPatient } from "./consortium.js";
import { cosign } from "./pairs.js";
import type { WithStaff } from "./witnesses.js";

const POSSESSION = [
  { name: "patientId", type: "bytes32" },
  { name: "key", type: "bytes" },
  { name: "deadline", type: "uint48" },
];
const DELEGATION_TYPES = {
  Delegation: [
    { name: "patientId", type: "bytes32" },
    { name: "key", type: "bytes" },
    { name: "until", type: "uint48" },
    { name: "nonce", type: "uint32" },
    { name: "deadline", type: "uint48" },
  ],
};
const CHANGE_TYPES = {
  PatientChange: [
    { name: "patientId", type: "bytes32" },
    { name: "changeHash", type: "bytes32" },
    { name: "nonce", type: "uint32" },
    { name: "deadline", type: "uint48" },
  ],
};
const CHANGE = "tuple(uint8 kind, bytes[] keys, uint8 threshold, uint48 until, bytes32 document)";
/** IPatientRegistry's ChangeKind. */
const ChangeKind = { SIGNER: 0, GUARDIANS: 1, INCAPABLE: 2, CAPABLE: 3, DEAD: 4 } as const;

async function possess(
  c: Consortium,
  use: "PatientSigner" | "PatientGuardian" | "PatientDelegate",
  patientId: string,
  signer: PatientSigner,
  deadline: number,
): Promise<string> {
  const value = { patientId, key: signer.bytes, deadline };
  return await signer.signTypedData(
    await domain(c.patients, "PatientRegistry"),
    { [use]: POSSESSION },
    value,
  );
}

/** A patient of hospital A without a signer, for whom two of three guardians sign. */
export async function registerGuarded(c: Consortium, { until }: { until?: number } = {}) {
  const seed = hexlify(randomBytes(32));
  const patientId = await c.patients.patientIdOf(1, seed);
  const deadline = (await now()) + YEAR;
  const guardians = [keySigner(), keySigner(), keySigner()].toSorted((one, other) =>
    keccak256(one.bytes) < keccak256(other.bytes) ? -1 : 1,
  );
  const set = {
    guardians: guardians.map(({ bytes }) => bytes),
    possessions: await Promise.all(
      guardians.map((guardian) => possess(c, "PatientGuardian", patientId, guardian, deadline)),
    ),
    threshold: 2,
    until: until ?? deadline,
  };
  await c.patients.connect(c.operatorA).registerWithGuardians(seed, set, deadline);
  return { patientId, guardians, wallet: guardiansWallet(guardians.slice(0, 2)) };
}

/** These guardians as one signer, as PatientRegistry takes their signature. */
export function guardiansWallet(guardians: PatientSigner[]): Pick<Wallet, "signTypedData"> {
  return {
    signTypedData: async (
      separator: TypedDataDomain,
      types: Record<string, TypedDataField[]>,
      value: Record<string, unknown>,
    ) => {
      const signatures = await Promise.all(
        guardians.map((guardian) => guardian.signTypedData(separator, types, value)),
      );
      return AbiCoder.defaultAbiCoder().encode(
        ["bytes[]", "bytes[]"],
        [guardians.map(({ bytes }) => bytes), signatures],
      );
    },
  };
}

/** Lets a fresh key, or `delegate`, give grants for the patient until `until`. */
export async function appointDelegate(
  c: Consortium,
  patient: Pick<TestPatient, "patientId" | "wallet">,
  { until, delegate = keySigner() }: { until?: number; delegate?: PatientSigner } = {},
) {
  const { patientId, wallet } = patient;
  const deadline = (await now()) + YEAR;
  const { nonce } = await c.patients.patientOf(patientId);
  const value = { patientId, key: delegate.bytes, until: until ?? deadline, nonce, deadline };
  const possession = await possess(c, "PatientDelegate", patientId, delegate, deadline);
  const signature = await wallet.signTypedData(
    await domain(c.patients, "PatientRegistry"),
    DELEGATION_TYPES,
    value,
  );
  await c.patients.setDelegate(patientId, delegate.bytes, value.until, possession, deadline, signature);
  return delegate;
}

/**
 * A change that hospital A proposes with a reviewer of hospital B, and completes as soon as it may. SIGNER takes the
 * new signer; GUARDIANS takes nobody: the patient has none any more.
 */
export async function completeChange(
  f: WithStaff,
  patientId: string,
  { kind, signer }: { kind: keyof typeof ChangeKind; signer?: PatientSigner },
) {
  const change = {
    kind: ChangeKind[kind],
    keys: signer ? [signer.bytes] : [],
    threshold: 0,
    until: 0,
    document: ZeroHash,
  };
  const deadline = (await now()) + YEAR;
  const { nonce } = await f.patients.patientOf(patientId);
  const changeHash = keccak256(AbiCoder.defaultAbiCoder().encode([CHANGE], [change]));
  const reviewer = await cosign(
    {
      contract: f.patients,
      name: "PatientRegistry",
      types: CHANGE_TYPES,
      value: { patientId, changeHash, nonce },
      firstField: "none",
    },
    { first: f.operatorA, second: f.reviewerB },
    { deadline },
  );
  const possessions = signer ? [await possess(f, "PatientSigner", patientId, signer, deadline)] : [];
  await f.patients.connect(f.operatorA).proposeByCustodian(patientId, change, possessions, reviewer);
  const completedAt = await nextBlockAt((await now()) + RECOVERY_DELAY);
  await f.patients.completeChange(patientId, change);
  return { completedAt, loosensFrom: completedAt + RECOVERY_DELAY };
}
