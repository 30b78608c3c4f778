// SPDX-License-Identifier: Apache-2.0
import { id } from "ethers";
import { statementName } from "../../src/access/index.js";
import { Writer } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { purposeNumber, typedData, type GrantTicket } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { breakGlass, officer, pass, type EmergencyStage } from "../support/emergency.js";
import { atEnd } from "../support/at-end.js";
import { Consortium, openHospital } from "../support/hospital.js";
import { observations } from "../support/observations.js";
import { newStaff } from "../support/sharing.js";
import { PatientDevice, grant, takeIn } from "../support/sharing-acts.js";

export const JUSTIFICATION = "no relative could be reached";
export const REASON = "unconscious, <b>no card</b>";
/** Seconds that new staff wait in this consortium, and a minute. */
const PAST_WAITING_TIME = 3_660;

/** What two custodians, `a` and `c`, disclosed to the staff of `b`. */
export interface ThreeHospitals {
  stage: Pick<EmergencyStage, "consortium" | "a" | "b" | "colleague" | "officerA" | "officerB">;
  a: Chartseal;
  b: Chartseal;
  c: Chartseal;
  /**
   * Of `a`: read in an emergency that was justified and reviewed; read with consent, then in an emergency that nobody
   * justified; read while the chain was down; granted and never read. Of `c`: read with consent.
   */
  patients: Record<"emergency" | "consented" | "offline" | "unread" | "elsewhere", Hex>;
  /** Accounts of `b`. */
  clinician: Hex;
  colleague: Hex;
}

async function tell(): Promise<ThreeHospitals> {
  const consortium = await Consortium.start();
  const folders = [
    await consortium.hospital("a"),
    await consortium.hospital("b"),
    await consortium.hospital("c"),
  ];
  const [a, b, c] = (await Promise.all(folders.map(openHospital))) as [Chartseal, Chartseal, Chartseal];
  const { signer } = await newStaff(b, folders[1]!, ["CLINICIAN"]);
  const { writer: officerA } = await newStaff(a, folders[0]!, ["REVIEWER"]);
  const { writer: officerB } = await newStaff(b, folders[1]!, ["REVIEWER"]);
  const stage = { consortium, a, b, colleague: signer, officerA, officerB };
  const emergency = await patientOf(a, "emergency-1");
  const consented = await patientOf(a, "consented-1", b.memberId);
  const offline = await patientOf(a, "offline-1");
  const unread = await patientOf(a, "unread-1", b.memberId);
  const elsewhere = await patientOf(c, "elsewhere-1", b.memberId);
  await pass(stage, PAST_WAITING_TIME); // ahead of our own clock from here on
  const [clinician, colleague] = [b.writer("clinician"), new Writer(b.chain, signer)];
  await read(b, consented.ticket!, clinician, "INDEX");
  await read(b, consented.ticket!, clinician, "CHART");
  await read(b, consented.ticket!, colleague, "INDEX");
  await read(b, elsewhere.ticket!, clinician, "INDEX");
  await pass(stage, 60);
  const window = await breakGlass({ ...stage, patient: emergency.patient }, REASON);
  await read(b, window, clinician, "CHART");
  const justification = await officer(stage, officerB).justify(window.termsHash, JUSTIFICATION);
  const name = statementName(window.termsHash, justification.digest);
  b.vault.setSecret(name, Buffer.from(JSON.stringify({ salt: justification.salt, text: JUSTIFICATION })));
  await officer(stage, officerA).review(window.termsHash, "APPROPRIATE", "as it should be");
  await pass(stage, 60);
  await breakGlass({ ...stage, patient: consented.patient }, "confused");
  await fileLate(stage, offline.patient);
  const patients = {
    emergency: emergency.patient,
    consented: consented.patient,
    offline: offline.patient,
    unread: unread.patient,
    elsewhere: elsewhere.patient,
  };
  const accounts = [b.signer("clinician"), signer].map(({ address }) => address.toLowerCase() as Hex);
  return { stage, a, b, c, patients, clinician: accounts[0]!, colleague: accounts[1]! };
}

/** What two clinicians of `b` were given while the chain was down, filed by `a`. */
async function fileLate({ a, b, colleague }: ThreeHospitals["stage"], patientId: Hex): Promise<void> {
  const { chain } = a;
  const clinician = b.signer("clinician");
  const now = await chain.time();
  const signed = {
    initiator: clinician.address,
    colleague: colleague.address,
    patientId,
    reasonDigest: id("reason"),
    nonce: id("nonce"),
    deadline: now,
  };
  const { domain, types, message } = typedData(chain.deployment, "emergencies", "EmergencyRelease", signed);
  const release = { ...signed, releasedAt: now - 30, releaseDigest: id("bytes") };
  const call = await chain.emergencies.fileLate.populateTransaction({
    ...release,
    initiatorSignature: await clinician.signTypedData(domain, types, message),
    colleagueSignature: await colleague.signTypedData(domain, types, message),
  });
  await a.writer("releaser").execute(call);
}

let records = 0;

/** A patient with two records, who granted all of them if there is a grantee. */
async function patientOf(custodian: Chartseal, name: string, grantee?: number) {
  const device = new PatientDevice();
  const identifiers = [{ system: "fhir:Patient", value: name }];
  const patient = await custodian.patients.enrol({ identifiers, signer: device });
  records += 2;
  await takeIn(custodian, observations(name, 2, records));
  return {
    patient,
    ticket: grantee === undefined ? undefined : await grant(custodian, patient, device, { grantee }),
  };
}

/** Logs an access to all that the ticket grants, by the account of `writer`. */
async function read(
  { chain }: Chartseal,
  { terms, custodian }: GrantTicket,
  writer: Writer,
  extent: "INDEX" | "CHART",
): Promise<void> {
  const { compartments, recordedFrom, recordedTo } = terms;
  const scope = { compartments, recordedFrom, recordedTo, upTo: await chain.records.headOf(custodian) };
  const purpose = (terms.purposes & 1) === 1 ? purposeNumber("TREAT") : purposeNumber("BTG");
  const number = extent === "INDEX" ? 0 : 1;
  await writer.execute(await chain.accessLog.requestScope.populateTransaction(terms, purpose, number, scope));
}

let told: Promise<ThreeHospitals> | undefined;

/** One story for all tests of accountings: told once, read often. */
export function threeHospitals(): Promise<ThreeHospitals> {
  return (told ??= toldOnce());
}

async function toldOnce(): Promise<ThreeHospitals> {
  const story = await tell();
  atEnd(async () => {
    told = undefined;
    for (const hospital of [story.a, story.b, story.c]) await hospital[Symbol.asyncDispose]();
    await story.stage.consortium[Symbol.asyncDispose]();
  });
  return story;
}
