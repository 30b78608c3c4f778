// SPDX-License-Identifier: Apache-2.0
import type { Reason } from "./acts.js";

/** A revert that says nothing: one key's signature where several are decoded. */
export const NO_REASON = "no reason";

/** What each error of the contracts says, coarsely. An error that is not here may not come. */
const ERRORS: Record<Reason, readonly string[]> = {
  staff: [
    "StaffUnknown",
    "StaffIsRevoked",
    "StaffExpired",
    "StaffRoleMissing",
    "MemberSuspended",
    "StaffTooNew",
  ],
  pair: [
    ...["SamePerson", "NotOfCustodian", "ReviewersOfOneMember", "OwnPatient", "NotReviewer", "OwnEmergency"],
    ...["ReviewerOfCustodian", "NotLifter", "NotCustodian"],
  ],
  member: ["MemberUnknown", "MemberGone", "NotMemberAdmin", "AccessManagedUnauthorized"],
  terms: [
    ...["TermsPeriodInvalid", "TermsRecordedPeriodInvalid", "TermsCompartmentsEmpty", "TermsPurposesInvalid"],
    ...["GranteeMismatch", "PurposeNotGranted", "GrantNotYetValid", "GrantExpired"],
  ],
  basis: [
    "GrantUnknown",
    "TermsRevoked",
    "OrderUnknown",
    "OrderWasLifted",
    "WindowUnknown",
    "WindowOfAnother",
  ],
  directive: ["DirectiveDeniesAll", "EmergencyDenied"],
  scope: [
    ...["LeafOfAnotherMember", "LeafOfAnotherPatient", "CompartmentNotPermitted", "CompartmentsNotPermitted"],
    ...["DayNotGranted", "PeriodNotGranted", "BeyondHead", "NoEntries", "NotCustodian"],
  ],
  entry: [
    ...["EntryWithdrawn", "KindNotReadable", "StatusForbids", "KindForbids", "NotLater", "RefMismatch"],
    "PatientMismatch",
  ],
  signature: [
    ...["SignatureInvalid", "PatientHasNoSigner", "GuardiansTooFew", "GuardiansExpired", "NotGuardian"],
    ...["NotDelegate", NO_REASON],
  ],
  waiting: ["LoosensLater"],
  document: ["DocumentMismatch", "DocumentUsed", "CertificateMismatch"],
  quota: ["QuotaOfPersonUsed", "QuotaOfMemberUsed", "PersonOverdue", "MemberOverdue"],
  standing: [
    ...["TermsAlreadyGranted", "TermsRevoked", "PatientCanSign", "PatientIsDead", "SignerStands", "KeyInUse"],
    ...[
      "GuardiansOutlasted",
      "GrantOutlasts",
      "ChangePending",
      "ChangeUnknown",
      "ChangeNotReady",
      "WitnessesOnlyTighten",
    ],
    ...["OrderAlreadyEntered", "OrderUnknown", "OrderWasLifted", "WindowUnknown", "AlreadyJustified"],
    ...["AlreadyFlagged", "NotOverdue", "StaffAlreadyEnrolled", "StaffExpiryPast", "StaffIsRevoked"],
    ...["PersonUnknown", "PersonOfAnotherMember"],
    ...["ChangeNotForGuardians", "DeadlinePassed"],
    ...["HoldEndsTooSoon", "HoldLasts", "NotHeld", "RetentionLasts"],
  ],
};

/** Whether the contracts' error says one of these reasons. */
export function says(error: string, reasons: readonly Reason[]): boolean {
  return reasons.some((reason) => ERRORS[reason].includes(error));
}
