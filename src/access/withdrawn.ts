// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import type { Vault } from "../vault/index.js";
import type { AccessEvent } from "./access-event.js";
import { refused } from "./refused.js";
import type { AgentState } from "./stored-release.js";
import { toldIn, type DirectiveTold } from "./withdrawal.js";

/**
 * What a patient withdrew by telling this member, where the chain does not say so yet. It only ever tightens: what a
 * directive permits anew, the chain must say. An order stands above both, and nobody withdraws from himself.
 * @returns bitmap of compartments
 * @throws ERR_CAPSULE_REFUSED
 */
export async function withdrawnFrom(
  { chain, vault, state }: { chain: Chain; vault: Vault; state: AgentState },
  access: AccessEvent,
): Promise<bigint> {
  const { patientId, basis, basisRef } = access;
  if (basis !== "GRANT" && basis !== "BREAK_GLASS") return 0n;
  // A copy of the vault knows what its original was told before.
  const told = [...vault.withdrawals.of(patientId), ...state.withdrawals.of(patientId)].map(toldIn);
  if (told.some((each) => each.kind === "revocation" && basis === "GRANT" && each.termsHash === basisRef))
    throw refused(access, "the patient revoked the grant");
  const directives = told.filter((each) => each.kind === "directive");
  if (directives.length === 0) return 0n;
  const { nonce } = await chain.ask(() => chain.consents.directiveOf(patientId));
  return directives
    .filter((each) => BigInt(each.nonce) >= nonce)
    .reduce((denied, each) => denied | deniedBy(each, access), 0n);
}

function deniedBy(
  { denyAll, denyEmergency, deniedCompartments }: DirectiveTold,
  access: AccessEvent,
): bigint {
  if (denyAll) throw refused(access, "the patient denies all");
  if (denyEmergency && access.basis === "BREAK_GLASS")
    throw refused(access, "the patient denies emergencies");
  return BigInt(deniedCompartments);
}
