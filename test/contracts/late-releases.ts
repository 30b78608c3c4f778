// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { TypedDataEncoder, hexlify, id } from "ethers";
import { Role, YEAR, domain, networkHelpers, now } from "./consortium.js";
import { deployWithEmergencies } from "./emergencies.js";
import type { Colleague, WithEmergencies } from "./emergencies.js";

export const EMERGENCY_RELEASE_TYPES = {
  EmergencyRelease: [
    { name: "initiator", type: "address" },
    { name: "colleague", type: "address" },
    { name: "patientId", type: "bytes32" },
    { name: "reasonDigest", type: "bytes32" },
    { name: "nonce", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
};

/** What two clinicians sign while the chain is down. */
export interface EmergencyRelease {
  initiator: string;
  colleague: string;
  patientId: string;
  reasonDigest: string;
  nonce: string;
  deadline: number;
}

/** As the custodian files it. */
export interface LateRelease extends EmergencyRelease {
  releasedAt: number;
  releaseDigest: string;
  initiatorSignature: string;
  colleagueSignature: string;
}

/** A consortium with emergencies, whose hospital A has a RELEASER just enrolled. */
async function deployWithReleaser() {
  const f = await deployWithEmergencies();
  const releaser = f.spare;
  const notAfter = (await now()) + YEAR;
  await f.members.connect(f.adminA).enrolStaff(1, releaser, Role.RELEASER, notAfter, id("agent A"));
  return { ...f, releaser };
}
export type WithReleaser = Awaited<ReturnType<typeof deployWithReleaser>>;
export const loadWithReleaser = () => networkHelpers.loadFixture(deployWithReleaser);

/** What clinician B and his colleague are about to sign for the patient, valid for ten minutes. */
async function releaseFor(
  f: WithEmergencies,
  changes: Partial<EmergencyRelease> = {},
): Promise<EmergencyRelease> {
  return {
    initiator: f.clinicianB.address,
    colleague: f.colleagueB.address,
    patientId: f.patient.patientId,
    reasonDigest: hexlify(randomBytes(32)),
    nonce: hexlify(randomBytes(32)),
    deadline: (await now()) + 600,
    ...changes,
  };
}

export async function signRelease(
  f: WithEmergencies,
  signer: Pick<HardhatEthersSigner, "signTypedData">,
  { initiator, colleague, patientId, reasonDigest, nonce, deadline }: EmergencyRelease,
): Promise<string> {
  const value = { initiator, colleague, patientId, reasonDigest, nonce, deadline };
  return await signer.signTypedData(
    await domain(f.emergencies, "BreakGlass"),
    EMERGENCY_RELEASE_TYPES,
    value,
  );
}

/** A release signed by both, as it was made a minute ago. */
export async function lateRelease(
  f: WithEmergencies,
  {
    initiator = f.clinicianB,
    colleague = f.colleagueB,
    ...changes
  }: { initiator?: Colleague; colleague?: Colleague } & Partial<
    Omit<EmergencyRelease, "initiator" | "colleague">
  > = {},
): Promise<LateRelease> {
  const release = await releaseFor(f, {
    ...changes,
    initiator: initiator.address,
    colleague: colleague.address,
  });
  return {
    ...release,
    releasedAt: release.deadline - 660,
    releaseDigest: id("release"),
    initiatorSignature: await signRelease(f, initiator, release),
    colleagueSignature: await signRelease(f, colleague, release),
  };
}

/** Files it as hospital A's agent. */
export function fileLate(f: WithReleaser, release: LateRelease, as = f.releaser) {
  return f.emergencies.connect(as).fileLate(release);
}

/** The struct hash of what was signed, which names the window. */
export function lateWindowId({
  initiator,
  colleague,
  patientId,
  reasonDigest,
  nonce,
  deadline,
}: EmergencyRelease): string {
  const value = { initiator, colleague, patientId, reasonDigest, nonce, deadline };
  return TypedDataEncoder.hashStruct("EmergencyRelease", EMERGENCY_RELEASE_TYPES, value);
}
