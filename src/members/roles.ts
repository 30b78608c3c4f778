// SPDX-License-Identifier: Apache-2.0
import { ROLES, type Role } from "../chain/index.js";
import { ChartsealError } from "../errors.js";

/** Why an account is revoked, in the order of IMemberRegistry.RevocationReason. */
export const REVOCATION_REASONS = ["LEFT", "KEY_LOST", "KEY_COMPROMISED", "MISUSE"] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** @throws ERR_USAGE for a name that is no reason */
export function revocationNumber(reason: string): number {
  const number = REVOCATION_REASONS.indexOf(reason as RevocationReason);
  if (number >= 0) return number;
  throw new ChartsealError("ERR_USAGE", `${reason} is not a reason for a revocation`, {
    values: { reason },
    hint: `one of ${REVOCATION_REASONS.join(", ")}`,
  });
}

/** @throws ERR_USAGE for a name that is no role */
export function roleBits(roles: readonly string[]): number {
  return roles.reduce((bits, role) => {
    // Own names only: "constructor" is no role.
    const bit = Object.hasOwn(ROLES, role) ? ROLES[role as Role] : undefined;
    if (bit === undefined) {
      throw new ChartsealError("ERR_USAGE", `${role} is not a role`, {
        values: { role },
        hint: `one of ${Object.keys(ROLES).join(", ")}`,
      });
    }
    return bits | bit;
  }, 0);
}
