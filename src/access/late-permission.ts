// SPDX-License-Identifier: Apache-2.0
import { verifyTypedData } from "ethers";
import { ALL_COMPARTMENTS, ROLES, SUSPENSIONS, type Chain } from "../chain/index.js";
import { typedData } from "../consent/index.js";
import { keyDigest, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { KnownStaff, LastKnown } from "./last-known.js";
import type { Withdrawal } from "../vault/index.js";
import type { LateRequest } from "./message-bodies.js";
import { toldIn } from "./withdrawal.js";

/** Seconds for which the two signatures can be used. */
export const LATE_LIFETIME = 10 * 60;
/** Seconds by which two hospitals' clocks may differ. */
const CLOCK_SKEW = 60;

/** What two clinicians sign while the chain is down. */
export type EmergencyRelease = Omit<
  LateRequest,
  "format" | "accessId" | "initiatorSignature" | "colleagueSignature" | "publicKey"
>;

/** Typed data of {@link EmergencyRelease}: a type of its own, that no signature of a window on chain passes for. */
export function emergencyReleaseData(chain: Chain, release: EmergencyRelease): ReturnType<typeof typedData> {
  const { initiator, colleague, patientId, reasonDigest, nonce, deadline } = release;
  const message = { initiator, colleague, patientId, reasonDigest, nonce, deadline };
  return typedData(chain.deployment, "emergencies", "EmergencyRelease", message);
}

/** Staff as last known, who may act in this role now. @throws ERR_CAPSULE_REFUSED */
export function requireStaff(
  known: LastKnown,
  account: Hex,
  role: number,
  { now, activity }: { now: number; activity: number },
): KnownStaff {
  const staff = known.staff.get(account);
  if (staff === undefined) throw lateRefusal(`${account} is nobody's staff, as far as is known`);
  if (staff.notAfter < now) throw lateRefusal(`${account}'s term is over`);
  if ((staff.roles & role) === 0) throw lateRefusal(`${account} does not have the role for it`);
  const suspension = known.members.get(staff.memberId)?.suspension ?? SUSPENSIONS.REMOVED;
  if ((suspension & activity) !== 0) throw lateRefusal(`member ${staff.memberId} is suspended`);
  return staff;
}

/** The two, and what they may be shown. */
export interface LatePermission {
  initiator: KnownStaff;
  colleague: KnownStaff;
  /** Bitmap of compartments that the patient did not deny. */
  compartments: bigint;
  reader: { publicKey: Uint8Array; keyEpoch: number };
}

interface LateCircumstances {
  custodian: number;
  publicKey: Uint8Array;
  /** Unix seconds. */
  now: number;
  /** What the patient ever told this member. */
  told: readonly Withdrawal[];
}

/**
 * Holds what two clinicians ask for while the chain is down against what is last known of it: as breakGlass would.
 * @throws ERR_CAPSULE_REFUSED with the reason
 */
export function latePermission(
  chain: Chain,
  known: LastKnown,
  request: LateRequest,
  { custodian, publicKey, now, told }: LateCircumstances,
): LatePermission {
  const { deadline, patientId } = request;
  if (deadline < now) throw lateRefusal("the time that the two signed for is over");
  if (deadline > now + LATE_LIFETIME + CLOCK_SKEW) {
    throw lateRefusal("the two signed for longer than ten minutes, or a clock is wrong");
  }
  const initiator = requireClinician(chain, known, request, "initiator", now);
  const colleague = requireClinician(chain, known, request, "colleague", now);
  if (initiator.personId === colleague.personId) throw lateRefusal("the two are one person");
  if (initiator.memberId === custodian) throw lateRefusal("it is for the custodian's own clinician");
  const denial = known.denials.get(patientId);
  // What the chain showed stands in the denial; what it was told since then may not be seen in it yet.
  const nonce = BigInt(known.nonces.get(patientId) ?? 0);
  const directives = told
    .map(toldIn)
    .filter((each) => each.kind === "directive")
    .filter((each) => BigInt(each.nonce) >= nonce);
  if (denial?.emergency === true || directives.some((each) => each.denyAll || each.denyEmergency))
    throw lateRefusal("the patient denies emergencies, or is dead");
  const { keyEpoch, keyDigest: digest } = known.members.get(initiator.memberId)!;
  if (keyDigest(publicKey) !== digest) {
    throw lateRefusal(`the key is not the one that member ${initiator.memberId} last published`);
  }
  const denied = directives.reduce(
    (bitmap, { deniedCompartments }) => bitmap | BigInt(deniedCompartments),
    BigInt(denial?.compartments ?? 0),
  );
  const compartments = ~denied & ALL_COMPARTMENTS;
  return { initiator, colleague, compartments, reader: { publicKey, keyEpoch } };
}

export function lateRefusal(why: string): ChartsealError {
  return new ChartsealError("ERR_CAPSULE_REFUSED", `nothing is released without the chain: ${why}`);
}

/** A seasoned clinician who signed, and owes nothing. */
function requireClinician(
  chain: Chain,
  known: LastKnown,
  request: LateRequest,
  who: "initiator" | "colleague",
  now: number,
): KnownStaff {
  const account = request[who];
  if (signedBy(chain, request, request[`${who}Signature`]) !== account) {
    throw lateRefusal(`the ${who} did not sign it`);
  }
  const staff = requireStaff(known, account, ROLES.CLINICIAN, { now, activity: SUSPENSIONS.READING });
  if (now < staff.since + known.waitingTime) throw lateRefusal(`${account} still waits`);
  if (known.overdue.has(staff.personId)) throw lateRefusal(`${account} owes a justification`);
  return staff;
}

function signedBy(chain: Chain, request: EmergencyRelease, signature: Hex): string | undefined {
  const { domain, types, message } = emergencyReleaseData(chain, request);
  try {
    return verifyTypedData(domain, types, message, signature).toLowerCase();
  } catch {
    return undefined;
  }
}
