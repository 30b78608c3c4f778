// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { TypedDataEncoder, hexlify, id } from "ethers";
import {
  ALL_COMPARTMENTS,
  LIMITS,
  Purpose,
  Role,
  WAITING_TIME,
  YEAR,
  deployConsortium,
  domain,
  ethers,
  networkHelpers,
  nextBlockAt,
  now,
  registerPatient,
} from "./consortium.js";
import type { Consortium } from "./consortium.js";
import { termsHashOf } from "./fixtures.js";

const DAY = 86_400;
const HOUR = 3_600;
const LAST_DAY = 2 ** 32 - 1;

export const Verdict = { NONE: 0, APPROPRIATE: 1, INAPPROPRIATE: 2 } as const;
export const EMERGENCY_TYPES = {
  Emergency: [
    { name: "initiator", type: "address" },
    { name: "patientId", type: "bytes32" },
    { name: "reasonDigest", type: "bytes32" },
    { name: "nonce", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
};
/** Digest of a statement, as a reviewer files it. */
export const STATEMENT = id("statement");

/**
 * A consortium whose members 2 and 3 have clinicians enough for emergencies, whose three members have a REVIEWER each,
 * and a patient of hospital A. All are past their waiting time. It is one in the morning, so that the day lasts.
 */
export async function deployWithEmergencies() {
  const consortium = await deployConsortium();
  const { members, adminA, adminB, adminC } = consortium;
  const [second, colleagueB, thirdB, fourthB, clinicianC, reviewerA, reviewerB, reviewerC, spare] = (
    await ethers.getSigners()
  ).slice(11) as [HardhatEthersSigner, ...HardhatEthersSigner[]];
  for (const [admin, memberId, account, role, person] of [
    // Clinician B's second account.
    [adminB, 2, second, Role.CLINICIAN, "person clinician B"],
    [adminB, 2, colleagueB, Role.CLINICIAN, "person colleague B"],
    [adminB, 2, thirdB, Role.CLINICIAN, "person third B"],
    [adminB, 2, fourthB, Role.CLINICIAN, "person fourth B"],
    [adminC, 3, clinicianC, Role.CLINICIAN, "person clinician C"],
    [adminA, 1, reviewerA, Role.REVIEWER, "person reviewer A"],
    [adminB, 2, reviewerB, Role.REVIEWER, "person reviewer B"],
    [adminC, 3, reviewerC, Role.REVIEWER, "person reviewer C"],
  ] as const) {
    await members.connect(admin).enrolStaff(memberId, account!, role, (await now()) + YEAR, id(person));
  }
  const patient = await registerPatient(consortium);
  const seasoned = (await now()) + WAITING_TIME;
  await networkHelpers.time.increaseTo((Math.floor(seasoned / DAY) + 1) * DAY + HOUR);
  return {
    ...consortium,
    patient,
    second,
    colleagueB: colleagueB!,
    thirdB: thirdB!,
    fourthB: fourthB!,
    clinicianC: clinicianC!,
    reviewerA: reviewerA!,
    reviewerB: reviewerB!,
    reviewerC: reviewerC!,
    spare: spare!,
  };
}
export type WithEmergencies = Awaited<ReturnType<typeof deployWithEmergencies>>;
export const loadWithEmergencies = () => networkHelpers.loadFixture(deployWithEmergencies);

/** Who signs: a key is enough. */
export type Colleague = Pick<HardhatEthersSigner, "address" | "signTypedData">;

/** What the colleague signs. */
export interface Emergency {
  initiator: string;
  patientId: string;
  reasonDigest: string;
  nonce: string;
  deadline: number;
}

/** An emergency of the patient that `reader` is about to open, valid for ten minutes. */
export async function emergencyFor(
  f: WithEmergencies,
  reader: { address: string },
  changes: Partial<Emergency> = {},
): Promise<Emergency> {
  return {
    initiator: reader.address,
    patientId: f.patient.patientId,
    reasonDigest: hexlify(randomBytes(32)),
    nonce: hexlify(randomBytes(32)),
    deadline: (await now()) + 600,
    ...changes,
  };
}

export async function signEmergency(
  c: Consortium,
  colleague: Pick<HardhatEthersSigner, "signTypedData">,
  emergency: Emergency,
): Promise<string> {
  return await colleague.signTypedData(await domain(c.emergencies, "BreakGlass"), EMERGENCY_TYPES, emergency);
}

/** Sends an emergency with a signature over it. */
export function sendEmergency(
  c: Consortium,
  reader: HardhatEthersSigner,
  emergency: Emergency,
  colleague: { address: string },
  signature: string,
) {
  const { patientId, reasonDigest, nonce, deadline } = emergency;
  const cosigner = { account: colleague.address, deadline, signature };
  return c.emergencies.connect(reader).breakGlass(patientId, reasonDigest, nonce, cosigner);
}

/** The colleague signs, the reader sends. */
export async function breakGlass(
  f: WithEmergencies,
  reader = f.clinicianB,
  colleague: Colleague = f.colleagueB,
  changes: Partial<Emergency> = {},
) {
  const emergency = await emergencyFor(f, reader, changes);
  return await sendEmergency(f, reader, emergency, colleague, await signEmergency(f, colleague, emergency));
}

/** The terms that a window stands for, and their hash: independent of the contract. */
export function windowTerms(emergency: Emergency, openedAt: number, grantee = 2) {
  const terms = {
    format: 1,
    patientId: emergency.patientId,
    grantee,
    compartments: ALL_COMPARTMENTS,
    purposes: 1 << Purpose.BTG,
    notBefore: openedAt,
    notAfter: openedAt + LIMITS.windowLength,
    recordedFrom: 0,
    recordedTo: LAST_DAY,
    salt: TypedDataEncoder.hashStruct("Emergency", EMERGENCY_TYPES, emergency),
  };
  return { terms, windowId: termsHashOf(terms) };
}

/** Opens a window on the patient; clinician and colleague are of hospital B unless told otherwise. */
export async function openWindow(
  f: WithEmergencies,
  reader = f.clinicianB,
  colleague: Colleague = f.colleagueB,
  changes: Partial<Emergency> = {},
) {
  const emergency = await emergencyFor(f, reader, changes);
  const signature = await signEmergency(f, colleague, emergency);
  const openedAt = await nextBlockAt();
  await sendEmergency(f, reader, emergency, colleague, signature);
  const { memberId } = await f.members.staffOf(reader);
  const justifyBy = openedAt + LIMITS.justifyWithin;
  const reviewBy = openedAt + LIMITS.reviewWithin;
  return { ...windowTerms(emergency, openedAt, Number(memberId)), emergency, openedAt, justifyBy, reviewBy };
}
export type TestWindow = Awaited<ReturnType<typeof openWindow>>;

/** Flags the windows a second after their justification was due. */
export async function flagOverdue(f: WithEmergencies, ...windows: TestWindow[]): Promise<void> {
  await networkHelpers.time.increaseTo(Math.max(...windows.map(({ justifyBy }) => justifyBy)) + 1);
  for (const { windowId } of windows) await f.emergencies.connect(f.outsider).flagOverdue(windowId);
}
