// SPDX-License-Identifier: Apache-2.0
import { ZeroAddress, id } from "ethers";
import type { ActOf, LogEntry } from "./acts.js";
import { RELAY, call } from "./call.js";
import type { Encode } from "./call.js";
import type { Call, Stage } from "./stage.js";

const GROUND = { patient: 0, reviewer: 1, retention: 2 };
type RecordKind = "anchor" | "supersede" | "retract" | "hold" | "liftHold" | "liftEndedHold" | "erase";

export const RECORD_CALLS: { readonly [K in RecordKind]: Encode<K> } = {
  anchor: (s, { member, entries }) => {
    const root = s.batch(entries);
    const operator = member === 1 ? "operator A" : "operator B";
    return call(s, operator, "records", "anchor", [1, entries.length, root, id("manifest")]);
  },
  supersede: (s, { older, newer, operator }) =>
    call(s, operator, "records", "supersede", [s.entry(older), s.entry(newer)]),
  retract: (s, { entry, operator }) => call(s, operator, "records", "retract", [s.entry(entry)]),
  hold: async (s, { entry, until, operator, signature }, at) => {
    const value = { ...(await holdValue(s, entry, at)), until };
    const signed = await s.sign("records", signature, "Hold", value);
    return call(s, operator, "records", "placeHold", [[s.entry(entry)], until, at, signed]);
  },
  liftHold: async (s, { entry, account, signature }, at) => {
    const signed = await s.sign("records", signature, "HoldLift", await holdValue(s, entry, at));
    return call(s, account, "records", "liftHold", [[s.entry(entry)], at, signed]);
  },
  liftEndedHold: (s, { entry }) => call(s, RELAY, "records", "liftEndedHold", [[s.entry(entry)]]),
  erase: erasure,
};

async function erasure(s: Stage, act: ActOf<"erase">, at: number): Promise<Call> {
  const { entry, certificate, operator, ground } = act;
  const value = {
    memberId: entry.member,
    index: entry.index,
    certificateIndex: certificate.index,
    deadline: at,
  };
  let cosigner = { account: ZeroAddress, deadline: at, signature: "0x" };
  if (ground === "reviewer") cosigner = await s.cosign("records", act.reviewer, "Erasure", value);
  if (ground === "patient") cosigner.signature = await s.sign("records", act.signature, "Erasure", value);
  return call(s, operator, "records", "erase", [
    s.entry(entry),
    s.entry(certificate),
    GROUND[ground],
    cosigner,
  ]);
}

async function holdValue(s: Stage, entry: LogEntry, at: number) {
  const patientId = s.patientId(entry.patient);
  return {
    patientId,
    indices: [entry.index],
    nonce: await s.contracts.records.nonceOf(patientId),
    deadline: at,
  };
}
