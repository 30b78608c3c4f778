// SPDX-License-Identifier: Apache-2.0
import { signAct, type ActFile } from "../../src/acts/index.js";
import type { StaffSigner, Writer } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { PatientSigner } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { Consortium, openHospital, type Hospital } from "./hospital.js";
import { rejected } from "./rejected.js";
import { PatientDevice, newStaff } from "./sharing.js";

export const DAY = 86_400;
/** Seconds that a change waits in this deployment, and that nothing loosens after it. */
export const RECOVERY_DELAY = 14 * DAY;
export const IN_TEN_YEARS = new Date("2040-01-01");

/** Two hospitals whose staff are past their waiting time. */
export interface ActStage extends AsyncDisposable {
  consortium: Consortium;
  a: Chartseal;
  b: Chartseal;
  hospitals: Record<"a" | "b", Hospital>;
  reviewerA: Staff;
  reviewerB: Staff;
  /** The second witness, of `a`. */
  witness: Staff;
}

export interface Staff {
  signer: StaffSigner;
  writer: Writer;
}

/** A chain of its own: its clock runs ahead. */
export async function actStage(): Promise<ActStage> {
  const consortium = await Consortium.start();
  const hospitals = { a: await consortium.hospital("a"), b: await consortium.hospital("b") };
  const [a, b] = [await openHospital(hospitals.a), await openHospital(hospitals.b)];
  const stage = {
    consortium,
    a,
    b,
    hospitals,
    reviewerA: await newStaff(a, hospitals.a, ["REVIEWER"]),
    reviewerB: await newStaff(b, hospitals.b, ["REVIEWER"]),
    witness: await newStaff(a, hospitals.a, ["CLINICIAN"]),
  };
  await pass(stage, 3_700);
  return {
    ...stage,
    [Symbol.asyncDispose]: async () => {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
      await consortium[Symbol.asyncDispose]();
    },
  };
}

export async function pass({ consortium }: Pick<ActStage, "consortium">, seconds: number): Promise<void> {
  await consortium.chain.rpc("evm_increaseTime", [seconds]);
  await consortium.chain.rpc("evm_mine");
}

/** All of them sign, one after the other, each from the file that the one before left. */
export async function signedBy(
  s: ActStage,
  file: ActFile,
  ...signers: (PatientSigner | StaffSigner)[]
): Promise<ActFile> {
  let signed = file;
  for (const one of signers) {
    const signer = "signer" in one ? one : { ...one, signer: one.address };
    signed = await signAct(signed, s.a.chain.deployment, signer);
  }
  return signed;
}

/** Signed by all of them, relayed by the custodian's operator. */
export async function carriedOut(
  s: ActStage,
  file: ActFile | Promise<ActFile>,
  ...signers: (PatientSigner | StaffSigner)[]
): Promise<void> {
  await s.a.acts().relay(await signedBy(s, await file, ...signers));
}

let patients = 0;

/** A patient of `a` with a device. */
export async function withDevice(s: ActStage, device: PatientSigner = new PatientDevice()): Promise<Hex> {
  const { patientId, seed } = await s.a.patients.reserve({ identifiers: [named()] });
  await carriedOut(s, s.a.acts().enrolment({ patientId, seed }, { key: device.signer }), device);
  return patientId;
}

/** A child of `a` for whom `threshold` of its guardians sign. */
export async function withGuardians(
  s: ActStage,
  guardians: readonly PatientSigner[],
  threshold = guardians.length,
): Promise<Hex> {
  const { patientId, seed } = await s.a.patients.reserve({ identifiers: [named()] });
  const keys = guardians.map(({ signer }) => signer);
  const act = s.a.acts().enrolment({ patientId, seed }, { guardians: keys, threshold, until: IN_TEN_YEARS });
  await carriedOut(s, act, ...guardians);
  return patientId;
}

/** A patient of `a` for whom nobody can sign. */
export async function withoutDevice(s: ActStage): Promise<Hex> {
  return await s.a.patients.enrol({ identifiers: [named()] });
}

function named() {
  return { system: "fhir:Patient", value: `act-${++patients}` };
}

/** The contract's reason for refusing. */
export async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return (await rejected("ERR_CHAIN_REFUSED", work)).values["reason"];
}
