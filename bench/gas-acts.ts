// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { TypedDataEncoder, ZeroAddress } from "ethers";
import type { Deployment } from "../src/chain/index.js";
import { EMERGENCY_LIMITS } from "../src/chain/limits.js";
import { signAs, typedData } from "../src/consent/typed-data.js";
import type { Hex, Leaf } from "../src/crypto/index.js";
import { LeafKind } from "../src/crypto/index.js";
import { amends, anchorRecords, registerPatient, requestRecords, termsOf } from "./gas-actors.js";
import type { Batch, BenchTerms, Patient } from "./gas-actors.js";
import type { Chain } from "./gas-chain.js";
import { NOT_AFTER, gasOf, steadyBytes } from "./gas-chain.js";

const BATCH = 1_000; // ten-step proofs
const ROLE = { OPERATOR: 1, CLINICIAN: 2, REVIEWER: 4, RELEASER: 8 };
const HLEGAL = 8;
const BTG = 9;
const GRANT_WITNESSED = 0;
const ERASED_BY_PATIENT = 0;
/** Unix seconds, 2030-01-31: past everyone's waiting time. No byte of it, nor of what is added to it, is zero. */
const LATER = 1_896_048_000;
const HOUR = 3_600;
const MINUTE = 60;

export interface Acts {
  breakGlass: number;
  accessInEmergency: number;
  fileLate: number;
  logLookup: number;
  grantWitnessed: number;
  enterOrder: number;
  accessByOrder: number;
  placeHold: number;
  liftHold: number;
  erase: number;
}

type SignedFor = "records" | "consents" | "orders" | "emergencies";
type Signs = Parameters<typeof signAs>[0];
interface Scene {
  chain: Chain;
  patient: Patient;
  batch: Batch;
  colleague: HardhatEthersSigner;
  clerk: HardhatEthersSigner;
  reviewerA: HardhatEthersSigner;
  reviewerB: HardhatEthersSigner;
  releaser: HardhatEthersSigner;
  /** EIP-712 of one of the contracts. */
  dataOf: (signedFor: SignedFor, type: string, message: object) => ReturnType<typeof typedData>;
  sign: (by: Signs, signedFor: SignedFor, type: string, message: object) => Promise<Hex>;
}

/** Gas of what needs a second person, and of what keeps or destroys entries: each the second time on one day. */
export async function measureActs(chain: Chain): Promise<Acts> {
  const scene = await sceneOf(chain);
  await chain.connection.networkHelpers.time.setNextBlockTimestamp(LATER);
  await logLookup(scene, 1);
  await breakGlass(scene, 1);
  const opened = await breakGlass(scene, 2);
  await requestRecords(chain, opened.terms, scene.batch, 1, BTG);
  const accessInEmergency = await requestRecords(chain, opened.terms, scene.batch, 1, BTG);
  await enterOrder(scene, 1);
  const entered = await enterOrder(scene, 2);
  return {
    breakGlass: opened.gas,
    accessInEmergency,
    fileLate: await secondTime((n) => fileLate(scene, n)),
    logLookup: await logLookup(scene, 2),
    grantWitnessed: await measureWitnessed(scene),
    enterOrder: entered.gas,
    accessByOrder: await requestRecords(chain, entered.terms, scene.batch, 1, HLEGAL),
    placeHold: await secondTime((n) => placeHold(scene, n)),
    liftHold: await secondTime((n) => liftHold(scene, n)),
    erase: await secondTime((n) => erase(scene, n)),
  };
}

async function secondTime(act: (n: number) => Promise<number>): Promise<number> {
  await act(1);
  return await act(2);
}

async function sceneOf(chain: Chain): Promise<Scene> {
  const [colleague, clerk, reviewerA, reviewerB, releaser] = chain.spare as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  for (const [admin, memberId, account, role] of [
    [chain.adminB, 2, colleague, ROLE.CLINICIAN],
    [chain.adminA, 1, clerk, ROLE.OPERATOR],
    [chain.adminA, 1, reviewerA, ROLE.REVIEWER],
    [chain.adminB, 2, reviewerB, ROLE.REVIEWER],
    [chain.adminA, 1, releaser, ROLE.RELEASER],
  ] as const) {
    const person = steadyBytes(`person ${account.address}`);
    await chain.members.connect(admin).enrolStaff(memberId, account, role, NOT_AFTER, person);
  }
  const { patient } = await registerPatient(chain, "patient of acts");
  const batch = await anchorRecords(chain, patient, BATCH);
  const deployment = await deploymentOf(chain);
  const dataOf = (signedFor: SignedFor, type: string, message: object) =>
    typedData(deployment, signedFor, type, { ...message });
  return {
    chain,
    patient,
    batch,
    colleague,
    clerk,
    reviewerA,
    reviewerB,
    releaser,
    dataOf,
    sign: async (by, signedFor, type, message) => await signAs(by, dataOf(signedFor, type, message)),
  };
}

async function deploymentOf(chain: Chain): Promise<Deployment> {
  const addressOf = async (of: { getAddress(): Promise<string> }) => (await of.getAddress()) as Hex;
  return {
    chainId: Number((await chain.ethers.provider.getNetwork()).chainId),
    members: await addressOf(chain.members),
    patients: await addressOf(chain.patients),
    records: await addressOf(chain.records),
    consents: await addressOf(chain.consents),
    orders: await addressOf(chain.orders),
    emergencies: await addressOf(chain.emergencies),
    accessLog: await addressOf(chain.accessLog),
  } as Deployment;
}

/** Opens a window; the terms it stands for. */
async function breakGlass(scene: Scene, n: number): Promise<{ gas: number; terms: BenchTerms }> {
  const { chain, colleague, sign, dataOf } = scene;
  const { patientId } = scene.patient;
  const openedAt = LATER + n * HOUR;
  const [reasonDigest, nonce] = [steadyBytes(`reason ${n}`), steadyBytes(`nonce ${n}`)];
  const initiator = chain.clinician.address;
  const deadline = openedAt + MINUTE;
  const message = { initiator, patientId, reasonDigest, nonce, deadline };
  const second = await cosigned(colleague, sign(colleague, "emergencies", "Emergency", message), deadline);
  await chain.connection.networkHelpers.time.setNextBlockTimestamp(openedAt);
  const gas = await gasOf(chain.emergencies.breakGlass(patientId, reasonDigest, nonce, second));
  const salt = TypedDataEncoder.hashStruct(
    "Emergency",
    dataOf("emergencies", "Emergency", message).types,
    message,
  ) as Hex;
  const notAfter = openedAt + EMERGENCY_LIMITS.windowLength;
  const terms = { ...termsOf(scene.patient, ""), purposes: 1 << BTG, notBefore: openedAt, notAfter, salt };
  return { gas, terms: { ...terms, recordedTo: 2 ** 32 - 1 } };
}

async function fileLate(scene: Scene, n: number): Promise<number> {
  const { chain, colleague, releaser, sign } = scene;
  const released = {
    initiator: chain.clinician.address,
    colleague: colleague.address,
    patientId: scene.patient.patientId,
    reasonDigest: steadyBytes(`late reason ${n}`),
    nonce: steadyBytes(`late nonce ${n}`),
    deadline: LATER + MINUTE,
  };
  return await gasOf(
    chain.emergencies.connect(releaser).fileLate({
      ...released,
      releasedAt: LATER,
      releaseDigest: steadyBytes(`release ${n}`),
      initiatorSignature: await sign(chain.clinician, "emergencies", "EmergencyRelease", released),
      colleagueSignature: await sign(colleague, "emergencies", "EmergencyRelease", released),
    }),
  );
}

async function logLookup({ chain }: Scene, n: number): Promise<number> {
  return await gasOf(chain.emergencies.logLookup(steadyBytes(`blinded ${n}`)));
}

/** Two grants on paper of a patient who has no key. */
async function measureWitnessed(scene: Scene): Promise<number> {
  const { chain, clerk, sign } = scene;
  const seed = steadyBytes("seed of a patient without a key");
  const patientId = (await chain.patients.patientIdOf(1, seed)) as Hex;
  await chain.patients.register(seed, "0x", "0x", NOT_AFTER);
  return await secondTime(async (n) => {
    const terms = termsOf({ patientId }, `paper ${n}`);
    const ref = (await chain.consents.hashTerms(terms)) as Hex;
    const document = await documentOf(scene, LeafKind.CONSENT_DOCUMENT, patientId, { ref });
    const first = chain.operator.address;
    const message = { act: GRANT_WITNESSED, patientId, ref, first, deadline: NOT_AFTER };
    const witness = await cosigned(clerk, sign(clerk, "consents", "Witnessing", message));
    return await gasOf(chain.consents.connect(chain.operator).grantWitnessed(terms, document, witness));
  });
}

async function enterOrder(scene: Scene, n: number): Promise<{ gas: number; terms: BenchTerms }> {
  const { chain, reviewerA, reviewerB, sign } = scene;
  const terms = { ...termsOf(scene.patient, `order ${n}`), purposes: 1 << HLEGAL };
  const termsHash = (await chain.consents.hashTerms(terms)) as Hex;
  const document = await documentOf(scene, LeafKind.LEGAL_ORDER, terms.patientId, { ref: termsHash });
  const message = { termsHash, first: reviewerA.address, deadline: NOT_AFTER };
  const second = await cosigned(reviewerB, sign(reviewerB, "orders", "OrderEntry", message));
  return { gas: await gasOf(chain.orders.connect(reviewerA).enter(terms, document, second)), terms };
}

/** The n-th record of the batch is held, with the patient's signature. */
async function placeHold(scene: Scene, n: number): Promise<number> {
  const { chain, patient, sign } = scene;
  const { entry, signed } = await holdOf(scene, n);
  const signature = await sign(patient.wallet, "records", "Hold", { ...signed, until: NOT_AFTER });
  return await gasOf(chain.records.placeHold([entry], NOT_AFTER, NOT_AFTER, signature));
}

async function liftHold(scene: Scene, n: number): Promise<number> {
  const { entry, signed } = await holdOf(scene, n);
  const signature = await scene.sign(scene.patient.wallet, "records", "HoldLift", signed);
  return await gasOf(scene.chain.records.liftHold([entry], NOT_AFTER, signature));
}

async function holdOf({ chain, patient, batch }: Scene, n: number) {
  const entry = batch.entry(n);
  const { patientId } = patient;
  const nonce = await chain.records.nonceOf(patientId);
  return { entry, signed: { patientId, indices: [entry.leaf.index], nonce, deadline: NOT_AFTER } };
}

/** The n-th record of the batch is erased, as the patient asks. */
async function erase(scene: Scene, n: number): Promise<number> {
  const { chain, patient, batch, sign } = scene;
  const entry = batch.entry(n);
  const kind = LeafKind.ERASURE_CERTIFICATE;
  const certificate = await documentOf(scene, kind, patient.patientId, amends(entry.leaf.index));
  const certificateIndex = certificate.leaf.index;
  const message = { memberId: 1, index: entry.leaf.index, certificateIndex, deadline: NOT_AFTER };
  const signature = await sign(patient.wallet, "records", "Erasure", message);
  const signer = { account: ZeroAddress, deadline: NOT_AFTER, signature };
  return await gasOf(chain.records.erase(entry, certificate, ERASED_BY_PATIENT, signer));
}

async function cosigned(by: HardhatEthersSigner, signature: Promise<Hex>, deadline = NOT_AFTER) {
  return { account: by.address, deadline, signature: await signature };
}

/** A supporting entry in hospital A's log, in a batch of its own. */
async function documentOf({ chain, patient }: Scene, kind: LeafKind, patientId: Hex, { ref }: Partial<Leaf>) {
  const batch = await anchorRecords(chain, { ...patient, patientId }, 1, { kind, ref: ref! });
  return batch.entry(0);
}
