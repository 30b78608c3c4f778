// SPDX-License-Identifier: Apache-2.0
import type { StaffSigner, Writer } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { Emergencies } from "../../src/access/index.js";
import type { GrantTicket } from "../../src/consent/index.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { Consortium, openHospital, type Hospital } from "./hospital.js";
import type { LocalChainOptions } from "./local-chain.js";
import { observations } from "./observations.js";
import { PatientDevice, newStaff, takeIn } from "./sharing.js";

/** Seconds that new staff wait in this consortium. */
const WAITING_TIME = 3_600;

/** Two hospitals whose staff are past their waiting time, and a patient of `a` who granted nothing. */
export interface EmergencyStage extends AsyncDisposable {
  consortium: Consortium;
  a: Chartseal;
  b: Chartseal;
  hospitals: Record<"a" | "b", Hospital>;
  patient: Hex;
  device: PatientDevice;
  lines: string[];
  /** Of `b`. */
  colleague: StaffSigner;
  officerA: Writer;
  officerB: Writer;
}

/** A chain of its own: its clock runs ahead, unless it is set to begin earlier. */
export async function emergencyStage(options: LocalChainOptions = {}): Promise<EmergencyStage> {
  const consortium = await Consortium.start(options);
  const hospitals = { a: await consortium.hospital("a"), b: await consortium.hospital("b") };
  const [a, b] = [await openHospital(hospitals.a), await openHospital(hospitals.b)];
  const device = new PatientDevice();
  const patient = await a.patients.enrol({
    identifiers: [{ system: "fhir:Patient", value: "emergency-1" }],
    signer: device,
  });
  const lines = observations("emergency-1", 3, 0);
  await takeIn(a, lines);
  const { signer: colleague } = await newStaff(b, hospitals.b, ["CLINICIAN"]);
  const { writer: officerA } = await newStaff(a, hospitals.a, ["REVIEWER"]);
  const { writer: officerB } = await newStaff(b, hospitals.b, ["REVIEWER"]);
  const stage = { consortium, a, b, hospitals, patient, device, lines, colleague, officerA, officerB };
  await pass({ consortium }, WAITING_TIME + 60);
  return {
    ...stage,
    [Symbol.asyncDispose]: async () => {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
      await consortium[Symbol.asyncDispose]();
    },
  };
}

/** Lets chain time pass. */
export async function pass(
  { consortium }: Pick<EmergencyStage, "consortium">,
  seconds: number,
): Promise<void> {
  await consortium.chain.rpc("evm_increaseTime", [seconds]);
  await consortium.chain.rpc("evm_mine");
}

/** The clinician of `b` and his colleague open a window on the patient. */
export async function breakGlass(
  s: Pick<EmergencyStage, "b" | "patient" | "colleague">,
  reason = "unconscious, no card",
): Promise<GrantTicket> {
  const emergencies = s.b.emergencies("clinician");
  const prepared = await emergencies.prepare(s.patient, s.b.signer("clinician").address, reason);
  const signature = await emergencies.countersign(prepared, s.colleague);
  return await emergencies.breakGlass(prepared, { account: s.colleague.address, signature });
}

/** As an officer of either hospital. */
export function officer(s: Pick<EmergencyStage, "a">, writer: Writer): Emergencies {
  return new Emergencies(s.a.chain, () => writer);
}

/** The patient's own directive. */
export async function deny(s: EmergencyStage, denials: { denyEmergency?: boolean; denyAll?: boolean }) {
  // Its chain's clock is days ahead of ours.
  const deadline = new Date(Date.now() + 365 * 86_400_000);
  const data = await s.a.consent.directive({ patient: s.patient, deadline, ...denials });
  await s.a.consent.setDirective(data, await signAs(s.device, data));
}
