// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import type { AccessEvent } from "./access-event.js";

/** What stands behind an access at the chain's head. */
export interface Standing {
  /** Member id of who keeps the patient's records. */
  custodian: number;
  /** Bitmap of compartments that the patient's directive denies to this access. */
  denied: bigint;
}

/**
 * Asks the contract that knows: the ConsentRegistry for a grant, LegalOrders for an order, which no directive stops,
 * BreakGlass for an emergency, the PatientRegistry for a patient's own request, which his directive does not bind.
 * @throws ERR_CHAIN_REFUSED with the contract's reason, ERR_CAPSULE_REFUSED, ERR_RPC_UNAVAILABLE
 */
export async function standingOf(chain: Chain, access: AccessEvent): Promise<Standing> {
  const { patientId, basisRef, reader } = access;
  switch (access.basis) {
    case "GRANT": {
      const [custodian, denied] = await chain.ask(() => chain.consents.standingOf(patientId, basisRef));
      return { custodian: Number(custodian), denied };
    }
    case "LEGAL_ORDER": {
      const custodian = await chain.ask(() => chain.orders.standingOf(patientId, basisRef));
      return { custodian: Number(custodian), denied: 0n };
    }
    case "BREAK_GLASS": {
      const [custodian, denied] = await chain.ask(() => chain.emergencies.standingOf(basisRef, reader));
      return { custodian: Number(custodian), denied };
    }
    case "PATIENT": {
      const custodian = await chain.ask(() => chain.patients.custodianOf(patientId));
      return { custodian: Number(custodian), denied: 0n };
    }
  }
}
