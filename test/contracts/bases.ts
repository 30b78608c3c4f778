// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { TypedDataEncoder, hexlify, id } from "ethers";
import { ALL_COMPARTMENTS, LIMITS, Purpose, networkHelpers, nextBlockAt, now } from "./consortium.js";
import { grantTerms, termsHashOf } from "./fixtures.js";
import { deployWithOrder } from "./orders.js";
import { cosign } from "./pairs.js";
import type { WithStaff } from "./witnesses.js";

/** Seconds: as far ahead as a colleague may sign. */
const HOUR = 3_600;
/** IAccessLog's Basis. */
export const Basis = { GRANT: 0, PATIENT: 1, BREAK_GLASS: 2, LEGAL_ORDER: 3 } as const;
const EMERGENCY_TYPES = {
  Emergency: [
    { name: "initiator", type: "address" },
    { name: "patientId", type: "bytes32" },
    { name: "reasonDigest", type: "bytes32" },
    { name: "nonce", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
};

/** A clinician of hospital B breaks the glass for the fixture's patient, with a colleague. */
async function openWindow(f: WithStaff) {
  const [reader, second] = [f.clinicianB, f.secondClinicianB];
  const { patientId } = f.patient;
  const emergency = { patientId, reasonDigest: id("reason"), nonce: hexlify(randomBytes(32)) };
  const colleague = await cosign(
    {
      contract: f.emergencies,
      name: "BreakGlass",
      types: EMERGENCY_TYPES,
      value: emergency,
      firstField: "initiator",
    },
    { first: reader, second },
    { deadline: (await now()) + HOUR },
  );
  const openedAt = await nextBlockAt();
  await f.emergencies
    .connect(reader)
    .breakGlass(patientId, emergency.reasonDigest, emergency.nonce, colleague);
  const signed = { ...emergency, initiator: reader.address, deadline: colleague.deadline };
  // As anyone derives them from the event's time and what the colleague signed.
  const terms = {
    format: 1,
    patientId,
    grantee: 2,
    compartments: ALL_COMPARTMENTS,
    purposes: 1 << Purpose.BTG,
    notBefore: openedAt,
    notAfter: openedAt + LIMITS.windowLength,
    recordedFrom: 0,
    recordedTo: 2 ** 32 - 1,
    salt: TypedDataEncoder.hashStruct("Emergency", EMERGENCY_TYPES, signed),
  };
  return { terms, termsHash: termsHashOf(terms) };
}

/** A grant, a legal order and a window, each of which lets a clinician of hospital B read all of one patient. */
async function deployWithBases() {
  const f = await deployWithOrder();
  const granted = await grantTerms(f, f.patient);
  return { ...f, ...granted, window: await openWindow(f) };
}
export type WithBases = Awaited<ReturnType<typeof deployWithBases>>;
export const loadWithBases = () => networkHelpers.loadFixture(deployWithBases);
