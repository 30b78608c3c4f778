// SPDX-License-Identifier: Apache-2.0
import { LIMITS, all } from "./acts.js";
import type { Act, ActOf, History, Reason } from "./acts.js";
import {
  denialFaults,
  directiveFaults,
  grantFaults,
  liftFaults,
  orderFaults,
  revocationFaults,
} from "./consent.js";
import { breakGlassFaults, flagFaults, justificationFaults } from "./emergencies.js";
import {
  erasureFaults,
  holdFaults,
  liftEndedHoldFaults,
  liftHoldFaults,
  retractionFaults,
  supersessionFaults,
} from "./entries.js";
import {
  areGuardians,
  changeIsPossible,
  custodianOf,
  guardiansOf,
  isDead,
  isOf,
  keyIsTaken,
  keyOf,
  looseningFaults,
  pendingOf,
  setIsPossible,
  signatureFaults,
  waitingFaults,
} from "./patients.js";
import { ownRequestFaults, requestFaults } from "./requests.js";
import {
  enrolmentOf,
  homeOf,
  mayEnrol,
  memberExists,
  outsideReviewerFaults,
  staffFaults,
  when,
} from "./staff.js";

type Rules = { readonly [K in Act["kind"]]: (history: History, at: number, act: ActOf<K>) => Reason[] };

/**
 * Why an act at `at` is refused after these acts took effect; none: it is taken. Written from the design and the rules
 * in docs/, not from the contracts: it keeps no state, and asks the history each time.
 */
export function faultsOf(history: History, at: number, act: Act): Reason[] {
  const rule = RULES[act.kind] as (history: History, at: number, act: Act) => Reason[];
  return [...new Set(rule(history, at, act))];
}

const RULES: Rules = {
  admit: () => [],
  anchor: () => [],
  register: () => [],
  suspend: (history, _at, { member }) => memberFaults(history, member),
  remove: (history, _at, { member }) => memberFaults(history, member),
  enrol: (history, at, act) => [
    ...memberFaults(history, act.member),
    ...when(enrolmentOf(history, act.account) !== undefined || at > act.notAfter, "standing"),
    ...when(!mayEnrol(history, act.member, act.person), "standing"),
  ],
  share: (history, _at, { person, member }) => {
    const home = homeOf(history, person);
    return home === undefined
      ? ["standing"]
      : [...memberFaults(history, home), ...memberFaults(history, member)];
  },
  update: (history, at, act) => [
    ...accountFaults(history, act.account),
    ...when(at > act.notAfter || isDismissed(history, act.account), "standing"),
  ],
  dismiss: (history, _at, { account, by }) => [
    ...when(enrolmentOf(history, account) === undefined, "staff"),
    // Once the member left, nobody but governance can.
    ...when((by === "admin") === accountFaults(history, account).length > 0, "member"),
    ...when(isDismissed(history, account), "standing"),
  ],
  rotate: rotationFaults,
  delegate: delegationFaults,
  propose: proposalFaults,
  proposeAsGuardians: guardiansProposalFaults,
  setGuardians: guardiansFaults,
  cancel: (history, at, act) => [
    ...when(pendingOf(history, act.patient) === undefined, "standing"),
    ...refuserFaults(history, at, act),
  ],
  complete: completionFaults,
  grant: grantFaults,
  grantAsDelegate: grantFaults,
  grantOnPaper: grantFaults,
  revoke: revocationFaults,
  revokeAsDelegate: revocationFaults,
  revokeOnPaper: revocationFaults,
  direct: directiveFaults,
  denyOnPaper: denialFaults,
  order: orderFaults,
  lift: liftFaults,
  breakGlass: breakGlassFaults,
  justify: justificationFaults,
  flag: flagFaults,
  supersede: supersessionFaults,
  retract: retractionFaults,
  hold: holdFaults,
  liftHold: liftHoldFaults,
  liftEndedHold: liftEndedHoldFaults,
  erase: erasureFaults,
  requestRecords: requestFaults,
  requestScope: requestFaults,
  requestOwn: ownRequestFaults,
};

/** Nobody does anything to a member that left, or that never came. */
function memberFaults(history: History, member: number): Reason[] {
  const gone = all(history, "remove").some((act) => act.member === member);
  return when(gone || !memberExists(history, member), "member");
}

function accountFaults(history: History, account: string): Reason[] {
  const enrolled = enrolmentOf(history, account);
  return enrolled ? memberFaults(history, enrolled.member) : ["staff"];
}

function isDismissed(history: History, account: string): boolean {
  return all(history, "dismiss").some((act) => act.account === account);
}

/** Guardians do not replace a key that stands; the dead get none. */
function rotationFaults(history: History, at: number, act: ActOf<"rotate">): Reason[] {
  const { patient, key, signature } = act;
  const present = keyOf(history, patient);
  const replaced = present !== undefined && !isOf(signature, present);
  return [
    ...signatureFaults(history, at, patient, signature),
    ...when(
      isDead(history, patient) || replaced || keyIsTaken(history, key, { patient, use: "signer" }),
      "standing",
    ),
  ];
}

/** An end that is past ends the delegation: that tightens, and takes any key. */
function delegationFaults(history: History, at: number, act: ActOf<"delegate">): Reason[] {
  const { patient, key, until, signature } = act;
  const signed = signatureFaults(history, at, patient, signature);
  if (until < at) return signed;
  const outlasts = signature.together && until > (guardiansOf(history, patient)?.until ?? until);
  return [
    ...signed,
    ...waitingFaults(history, at, patient),
    ...when(keyIsTaken(history, key, { patient, use: "delegate" }) || outlasts, "standing"),
  ];
}

/** The custodian's OPERATOR with another member's REVIEWER; one change at a time; of the dead only that he lives. */
function proposalFaults(history: History, at: number, act: ActOf<"propose">): Reason[] {
  const { patient, change, operator: caller, reviewer } = act;
  const custodian = custodianOf(history, patient);
  const possible =
    pendingOf(history, patient) === undefined &&
    (!isDead(history, patient) || ["CAPABLE", "GUARDIANS"].includes(change.what)) &&
    changeIsPossible(history, at, patient, change);
  return [
    ...staffFaults(history, at, caller, { role: "OPERATOR", activity: "writing" }),
    ...when(enrolmentOf(history, caller)?.member !== custodian, "pair"),
    ...outsideReviewerFaults(history, at, { caller, reviewer, custodian }),
    ...when(!possible, "standing"),
  ];
}

/** Guardians propose a key or a condition, not death, nor other guardians. */
function guardiansProposalFaults(history: History, at: number, act: ActOf<"proposeAsGuardians">): Reason[] {
  const { patient, change, signature } = act;
  const possible =
    pendingOf(history, patient) === undefined &&
    ["SIGNER", "INCAPABLE", "CAPABLE"].includes(change.what) &&
    (!isDead(history, patient) || change.what === "CAPABLE") &&
    changeIsPossible(history, at, patient, change);
  return [
    ...when(!areGuardians(history, at, patient, signature), "signature"),
    ...when(!possible, "standing"),
  ];
}

/** Guardians name none who outlast them. */
function guardiansFaults(history: History, at: number, act: ActOf<"setGuardians">): Reason[] {
  const { patient, guardians, signature } = act;
  const own = guardiansOf(history, patient);
  const outlasts = guardians.keys.length > 0 && signature.together && guardians.until > (own?.until ?? 0);
  return [
    ...looseningFaults(history, at, patient, signature),
    ...when(outlasts || !setIsPossible(history, at, patient, guardians), "standing"),
  ];
}

/** Who holds a key refuses, whatever is said of him; without one his guardians do. */
function refuserFaults(history: History, at: number, { patient, signature }: ActOf<"cancel">): Reason[] {
  const key = keyOf(history, patient);
  const refuses = key === undefined ? areGuardians(history, at, patient, signature) : isOf(signature, key);
  return when(!refuses, "signature");
}

function completionFaults(history: History, at: number, { patient, change }: ActOf<"complete">): Reason[] {
  const pending = pendingOf(history, patient);
  const ready =
    pending !== undefined &&
    JSON.stringify(pending.change) === JSON.stringify(change) &&
    at >= pending.at + LIMITS.recoveryDelay;
  return when(!ready || !changeIsPossible(history, at, patient, change), "standing");
}
