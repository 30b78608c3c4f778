// SPDX-License-Identifier: Apache-2.0
import { ZeroAddress, toBeHex } from "ethers";
import { RETENTION, anchorLeaves, domain, networkHelpers, now } from "./consortium.js";
import type { Consortium, PatientSigner, TestEntry } from "./consortium.js";
import { deployWithEmergencies } from "./emergencies.js";

const DAY = 86_400;
const CERTIFICATE = 4;

/** IRecordRegistry.ErasureGround. */
export const Ground = { PATIENT: 0, REVIEWER: 1, RETENTION: 2 } as const;
/** Nobody signs: the period is over. */
export const NO_COSIGNER = { account: ZeroAddress, deadline: 0, signature: "0x" };
export const ERASURE_TYPES = {
  Erasure: [
    { name: "memberId", type: "uint32" },
    { name: "index", type: "uint64" },
    { name: "certificateIndex", type: "uint64" },
    { name: "deadline", type: "uint48" },
  ],
};

/** The reference of a leaf to an index. */
export function indexRef(index: number | bigint): `0x${string}` {
  return toBeHex(index, 32) as `0x${string}`;
}

/** Two records of the patient's, recorded today, and a certificate that the first is erased. */
export async function deployWithCertificate() {
  const f = await deployWithEmergencies();
  const { patientId } = f.patient;
  const recordedDay = Math.floor((await now()) / DAY);
  const [entry, other] = await anchorLeaves(f, patientId, 2, () => ({ recordedDay }));
  const ref = indexRef(entry!.leaf.index);
  const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ kind: CERTIFICATE, ref }));
  /** The last second of the last day on which the records must be kept. */
  const keptUntil = (recordedDay + RETENTION + 1) * DAY - 1;
  return { ...f, entry: entry!, other: other!, certificate: certificate!, keptUntil };
}
export type WithCertificate = Awaited<ReturnType<typeof deployWithCertificate>>;
export const loadWithCertificate = () => networkHelpers.loadFixture(deployWithCertificate);

/** The same with records so old that they need not be kept. */
async function deployAfterRetention() {
  const f = await deployWithEmergencies();
  const { patientId } = f.patient;
  const [entry, other] = await anchorLeaves(f, patientId, 2, () => ({ recordedDay: 10_000 }));
  const ref = indexRef(entry!.leaf.index);
  const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ kind: CERTIFICATE, ref }));
  return { ...f, entry: entry!, other: other!, certificate: certificate! };
}
export const loadAfterRetention = () => networkHelpers.loadFixture(deployAfterRetention);
type WithErasure = Omit<WithCertificate, "keptUntil">;

/** Erases because the period is over. */
export function eraseAfterRetention(
  f: WithErasure,
  entry: TestEntry = f.entry,
  certificate: TestEntry = f.certificate,
  as = f.operatorA,
) {
  return f.records.connect(as).erase(entry, certificate, Ground.RETENTION, NO_COSIGNER);
}

/** What is signed for the fixture's entry, valid for ten minutes. */
export async function erasureFor(f: WithErasure, changes: Partial<Record<string, number>> = {}) {
  return {
    memberId: 1,
    index: f.entry.leaf.index,
    certificateIndex: f.certificate.leaf.index,
    deadline: (await now()) + 600,
    ...changes,
  };
}

export async function signErasure(
  c: Consortium,
  signer: Pick<PatientSigner, "signTypedData">,
  erasure: object,
): Promise<string> {
  return await signer.signTypedData(await domain(c.records, "RecordRegistry"), ERASURE_TYPES, erasure);
}

/** Erases the fixture's entry on a ground, with the signature that it asks for. */
export async function erase(
  f: WithErasure,
  ground: number,
  reviewer: Pick<typeof f.reviewerB, "address" | "signTypedData"> = f.reviewerB,
  changes: Partial<Record<string, number>> = {},
) {
  const erasure = await erasureFor(f, changes);
  const signer = ground === Ground.PATIENT ? f.patient.wallet : reviewer;
  const account = ground === Ground.PATIENT ? ZeroAddress : reviewer.address;
  const signature = await signErasure(f, signer, erasure);
  const cosigner =
    ground === Ground.RETENTION ? NO_COSIGNER : { account, deadline: erasure.deadline, signature };
  return await f.records.connect(f.operatorA).erase(f.entry, f.certificate, ground, cosigner);
}
