// SPDX-License-Identifier: Apache-2.0
import {
  amends,
  anchorBlind,
  anchorRecords,
  grant,
  grantMany,
  registerPatient,
  requestRecords,
  requestScope,
  revoke,
  setDirective,
  termsOf,
} from "./gas-actors.js";
import type { BenchTerms, Patient } from "./gas-actors.js";
import type { Chain } from "./gas-chain.js";
import { gasOf, steadyBytes } from "./gas-chain.js";

const BATCH = 1_000; // ten-step proofs
const MILLION = 1_000_000;
const MANY_GRANTS = 10_000;
const X_WING_KEY_LENGTH = 1_216; // bytes

export interface Ours {
  recordInBatchOf1000: number;
  recordInBatchOf1000PastAMillion: number;
  recordInBatchOf1: number;
  registerPatient: number;
  grantFirst: number;
  grantBySignature: number;
  revoke: number;
  setDirectiveFirst: number;
  accessFirst: number;
  accessOneRecord: number;
  accessOneRecordPastAMillion: number;
  accessExtraRecord: number;
  accessScope: number;
  accessScopePastAMillion: number;
  supersede: number;
  retract: number;
  enrolStaff: number;
  publishKey: number;
}

/** Gas a call, or a record where the name says so. All from the second time on unless the name says "first". */
export async function measureOurs(chain: Chain): Promise<Ours> {
  const staff = await measureMembers(chain);
  const { patient } = await registerPatient(chain, "patient 1");
  const registered = await registerPatient(chain, "patient 2");
  const terms = termsOf(patient, "1");
  const grantFirst = await grant(chain, patient, terms);
  const grantBySignature = await grant(chain, patient, termsOf(patient, "2"));

  const first = await anchorRecords(chain, patient, BATCH);
  const accessFirst = await requestRecords(chain, terms, first, 1);
  const accessOneRecord = await requestRecords(chain, terms, first, 1);
  const accessOf11 = await requestRecords(chain, terms, first, 11);
  const accessScope = await requestScope(chain, terms);
  const second = await anchorRecords(chain, patient, BATCH, amends(first.firstIndex));
  const recordInBatchOf1 = await anchorBlind(chain, 1);
  const supersede = await gasOf(chain.records.supersede(first.entry(0), second.entry(0)));
  const retract = await gasOf(chain.records.retract(second.entry(600)));
  const revoked = await revoke(chain, patient, termsOf(patient, "2"));

  const far = await measureFarOn(chain, patient, terms);
  const directive = await setDirective(chain, patient);
  return {
    recordInBatchOf1000: second.gas / BATCH,
    recordInBatchOf1000PastAMillion: far.anchor / BATCH,
    recordInBatchOf1,
    registerPatient: registered.gas,
    grantFirst,
    grantBySignature,
    revoke: revoked,
    setDirectiveFirst: directive,
    accessFirst,
    accessOneRecord,
    accessOneRecordPastAMillion: far.access,
    accessExtraRecord: (accessOf11 - accessOneRecord) / 10,
    accessScope,
    accessScopePastAMillion: far.scope,
    supersede,
    retract,
    enrolStaff: staff.enrolStaff,
    publishKey: staff.publishKey,
  };
}

async function measureMembers(chain: Chain) {
  const members = chain.members.connect(chain.adminA);
  await members.publishKey(1, steadyBytes("key 1", X_WING_KEY_LENGTH));
  const publishKey = await gasOf(members.publishKey(1, steadyBytes("key 2", X_WING_KEY_LENGTH)));
  return { enrolStaff: chain.enrolStaff, publishKey };
}

/** The same again past a million records and with many other patients' and this patient's grants around. */
async function measureFarOn(chain: Chain, patient: Patient, terms: BenchTerms) {
  const other = await registerPatient(chain, "patient 3");
  await grantMany(chain, [patient, other.patient], MANY_GRANTS);
  await anchorBlind(chain, MILLION - Number(await chain.records.headOf(1)));
  const batch = await anchorRecords(chain, patient, BATCH);
  const access = await requestRecords(chain, terms, batch, 1);
  return { anchor: batch.gas, access, scope: await requestScope(chain, terms) };
}
