// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Hex } from "../crypto/index.js";
import { ItemState, type Resolution } from "../records/index.js";
import type { Vault } from "../vault/index.js";

/** Under whom an item is filed, or why it is not yet. */
export interface Filing {
  state: ItemState;
  patient?: { patientId: Hex; compartment: number };
  error?: ChartsealError;
}

/** Files an item by what the rules say of its subject. */
export function filingOf(
  parts: { vault: Vault; compartment: string },
  resolution: Resolution | ChartsealError,
): Filing {
  if (resolution instanceof ChartsealError) return { state: ItemState.DEAD, error: resolution };
  const patientId =
    "patientId" in resolution
      ? (resolution.patientId as Hex)
      : "administrative" in resolution
        ? parts.vault.administrativeId()
        : undefined;
  if (patientId === undefined) return { state: ItemState.WAITING };
  return {
    state: ItemState.SEALED,
    patient: { patientId, compartment: parts.vault.compartmentOf(patientId, parts.compartment) },
  };
}
