// SPDX-License-Identifier: Apache-2.0
import { Wallet } from "ethers";
import type { LateAnswer } from "../../src/access/index.js";
import { refreshLastKnown } from "../../src/access/last-known.js";
import type { StaffSigner } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { emergencyStage, type EmergencyStage } from "./emergency.js";
import { observations } from "./observations.js";
import { PatientDevice, newStaff, takeIn } from "./sharing.js";

/** Two hospitals with a running agent at the custodian; both know the chain as it is now. */
export interface LateStage extends EmergencyStage {
  /** A patient of `a` who denies emergencies. */
  denying: Hex;
  /** Of `a`'s agent. */
  address: string;
  /** Of `b`: dismissed, and enrolled just now. */
  revoked: StaffSigner;
  fresh: StaffSigner;
  /** Resolves when an answer of the agent's, of those so far or later, is as asked. */
  until(asked: (answer: LateAnswer) => boolean): Promise<void>;
  /** Both hospitals look at the chain once more. */
  refreshed(): Promise<void>;
}

export async function lateStage(): Promise<LateStage> {
  // Without the chain only our own clock counts: the chain's must not run ahead of it.
  const stage = await emergencyStage({ timestamp: Math.floor(Date.now() / 1000) - 7_200 });
  const { a, b, hospitals, consortium } = stage;
  const denying = await denyingPatient(stage);
  const { signer: revoked } = await newStaff(b, hospitals.b, ["CLINICIAN"]);
  await b.members.revokeStaff(hospitals.b.admin, revoked.address, new Date(0), "LEFT");
  const { timestamp } = (await a.chain.provider.getBlock("latest"))!;
  await consortium.chain.rpc("evm_increaseTime", [Math.floor(Date.now() / 1000) - timestamp]);
  const { signer: fresh } = await newStaff(b, hospitals.b, ["CLINICIAN"]);
  const refreshed = async () => {
    await refreshLastKnown(a.vault, a.chain);
    await refreshLastKnown(b.vault, b.chain);
  };
  await refreshed();
  const answers: LateAnswer[] = [];
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const agent = a.runReleaseAgent({
    signal: stop.signal,
    onLate: (answer) => answers.push(answer),
    listen: { host: "127.0.0.1", port: 0 },
    onReady: (address) => ready.resolve(address!),
  });
  const address = await ready.promise;
  const until = async (asked: (answer: LateAnswer) => boolean) => {
    while (!answers.some(asked)) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const dispose = async () => {
    stop.abort();
    await agent;
    await stage[Symbol.asyncDispose]();
  };
  return { ...stage, denying, address, revoked, fresh, until, refreshed, [Symbol.asyncDispose]: dispose };
}

async function denyingPatient({ a }: EmergencyStage): Promise<Hex> {
  const device = new PatientDevice();
  const value = `denying-${Wallet.createRandom().address}`;
  const patient = await a.patients.enrol({
    identifiers: [{ system: "fhir:Patient", value }],
    signer: device,
  });
  await takeIn(a, observations(value, 1, 500));
  const data = await a.consent.directive({ patient, denyEmergency: true });
  await a.consent.setDirective(data, await signAs(device, data));
  return patient;
}
