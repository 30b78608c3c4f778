// SPDX-License-Identifier: Apache-2.0
import { PATIENT_SIGNER_TYPES, RECOVERY_DELAY, nextBlockAt, now } from "./consortium.js";
import type { PatientSigner } from "./consortium.js";
import {
  CANCELLATION_TYPES,
  CHANGE_TYPES,
  ChangeKind,
  PATIENT_GUARDIAN_TYPES,
  changeHashOf,
  changeOf,
  changeValue,
  possess,
  signFor,
} from "./guardians.js";
import type { Change, WithGuardians } from "./guardians.js";

/** What a proposal's tests vary; the deadline is ten minutes from now. */
interface ProposalOptions {
  /** Who hold the change's keys. */
  holders?: readonly PatientSigner[];
  deadline?: number;
}

/** A change that the guardians `group` sign. */
export async function guardiansProposal(
  f: WithGuardians,
  patientId: string,
  group: PatientSigner,
  change: Change,
  { holders = [], deadline }: ProposalOptions = {},
) {
  const end = deadline ?? (await now()) + 600;
  const [possession = "0x"] = await possessionsOf(f, patientId, change, holders, end);
  const signature = await signFor(f, group, CHANGE_TYPES, await changeValue(f, patientId, change, end));
  return { patientId, change, possession, deadline: end, signature };
}

/** Sends it as anyone may. */
export async function proposeByGuardians(f: WithGuardians, p: Awaited<ReturnType<typeof guardiansProposal>>) {
  const { patientId, change, possession, deadline, signature } = p;
  return await f.patients
    .connect(f.relay)
    .proposeByGuardians(patientId, change, possession, deadline, signature);
}

/** A change that a reviewer signs, hospital B's unless told otherwise. */
export async function custodianProposal(
  f: WithGuardians,
  patientId: string,
  change: Change,
  {
    holders = [],
    deadline,
    reviewer = f.reviewerB,
  }: ProposalOptions & { reviewer?: typeof f.reviewerB } = {},
) {
  const end = deadline ?? (await now()) + 600;
  const possessions = await possessionsOf(f, patientId, change, holders, end);
  const signer = { bytes: reviewer.address, signTypedData: reviewer.signTypedData.bind(reviewer) };
  const signature = await signFor(f, signer, CHANGE_TYPES, await changeValue(f, patientId, change, end));
  return {
    patientId,
    change,
    possessions,
    reviewer: { account: reviewer.address, deadline: end, signature },
  };
}

/** Sends it as hospital A's operator, or as `as`. */
export async function proposeByCustodian(
  f: WithGuardians,
  p: Awaited<ReturnType<typeof custodianProposal>>,
  as = f.operatorA,
) {
  return await f.patients.connect(as).proposeByCustodian(p.patientId, p.change, p.possessions, p.reviewer);
}

/** Proposes a change by the custodian and another member; returns when, in Unix seconds. */
export async function propose(
  f: WithGuardians,
  patientId: string,
  change: Change,
  holders: readonly PatientSigner[] = [],
) {
  const proposal = await custodianProposal(f, patientId, change, { holders });
  const at = await nextBlockAt();
  await proposeByCustodian(f, proposal);
  return at;
}

/** Completes the pending change as soon as it may be; returns when. */
export async function complete(f: WithGuardians, patientId: string, change: Change) {
  const at = await nextBlockAt(Number((await f.patients.pendingChangeOf(patientId)).readyAt));
  await f.patients.connect(f.relay).completeChange(patientId, change);
  return at;
}

/** Proposes and completes a change by the custodian; returns from when on the patient may loosen. */
export async function carryOut(
  f: WithGuardians,
  patientId: string,
  change: Change,
  holders: readonly PatientSigner[] = [],
) {
  await propose(f, patientId, change, holders);
  return (await complete(f, patientId, change)) + RECOVERY_DELAY;
}

/** Gives the patient another key, by the custodian. */
export async function recover(f: WithGuardians, patientId: string, signer: PatientSigner) {
  return await carryOut(f, patientId, changeOf("SIGNER", { keys: [signer.bytes] }), [signer]);
}

/** The words of a refusal of the pending change. */
export async function cancellationValue(f: WithGuardians, patientId: string) {
  const { changeHash, readyAt } = await f.patients.pendingChangeOf(patientId);
  return { patientId, changeHash, readyAt };
}

/** A refusal of the pending change, and the call with it. */
export async function cancel(f: WithGuardians, patientId: string, signer: PatientSigner) {
  const value = await cancellationValue(f, patientId);
  const signature = await signFor(f, signer, CANCELLATION_TYPES, value);
  return await f.patients.connect(f.relay).cancelChange(patientId, signature);
}

/** IPatientRegistry.PendingChange of a change proposed at `proposedAt`. */
export function pendingSince(proposedAt: number, change: Change) {
  return [changeHashOf(change), BigInt(proposedAt + RECOVERY_DELAY)];
}

async function possessionsOf(
  f: WithGuardians,
  patientId: string,
  change: Change,
  holders: readonly PatientSigner[],
  deadline: number,
) {
  const types = change.kind === ChangeKind.SIGNER ? PATIENT_SIGNER_TYPES : PATIENT_GUARDIAN_TYPES;
  return await Promise.all(
    holders.map(async (holder) => await possess(f, patientId, holder, deadline, types)),
  );
}
