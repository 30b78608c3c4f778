// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";

/** By their numbers on chain. */
export const VERDICTS = ["NONE", "APPROPRIATE", "INAPPROPRIATE"] as const;
/** What a review found. */
export type EmergencyVerdict = Exclude<(typeof VERDICTS)[number], "NONE">;

/** One window and what became of it. */
export interface EmergencyWindow {
  windowId: Hex;
  patient: Hex;
  reader: Hex;
  colleague: Hex;
  /** Member ids. */
  member: number;
  colleagueMember: number;
  custodian: number;
  /** Unix seconds. */
  openedAt: number;
  justifyBy: number;
  reviewBy: number;
  justified: boolean;
  /** Justification overdue and flagged on chain. */
  overdue: boolean;
  /** By the chain's clock, flagged or not. */
  justificationOverdue: boolean;
  reviewOverdue: boolean;
  verdict?: EmergencyVerdict;
  /** Released while the chain was down; `openedAt` is when it was filed. */
  late: boolean;
}

/** What a member's privacy officer owes, or may take over, of a window. */
export interface EmergencyDuty {
  what: "justify" | "flag" | "decide";
  /** Unix seconds. */
  by: number;
  overdue: boolean;
}

/**
 * A member's part in a window, as the contract gives it: the reader's member justifies, and once that is flagged as
 * overdue the colleague's may; the custodian reviews, and once that is overdue any member of neither side may.
 */
export function dutiesOf(window: EmergencyWindow, memberId: number): EmergencyDuty[] {
  const { member, colleagueMember, custodian, justified, overdue: flagged } = window;
  const { justifyBy, reviewBy, justificationOverdue, reviewOverdue } = window;
  const duties: EmergencyDuty[] = [];
  const mayJustify = member === memberId || (flagged && colleagueMember === memberId);
  if (!justified && mayJustify)
    duties.push({ what: "justify", by: justifyBy, overdue: justificationOverdue });
  const mayFlag = memberId === custodian || (memberId === colleagueMember && memberId !== member);
  if (justificationOverdue && !flagged && mayFlag)
    duties.push({ what: "flag", by: justifyBy, overdue: true });
  const ofNeither = memberId !== member && memberId !== colleagueMember;
  if (window.verdict === undefined && (memberId === custodian || (reviewOverdue && ofNeither)))
    duties.push({ what: "decide", by: reviewBy, overdue: reviewOverdue });
  return duties;
}

/** Whether it is one of the member's own, or one that it may take over. */
export function concerns(window: EmergencyWindow, member: number): boolean {
  const { member: reader, colleagueMember, custodian } = window;
  return [reader, colleagueMember, custodian].includes(member) || dutiesOf(window, member).length > 0;
}
