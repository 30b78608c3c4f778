// SPDX-License-Identifier: Apache-2.0
// The bits that the contracts keep in one word, each by its name there.

/** Roles of staff (Roles.sol). */
export const ROLES = { OPERATOR: 1, CLINICIAN: 2, REVIEWER: 4, RELEASER: 8 } as const;
export type Role = keyof typeof ROLES;

/** What a member is suspended from, or that it left for good (Suspension.sol). */
export const SUSPENSIONS = { READING: 1, WRITING: 2, REMOVED: 4 } as const;
export type Suspension = keyof typeof SUSPENSIONS;

/** Flags of a log entry (EntryStatus.sol); none for a plain one. */
export const ENTRY_STATUS = { SUPERSEDED: 1, RETRACTED: 2, HELD: 4, ERASED: 8 } as const;

/** Flags under which an entry can no longer be requested (EntryStatus.WITHDRAWN). */
export const WITHDRAWN = ENTRY_STATUS.RETRACTED | ENTRY_STATUS.ERASED;

/** Bitmap of a patient's 64 compartments, numbered from bit 0. */
export const ALL_COMPARTMENTS = (1n << 64n) - 1n;

/** The names of the bits that are set, lowest first. */
export function bitNames<Name extends string>(bits: Readonly<Record<Name, number>>, word: number): Name[] {
  return (Object.keys(bits) as Name[]).filter((name) => (word & bits[name]) !== 0);
}
