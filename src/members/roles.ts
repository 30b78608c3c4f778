// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** Roles of staff and their bits on chain (Roles.sol). */
export const ROLES = { OPERATOR: 1, CLINICIAN: 2, REVIEWER: 4, RELEASER: 8 } as const;
export type Role = keyof typeof ROLES;

/** Why an account is revoked, in the order of IMemberRegistry.RevocationReason. */
export const REVOCATION_REASONS = ["LEFT", "KEY_LOST", "KEY_COMPROMISED", "MISUSE"] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** @throws ERR_USAGE for a name that is no role */
export function roleBits(roles: readonly string[]): number {
  return roles.reduce((bits, role) => {
    const bit = ROLES[role as Role];
    if (bit === undefined) {
      throw new ChartsealError("ERR_USAGE", `${role} is not a role`, {
        values: { role },
        hint: `one of ${Object.keys(ROLES).join(", ")}`,
      });
    }
    return bits | bit;
  }, 0);
}

export function roleNames(bits: number): Role[] {
  return (Object.keys(ROLES) as Role[]).filter((role) => (bits & ROLES[role]) !== 0);
}
