// SPDX-License-Identifier: Apache-2.0
import { keccak256, type Result } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { CHANGE_KINDS, invalidAct, type Authority, type ChangeKind } from "./act.js";

const CONDITIONS = ["CAPABLE", "INCAPABLE", "DEAD"] as const;

/** What waits for its delay to pass. */
export interface PendingChange {
  changeHash: Hex;
  /** Unix seconds: may be completed from then on. */
  readyAt: number;
  change: ChangeKind;
  keys: Hex[];
  threshold: number;
  /** Unix seconds. */
  until: number;
  document: Hex;
  /** Account of another member's REVIEWER; absent when guardians proposed it. */
  reviewer?: Hex;
}

/** Who signs for a patient, as the chain has it. */
export interface PatientStanding {
  patientId: Hex;
  /** Member id. */
  custodian: number;
  condition: (typeof CONDITIONS)[number];
  /** ERC-7913; absent: he has no device. */
  signer?: Hex;
  guardians: Hex[];
  /** How many guardians must sign; 0: he has none. */
  threshold: number;
  /** Unix seconds, inclusive. */
  guardiansUntil: number;
  /** Of the next act that carries one. */
  nonce: number;
  /** Unix seconds; before, nothing that loosens is taken. */
  loosensFrom: number;
  pending?: PendingChange;
}

/** @throws ERR_PATIENT_UNKNOWN, ERR_RPC_UNAVAILABLE */
export async function standingOf(chain: Chain, patientId: Hex): Promise<PatientStanding> {
  const patient = await chain.ask(() => chain.patients.patientOf(patientId));
  if (patient.custodian === 0n) {
    throw new ChartsealError("ERR_PATIENT_UNKNOWN", "no patient is registered under this patient id", {
      values: { patientId },
    });
  }
  const threshold = Number(patient.threshold);
  const pending = await pendingOf(chain, patientId);
  return {
    patientId,
    custodian: Number(patient.custodian),
    condition: CONDITIONS[Number(patient.condition)]!,
    ...(patient.signer === "0x" ? {} : { signer: patient.signer as Hex }),
    guardians: threshold === 0 ? [] : await guardiansOf(chain, patientId, patient.guardianEpoch),
    threshold,
    guardiansUntil: Number(patient.guardiansUntil),
    nonce: Number(patient.nonce),
    loosensFrom: Number(patient.loosensFrom),
    ...(pending === undefined ? {} : { pending }),
  };
}

/** Who must sign, and how many of them. */
export interface Signers {
  authority: Authority;
  signers: Hex[];
  threshold: number;
}

/** Who signs for the patient: himself, or where he cannot, his guardians. @throws ERR_ACT_INVALID if nobody can */
export function actorsOf(standing: PatientStanding, now: number): Signers {
  const { condition, signer } = standing;
  if (condition === "CAPABLE" && signer !== undefined) {
    return { authority: "patient", signers: [signer], threshold: 1 };
  }
  return guardiansAs(standing, now);
}

/** The guardians, whether or not he can sign himself. @throws ERR_ACT_INVALID unless there are standing ones */
export function guardiansAs(standing: PatientStanding, now: number): Signers {
  const { patientId, guardians, threshold, guardiansUntil } = standing;
  if (threshold !== 0 && now <= guardiansUntil) {
    return { authority: "guardians", signers: guardians, threshold };
  }
  throw invalidAct(
    "nobody can sign this for the patient: he cannot himself, and has no guardians whose time lasts",
    { patientId },
    "two witnesses may attest what he wants on paper; the custodian may propose a change",
  );
}

/** Who may refuse a pending change: the signer whatever his condition, else the guardians. @throws ERR_ACT_INVALID */
export function objectorsOf(standing: PatientStanding, now: number): Signers {
  const { signer } = standing;
  if (signer !== undefined) return { authority: "patient", signers: [signer], threshold: 1 };
  return guardiansAs(standing, now);
}

/** In rising order of their hashes, as the contract takes them. */
export function inOrder(keys: readonly Hex[]): Hex[] {
  return [...keys].sort((a, b) => (keccak256(a) < keccak256(b) ? -1 : 1));
}

async function guardiansOf(chain: Chain, patientId: Hex, epoch: bigint): Promise<Hex[]> {
  const args = await lastEvent(chain, "GuardiansSet", [patientId, epoch]);
  return (args["guardians"] as Result).map((key) => (key as string).toLowerCase() as Hex);
}

async function pendingOf(chain: Chain, patientId: Hex): Promise<PendingChange | undefined> {
  const { changeHash, readyAt } = await chain.ask(() => chain.patients.pendingChangeOf(patientId));
  if (BigInt(changeHash) === 0n) return undefined;
  const args = await lastEvent(chain, "ChangeProposed", [patientId, changeHash]);
  const change = args["change"] as Result;
  const reviewer = (args["reviewer"] as string).toLowerCase() as Hex;
  return {
    changeHash: changeHash as Hex,
    readyAt: Number(readyAt),
    change: CHANGE_KINDS[Number(change["kind"])]!,
    // `keys` is a method of ethers' Result.
    keys: (change.getValue("keys") as Result).map((key) => (key as string).toLowerCase() as Hex),
    threshold: Number(change["threshold"]),
    until: Number(change["until"]),
    document: change["document"] as Hex,
    ...(BigInt(reviewer) === 0n ? {} : { reviewer }),
  };
}

/** A slot says that there is one; the event says what it is. */
async function lastEvent(
  chain: Chain,
  name: "GuardiansSet" | "ChangeProposed",
  indexed: readonly (string | bigint)[],
): Promise<Result> {
  const { interface: abi } = chain.patients;
  const topics = abi.encodeFilterTopics(name, [...indexed]);
  const logs = await collectLogs(chain, { address: chain.deployment.patients, topics });
  const log = logs.at(-1);
  if (log !== undefined) return abi.decodeEventLog(name, log.data, log.topics);
  throw new ChartsealError(
    "ERR_CHAIN_MISMATCH",
    `the node shows no ${name} that the registry's state tells of`,
    {
      hint: "the node does not show all events; ask another member's node",
    },
  );
}
