// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { hexlify, randomBytes } from "ethers";
import {
  YEAR,
  anchorLeaves,
  anchorWords,
  domain,
  keySigner,
  leafFor,
  leafWords,
  networkHelpers,
  now,
} from "./consortium.js";
import type { Consortium, PatientSigner, TestEntry } from "./consortium.js";
import { deployWithEmergencies } from "./emergencies.js";
import { CHANGE_TYPES, changeOf, changeValue, guardianSet, signFor, together } from "./guardians.js";

const DAY = 86_400;

export const HOLD_TYPES = {
  Hold: [
    { name: "patientId", type: "bytes32" },
    { name: "indices", type: "uint64[]" },
    { name: "until", type: "uint48" },
    { name: "nonce", type: "uint64" },
    { name: "deadline", type: "uint48" },
  ],
};
export const LIFT_TYPES = { HoldLift: HOLD_TYPES.Hold.filter(({ name }) => name !== "until") };
type Signs = Pick<PatientSigner, "signTypedData">;

/** Staff of three members past their waiting time, and a patient of hospital A with two batches of records. */
export async function deployWithRecords() {
  const consortium = await deployWithEmergencies();
  const { patientId } = consortium.patient;
  const earlier = await anchorLeaves(consortium, patientId, 3);
  const entries = await anchorLeaves(consortium, patientId, 7);
  return { ...consortium, earlier, entries };
}

/** The same, and a child of hospital A with two records, for whom `guardian` signs. */
async function deployWithChild() {
  const f = await deployWithRecords();
  const guardian = keySigner();
  const seed = hexlify(randomBytes(32));
  const patientId = await f.patients.patientIdOf(1, seed);
  const end = (await now()) + YEAR;
  const { set, deadline } = await guardianSet(f, patientId, [guardian], { until: end, deadline: end });
  await f.patients.connect(f.operatorA).registerWithGuardians(seed, set, deadline);
  const records = await anchorLeaves(f, patientId, 2);
  return { ...f, child: { patientId, records, guardian: together(guardian) } };
}

/** The child's guardian reports that he cannot act, and nobody objects: who signs stays, what loosens waits. */
export async function completeIncapacity(f: WithChild): Promise<void> {
  const { patientId, guardian } = f.child;
  const change = changeOf("INCAPABLE");
  const deadline = (await now()) + 600;
  const signature = await signFor(
    f,
    guardian,
    CHANGE_TYPES,
    await changeValue(f, patientId, change, deadline),
  );
  await f.patients.proposeByGuardians(patientId, change, "0x", deadline, signature);
  await networkHelpers.time.increaseTo((await f.patients.pendingChangeOf(patientId)).readyAt);
  await f.patients.completeChange(patientId, change);
}
export type WithRecords = Awaited<ReturnType<typeof deployWithRecords>>;
export type WithChild = Awaited<ReturnType<typeof deployWithChild>>;
export const loadWithRecords = () => networkHelpers.loadFixture(deployWithRecords);
export const loadWithChild = () => networkHelpers.loadFixture(deployWithChild);

/** What a hold or a lift is signed over, for a year, with the nonce that is next. */
interface Terms {
  patientId: string;
  indices: number[];
  until: number;
  nonce: bigint;
  deadline: number;
}

/** A hold of these entries for ten days. */
export async function holdFor(
  c: Consortium,
  entries: TestEntry[],
  changes: Partial<Terms> = {},
): Promise<Terms> {
  const { patientId } = entries[0]!.leaf;
  return {
    patientId,
    indices: entries.map(({ leaf }) => leaf.index),
    until: (await now()) + 10 * DAY,
    nonce: await c.records.nonceOf(patientId),
    deadline: (await now()) + YEAR,
    ...changes,
  };
}

export async function signHold(c: Consortium, signer: Signs, hold: Terms): Promise<string> {
  return await signer.signTypedData(await domain(c.records, "RecordRegistry"), HOLD_TYPES, hold);
}

export async function signLift(c: Consortium, signer: Signs, lift: Terms): Promise<string> {
  const { until: _until, ...signed } = lift;
  return await signer.signTypedData(await domain(c.records, "RecordRegistry"), LIFT_TYPES, signed);
}

/** Signs and places a hold; returns until when. */
export async function placeHold(
  c: Consortium,
  signer: Signs,
  entries: TestEntry[],
  changes: Partial<Terms> = {},
  as: HardhatEthersSigner = c.operatorA,
): Promise<number> {
  const hold = await holdFor(c, entries, changes);
  const signature = await signHold(c, signer, hold);
  await c.records.connect(as).placeHold(entries, hold.until, hold.deadline, signature);
  return hold.until;
}

/** Signs and lifts. */
export async function liftHold(
  c: Consortium,
  signer: Signs,
  entries: TestEntry[],
  as: HardhatEthersSigner = c.operatorA,
  changes: Partial<Terms> = {},
) {
  const lift = await holdFor(c, entries, changes);
  const signature = await signLift(c, signer, lift);
  return await c.records.connect(as).liftHold(entries, lift.deadline, signature);
}

/** An entry of hospital B's log that names a patient of hospital A as its own. */
export async function foreignEntry(c: Consortium, patientId: string): Promise<TestEntry> {
  const index = Number(await c.records.headOf(2)) + 1;
  const leaf = leafFor(patientId, index, { memberId: 2 });
  const { firstIndex, count, proof } = await anchorWords(c, [leafWords(leaf)], c.operatorB, 2);
  return { leaf, firstIndex, count, proof: proof(0) };
}
